"""What a message costs in user instructions, and that it costs no allocation,
both counted by callgrind. One client in turns, so that nothing is batched by
chance.

callgrind counts one process, so the server is --single; a worker does the same.
The bounds of TCP and of a datagram (1,260 and 1,800) are those of the design,
with five and ten per cent for compilers other than GCC 12; those of the rest are what
was measured, with as much."""

import os
import re
import tempfile
import unittest
from dataclasses import dataclass

from server import Forger, Server, chat, config, connect, echo, listener, udp

FIXTURES = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")
MESSAGES = 500
MESSAGE = b"m" * 63 + b"\n"
OTHERS = 10  # who hear what is broadcast

TCP_ECHO = 1320
UDP_ECHO = 1980  # one a system call; in a burst it is less than half
HANDLER = 66  # each that passes everything on
DELIVERY = 620  # of a line to one of the others, one line at a time


# ---- traffic -----------------------------------------------------------------


def in_turns(client, messages):
    for _ in range(messages):
        client.send(MESSAGE)
        assert client.exactly(len(MESSAGE)) == MESSAGE


def tcp_echo(server, messages):
    with connect(server.address()) as client:
        in_turns(client, messages)


def udp_echo(server, messages):
    with udp(server.address("udp")) as client:
        in_turns(client, messages)


def tcp_broadcast(server, messages):
    others = [connect(server.address()) for _ in range(OTHERS)]
    with connect(server.address()) as sender:
        for _ in range(messages):
            sender.send(MESSAGE)
            for other in others:
                assert other.exactly(len(MESSAGE)) == MESSAGE
    for other in others:
        other.close()


def passing(handlers):
    return config(
        [listener("tcp")], ["pass"] * handlers + ["echo"], plugin_path=[FIXTURES]
    )


def to_hundred(command, others=0):
    """The command's text, again and again, to 100 members of group 0; so many
    other peers are in groups of 100."""
    def traffic(server, messages):
        members = [connect(server.address()) for _ in range(100)]
        for member in members:
            member.send("join 0\n")
            assert member.line() == "ok"
        with Forger(server.address("udp")) as forger:
            for first in range(0, others, 100):
                group = range(first, first + 100)
                forger.ask(group, f"join {1 + first // 100}\n".encode(), times=2)
        with connect(server.address()) as sender:
            for _ in range(messages):
                sender.send(command + MESSAGE)
                for member in members:
                    assert member.exactly(len(MESSAGE)) == MESSAGE
        for member in members:
            member.close()
    return traffic


# ---- counting ----------------------------------------------------------------


@dataclass
class Cost:
    instructions: float
    allocations: float


ALLOCATES = re.compile(r"(m|c|re)alloc|reallocarray|.*memalign|aligned_alloc")


def allocations_in(profile):
    """How often what allocates was called. In a profile `fn=(NUMBER) NAME` or
    `cfn=(NUMBER) NAME` names a function the first time; `cfn=(NUMBER)` and
    `calls=COUNT ...` say how often it is called from one place."""
    names = dict(re.findall(r"^c?fn=\((\d+)\) (.+)$", profile, re.MULTILINE))
    calls = re.findall(r"^cfn=\((\d+)\).*\ncalls=(\d+)", profile, re.MULTILINE)
    return sum(int(count) for number, count in calls
               if ALLOCATES.fullmatch(names[number]))


def cost_of_run(what, traffic, messages):
    with tempfile.NamedTemporaryFile("r") as file:
        under = ["valgrind", "-q", "--tool=callgrind",
                 f"--callgrind-out-file={file.name}"]
        with Server(what, "--single", under=under) as server:
            traffic(server, messages)
        profile = file.read()
    instructions = re.search(r"^totals: (\d+)$", profile, re.MULTILINE)
    return Cost(int(instructions[1]), allocations_in(profile))


def cost(what, traffic):
    """Of one message: what twice as many take more. Start and end cancel out."""
    once = cost_of_run(what, traffic, MESSAGES)
    twice = cost_of_run(what, traffic, 2 * MESSAGES)
    assert once.allocations > 0, "the start allocates: allocations are not seen"
    return Cost(
        (twice.instructions - once.instructions) / MESSAGES,
        (twice.allocations - once.allocations) / MESSAGES,
    )


def strangers(server, count):
    """So many addresses send an empty datagram, once."""
    with Forger(server.address("udp")) as forger:
        forger.ask(range(count), b"")


def strangers_and_members(members):
    def traffic(server, count):
        with_names = [connect(server.address()) for _ in range(members)]
        for member in with_names:
            member.name()
        strangers(server, count)
        for member in with_names:
            member.close()
    return traffic


class Instructions(unittest.TestCase):
    def test_a_tcp_message(self):
        alone = cost(passing(0), tcp_echo)
        self.assertLessEqual(alone.instructions, TCP_ECHO)
        self.assertEqual(alone.allocations, 0)

    def test_a_handler(self):
        one, ten = (cost(passing(n), tcp_echo) for n in (1, 10))
        self.assertLessEqual((ten.instructions - one.instructions) / 9, HANDLER)
        self.assertEqual(ten.allocations, 0)

    def test_a_datagram(self):
        alone = cost(echo("udp"), udp_echo)
        self.assertLessEqual(alone.instructions, UDP_ECHO)
        self.assertEqual(alone.allocations, 0)

    def test_a_stranger_costs_the_same_however_many_there_are(self):
        what = chat("tcp", "udp", limits={"strangers": 10_000})
        few = cost_of_run(what, strangers, 100).instructions
        more = cost_of_run(what, strangers, 200).instructions
        many = cost_of_run(what, strangers, 10_000).instructions
        self.assertLessEqual((many - more) / 9800, 1.2 * (more - few) / 100)

    def test_a_stranger_costs_the_same_however_full_the_room_is(self):
        what = chat("tcp", "udp")
        each = []
        for members in (10, 200):
            few, more = (
                cost_of_run(what, strangers_and_members(members), count).instructions
                for count in (100, 300)
            )
            each.append((more - few) / 200)
        self.assertLessEqual(each[1], 1.2 * each[0])

    def test_a_group_costs_its_members_and_not_all_sessions(self):
        what = config(
            [listener("tcp"), listener("udp", max_peers=10_000)], ["lines", "topics"],
            plugin_path=[FIXTURES], limits={"max_sessions": 10_100},
        )
        each = []
        for traffic in (to_hundred(b"all "), to_hundred(b"tell 0 ", others=9900)):
            few, more = (cost_of_run(what, traffic, n) for n in (50, 150))
            self.assertEqual(more.allocations, few.allocations)
            each.append((more.instructions - few.instructions) / 100)
        self.assertLessEqual(each[1], 1.2 * each[0])

    def test_a_delivery(self):
        what = config(
            [listener("tcp")], ["lines", {"plugin": "chat-broadcast", "names": False}]
        )
        line = cost(what, tcp_broadcast)
        self.assertLessEqual(line.instructions / OTHERS, DELIVERY)
        self.assertEqual(line.allocations, 0)


if __name__ == "__main__":
    unittest.main()
