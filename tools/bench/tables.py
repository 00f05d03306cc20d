"""What is measured: tables, their cases and their servers. The first server of
a table is the reference, the second the same under another name: the noise."""

from dataclasses import dataclass, field
from typing import Callable

from groups import group_costs
from measures import memory, start_up, traffic
from protocols import (
    DNS, Protocol, nginx, nsd, pipelined_waits, redis, requests,
)
from rude import honest_waits, stranger_costs, unread_memory, who_waits
from servers import Peer, Playground, Reference

CHAT = ["lines", {"plugin": "chat-broadcast", "names": False}]


TRAFFIC = ("cpu_us", "rate", "p50_us", "p99_us", "p999_us")


@dataclass
class Case:
    name: str
    load: list = field(default_factory=list)  # arguments of the load
    counted: int = 0  # messages of the runs that count, see counts.py; 0: none
    has_instructions: bool = False  # count those too, which takes longer
    messages: int = 0  # a run is so many messages; 0: so many seconds
    connections: int = 0  # of the idle table
    without: tuple = ()  # servers that cannot do it
    is_quick: bool = True


@dataclass
class Table:
    name: str
    title: str
    per: str  # what is counted
    cases: list
    servers: list
    mode: str = ""  # of the load
    measure: Callable = traffic  # see measures.py
    figures: tuple = TRAFFIC
    main: str = "cpu_us"  # the one that is scored and drawn
    shares_cpus: bool = False  # server and load may use both
    note: Callable = None  # a sentence made of the rows


def clients(connections, size, depth, *more):
    return [
        "--connections", str(connections), "--size", str(size),
        "--depth", str(depth), *more,
    ]


def playgrounds(transport, handlers):
    return [
        Playground("playground run", transport, handlers),
        Playground("playground run --single", transport, handlers, "--single"),
    ]


# ---- TCP ---------------------------------------------------------------------

FORKING = ("socat, a process a client", "ncat, a process a client")

TCP_ECHO = Table(
    "tcp-echo", "TCP echo", "message",
    [
        Case("1 x 64 B", clients(1, 64, 1), 2000, True),
        Case("64 x 64 B", clients(64, 64, 1), 6400),
        Case("64 x 64 B, 16 deep", clients(64, 64, 16), 64000, True, is_quick=False),
        Case("1000 x 64 B", clients(1000, 64, 1), 10000, without=FORKING,
             is_quick=False),
        Case("16 x 16 KiB, 4 deep", clients(16, 16384, 4), 3200, is_quick=False),
    ],
    [
        Reference("epoll", "tcp-echo-epoll"),
        Reference("epoll again", "tcp-echo-epoll"),
        *playgrounds("tcp", ["echo"]),
        Reference("uv_poll_t", "tcp-echo-uv-poll"),
        Reference("uv_tcp_t, uv_write", "tcp-echo-uv-tcp"),
        Reference("Python, a thread a client", "lecture.py"),
        Peer(FORKING[0], "socat",
             "TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=1024",
             "PIPE", has_calls=False),
        Peer(FORKING[1], "ncat", "-k", "-l", "127.0.0.1", "{port}",
             "-m", "1000", "-e", "/bin/cat", has_calls=False),
    ],
    "tcp-echo",
)

TCP_BULK = Table(
    "tcp-bulk", "1 GiB through TCP echo", "message of 64 KiB",
    [Case("one client, up to 4 MiB on the way", clients(1, 65536, 64),
          messages=16384, is_quick=False)],
    [
        Reference("epoll", "tcp-echo-epoll"),
        Reference("epoll again", "tcp-echo-epoll"),
        *playgrounds("tcp", ["echo"]),
        Reference("uv_tcp_t, uv_write", "tcp-echo-uv-tcp"),
    ],
    "tcp-echo",
    figures=("bytes_s", "cpu_us"),
    main="bytes_s",
)

OPEN_LOOP = Table(
    "tcp-open", "TCP echo at a rate, latency from when a message was due", "message",
    [
        Case("64 clients, 10,000/s", clients(64, 64, 1, "--rate", "10000"),
             is_quick=False),
        Case("64 clients, 50,000/s", clients(64, 64, 1, "--rate", "50000"),
             is_quick=False),
    ],
    [
        Reference("epoll", "tcp-echo-epoll"),
        Reference("epoll again", "tcp-echo-epoll"),
        *playgrounds("tcp", ["echo"]),
        Reference("Python, a thread a client", "lecture.py"),
    ],
    "tcp-echo",
    figures=("p50_us", "p99_us", "p999_us", "max_us", "cpu_us"),
    main="p99_us",
)

# ---- UDP ---------------------------------------------------------------------

UDP_ECHO = Table(
    "udp-echo", "UDP echo", "datagram",
    [
        Case("64 x 64 B, 16 deep", clients(64, 64, 16), 10240, True),
        Case("the same, client sends UDP_SEGMENT",
             clients(64, 64, 16, "--segment"), 10240, True),
    ],
    [
        Reference("recvfrom, sendto", "udp-echo"),
        Reference("recvfrom, sendto again", "udp-echo"),
        *playgrounds("udp", ["echo"]),
        Reference("recvmmsg, sendmmsg", "udp-echo", "mmsg"),
        Reference("UDP_GRO, UDP_SEGMENT", "udp-echo", "segment"),
    ],
    "udp-echo",
)

# ---- broadcast ---------------------------------------------------------------

CHAT = ["lines", {"plugin": "chat-broadcast", "names": False}]

MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
"""

BROADCAST_TCP = Table(
    "broadcast-tcp", "Broadcast over TCP, lines of 64 B", "delivery",
    [
        Case("10 subscribers, 64 out", clients(10, 64, 64), 3200, is_quick=False),
        Case("100 subscribers, 64 out", clients(100, 64, 64), 320, True),
        Case("1000 subscribers, 64 out", clients(1000, 64, 64), 64, is_quick=False),
        Case("100 subscribers, 1 out", clients(100, 64, 1), 100, True),
    ],
    [
        Reference("epoll, a write a read", "tcp-broadcast"),
        Reference("epoll again", "tcp-broadcast"),
        *playgrounds("tcp", CHAT),
        Reference("epoll, a write a line", "tcp-broadcast", "line"),
        Peer("redis", "redis-server", "--port", "{port}", "--bind", "127.0.0.1",
             "--save", "", "--client-output-buffer-limit", "pubsub 0 0 0",
             framing="redis"),
        Peer("nats", "nats-server", "-a", "127.0.0.1", "-p", "{port}",
             framing="nats"),
        Peer("mosquitto", "mosquitto", "-c", "{mosquitto_conf}", framing="mqtt",
             files={"mosquitto_conf": MOSQUITTO}),
    ],
    "tcp-broadcast",
)

BROADCAST_UDP = Table(
    "broadcast-udp", "Broadcast over UDP, lines of 64 B", "delivery",
    [Case("100 subscribers, 64 out", clients(100, 64, 64), 320, True)],
    [
        Reference("sendto", "udp-broadcast"),
        Reference("sendto again", "udp-broadcast"),
        *playgrounds("udp", CHAT),
        Reference("sendmmsg", "udp-broadcast", "mmsg"),
        Reference("UDP_SEGMENT", "udp-broadcast", "segment"),
    ],
    "udp-broadcast",
)

GROUP = Table(
    "group", "A line to a group of 100, beside a broadcast to 100", "delivery",
    [Case("100 of 100 and 100 of 10,000", connections=10000, is_quick=False)],
    playgrounds("tcp", ["lines", "topics"]),
    measure=group_costs,
    figures=("growth", "few_us", "many_us"),
    main="growth",
)

# ---- the rest ----------------------------------------------------------------


def rate_of_two(rows):
    return (f"Two workers take {rows[2]['rate']['ratio']:.2f} times what one takes "
            f"({rows[2]['score']:.2f} beside the noise).")


WORKERS = Table(
    "workers", "Workers: a handler that burns 20 us of CPU a message", "message",
    [Case("64 x 64 B, 16 deep, two CPUs for all", clients(64, 64, 16))],
    [
        Playground("1 worker", "tcp", ["burn"]),
        Playground("1 worker again", "tcp", ["burn"]),
        Playground("2 workers", "tcp", ["burn"], workers=2),
    ],
    "tcp-echo",
    figures=("rate", "cpu_us", "p50_us", "p99_us", "p999_us"),
    main="rate",
    shares_cpus=True,
    note=rate_of_two,
)


def cost_of_a_handler(rows):
    none, ten = (rows[i].get("instructions", {}).get("median") for i in (0, -1))
    if none is None or ten is None:
        return "Without valgrind there is no cost in instructions."
    return f"A pass-through handler costs {(ten - none) / 10:.1f} instructions a message."


def passes(count, name):
    return Playground(name, "tcp", ["pass"] * count + ["echo"], "--single")


HANDLERS = Table(
    "handlers", "What a handler costs: TCP echo behind pass-through handlers",
    "message",
    [Case("1 x 64 B", clients(1, 64, 1), 2000, True)],
    [
        passes(0, "echo alone"),
        passes(0, "echo again"),
        passes(1, "1 handler before it"),
        passes(10, "10 handlers before it"),
    ],
    "tcp-echo",
    note=cost_of_a_handler,
)

IDLE = Table(
    "idle", "Memory of an idle TCP session, all processes", "session",
    [Case("10,000 connections", connections=10000)],
    [
        Reference("epoll", "tcp-echo-epoll"),
        Reference("epoll again", "tcp-echo-epoll"),
        *playgrounds("tcp", ["echo"]),
        Reference("uv_poll_t", "tcp-echo-uv-poll"),
        Reference("uv_tcp_t, uv_write", "tcp-echo-uv-tcp"),
    ],
    measure=memory,
    figures=("session_bytes", "empty_bytes"),
    main="session_bytes",
)

START = Table(
    "start-up", 'From exec to "ready"', "start",
    [Case("TCP echo")],
    [
        Reference("epoll", "tcp-echo-epoll"),
        Reference("epoll again", "tcp-echo-epoll"),
        *playgrounds("tcp", ["echo"]),
        Reference("Python, a thread a client", "lecture.py"),
    ],
    measure=start_up,
    figures=("ready_ms",),
    main="ready_ms",
)

# ---- what others cost --------------------------------------------------------

ROOM = ["lines", "chat-broadcast"]

WHO = Table(
    "who", "64 KB of two-byte lines of one, /who of another", "question",
    [Case("a room of 200", connections=200)],
    playgrounds("tcp", ROOM),
    measure=who_waits,
    figures=("wait_ms",),
    main="wait_ms",
)

RUDE = Table(
    "rude", "The longest wait of an honest client beside rude ones", "answer",
    [Case("30 rude ones", connections=30)],
    playgrounds("tcp", ["lines", "echo"]),
    measure=honest_waits,
    figures=("wait_ms",),
    main="wait_ms",
)

UNREAD = Table(
    "unread", "Memory for a member that never reads, of session_queue_bytes",
    "member",
    [Case("lines of 60 B, one at a time")],
    playgrounds("tcp", ROOM),
    measure=unread_memory,
    figures=("grown",),
    main="grown",
)


def strangers(name, handlers):
    room = {"transports": [{"plugin": "udp", "port": 0, "max_peers": 20000}]}
    return Table(
        f"strangers-{name}", f"A stranger's empty datagram to {name}", "datagram",
        [Case("100 and 10,000 peers", is_quick=False)],
        [
            Playground("playground run", "udp", handlers, **room),
            Playground("playground run --single", "udp", handlers, "--single", **room),
        ],
        measure=stranger_costs,
        figures=("growth", "few_us", "many_us"),
        main="growth",
    )


# ---- real protocols ------------------------------------------------------------

REQUESTS = {"measure": requests, "figures": ("cpu_us", "rate")}


def redis_case(command, deep, count):
    return Case(f"{command}, -P {deep}", ["redis-benchmark", command, str(deep), str(count)],
                is_quick=False)


RESP = Table(
    "resp", "A key-value store, asked by redis-benchmark", "request",
    [redis_case(command, deep, count)
     for command in ("ping_mbulk", "set", "get") for deep, count in ((1, 50_000), (16, 400_000))],
    [redis("redis"), redis("redis again"), Protocol("playground run", "resp")],
    **REQUESTS,
)

HTTP = Table(
    "http", "HTTP, asked by wrk", "request",
    [Case(f"{count} connections", ["wrk", str(count)], is_quick=False) for count in (64, 1000)],
    [nginx("nginx"), nginx("nginx again"), Protocol("playground run", "http")],
    **REQUESTS,
)

NAMES = Table(
    "dns", "DNS over UDP, asked by dnsperf", "query",
    [Case(f"{count} sockets" if count > 1 else "one socket",
          ["dnsperf", str(count), "100000"], is_quick=False) for count in (1, 100)],
    [nsd("nsd"), nsd("nsd again"), Protocol("playground run", "dns", "udp", DNS)],
    **REQUESTS,
)

LONG = Table(
    "long-answers", "The longest wait of one beside 3,000 pipelined requests of 60 KB", "answer",
    [Case("one reader")],
    [Protocol("playground run", "resp"), Protocol("playground run again", "resp")],
    measure=pipelined_waits,
    figures=("wait_ms",),
    main="wait_ms",
)

TABLES = [
    TCP_ECHO, TCP_BULK, OPEN_LOOP, UDP_ECHO, BROADCAST_TCP, BROADCAST_UDP, GROUP,
    WORKERS, HANDLERS, IDLE, START, WHO, RUDE, UNREAD,
    strangers("echo", ["echo"]), strangers("the-chat", ["chat-broadcast"]),
    RESP, HTTP, NAMES, LONG,
]
