"""The chat through the real program: many members, two workers, one room."""

import os
import re
import select
import unittest

from server import (
    SOURCE,
    TIMEOUT_S,
    Server,
    chat,
    config,
    connect,
    deadline,
    listener,
    member,
    times,
    udp,
)


def names_in(line):
    """The names of an answer to /who."""
    return line.split("here are ", 1)[1].split(", ")


def who(client):
    """Every name the chat knows; a long list comes in several lines."""
    client.send("/who\n/nobody-has-this-command\n")
    names = names_in(client.line_with("here are "))
    while "no such command" not in (line := client.line()):
        names += line.removeprefix("and ").split(", ")
    return names


class Room(unittest.TestCase):
    def test_the_first_member_is_alone(self):
        with Server(chat("tcp")) as server, connect(server.address()) as client:
            self.assertEqual(
                client.line(), "you are guest1, alone here; /who /nick /quit"
            )

    def test_a_line_goes_to_all_others_unchanged(self):
        text = "  Olá, \t tudo bem?  guest9: no; https://example.org/ "
        with Server(chat("tcp")) as server:
            with member(server) as ana, member(server) as bob, member(server) as eve:
                ana.send(text + "\n")
                for other in (bob, eve):
                    self.assertEqual(other.line_with("Ol"), f"{ana.nick}: {text}")
                bob.send("sim\n")
                self.assertEqual(ana.line_with("sim"), f"{bob.nick}: sim")

    def test_names_change_for_all(self):
        with Server(chat("tcp")) as server, member(server) as ana, member(server) as bob:
            ana.send("/nick ana\n")
            self.assertEqual(ana.line_with("you are now"), "you are now ana")
            self.assertEqual(bob.line_with("is now"), f"{ana.nick} is now ana")
            ana.send("hello\n")
            self.assertEqual(bob.line(), "ana: hello")
            self.assertEqual(sorted(who(bob)), sorted(["ana", bob.nick]))

    def test_leaving_is_told_and_frees_the_name(self):
        with Server(chat("tcp")) as server, member(server) as bob:
            with member(server) as ana:
                ana.send("/nick ana\n")
                ana.line_with("you are now ana")
            bob.line_with("ana left")
            bob.send("/nick ana\n")
            self.assertEqual(bob.line_with("you are now"), "you are now ana")

    def test_quit_ends_the_connection(self):
        with Server(chat("tcp")) as server, member(server) as bob:
            with member(server) as ana:
                ana.send("/quit\n")
                self.assertRegex(ana.rest().decode(), r"^goodbye, guest\d+\n$")
                self.assertEqual(bob.line_with(" left"), f"{ana.nick} left")

    def test_without_names_messages_go_out_as_they_came(self):
        handlers = ["lines", {"plugin": "chat-broadcast", "names": False}]
        what = config([listener("tcp"), listener("udp")], handlers)
        with Server(what) as server, connect(server.address()) as ana:
            with connect(server.address()) as bob, udp(server.address("udp")) as eve:
                # With no greeting the first line from a peer says it is in.
                eve.send("/who\n")
                self.assertEqual(ana.line(), "/who")
                self.assertEqual(bob.line(), "/who")
                eve.send("again\n")
                self.assertEqual(ana.line(), "again")
                self.assertEqual(bob.line(), "again")
                ana.send("/nick ana\nhello\n")
                for other in (bob, eve):
                    self.assertEqual([other.line(), other.line()], ["/nick ana", "hello"])
                bob.send("the end\n")
                self.assertEqual(ana.line(), "the end")


class TwoTransports(unittest.TestCase):
    def test_tcp_and_udp_members_meet(self):
        with Server(chat("tcp", "udp")) as server:
            with member(server) as ana, member(server, "udp") as bob:
                ana.send("over TCP\n")
                self.assertEqual(bob.line_with("over"), f"{ana.nick}: over TCP")
                bob.send("over UDP\n")
                self.assertEqual(ana.line_with("over"), f"{bob.nick}: over UDP")
                self.assertEqual(sorted(who(ana)), sorted([ana.nick, bob.nick]))

    def test_a_datagram_cannot_forge_a_line(self):
        with Server(chat("tcp", "udp")) as server:
            with member(server) as ana, member(server, "udp") as bob:
                bob.send("one\nguest1: two\n")
                self.assertEqual(ana.line_with("one"), f"{bob.nick}: one")
                self.assertEqual(ana.line(), f"{bob.nick}: guest1: two")

    def test_one_word_turns_tcp_into_udp(self):
        # echo.json has one transport; the same room served by either says the
        # same to the same words.
        heard = []
        for transport in ("tcp", "udp"):
            with Server(chat(transport)) as server:
                with member(server, transport) as ana, member(server, transport) as bob:
                    lines = []
                    bob.send("/nick bob\n")
                    lines.append(ana.line_with("is now"))
                    bob.send("hello\n")
                    lines.append(ana.line())
                    lines.append(" ".join(who(ana)))
                    heard.append(lines)
        self.assertEqual(heard[0], heard[1])

    def test_the_chat_of_config_swapped(self):
        with open(os.path.join(SOURCE, "config", "chat.json"), encoding="utf-8") as file:
            text = file.read()
        swaps = {"tcp": "udp", "udp": "tcp"}
        swapped = re.sub(r'"(tcp|udp)"', lambda m: f'"{swaps[m[1]]}"', text)
        self.assertNotEqual(text, swapped)
        for version in (text, swapped):
            with Server(version, "--port", "0", is_text=True) as server:
                with member(server) as ana, member(server, "udp") as bob:
                    ana.send("one room\n")
                    self.assertEqual(bob.line_with("room"), f"{ana.nick}: one room")


class TwoWorkers(unittest.TestCase):
    def join_on_both(self, server):
        """Two members on different workers, and those it took to get them."""
        members = [member(server)]
        first = server.worker_of(members[0])
        while server.worker_of(members[-1]) == first:
            self.assertLess(len(members), 200, "one worker gets all clients")
            members.append(member(server))
        return members[0], members[-1], members

    def test_a_name_is_unique_over_all_workers(self):
        with Server(chat("tcp", workers=2)) as server:
            ana, bob, members = self.join_on_both(server)
            self.assertEqual(len({one.nick for one in members}), len(members))
            ana.send("/nick maria\n")
            bob.line_with(f"{ana.nick} is now maria")
            bob.send("/nick maria\n")
            self.assertIn("maria is taken", bob.line_with("taken"))
            bob.send("still me\n")
            self.assertEqual(ana.line_with("still me"), f"{bob.nick}: still me")
            for one in members:
                one.close()

    def test_two_want_one_name_at_once(self):
        with Server(chat("tcp", workers=2)) as server:
            ana, bob, members = self.join_on_both(server)
            for number in range(times(50, 1000)):
                ana.send(f"/nick name{number}\n")
                bob.send(f"/nick name{number}\n")
                answers = [
                    re.search("you are now|is taken", one.line_with(f"name{number}"))
                    for one in (ana, bob)
                ]
                # The other's "x is now name1" may come first.
                texts = [
                    found[0] if found else re.search(
                        "you are now|is taken", one.line_with(f"name{number}")
                    )[0]
                    for found, one in zip(answers, (ana, bob))
                ]
                self.assertEqual(sorted(texts), ["is taken", "you are now"])
            for one in members:
                one.close()

    def test_who_is_complete_over_all_workers(self):
        with Server(chat("tcp", "udp", workers=2)) as server:
            ana, bob, members = self.join_on_both(server)
            members += [member(server, "udp") for _ in range(10)]
            everybody = sorted(one.nick for one in members)
            for one in (ana, bob, members[-1]):
                self.assertEqual(sorted(who(one)), everybody)
            for one in members:
                one.close()

    def test_two_hundred_members_hear_each_other_in_order(self):
        count, lines = 200, times(10, 100)
        with Server(chat("tcp", workers=2)) as server:
            members = [member(server) for _ in range(count)]
            self.assertEqual(len({server.worker_of(one) for one in members}), 2)
            for number in range(lines):
                for one in members:
                    one.send(f"says {number}\n")
            self.hear(members, {one.nick for one in members}, lines)
            for one in members:
                one.close()

    def hear(self, members, nicks, lines):
        """Every member hears every other say 0, 1, 2, ..."""
        said = [dict.fromkeys(nicks - {one.nick}, 0) for one in members]
        missing = {
            one.fileno(): (one, counts, lines * len(counts))
            for one, counts in zip(members, said)
        }
        while missing:
            ready = select.select(list(missing), [], [], TIMEOUT_S)[0]
            self.assertTrue(ready, f"{len(missing)} members miss something")
            for fd in ready:
                one, counts, left = missing[fd]
                left -= self.take(one, counts)
                missing[fd] = (one, counts, left)
                if left == 0:
                    del missing[fd]

    def take(self, one, counts):
        """Reads once; how many lines of others came."""
        data = one.sock.recv(1 << 17)
        self.assertTrue(data, f"{one.nick} was thrown out")
        *whole, one.buffer = (one.buffer + data).split(b"\n")
        taken = 0
        for line in whole:
            nick, _, text = line.decode().partition(": says ")
            if text:
                self.assertEqual(int(text), counts[nick], nick)
                counts[nick] += 1
                taken += 1
        return taken


class SlowReader(unittest.TestCase):
    ROUNDS, LINES, WIDTH = times(150, 1500), 200, 1000  # 30 MB, 300 MB

    def test_one_that_never_reads_harms_nobody(self):
        with Server(chat("tcp")) as server:
            with member(server) as ana, member(server) as bob, member(server) as eve:
                with member(server) as slow:
                    before = most = server.memory_bytes()
                    for number in range(self.ROUNDS):
                        self.talk(ana, (bob, eve), number)
                        most = max(most, server.memory_bytes())
                    # Told at once, before the rest of the chat.
                    self.assertIn(f"{slow.nick} left (reads too slowly)", self.notices)
                    self.assertTrue(slow.is_ended())
                # One session's queue, not the 30 MB; queue_bytes_total is 64 MiB.
                self.assertLess(most - before, 12 << 20)

    def setUp(self):
        self.notices = []

    def talk(self, speaker, ears, number):
        """One round: nobody falls behind, because all have to hear it."""
        lines = [f"{number}-{i}-".ljust(self.WIDTH, "x") for i in range(self.LINES)]
        speaker.send("\n".join(lines) + "\n")
        for ear in ears:
            for expected in lines:
                while (line := ear.line()) != f"{speaker.nick}: {expected}":
                    self.assertNotIn("x" * 50, line, f"{ear.nick} misses a line")
                    self.notices.append(line)

    def test_with_drop_it_misses_lines_and_stays(self):
        handlers = ["lines", {"plugin": "chat-broadcast", "slow": "drop"}]
        limits = {"session_queue_bytes": 65536, "frame_bytes": 16384}
        what = config([listener("tcp")], handlers, limits=limits)
        with Server(what) as server, member(server) as ana, member(server) as bob:
            with member(server) as slow:
                for number in range(60):
                    self.talk(ana, (bob,), number)
                heard = sum("x" * 50 in line for line in self.read_all(slow, bob))
                self.assertLess(heard, 60 * self.LINES)
                self.assertGreater(heard, 0)
                self.assertNotIn(f"{slow.nick} left", "\n".join(self.notices))

    @staticmethod
    def read_all(slow, other):
        """What waits for it; an answer of its own marks the end."""
        lines = []
        check = deadline()
        slow.send("/who\n")
        while "here are " not in (line := slow.line()):
            lines.append(line)
            check("the answer after all that")
        assert other.nick in line
        return lines


if __name__ == "__main__":
    unittest.main()
