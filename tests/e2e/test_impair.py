"""The handlers `impair` and `meter` in a real server: a bad link with a seed,
and what a client sees of it."""

import os
import re
import subprocess
import unittest

from server import (
    PATIENT,
    PLAYGROUND,
    SOURCE,
    TIMEOUT_S,
    Server,
    config,
    connect,
    listener,
    udp_socket,
    wait_until_taken,
)

REPORT = re.compile(
    r"(?P<came>\d+) of (?P<sent>\d+) came, (?P<lost>\d+) lost, (?P<reordered>\d+) reordered, "
    r"(?P<late>\d+) late, (?P<duplicated>\d+) duplicated"
)


def udp_link(**options):
    """meter behind a bad link for what comes in."""
    link = {"plugin": "impair", "direction": "in", **options}
    return config([listener("udp")], [link, "meter", "echo"])


def judged(server, count, is_enough=lambda result: True):
    """Sends numbers from 1 to `count`, and then asks the meter until question
    and answer get through and the answer is enough."""
    with udp_socket(server.address("udp")) as sock:
        for number in range(1, count + 1):
            sock.send(b"#%d" % number)
            if number % 100 == 0:  # as many as the server's socket holds
                wait_until_taken(sock.getpeername()[1])
        sock.settimeout(0.1)
        for _ in range(200):
            sock.send(b"meter?")
            match = answer(sock)
            result = {k: int(v) for k, v in match.groupdict().items()} if match else None
            if result and is_enough(result):
                return result
    raise AssertionError(f"the meter does not say so: {result}")


def answer(sock):
    try:
        while True:
            match = REPORT.search(sock.recv(2000).decode())
            if match:
                return match
    except TimeoutError:
        return None


class Pressure(unittest.TestCase):
    def test_a_delay_below_framing_loses_no_client_that_is_fast(self):
        # The log makes it slower than what comes; all of it has to be kept.
        handlers = [{"plugin": "impair", "delay_ms": 30}, "lines", "log", "echo"]
        data = (b"z" * 3000 + b"\n") * 400
        with Server(config([listener("tcp")], handlers)) as server:
            with connect(server.address()) as client:
                client.sock.sendall(data)
                client.end()
                self.assertEqual(len(client.rest()), len(data))


class Links(unittest.TestCase):
    def test_a_seed_loses_the_same_datagrams(self):
        results = []
        for seed in (1, 1, 2):
            link = udp_link(loss_percent=10, duplicate_percent=10, seed=seed)
            with Server(link) as server:
                results.append(judged(server, 500))
        self.assertEqual(results[0], results[1])
        self.assertNotEqual(results[0], results[2])
        for result in results:
            self.assertEqual(result["came"] + result["lost"], result["sent"])
            self.assertTrue(20 < result["lost"] < 80, result)
            self.assertTrue(20 < result["duplicated"] < 80, result)
            self.assertEqual((result["reordered"], result["late"]), (0, 0))

    def test_a_stream_loses_nothing(self):
        link = {"plugin": "impair", "delay_ms": 20, "jitter_ms": 20, "cut_percent": 1}
        data = os.urandom(40_000)
        with Server(config([listener("tcp")], [link, "echo"])) as server:
            with connect(server.address()) as client:
                client.send(data)
                client.end()
                self.assertEqual(client.rest(), data)

    def test_a_reset_is_one(self):
        link = {"plugin": "impair", "reset_within_bytes": 1000, "direction": "in"}
        with Server(config([listener("tcp")], [link])) as server:
            with connect(server.address()) as client:
                client.send(b"x" * 1000)
                with self.assertRaises(ConnectionResetError):
                    client.rest()
            self.assertEqual(server.count("impair", "in: reset"), 1)
            self.assertEqual(server.count("tcp", "reset by impair"), 1)

    def test_what_is_delayed_is_delivered_before_the_server_ends(self):
        link = {"plugin": "impair", "delay_ms": 300, "direction": "out"}
        handlers = [link, "lines", "log", "echo"]
        with Server(config([listener("tcp")], handlers, limits=PATIENT)) as server:
            with connect(server.address()) as client:
                client.send("last words\n")
                server.err.wait("said 10 bytes")
                server.process.terminate()
                self.assertEqual(client.rest(), b"last words\n")
                self.assertEqual(server.wait(), 0)


class Clients(unittest.TestCase):
    LINES = 200  # as many datagrams as a socket holds whose server does not run

    def client(self, server, transport, *arguments):
        host, port = server.address(transport)
        return subprocess.run(
            [PLAYGROUND, "client", "--quiet", "--wait", "3", *arguments, f"{transport}://{host}:{port}"],
            input="".join(f"{i}\n" for i in range(self.LINES)),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )

    def test_two_meters_face_each_other(self):
        link = {"plugin": "impair", "loss_percent": 10}
        with Server(config([listener("udp")], [link, "meter", "echo"])) as server:
            done = self.client(server, "udp", "--framing", "meter")
            self.assertIn("meter udp %s:%d: " % server.address("udp"), done.stderr)
            server.stop()
            there = REPORT.search(server.err.text())
            back = REPORT.search(done.stderr)
        self.assertTrue(5 < int(there["lost"]) < 60, there[0])
        self.assertTrue(5 < int(back["lost"]) < 60, back[0])
        # What came there went back; the last ones lost are not known of.
        self.assertTrue(int(back["sent"]) <= int(there["came"]))
        self.assertEqual(len(done.stdout.split()), int(back["came"]))

    def test_one_meter_measures_the_round_trip(self):
        link = {"plugin": "impair", "delay_ms": 30}
        with Server(config([listener("tcp")], [link, "echo"])) as server:
            done = self.client(server, "tcp", "--framing", "lines", "--framing", "meter")
        self.assertEqual(done.stdout.split(), [str(i) for i in range(self.LINES)])
        self.assertIn(f"{self.LINES} of {self.LINES} came, 0 lost, 0 reordered", done.stderr)
        least = float(re.search(r"delay ([\d.]+) to", done.stderr)[1])
        self.assertGreaterEqual(least, 58)  # twice 30 ms, in whole milliseconds

    def test_a_client_may_have_the_bad_link(self):
        with Server(config([listener("tcp")], ["echo"])) as server:
            done = self.client(
                server, "tcp", "--framing", "impair,delay_ms=50,cut_percent=1", "--framing", "lines"
            )
        self.assertEqual(done.stdout.split(), [str(i) for i in range(self.LINES)])


class Example(unittest.TestCase):
    """config/impair.json"""

    def test_tcp_is_cut_and_whole(self):
        with Server(os.path.join(SOURCE, "config", "impair.json"), "--port", "0") as server:
            with connect(server.address()) as client:
                client.send("what you say is cut\n")
                client.end()
                self.assertEqual(client.rest(), b"what you say is cut\n")
            server.err.wait(r"tcp-link|said \d bytes", 2)

    def test_udp_is_impaired(self):
        with Server(os.path.join(SOURCE, "config", "impair.json"), "--port", "0") as server:
            result = judged(server, 300, lambda seen: seen["reordered"] > 5)
            self.assertGreater(result["lost"], 5)
            self.assertGreater(result["duplicated"], 2)


if __name__ == "__main__":
    unittest.main()
