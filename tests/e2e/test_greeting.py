"""A layer with a handshake of its own in front of a chat, over TCP and unix, on two
workers: tests/fixtures/plugins/greeting.c says what is spoken."""

import os
import signal
import socket
import unittest

from server import PATIENT, TIMEOUT_S, Client, Server, config, connect, listener

FIXTURES = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")
UNIX = {"plugin": "unix", "path": "a.sock"}
EOT = b"\x04"


def served(*handlers, workers=2):
    return config([listener("tcp"), UNIX], ["greeting", "lines", *handlers],
                  plugin_path=[FIXTURES], workers=workers, limits=PATIENT)


def over_tcp(server):
    return connect(server.address())


def over_unix(server):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(TIMEOUT_S)
    sock.connect(os.path.join(server.folder, "a.sock"))
    return Client(sock)


def knock(comes, server):
    client = comes(server)
    assert client.line() == "hello"
    return client


def joined(comes, server):
    client = knock(comes, server)
    client.send("hello ana\nbegin\n")
    assert client.line() == "welcome ana"
    client.nick = client.name()
    return client


class OverTcp(unittest.TestCase):
    comes = staticmethod(over_tcp)

    def test_nobody_joins_before_it_is_through(self):
        """Four at the door: two workers have them in whatever way."""
        with Server(served("chat-broadcast")) as server:
            with joined(self.comes, server) as ana, joined(self.comes, server) as bob:
                ana.line_with(f"{bob.nick} joined")
                at_the_door = [knock(self.comes, server) for _ in range(4)]
                for client in at_the_door:
                    client.send("hello carl\n")
                ana.send("anybody?\n/who\n")
                self.assertEqual(ana.line(), f"here are {ana.nick}, {bob.nick}")
                # Of the other worker he may first hear that she has joined.
                self.assertTrue(bob.line_with(f"{ana.nick}: anybody?"))
                for client in at_the_door:
                    client.send("begin\n")
                    self.assertEqual(client.line(), "welcome carl")
                    nick = client.name()
                    self.assertEqual(ana.line(), f"{nick} joined")
                    self.assertEqual(bob.line(), f"{nick} joined")
                bob.send("welcome\n")
                for client in at_the_door:
                    self.assertTrue(client.line_with(f"{bob.nick}: welcome"))
                    client.close()

    def test_quit_is_a_clean_end(self):
        with Server(served("chat-broadcast")) as server, joined(self.comes, server) as ana:
            with joined(self.comes, server) as bob:
                bob.send("bye all\n/quit\n")
                self.assertEqual(bob.rest(), f"goodbye, {bob.nick}\ngoodbye\n".encode())
            ana.line_with(f"{bob.nick}: bye all")
            self.assertEqual(ana.line(), f"{bob.nick} left")

    def test_the_servers_stop_is_a_clean_end(self):
        with Server(served("chat-broadcast")) as server:
            at_the_door = knock(self.comes, server)
            members = [joined(self.comes, server) for _ in range(3)]
            server.process.send_signal(signal.SIGTERM)
            for client in (at_the_door, *members):
                said = client.rest()
                self.assertTrue(said.endswith(b"goodbye\n"), said)
                self.assertEqual(said.count(b"goodbye"), 1)
                client.close()
            self.assertEqual(server.wait(), 0)

    def test_an_end_inside_the_stream_is_answered(self):
        with Server(served("chat-broadcast")) as server, joined(self.comes, server) as ana:
            with joined(self.comes, server) as bob:
                bob.send(b"one\n/who\ntwo" + EOT + b"three\n")
                said = bob.rest().decode()
                self.assertRegex(said, r"here are [^\n]*\ngoodbye\n\Z")
            ana.line_with(f"{bob.nick}: one")
            self.assertEqual(ana.line(), f"{bob.nick}: two")
            self.assertEqual(ana.line(), f"{bob.nick} left")

    def test_cut_at_every_position(self):
        """What is on its way while the session holds is not lost."""
        words = b"hello ana\nbegin\none\ntwo" + EOT + b"three\n"
        wanted = b"hello\nwelcome ana\none\ntwo\ngoodbye\n"
        with Server(served("echo")) as server:
            for cut in range(len(words)):
                with self.comes(server) as client:
                    client.send(words[:cut])
                    if cut > words.index(b"one"):
                        client.line_with("welcome")
                    client.send(words[cut:])
                    self.assertTrue(wanted.endswith(client.rest()), cut)

    def test_one_byte_at_a_time(self):
        words = b"hello ana\nbegin\none\ntwo" + EOT
        with Server(served("echo", workers=1)) as server, self.comes(server) as client:
            for at in range(len(words)):
                client.send(words[at : at + 1])
                if words[at] == ord("\n") and at > words.index(b"one"):
                    self.assertEqual(client.line_with("one"), "one")
            self.assertEqual(client.rest(), b"two\ngoodbye\n")


class OverUnix(OverTcp):
    comes = staticmethod(over_unix)


if __name__ == "__main__":
    unittest.main()
