"""UDP through the real program: records stay whole, and nobody is harmed."""

import itertools
import os
import signal
import select
import socket
import struct
import unittest

from server import (
    IS_SANITIZED,
    TIMEOUT_S,
    Forger,
    Server,
    chat,
    config,
    connect,
    echo,
    has_ipv6,
    listener,
    member,
    sampled,
    udp_socket,
)

UDP_SEGMENT, IP_PKTINFO = 103, 8  # Python has no names for them


def ask(sock, data):
    sock.send(data)
    return sock.recv(70_000)


class Datagrams(unittest.TestCase):
    def test_every_size_comes_back_whole(self):
        with Server(echo("udp")) as server, udp_socket(server.address("udp")) as sock:
            for size in (0, 1, 2, 1471, 1472, 1473, 9000, 65506, 65507):
                data = os.urandom(size)
                self.assertEqual(ask(sock, data), data, size)

    def test_every_size_comes_back_whole_over_ipv6(self):
        # "::" is there even on a machine that has no other IPv6 address.
        what = config([listener("udp", host="::")], ["echo"])
        host = "::1" if has_ipv6() else "127.0.0.1"
        with Server(what) as server, udp_socket((host, server.address("udp")[1])) as sock:
            for size in (0, 1, 1452, 1453, 65507):
                data = os.urandom(size)
                self.assertEqual(ask(sock, data), data, size)

    def test_neighbours_stay_apart_and_in_order(self):
        sent = [bytes([i]) * size for i, size in enumerate((5, 5, 5, 3, 0, 5, 0, 0, 7, 7, 1))]
        with Server(echo("udp")) as server, udp_socket(server.address("udp")) as sock:
            for data in sent:
                sock.send(data)
            self.assertEqual([sock.recv(70_000) for _ in sent], sent)

    def test_a_burst_of_many_sizes(self):
        sent = [os.urandom(1 + i * 37 % 1500) for i in range(200)]
        with Server(echo("udp")) as server, udp_socket(server.address("udp")) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            for batch in (sent[i : i + 20] for i in range(0, len(sent), 20)):
                for data in batch:
                    sock.send(data)
                self.assertEqual([sock.recv(70_000) for _ in batch], batch)

    def test_datagrams_the_kernel_had_joined_are_separate_records(self):
        # One send with UDP_SEGMENT arrives as one run of datagrams (UDP_GRO).
        with Server(echo("udp")) as server, udp_socket(server.address("udp")) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            for size, count, last in ((100, 10, 100), (3, 64, 1), (1400, 40, 7)):
                data = os.urandom(size * (count - 1) + last)
                segment = struct.pack("=H", size)
                sock.sendmsg([data], [(socket.IPPROTO_UDP, UDP_SEGMENT, segment)])
                expected = [data[i : i + size] for i in range(0, len(data), size)]
                self.assertEqual([sock.recv(70_000) for _ in expected], expected)

    def test_answers_to_one_turn_keep_their_sizes(self):
        # The server is stopped while they come, so that it finds all at once.
        with Server(echo("udp"), "--single") as server:
            address = server.address("udp")
            with udp_socket(address) as one, udp_socket(address) as other:
                for sock in (one, other, one, other):
                    self.assertEqual(ask(sock, b"heard"), b"heard")
                pid = server.process.pid
                os.kill(pid, signal.SIGSTOP)
                os.waitpid(pid, os.WUNTRACED)
                sent = [b"A" * 100, b"B" * 50, b"C" * 50, b"", b"D" * 50, b"E" * 60]
                one.send(sent[0])
                other.send(b"between")
                for data in sent[1:]:
                    one.send(data)
                os.kill(pid, signal.SIGCONT)
                self.assertEqual([one.recv(70_000) for _ in sent], sent)
                self.assertEqual(other.recv(70_000), b"between")

    def test_many_peers_get_their_own_answers(self):
        with Server(echo("udp")) as server:
            socks = [udp_socket(server.address("udp")) for _ in range(100)]
            for number, sock in enumerate(socks):
                sock.send(str(number).encode())
            for number, sock in enumerate(socks):
                self.assertEqual(sock.recv(100), str(number).encode())
                sock.close()


class WhereAnswersComeFrom(unittest.TestCase):
    """A connected socket throws away what comes from another address."""

    def assert_answered(self, *address):
        with udp_socket(address) as sock:
            for data in (b"", b"again", b"and again"):
                self.assertEqual(ask(sock, data), data)

    def test_ipv4_wildcard(self):
        with Server(config([listener("udp", host="0.0.0.0")], ["echo"])) as server:
            for host in ("127.0.0.1", "127.0.0.5", "127.1.2.3"):
                self.assert_answered(host, server.address("udp")[1])

    def test_ipv6_wildcard(self):
        with Server(config([listener("udp", host="::")], ["echo"])) as server:
            for host in ("127.0.0.1", "127.0.0.5") + (("::1",) if has_ipv6() else ()):
                self.assert_answered(host, server.address("udp")[1])

    def test_one_peer_that_asks_several_addresses(self):
        with Server(config([listener("udp", host="0.0.0.0")], ["echo"])) as server:
            port = server.address("udp")[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(TIMEOUT_S)
                for host in ("127.0.0.5", "127.0.0.6", "127.0.0.5"):
                    sock.sendto(b"who are you?", (host, port))
                    self.assertEqual(sock.recvfrom(100), (b"who are you?", (host, port)))


class Harmless(unittest.TestCase):
    def test_a_closed_port_of_one_peer_harms_no_other(self):
        with Server(echo("udp")) as server, udp_socket(server.address("udp")) as sock:
            for number in range(100):
                gone = udp_socket(server.address("udp"))
                gone.send(b"answer into the void")
                gone.close()
                data = b"%d" % number
                self.assertEqual(ask(sock, data), data)

    def test_it_never_answers_its_own_port(self):
        # If it did, it would talk to itself for ever. A socket that joins those
        # of the two workers (same user, so SO_REUSEPORT lets it) sends from
        # the server's own port. By the source address the kernel chooses who
        # of the three gets a datagram, so several are tried.
        what = config([listener("udp", host="0.0.0.0")], ["echo"], workers=2)
        with Server(what) as server:
            port = server.address("udp")[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                sock.bind(("0.0.0.0", port))
                for last in range(2, 42):
                    self.send_from(sock, f"127.0.0.{last}", ("127.0.0.1", port))
                ours = self.senders(sock)
                self.talk_to_both_workers(("127.0.0.1", port))
                refused = server.count("udp", "from one of our own ports")
                self.assertGreater(refused, 0)
                self.assertEqual(len(ours) + refused, 40)
                for host, from_port in self.senders(sock):  # no answers
                    self.assertNotEqual(from_port, port, host)

    @staticmethod
    def send_from(sock, source, address):
        """As from another address of ours, see IP_PKTINFO in ip(7)."""
        info = struct.pack("=I4s4s", 0, socket.inet_aton(source), b"")
        sock.sendmsg([b"who are you?"], [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0, address)

    @staticmethod
    def senders(sock):
        """Where the datagrams that have come so far are from."""
        found = []
        sock.setblocking(False)
        try:
            while True:
                found.append(sock.recvfrom(100)[1])
        except BlockingIOError:
            return found

    def talk_to_both_workers(self, address):
        """What was sent before has been dealt with when this returns. A third
        of these reaches the test's own socket, which does not answer."""
        waiting = [udp_socket(address) for _ in range(64)]
        for sock in waiting:
            sock.send(b"hello")
        all_socks, answered = list(waiting), 0
        while answered < 16:
            ready = select.select(waiting, [], [], TIMEOUT_S)[0]
            self.assertTrue(ready, f"{answered} answers")
            for sock in ready:
                self.assertEqual(sock.recv(100), b"hello")
                waiting.remove(sock)
                answered += 1
        for sock in all_socks:
            sock.close()


class Spoofed(unittest.TestCase):
    """A first datagram may carry somebody else's address (RFC 9000, 8.1)."""

    @staticmethod
    def received(sock):
        """How many bytes have come so far, without waiting for more."""
        total = 0
        sock.setblocking(False)
        try:
            while True:
                total += len(sock.recv(70_000))
        except BlockingIOError:
            sock.settimeout(TIMEOUT_S)
            return total

    def test_a_first_datagram_gets_at_most_three_times_its_bytes(self):
        """Headers included: 28 bytes are IP's and UDP's."""
        with Server(chat("udp", "tcp")) as server:
            with udp_socket(server.address("udp")) as sock, connect(server.address()) as witness:
                witness.name()
                sock.send(b"x")
                witness.line_with(": x")  # it is a member now
                witness.send("a line that everybody is to hear\n/who\n")
                witness.line_with("here are")
                self.assertLessEqual(self.received(sock), 3 * (28 + 1) - 28)

                sock.send(b"y")  # it hears us: the address is its own

                self.assertIn(b"you are guest", sock.recv(1000))

    def datagrams(self, host, **options):
        """How many of one byte answer a datagram of 200 line ends."""
        what = config([listener("udp", host=host, **options)], ["lines", "echo"])
        with Server(what) as server, udp_socket(server.address("udp")) as sock:
            sock.send(b"\n" * 200)
            with udp_socket(server.address("udp")) as other:
                for _ in range(2):  # the second one is of a later turn
                    ask(other, b"then all of it has come")
            count = self.received(sock)
        said = server.err.text()  # all of it: the server has ended
        self.assertEqual(said.count('"unverified_ratio" (0: no limit)'), int(count < 200))
        if count < 200:
            self.assertIn("echo: what it sends to udp peers", said)
        return count

    def test_what_goes_over_the_wire_is_counted(self):
        self.assertEqual(self.datagrams("127.0.0.1"), 3 * (200 + 28) // 29)
        self.assertEqual(self.datagrams("127.0.0.1", unverified_ratio=5), 5 * (200 + 28) // 29)
        self.assertEqual(self.datagrams("127.0.0.1", unverified_ratio=0), 200)
        if has_ipv6():
            self.assertEqual(self.datagrams("::1"), 3 * (200 + 48) // 49)

    def test_who_comes_is_greeted_in_open(self):
        plugins = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")
        what = config([listener("udp")], ["greets"], plugin_path=[plugins])
        with Server(what) as server, udp_socket(server.address("udp")) as sock:
            sock.send(b"")
            self.assertEqual([sock.recv(99), sock.recv(99)], [b"hello, stranger", b"again"])
            sock.send(b"")
            self.assertEqual([sock.recv(99), sock.recv(99)], [b"known", b"again"])

    def test_an_answer_of_its_own_size_is_allowed(self):
        with Server(echo("udp")) as server, udp_socket(server.address("udp")) as sock:
            self.assertEqual(ask(sock, b"once"), b"once")


class Forged(unittest.TestCase):
    """Who forges addresses keeps nobody out who has one."""

    def assert_served(self, server):
        with connect(server.address()) as client:
            client.send(b"served")
            self.assertEqual(client.exactly(6), b"served")

    def flood(self, times, **rest):
        limits, addresses = {}, 10_500
        if IS_SANITIZED:  # a tenth of everything
            limits, addresses = {"max_sessions": 1000, "strangers": 100}, 1050
        what = echo("tcp", "udp", limits=limits, **rest)
        with Server(what) as server, Forger(server.address("udp")) as forger:
            forger.ask(range(addresses), b"x", times)
            for _ in range(10):
                self.assert_served(server)
            self.assertEqual(server.count("tcp", "refused: limits.max_sessions"), 0)
            self.assertEqual(server.count("udp", "refused: .*"), 0)

    def test_one_datagram_each(self):
        self.flood(1)

    def test_one_datagram_each_to_several_workers(self):
        self.flood(1, workers=4)

    def test_two_datagrams_each(self):
        self.flood(2)

    def test_connections_have_the_places_of_peers_on_any_worker(self):
        what = echo("tcp", "udp", workers=4, limits={"max_sessions": 6})
        with Server(what) as server, Forger(server.address("udp")) as forger:
            forger.ask(range(100), b"x", 2)
            clients = []
            for _ in range(6):
                clients.append(connect(server.address()))
                clients[-1].send(b"served")
                self.assertEqual(clients[-1].exactly(6), b"served")
            with connect(server.address()) as one_more:
                self.assertTrue(one_more.is_ended())
            for client in clients:
                client.send(b"still")
                self.assertEqual(client.exactly(5), b"still")
                client.close()

    def test_max_peers_holds(self):
        for workers, most in sampled(itertools.product((1, 2), (1, 2, 5)), 2):
            what = config(
                [listener("tcp"), listener("udp", max_peers=most)],
                ["lines", "chat-broadcast"],
                workers=workers,
            )
            with self.subTest(workers=workers, most=most), Server(what) as server:
                with Forger(server.address("udp")) as forger, member(server) as witness:
                    for number in range(30):
                        forger.send(number, b"")
                        forger.send(number, b"last %d" % number)
                        witness.line_with(f": last {number}")
                    witness.send("/who\n")
                    names = witness.line_with("here are ").split(", ")
                    self.assertLessEqual(len(names) - 1, most * workers)
                    self.assertGreaterEqual(len(names) - 1, most)


class Leaving(unittest.TestCase):
    def test_a_silent_peer_expires(self):
        what = config(
            [listener("tcp"), listener("udp", idle_s=1)], ["lines", "chat-broadcast"]
        )
        with Server(what) as server, member(server) as witness:
            with member(server, "udp") as silent:
                witness.line_with(f"{silent.nick} left (idle")

    def test_what_a_peer_is_sent_is_no_sign_of_its_life(self):
        what = config([listener("tcp"), listener("udp", idle_s=1)], ["lines", "chat-broadcast"])
        with Server(what) as server, member(server) as talker:
            with member(server, "udp") as ghost:  # its program ends
                ghost.send("/nick ana\n")
                talker.line_with("is now ana")
            with member(server) as witness:
                line = ""
                while "ana left (idle" not in line:
                    talker.send("still talking\n")
                    line = witness.line()
                    server.err.comes("nothing is said", 0.05)
            with member(server, "udp") as again:
                again.send("/nick ana\n")
                talker.line_with("is now ana")

    def test_one_peer_too_many_replaces_the_one_silent_for_longest(self):
        what = config(
            [listener("tcp"), listener("udp", max_peers=2)], ["lines", "chat-broadcast"]
        )
        with Server(what) as server, member(server) as witness:
            with member(server, "udp") as first, member(server, "udp") as second:
                first.send("/who\n")  # heard by nobody else
                first.line_with("here are ")
                with member(server, "udp") as third:
                    witness.line_with(f"{second.nick} left (max_peers")
                    witness.send("/who\n")
                    names = witness.line_with("here are ")
                    for nick in (witness.nick, first.nick, third.nick):
                        self.assertIn(nick, names)
                    self.assertNotIn(second.nick, names)


if __name__ == "__main__":
    unittest.main()
