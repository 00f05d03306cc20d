"""What is done with one server in one round. Each returns its figures."""

import os
import re
import subprocess
import time

from servers import Failed, load, pinned, running, tree

COUNT_LIMIT_S = 120
HOLD_LIMIT_S = 60


def cpus(table):
    """Those of the server, and those of the load."""
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) < 2:
        raise Failed("two CPUs are needed: one for the server, one for the load")
    if table.shares_cpus:
        return set(mine[:2]), set(mine[:2])
    return {mine[0]}, {mine[1]}


def options_of(case, server, times):
    """A case is measured for a while, or for a number of messages."""
    if case.messages:
        how_long = ["--messages", str(case.messages), "--seconds", str(times.limit_s)]
    else:
        how_long = ["--warm", str(times.warm_s), "--seconds", str(times.window_s)]
    return [*case.load, "--framing", server.framing, *how_long]


def traffic(table, case, server, builds, times):
    server_cpus, load_cpus = cpus(table)
    with running(server, builds, server_cpus) as (pid, port):
        found = load(builds, load_cpus, port, table.mode,
                     [*options_of(case, server, times), "--server", str(pid)],
                     times.limit_s + 10)
    size = int(case.load[case.load.index("--size") + 1])
    found["bytes_s"] = found["rate"] * size
    return found


# ---- memory ------------------------------------------------------------------


def pss_bytes(pid):
    """Proportional set size of a process and all its children: a page shared
    with n others counts as an n-th."""
    total = 0
    for each in tree(pid):
        with open(f"/proc/{each}/smaps_rollup", encoding="ascii") as file:
            total += int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.MULTILINE)[1])
    return total * 1024


def settled(read):
    """What it reads twice in a row; accepting takes a moment."""
    limit = time.monotonic() + 5
    before, now = None, read()
    while before != now and time.monotonic() < limit:
        time.sleep(0.1)
        before, now = now, read()
    return now


def memory(table, case, server, builds, times):
    del times
    server_cpus, load_cpus = cpus(table)
    with running(server, builds, server_cpus) as (pid, port):
        none = settled(lambda: pss_bytes(pid))
        holder = subprocess.Popen(
            [os.path.join(builds.bench, "load"), "hold", "--port", str(port),
             "--connections", str(case.connections)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=pinned(load_cpus),
        )
        try:
            if not holder.stdout.readline().startswith(b"connected"):
                raise Failed("not all clients could connect")
            all_of_them = settled(lambda: pss_bytes(pid))
        finally:
            holder.kill()
            holder.communicate()
    return {"session_bytes": (all_of_them - none) / case.connections,
            "empty_bytes": none}


# ---- start-up ----------------------------------------------------------------


def start_up(table, case, server, builds, times):
    del case
    command, _ = server.command(builds)
    found = load(builds, cpus(table)[0], 0, "start",
                 ["--times", "5", "--", *command], times.limit_s + 10)
    return {"ready_ms": found["median_ms"]}
