"""The chat's rooms through the real program: two workers, TCP and UDP."""

import os
import random
import re
import signal
import unittest

from server import Server, config, deadline, listener, member, times


def rooms(*plugins, workers=2):
    chat = {"plugin": "chat-broadcast", "rooms": True}
    return config([listener(one) for one in plugins], ["lines", chat], workers=workers)


def join(client, room):
    client.send(f"/join {room}\n")
    return client.line_with(f"you are in {room}")


def ask_rooms(client):
    """{room: how many are in it}."""
    client.send("/rooms\n")
    line = client.line_with("rooms are ")
    return {room: int(count) for room, count in re.findall(r"(\S+) \((\d+)\)", line)}


class Crowd:
    """Members on both workers and by both transports."""

    def __init__(self, server, count):
        self.server = server
        self.members = [member(server, "udp" if i % 4 == 3 else "tcp") for i in range(count)]
        tcp = [one for i, one in enumerate(self.members) if i % 4 != 3]
        self.workers = {one: server.worker_of(one) for one in tcp}
        assert len(set(self.workers.values())) == 2, "one worker has all"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.members:
            one.close()


class Rooms(unittest.TestCase):
    def test_a_room_is_one_over_workers_and_transports(self):
        with Server(rooms("tcp", "udp")) as server, Crowd(server, 16) as crowd:
            garden, main = crowd.members[::2], crowd.members[1::2]
            for one in garden:
                join(one, "garden")
            self.assertEqual(ask_rooms(main[0]), {"main": 8, "garden": 8})
            for number, one in enumerate(crowd.members):
                one.send(f"says {number}\n")
            for mine in (garden, main):
                said = {f"{one.nick}: says {crowd.members.index(one)}" for one in mine}
                for one in mine:
                    expected = {line for line in said if not line.startswith(one.nick + ":")}
                    heard = {one.line_with(": says ") for _ in expected}
                    self.assertEqual(heard, expected)

    def test_a_room_hears_who_comes_and_goes(self):
        with Server(rooms("tcp", "udp")) as server, Crowd(server, 16) as crowd:
            ana, bob, eve = crowd.members[0], crowd.members[1], crowd.members[3]
            join(bob, "garden")
            join(ana, "garden")
            self.assertEqual(bob.line_with("joined"), f"{ana.nick} joined")
            eve.line_with(f"{ana.nick} left for garden")
            ana.send("/nick ana\n")
            bob.line_with(f"{ana.nick} is now ana")
            eve.send("/nick ana\n")
            eve.line_with("ana is taken")
            bob.send("/who\n")
            self.assertEqual(
                set(bob.line_with("here are ")[9:].split(", ")), {"ana", bob.nick}
            )
            ana.end()
            bob.line_with("ana left")
            self.assertEqual(ask_rooms(bob), {"main": 14, "garden": 1})

    def test_a_worker_that_dies_leaves_no_members_behind(self):
        with Server(rooms("tcp", "udp")) as server, Crowd(server, 16) as crowd:
            pids = set(crowd.workers.values())
            for one in crowd.members:
                join(one, "garden")
            doomed = pids.pop()
            alive = [one for one, pid in crowd.workers.items() if pid != doomed]
            dead = [one for one, pid in crowd.workers.items() if pid == doomed]
            os.kill(doomed, signal.SIGKILL)
            for one in dead:
                self.assertTrue(one.is_ended())
            check = deadline()
            with member(server) as late:  # on either
                while sum((counts := ask_rooms(late)).values()) > len(alive) + 5:
                    check(f"the dead one's members to go: {counts}")
                join(late, "garden")
                for one in alive:
                    self.assertEqual(one.line_with(late.nick), f"{late.nick} joined")


class AtRandom(unittest.TestCase):
    ROOMS = ["main", "garden", "attic", "cellar"]

    def test_each_hears_its_room_and_no_other(self):
        """In rounds: some move, then some talk, and all hear what is theirs."""
        seed = int(os.environ.get("PLAYGROUND_SEED", random.randrange(1 << 32)))
        with self.subTest(seed=seed):
            self.draw = random.Random(seed)
            with Server(rooms("tcp", "udp")) as server, Crowd(server, 20) as crowd:
                where = dict.fromkeys(crowd.members, "main")
                for number in range(times(15, 300)):
                    self.move(crowd, where)
                    self.talk(crowd, where, number)

    def move(self, crowd, where):
        for one in self.draw.sample(crowd.members, 5):
            room = self.draw.choice(self.ROOMS)
            join(one, room)
            where[one] = room
        counts = {room: list(where.values()).count(room) for room in self.ROOMS}
        self.assertEqual(
            ask_rooms(crowd.members[0]), {room: n for room, n in counts.items() if n}
        )

    def talk(self, crowd, where, number):
        speakers = self.draw.sample(crowd.members, 8)
        for one in speakers:
            one.send(f"says {number} a\nsays {number} b\n")
        for one in crowd.members:
            expected = {
                f"{other.nick}: says {number} {which}": None
                for other in speakers
                for which in "ab"
                if other is not one and where[other] == where[one]
            }
            heard = [one.line_with(": says ") for _ in expected]
            self.assertEqual(set(heard), set(expected))
            for line in heard:
                if line.endswith("b"):
                    self.assertLess(heard.index(line[:-1] + "a"), heard.index(line))


if __name__ == "__main__":
    unittest.main()
