"""TCP through the real program: what a stream promises, and rude clients."""

import array
import fcntl
import itertools
import os
import select
import shutil
import signal
import socket
import subprocess
import termios
import unittest

from server import (
    TIMEOUT_S,
    Server,
    config,
    connect,
    deadline,
    echo,
    has_ipv6,
    has_localhost,
    listener,
    times,
)

LINES = config([listener("tcp")], ["lines", "echo"])


def netcat(address, data):
    """`printf DATA | nc -N HOST PORT` of netcat-openbsd."""
    program = shutil.which("nc.openbsd") or shutil.which("nc")
    assert program, "nc is missing; apt install netcat-openbsd"
    return subprocess.run(
        [program, "-N", address[0], str(address[1])],
        input=data,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=True,
    ).stdout


def exchange(client, data):
    """Sends all of it and reads as much, both at once. What came back."""
    left, got = memoryview(data), bytearray()
    while left or len(got) < len(data):  # what came may be older than data
        reading, writing, _ = select.select(
            [client], [client] if left else [], [], TIMEOUT_S
        )
        assert reading or writing, f"stands still at {len(got)} of {len(data)}"
        if writing:
            left = left[client.sock.send(left[: 1 << 16]) :]
        if reading:
            more = client.sock.recv(1 << 16)
            assert more, f"closed after {len(got)} of {len(data)}"
            got += more
    return bytes(got)


class Echo(unittest.TestCase):
    def test_nc_gets_both_lines_and_the_end(self):
        with Server(echo("tcp")) as server:
            self.assertEqual(netcat(server.address(), b"um\ndois\n"), b"um\ndois\n")

    def test_nc_gets_both_lines_and_the_end_behind_framing(self):
        with Server(LINES) as server:
            self.assertEqual(netcat(server.address(), b"um\ndois\n"), b"um\ndois\n")

    def test_an_unfinished_last_line_is_answered_too(self):
        with Server(LINES) as server:
            self.assertEqual(netcat(server.address(), b"um\ndois"), b"um\ndois\n")

    def test_three_megabytes_come_back_unchanged(self):
        data = os.urandom(times(3_000_000, 100_000_000))
        with Server(echo("tcp")) as server, connect(server.address()) as client:
            self.assertEqual(exchange(client, data), data)

    def test_three_megabytes_at_once_come_back_after_a_half_close(self):
        # Nothing is read while sending, so that every queue on the way fills
        # up: the server has to stop reading, and may not lose a byte.
        data = os.urandom(3_000_000)
        with Server(echo("tcp")) as server, connect(server.address()) as client:
            client.sock.setblocking(False)
            sent = 0
            while select.select([], [client], [], 0)[1] and sent < len(data):
                sent += client.sock.send(data[sent : sent + 65536])
            client.sock.settimeout(TIMEOUT_S)
            got = exchange(client, data[sent:]) if sent < len(data) else b""
            client.end()
            self.assertEqual(got + client.rest(), data)

    def test_many_clients_at_once_get_their_own_bytes(self):
        with Server(echo("tcp")) as server:
            clients = [connect(server.address()) for _ in range(50)]
            for number, client in enumerate(clients):
                client.send(f"client {number}\n" * 10)
            for number, client in enumerate(clients):
                expected = f"client {number}\n" * 10
                self.assertEqual(client.exactly(len(expected)).decode(), expected)
                client.close()

    def test_two_listeners_serve_side_by_side(self):
        with Server(echo("tcp", "tcp")) as server:
            first, second = server.addresses("tcp")
            self.assertNotEqual(first, second)
            for address in (first, second):
                with connect(address) as client:
                    client.send("here\n")
                    self.assertEqual(client.line(), "here")


class HalfClose(unittest.TestCase):
    def test_the_answer_comes_after_our_end(self):
        with Server(echo("tcp")) as server, connect(server.address()) as client:
            client.send("last words")
            client.end()
            self.assertEqual(client.rest(), b"last words")

    def test_an_end_without_a_word_is_answered_with_an_end(self):
        with Server(echo("tcp")) as server, connect(server.address()) as client:
            client.end()
            self.assertEqual(client.rest(), b"")


class SmallPieces(unittest.TestCase):
    def test_one_byte_at_a_time(self):
        text = "one byte at a time\nand another line\n"
        with Server(LINES) as server, connect(server.address()) as client:
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in text.encode():
                client.send(bytes([byte]))
            client.end()
            self.assertEqual(client.rest().decode(), text)

    def test_one_byte_and_its_answer_at_a_time(self):
        with Server(echo("tcp")) as server, connect(server.address()) as client:
            for byte in os.urandom(500):
                client.send(bytes([byte]))
                self.assertEqual(client.exactly(1), bytes([byte]))


class RudeClients(unittest.TestCase):
    def assert_serves(self, server):
        with connect(server.address()) as client:
            client.send("still there?\n")
            self.assertEqual(client.line(), "still there?")

    def test_reset_in_mid_message(self):
        with Server(LINES) as server:
            for _ in range(times(50, 2000)):
                client = connect(server.address())
                client.send("a line\nhalf a li")
                self.assertEqual(client.line(), "a line")
                client.reset()
            self.assert_serves(server)

    def test_reset_with_answers_on_their_way(self):
        with Server(echo("tcp")) as server:
            for _ in range(times(50, 2000)):
                client = connect(server.address())
                client.send(b"x" * 100_000)
                client.exactly(1)
                client.reset()
            self.assert_serves(server)

    def test_half_close_then_reset_while_answers_wait(self):
        # More is echoed than the socket takes. recv() has given the end of
        # input already, and would give it for ever.
        much = b"x" * 6_000_000
        what = echo("tcp", limits={"session_queue_bytes": 16 << 20})
        with Server(what) as server:
            for _ in range(times(5, 100)):
                client = connect(server.address())
                client.send(much)
                client.end()
                self.wait_until_acknowledged(client)
                client.reset()
            self.wait_for_no_session(server)
            self.assert_serves(server)

    def test_reset_while_nobody_reads(self):
        # What it said is delayed for an hour; it may be so much that it is not
        # read from. Its end or urgent data may lie in front of the reset, unread.
        what = config([listener("tcp")], [{"plugin": "impair", "delay_ms": 3_600_000}, "echo"])
        with Server(what) as server:
            for is_much, ends, is_urgent in (
                (False, True, False),
                (False, True, True),
                (True, False, False),
                (True, False, True),
                (True, True, False),
            ):
                with connect(server.address()) as client:
                    client.send(b"x" * (2_000_000 if is_much else 1))
                    if is_urgent:
                        client.sock.send(b"!", socket.MSG_OOB)
                    if ends:
                        client.end()
                    if not is_much:
                        self.wait_until_acknowledged(client)
                    client.reset()
            self.wait_for_no_session(server)

    def wait_until_acknowledged(self, client):
        left, check = array.array("i", [1]), deadline()
        while left[0]:
            check("the server's kernel has all of it")
            fcntl.ioctl(client.fileno(), termios.TIOCOUTQ, left)

    def wait_for_no_session(self, server):
        check = deadline()
        for reports in itertools.count(1):
            check("nobody is connected any more")
            server.process.send_signal(signal.SIGUSR1)
            if server.err.wait(r"^worker 0: (\d+) sessions", reports)[1] == "0":
                return

    def test_clients_that_say_nothing(self):
        with Server(echo("tcp")) as server:
            silent = [connect(server.address()) for _ in range(20)]
            self.assert_serves(server)
            for client in silent:
                client.close()
            self.assert_serves(server)

    def test_thousands_of_connections(self):
        with Server(echo("tcp")) as server:
            self.assert_serves(server)
            before = self.count_descriptors(server)
            for number in range(times(3000, 30_000)):
                client = connect(server.address())
                if number % 3 == 0:
                    client.close()
                elif number % 3 == 1:
                    client.reset()
                else:
                    client.send("hello\n")
                    self.assertEqual(client.line(), "hello")
                    client.close()
            # Each round trip lets the server come round once more.
            check = deadline()
            while self.count_descriptors(server) > before:
                self.assert_serves(server)
                check("descriptors of clients that have gone are closed")

    @staticmethod
    def count_descriptors(server):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in server.processes())


class Addresses(unittest.TestCase):
    def assert_echoes(self, address):
        with connect(address) as client:
            client.send("hello\n")
            self.assertEqual(client.line(), "hello")

    def test_ipv6_loopback(self):
        what = config([listener("tcp", host="::1")], ["echo"])
        if not has_ipv6():
            with Server(what, is_ready=False) as server:
                self.assertEqual(server.wait(), 1)
                self.assertRegex(server.err.text(), '"::1" is (not an address|IPv6)')
            return
        with Server(what) as server:
            self.assertRegex(server.out.text(), r"listening tcp \[::1\]:\d+")
            self.assert_echoes(server.address())

    def test_the_ipv6_wildcard_takes_ipv4_too(self):
        with Server(config([listener("tcp", host="::")], ["echo"])) as server:
            port = server.address()[1]
            self.assert_echoes(("127.0.0.1", port))
            if has_ipv6():
                self.assert_echoes(("::1", port))

    def test_a_name_is_looked_up(self):
        host = "localhost" if has_localhost() else "127.0.0.1"
        with Server(config([listener("tcp", host=host)], ["echo"])) as server:
            self.assertEqual(server.address()[0], "127.0.0.1")
            self.assert_echoes(server.address())

    def test_the_peer_is_shown_as_ipv4_on_an_ipv6_socket(self):
        transports = [listener("tcp", host="::")]
        with Server(config(transports, ["lines", "log", "echo"])) as server:
            with connect(("127.0.0.1", server.address()[1])) as client:
                port = client.address()[1]
                client.send("hello\n")
                client.line()
            server.err.wait(rf"\b127\.0\.0\.1:{port}\b")


if __name__ == "__main__":
    unittest.main()
