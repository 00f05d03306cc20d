"""Peers that are gone without a word, and peers that are there and take nothing."""

import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
import unittest

from server import PLAYGROUND, SEED, TIMEOUT_S, Server, config, connect, listener, udp_socket
from test_wire import on_wire, wire

# At its end of the link: two connections that are cut off, one where nothing is on
# its way and one whose answer comes later and is sent again and again. Says how
# long after the cut the server's log had their ends.
CUT_OFF = """
import fcntl, json, socket, struct, sys, time

def client(port):
    sock = socket.create_connection(("10.77.0.2", port))
    sock.send(b"hello")
    assert sock.recv(5) == b"hello"
    return sock

def ends():
    with open(sys.argv[1], encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    return [event for event in events if event["event"] == "close"]

idle, busy = client(5000), client(5001)
busy.send(b"again")
for _, name in socket.if_nameindex():
    if name != "lo":  # SIOCSIFFLAGS, see netdevice(7): no flag, not even IFF_UP
        fcntl.ioctl(idle, 0x8914, struct.pack("16sh14x", name.encode(), 0))
cut, told = time.monotonic(), 0
while told < 2 and time.monotonic() < cut + float(sys.argv[2]):
    now = ends()
    for event in now[told:]:
        print(f"{time.monotonic() - cut:.2f} s: {event}", flush=True)
    told = len(now)
    time.sleep(0.05)
"""


class CutOff(unittest.TestCase):
    @on_wire
    def test_who_is_cut_off_is_found_with_and_without_data_on_its_way(self):
        delay = {"plugin": "impair", "delay_ms": 200}
        with tempfile.TemporaryDirectory(prefix="playground-") as folder:
            log = os.path.join(folder, "log")
            what = {
                "transports": [
                    {"plugin": "tcp", "host": "10.77.0.2", "port": 5000, "keepalive_s": 1},
                    {"plugin": "tcp", "host": "10.77.0.2", "port": 5001, "keepalive_s": 1, "handlers": [delay]},
                ],
                "handlers": [{"plugin": "log", "format": "json", "file": log}, "echo"],
                "limits": {"unread_s": 0},
            }
            path = os.path.join(folder, "playground.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(what, file)
            left = [sys.executable, "-c", CUT_OFF, log, str(TIMEOUT_S / 2)]
            result = wire("--", *left, "--", PLAYGROUND, "run", "--single", path)
        said = result.stdout.decode()
        print(said)
        self.assertEqual(said.count("Connection timed out"), 2, said + result.stderr.decode())


def small_reader(address):
    """Its system holds little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(TIMEOUT_S)
    sock.connect(address)
    return sock


class TakesNothing(unittest.TestCase):
    def test_a_full_window_is_a_sign_of_life(self):
        """Readers begin one after the other, so that probes and looks fall in every order."""
        mark = listener("tcp", idle_s=3)
        full = listener("tcp", keepalive_s=1)
        data = os.urandom(200_000)
        with Server(config([full, mark], ["echo"], limits={"unread_s": 0})) as server:
            readers = []
            for _ in range(20):
                readers.append(small_reader(server.address()))
                readers[-1].sendall(data)
                server.err.comes("nothing is said", 0.05)
            with connect(server.addresses("tcp")[1]) as clock:
                self.assertEqual(clock.rest(), b"")  # three times keepalive_s
            for sock in readers:
                got = b""
                while len(got) < len(data):
                    got += sock.recv(1 << 16) or self.fail("the server has ended it")
                self.assertEqual(got, data)
                sock.close()

    def test_who_takes_nothing_is_disconnected_who_takes_little_is_not(self):
        """Whether it waits in the server or in its system; drawn by a seed."""
        draw = random.Random(SEED)
        what = config([listener("tcp")], ["log", "echo"], limits={"unread_s": 1})
        sizes = [draw.randrange(20_000, 100_000), draw.randrange(1 << 20, 1 << 23)]
        little = draw.randrange(1000, 3000)
        with self.subTest(f"PLAYGROUND_SEED={SEED}"), Server(what) as server:
            rude = [small_reader(server.address()) for _ in sizes]
            for sock, size in zip(rude, sizes):
                sock.setblocking(False)
                left = memoryview(b"abc " * (size // 4))
                while left and select.select([], [sock], [], 0.5)[1]:
                    left = left[sock.send(left) :]
            slow, got = small_reader(server.address()), 0
            slow.sendall(b"abc " * 25_000)
            while len(self.ends(server)) < len(rude):
                server.err.comes("nothing is said", 0.1)
                got += len(slow.recv(little)) if got < 100_000 else 0
            while got < 100_000:
                got += len(slow.recv(1 << 16)) or self.fail("it took something all the time")
            self.assertEqual(server.count("tcp", "has read nothing for limits.unread_s"), len(rude))
            for sock in [*rude, slow]:
                sock.close()

    @staticmethod
    def ends(server):
        return [line for line in server.err.lines if "left: has read nothing" in line]


class StoodStill(unittest.TestCase):
    def test_what_waits_is_heard_before_anybody_is_taken_for_silent(self):
        """More peers than datagrams are read at once; drawn by a seed."""
        draw = random.Random(SEED)
        idle, workers = 2, draw.choice((1, 2))
        peers, clients = draw.randrange(100, 400), draw.randrange(1, 20)
        what = config([listener("udp", idle_s=idle), listener("tcp", idle_s=idle)], ["log", "echo"])
        with self.subTest(f"PLAYGROUND_SEED={SEED}"), Server({**what, "workers": workers}) as server:
            socks = [udp_socket(server.address("udp")) for _ in range(peers)]
            socks += [socket.create_connection(server.address(), TIMEOUT_S) for _ in range(clients)]
            for sock in socks:
                sock.send(b"one")
            for sock in socks:
                self.assertEqual(sock.recv(9), b"one")
            with Server(config([listener("tcp", idle_s=idle)], ["echo"])) as other:
                for pid in server.children():
                    os.kill(pid, signal.SIGSTOP)
                for sock in socks:
                    sock.send(b"two")
                with connect(other.address()) as clock:
                    self.assertEqual(clock.rest(), b"")  # idle_s has passed
                for pid in server.children():
                    os.kill(pid, signal.SIGCONT)
            for sock in socks:
                self.assertEqual(sock.recv(9), b"two")
                sock.close()
            server.err.wait("said 3 bytes: two", len(socks))
            came = [line for line in server.err.lines if line.endswith(" came")]
            self.assertEqual(len(came), len(socks), "some were taken for gone and came anew")


class SaysNothing(unittest.TestCase):
    def test_a_silent_connection_ends_after_idle_s(self):
        what = config([listener("tcp", idle_s=1), listener("tcp")], ["log", "echo"])
        with Server(what) as server:
            with connect(server.address()) as silent, connect(server.addresses("tcp")[1]) as other:
                self.assertEqual(silent.rest(), b"")
                server.err.wait("left: idle for too long")
                other.send("still here")
                self.assertEqual(other.exactly(10), b"still here")


if __name__ == "__main__":
    unittest.main()
