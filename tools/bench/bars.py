"""The promises, and whether they are kept: the performance table of the
project's README."""

from dataclasses import dataclass


@dataclass
class Bar:
    what: str
    measured: str  # how
    table: str
    case: str
    key: str  # of a row: "score", or a figure
    limit: float
    part: str = "median"  # of that figure
    is_least: bool = False  # at least `limit`; else at most
    form: str = "{:.2f}"
    rows: tuple = ("playground run", "playground run --single")


BARS = [
    Bar("TCP echo, 64 clients", "CPU a message / bare epoll",
        "tcp-echo", "64 x 64 B", "score", 1.10),
    Bar("TCP echo, 1,000 clients", "CPU a message / bare epoll",
        "tcp-echo", "1000 x 64 B", "score", 1.10),
    Bar("TCP echo, instructions a message", "callgrind, one client in turns",
        "tcp-echo", "1 x 64 B", "instructions", 1260, form="{:.0f}"),
    Bar("each further handler", "callgrind, instructions",
        "handlers", "1 x 64 B", "handler", 66, form="{:.0f}",
        rows=(None, "10 handlers before it")),
    Bar("TCP echo, system calls a message", "strace / bare epoll",
        "tcp-echo", "1 x 64 B", "calls", 1.0, "ratio"),
    Bar("1 GiB through TCP echo", "rate / bare epoll",
        "tcp-bulk", "one client, up to 4 MiB on the way", "score", 0.8,
        is_least=True),
    Bar("UDP echo, 64 clients 16 deep", "CPU a datagram / recvfrom + sendto",
        "udp-echo", "64 x 64 B, 16 deep", "score", 0.75),
    Bar("the same, client sends UDP_SEGMENT", "CPU a datagram / recvfrom + sendto",
        "udp-echo", "the same, client sends UDP_SEGMENT", "score", 0.12),
    Bar("TCP broadcast to 100, 64 lines out", "CPU a delivery / a write a read",
        "broadcast-tcp", "100 subscribers, 64 out", "score", 1.3),
    Bar("TCP broadcast to 100, a line at a time", "CPU a delivery / a write a read",
        "broadcast-tcp", "100 subscribers, 1 out", "score", 1.10),
    Bar("UDP broadcast to 100, 64 out", "CPU a delivery / sendto",
        "broadcast-udp", "100 subscribers, 64 out", "score", 0.33),
    Bar("a line to a group of 100", "CPU of 10,000 members / a broadcast to 100",
        "group", "100 of 100 and 100 of 10,000", "growth", 1.2),
    Bar("two workers, 20 us of work a message", "rate / one worker",
        "workers", "64 x 64 B, 16 deep, two CPUs for all", "score", 1.6,
        is_least=True, rows=("2 workers", None)),
    Bar("an idle TCP session", "bytes, PSS of all processes at 10,000",
        "idle", "10,000 connections", "session_bytes", 512, form="{:.0f}"),
    Bar('from exec to "ready"', "ms", "start-up", "TCP echo", "ready_ms", 15,
        form="{:.1f}"),
    Bar("64 KB of two-byte lines of one, `/who` of another in a room of 200", "ms",
        "who", "a room of 200", "wait_ms", 50, form="{:.0f}"),
    Bar("an honest client beside rude ones", "ms, the longest wait",
        "rude", "30 rude ones", "wait_ms", 100, "max", form="{:.0f}"),
    Bar("one member that never reads", "PSS / session_queue_bytes",
        "unread", "lines of 60 B, one at a time", "grown", 2),
    Bar("a stranger's datagram to `echo`", "CPU at 10,000 peers / at 100",
        "strangers-echo", "100 and 10,000 peers", "growth", 1.2),
    Bar("a stranger's datagram to the chat", "CPU at 10,000 peers / at 100",
        "strangers-the-chat", "100 and 10,000 peers", "growth", 1.2),
    Bar("`PING` of redis-benchmark", "CPU a request / redis-server",
        "resp", "ping_mbulk, -P 1", "score", 0.9, rows=("playground run", None)),
    Bar("the same, 16 pipelined", "CPU a request / redis-server",
        "resp", "ping_mbulk, -P 16", "score", 0.8, rows=("playground run", None)),
    Bar("`SET` of redis-benchmark", "CPU a request / redis-server",
        "resp", "set, -P 1", "score", 0.9, rows=("playground run", None)),
    Bar("the same, 16 pipelined", "CPU a request / redis-server",
        "resp", "set, -P 16", "score", 0.8, rows=("playground run", None)),
    Bar("`GET` of redis-benchmark", "CPU a request / redis-server",
        "resp", "get, -P 1", "score", 0.9, rows=("playground run", None)),
    Bar("the same, 16 pipelined", "CPU a request / redis-server",
        "resp", "get, -P 16", "score", 0.8, rows=("playground run", None)),
    Bar("HTTP, wrk with 64 connections", "CPU a request / nginx, `return 200`",
        "http", "64 connections", "score", 0.95, rows=("playground run", None)),
    Bar("HTTP, wrk with 1,000", "CPU a request / nginx, `return 200`",
        "http", "1000 connections", "score", 0.95, rows=("playground run", None)),
    Bar("DNS, dnsperf from one socket", "CPU a query / nsd",
        "dns", "one socket", "score", 0.7, rows=("playground run", None)),
    Bar("DNS, from a hundred", "CPU a query / nsd",
        "dns", "100 sockets", "score", 0.5, rows=("playground run", None)),
    Bar("one beside 3,000 pipelined requests of 60 KB", "ms, the longest wait",
        "long-answers", "one reader", "wait_ms", 50, "max", form="{:.0f}", rows=("playground run", None)),
]


def value_of(bar, results, server):
    """The figure of a bar, or None: not measured."""
    for table in results["tables"]:
        for case in table["cases"]:
            if table["name"] != bar.table or case["name"] != bar.case:
                continue
            rows = {row["server"]: row for row in case["rows"]}
            row = rows.get(server, {})
            if bar.key == "score":
                return row.get("score")
            if bar.key == "handler":
                return handler_cost(row, case["rows"][0])
            return row.get(bar.key, {}).get(bar.part)
    return None


def handler_cost(row, none):
    ten, alone = (r.get("instructions", {}).get("median") for r in (row, none))
    return None if ten is None or alone is None else (ten - alone) / 10


def cell(bar, value):
    if value is None:
        return "-"
    text = bar.form.format(value)
    # Judged as it is printed: 1.102 is 1.10.
    is_kept = float(text) >= bar.limit if bar.is_least else float(text) <= bar.limit
    return text if is_kept else f"**{text}**"


def markdown(results):
    lines = [
        "| what | measured | bar | `run` | `run --single` |",
        "|---|---|---|---|---|",
    ]
    for bar in BARS:
        sign = "≥" if bar.is_least else "≤"
        values = [cell(bar, value_of(bar, results, server)) for server in bar.rows]
        lines.append(
            f"| {bar.what} | {bar.measured} | {sign} {bar.form.format(bar.limit)} "
            f"| {values[0]} | {values[1]} |"
        )
    about = results["about"]
    versions = ", ".join(f"{name} {text}" for name, text in about["versions"].items())
    lines += [
        "",
        f"`{results['command']}`, {results['date']}, on {about['machine']}; {versions}. "
        "Ratios are medians of rounds, divided by that of the bare server under a "
        "second name; bold: the bar is missed.",
    ]
    return "\n".join(lines)
