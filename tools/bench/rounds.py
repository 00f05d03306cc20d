"""Rounds: every server once in each, one after the other, and what comes out of
them. Only ratios within a round are compared, since the machine drifts."""

import statistics
import subprocess
import sys
import time

from servers import Failed

STARTED = time.monotonic()


def progress(text):
    print(f"{time.monotonic() - STARTED:4.0f} s  {text}", file=sys.stderr, flush=True)


def measure(table, case, server, builds, times):
    try:
        return table.measure(table, case, server, builds, times)
    except subprocess.TimeoutExpired:
        return {"failed": "did not finish"}
    except Failed as error:
        return {"failed": str(error)}


def ratio_to(reference, rounds, name):
    """The median of the ratios within each round."""
    ratios = [
        mine[name] / other[name]
        for mine, other in zip(rounds, reference)
        if "failed" not in other and other[name]
    ]
    return statistics.median(ratios) if ratios else None


def figure(reference, rounds, name):
    values = [found[name] for found in rounds]
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "ratio": ratio_to(reference, rounds, name),
    }


def summarise(table, server, rounds, reference):
    """A row: each figure with its ratio to the reference."""
    row = {"server": server.name, "kind": server.kind}
    failed = next((found["failed"] for found in rounds if "failed" in found), None)
    if failed:
        return {**row, "failed": failed}
    for name in table.figures:
        row[name] = figure(reference, rounds, name)
    if "lost" in rounds[0]:
        row["messages"] = sum(found["messages"] for found in rounds)
        row["lost"] = sum(found["lost"] for found in rounds)
        for name in ("busy", "waited", "load_busy"):
            row[name] = statistics.median(found[name] for found in rounds)
    return row


def add_scores(table, rows):
    """The ratio beside the noise: divided by that of the reference under its
    second name."""
    noise = rows[1].get(table.main, {}).get("ratio")
    for row in rows:
        ratio = row.get(table.main, {}).get("ratio")
        if noise and ratio:
            row["score"] = ratio / noise


def run_case(table, case, servers, builds, times):
    results = {server.name: [] for server in servers}
    for number in range(times.rounds):
        progress(f"{table.name}: {case.name}: round {number + 1} of {times.rounds}")
        shift = number % len(servers)  # nobody is always the first
        for server in servers[shift:] + servers[:shift]:
            done = results[server.name]
            if not done or "failed" not in done[-1]:
                done.append(measure(table, case, server, builds, times))
    reference = results[servers[0].name]
    rows = [
        summarise(table, server, results[server.name], reference)
        for server in servers
    ]
    add_scores(table, rows)
    return rows
