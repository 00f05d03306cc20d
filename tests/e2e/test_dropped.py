"""What the kernel drops is counted, as all else that is dropped, and nothing is
that need not be."""

import os
import random
import signal
import socket
import unittest

from server import (
    SEED,
    Server,
    config,
    connect,
    echo,
    listener,
    times,
    udp_socket,
    wait_until_taken,
)


class Datagrams(unittest.TestCase):
    """The receive buffer is full, because nobody reads."""

    def overflow(self, draw, *arguments):
        size = draw.choice([1, 100, 1000, 8000])
        count = draw.randrange(2000, 3000)
        what = config([listener("udp", receive_buffer_bytes=65536)], ["ping"])
        with Server(what, *arguments) as server:
            address = server.address("udp")
            pid = server.process.pid if arguments else server.children()[0]
            with udp_socket(address) as sock:
                os.kill(pid, signal.SIGSTOP)
                for _ in range(count):
                    sock.send(b"x" * size)
                os.kill(pid, signal.SIGCONT)
                wait_until_taken(address[1])
            received = server.count("udp", "unanswered")
            reason = "datagrams dropped by the kernel"
            lost = server.count("udp", reason)
            self.assertEqual(lost, count - received, f"PLAYGROUND_SEED={SEED}")
            self.assertGreater(lost, 0)
            self.assertEqual(server.count("udp", reason), lost)  # once
            server.process.send_signal(signal.SIGTERM)
            server.process.wait()
        # Twice for each count() above, and once more at the end.
            server.err.wait(f"^worker 0: udp: {reason}: {lost}$", 7)

    def test_a_stopped_worker(self):
        draw = random.Random(SEED)
        for _ in range(times(2, 10)):
            self.overflow(draw)

    def test_without_a_guard(self):
        self.overflow(random.Random(SEED + 1), "--single")


class Connections(unittest.TestCase):
    def test_the_backlog_is_full(self):
        draw = random.Random(SEED)
        backlog, more = draw.randint(1, 8), draw.randint(1, 20)
        with Server(config([listener("tcp", backlog=backlog)], ["echo"])) as server:
            reason = "connections dropped by the kernel"
            self.assertEqual(server.count("tcp", reason), 0)
            pid = server.children()[0]
            os.kill(pid, signal.SIGSTOP)
            clients = []
            for _ in range(backlog + 1 + more):  # see listen(2)
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(server.address())
                clients.append(client)
            for client in clients:
                client.close()
            os.kill(pid, signal.SIGCONT)
            # A client tries again after a second, and that counts, too.
            dropped = server.count("tcp", reason)
            self.assertGreaterEqual(dropped, more, f"PLAYGROUND_SEED={SEED}")
            with connect(server.address()) as client:
                client.send("hello\n")
                self.assertEqual(client.line(), "hello")


class Urgent(unittest.TestCase):
    """Bytes that were sent as urgent stay where they are in the stream."""

    def test_it_is_kept_in_line(self):
        draw = random.Random(SEED)
        with Server(echo("tcp")) as server, connect(server.address()) as client:
            sent = b""
            for _ in range(times(50, 500)):
                part = draw.randbytes(draw.randint(1, 20))
                flags = socket.MSG_OOB if draw.random() < 0.3 else 0
                client.sock.send(part, flags)
                sent += part
            self.assertEqual(client.exactly(len(sent)), sent, f"PLAYGROUND_SEED={SEED}")


if __name__ == "__main__":
    unittest.main()
