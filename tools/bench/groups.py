"""What it costs to publish to a group, beside a broadcast to as many."""

import resource
import socket

from measures import settled
from rude import client, clients_of, cpu_s

MEMBERS = 100
ROUNDS, LINES = 100, 64
LINE = b"m" * 63 + b"\n"


def joined(port, count, topic):
    """So many who have joined a topic; the answer is heard."""
    members = [client(port) for _ in range(count)]
    for member in members:
        member.sendall(f"join {topic}\n".encode())
    for member in members:
        member.recv(3, socket.MSG_WAITALL)  # "ok\n"
    return members


def delivery_us(pid, sender, members, command):
    """The CPU time of one line to one member."""
    before = settled(lambda: cpu_s(pid))
    for _ in range(ROUNDS):
        sender.sendall((command + LINE) * LINES)
        for member in members:
            member.recv(len(LINE) * LINES, socket.MSG_WAITALL)
    after = settled(lambda: cpu_s(pid))
    return (after - before) / (ROUNDS * LINES * len(members)) * 1e6


def group_costs(table, case, server, builds, times):
    """A broadcast to a hundred who are all there is, then a hundred among many,
    in groups of a hundred."""
    del times
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with clients_of(table, server, builds) as (pid, port, _):
        sender, members = client(port), joined(port, MEMBERS, 0)
        few = delivery_us(pid, sender, members, b"all ")
        others = [joined(port, MEMBERS, topic)
                  for topic in range(1, case.connections // MEMBERS)]
        many = delivery_us(pid, sender, members, b"tell 0 ")
        for one in [sender, *members, *sum(others, [])]:
            one.close()
    return {"few_us": few, "many_us": many, "growth": many / few}
