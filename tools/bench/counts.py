"""Counts, which do not wobble: system calls under strace and user instructions
under callgrind. Each is the difference of two runs, one with twice the
messages, so that start and end of the server cancel out."""

import os
import re
import shutil
import subprocess

from measures import cpus
from rounds import progress
from servers import Failed, load, running

LIMIT_S = 120


def deliveries(table, case):
    """What one message makes."""
    if not table.mode.endswith("broadcast"):
        return 1
    return int(case.load[case.load.index("--connections") + 1])


def difference(table, case, run):
    """What `run(messages)` counts, for each message more."""
    more = run(case.counted * 2) - run(case.counted)
    return more / (case.counted * deliveries(table, case))


def run_under(table, case, server, builds, messages, **how):
    server_cpus, load_cpus = cpus(table)
    with running(server, builds, server_cpus, **how) as (_, port):
        load(builds, load_cpus, port, table.mode,
             [*case.load, "--framing", server.framing,
              "--messages", str(messages), "--seconds", str(LIMIT_S)], LIMIT_S + 10)


def strace_total(path):
    """The calls in the last line, `100.00  0.01  3  2404  12 total`."""
    with open(path, encoding="ascii") as file:
        found = re.search(r"^\s*100\.00(.*) total$", file.read(), re.MULTILINE)
    if not found:
        raise Failed("strace printed no total")
    return int(found[1].split()[2])


def system_calls(table, case, server, builds):
    def run(messages):
        path = os.path.join(builds.folder, "strace")
        run_under(table, case, server, builds, messages, is_child=True,
                  under=["strace", "-f", "-c", "-qq", "-o", path])
        return strace_total(path)

    return difference(table, case, run)


def callgrind_total(path):
    with open(path, encoding="utf-8") as file:
        found = re.search(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE)
    if not found:
        raise Failed("callgrind counted nothing")
    return int(found[1])


def instructions(table, case, server, builds):
    def run(messages):
        path = os.path.join(builds.folder, "callgrind")
        run_under(table, case, server, builds, messages,
                  under=["valgrind", "-q", "--tool=callgrind",
                         f"--callgrind-out-file={path}"])
        return callgrind_total(path)

    return difference(table, case, run)


def counted(table, case, server, builds, count):
    try:
        return {"median": count(table, case, server, builds)}
    except (Failed, subprocess.TimeoutExpired) as error:
        progress(f"{table.name}: {case.name}: {server.name}: {error}")
        return {"failed": str(error)}


def add_count(name, table, case, servers, builds, rows):
    """`name` in each row, and its ratio to the reference."""
    count = {"calls": system_calls, "instructions": instructions}[name]
    for server, row in zip(servers, rows):
        if getattr(server, "has_" + name) and "failed" not in row:
            row[name] = counted(table, case, server, builds, count)
    base = rows[0].get(name, {}).get("median")
    for row in rows:
        if base and "median" in row.get(name, {}):
            row[name]["ratio"] = row[name]["median"] / base


def add_counts(table, case, servers, builds, rows):
    if not case.counted:
        return
    progress(f"{table.name}: {case.name}: counts")
    if shutil.which("strace"):
        add_count("calls", table, case, servers, builds, rows)
    if shutil.which("valgrind") and case.has_instructions:
        add_count("instructions", table, case, servers, builds, rows)
