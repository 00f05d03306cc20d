"""The DNS server: dig over UDP, then over TCP; questions that are none."""

import contextlib
import random
import socket
import struct
import unittest

from protocols import build, built, program, serve, shipped
from server import SEED, TIMEOUT_S, Server, connect


def setUpModule():
    build("dns")


def question(name, kind=1, flags=0x0100, counts=(1, 0, 0, 0), edns=None):
    wire = b"".join(bytes([len(x)]) + x for x in name.encode().split(b".") if x) + b"\0"
    head = struct.pack(">HHHHHH", 77, flags, *counts[:3], int(edns is not None))
    tail = b"" if edns is None else b"\0" + struct.pack(">HHIH", 41, edns[0], edns[1] << 16, 0)
    return head + wire + struct.pack(">HH", kind, 1) + tail


def code(answer):
    return answer[3] & 15


class Dns(unittest.TestCase):
    RECORDS = {"plugin": "dns", "records": [
        *shipped("dns")["handlers"][0]["records"],
        *(f"long.example.org TXT {'x' * 200}{n}" for n in range(20)),
        *(f"some.example.org TXT {'x' * 200}{n}" for n in range(3)),
    ]}

    def serve(self):
        return serve("dns", handlers=[self.RECORDS])

    def on_one_port(self):
        """TCP and UDP at one number, as dig expects it. The number is free, unless
        somebody takes it just now."""
        for _ in range(20):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            what = {**shipped("dns"), "plugin_path": built, "handlers": [self.RECORDS]}
            for transport in what["transports"]:
                transport["port"] = port
            with contextlib.suppress(AssertionError):
                return Server(what)
        raise AssertionError("no port is free for both")

    def dig(self, server, *words, transport="udp"):
        port = str(server.address(transport)[1])
        return program("dig", "@127.0.0.1", "-p", port, "+tries=1", f"+time={TIMEOUT_S}", *words)

    def test_dig(self):
        with self.serve() as server:
            self.assertEqual(sorted(self.dig(server, "+short", "www.Example.org").split()),
                             ["192.0.2.1", "192.0.2.2"])
            self.assertEqual(self.dig(server, "+short", "www.example.org", "AAAA"), "2001:db8::1\n")
            self.assertEqual(self.dig(server, "+short", "example.org", "TXT"),
                             '"a text that anybody may read"\n')
            said = self.dig(server, "no.example.org")
            self.assertIn("status: NXDOMAIN", said)
            said = self.dig(server, "www.example.org", "TXT")
            self.assertIn("status: NOERROR", said)
            self.assertIn("ANSWER: 0", said)
            self.assertIn("status: NOTIMP", self.dig(server, "+opcode=notify", "www.example.org"))
            self.assertEqual(self.dig(server, "+short", "+tcp", "www.example.org", "AAAA",
                                      transport="tcp"), "2001:db8::1\n")

    def test_dig_comes_again_over_tcp(self):
        with self.on_one_port() as server:
            said = self.dig(server, "long.example.org", "TXT")
            self.assertIn("Truncated, retrying in TCP mode", said)
            self.assertIn("(TCP)", said)
            self.assertEqual(said.count("x" * 200), 20)
            for words in (["+bufsize=512"], ["+noedns"], ["+bufsize=4096"]):
                said = self.dig(server, "+ignore", *words, "long.example.org", "TXT")
                self.assertRegex(said, "flags: qr aa tc")
                self.assertIn("ANSWER: 0", said)

    def test_a_stranger_is_sent_no_more_than_may_be(self):
        with self.serve() as server:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(TIMEOUT_S)
                sock.connect(server.address("udp"))
                answers = []
                for _ in range(2):
                    sock.send(question("some.example.org", 16, edns=(1232, 0)))
                    answers.append(sock.recv(4096))
                self.assertEqual([answer[2] & 2 for answer in answers], [2, 0])
                self.assertGreater(len(answers[1]), 600)

    def test_what_is_wrong(self):
        with self.serve() as server:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(TIMEOUT_S)
                sock.connect(server.address("udp"))
                whole = question("www.example.org", edns=(1232, 0))
                cases = [(whole[:n], 1) for n in range(12, len(whole))]
                cases += [
                    (question("www.example.org", counts=(2, 0, 0, 0)), 1),
                    (question("www.example.org", counts=(0, 0, 0, 0)), 1),
                    (whole[:12] + b"\xc0\x0c" + whole[12:], 1),
                    (question("www.example.org", flags=0x1000), 4),
                    (whole, 0),
                ]
                for data, expected in cases:
                    sock.send(b"short")
                    sock.send(question("x", flags=0x8000))  # an answer
                    sock.send(data)
                    self.assertEqual(code(sock.recv(4096)), expected, data)
                sock.send(question("www.example.org", edns=(1232, 1)))
                answer = sock.recv(4096)
                self.assertEqual((code(answer), answer[-6]), (0, 1))  # BADVERS is 16

    def test_noise(self):
        draw = random.Random(SEED)
        with self.serve() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(TIMEOUT_S)
            sock.connect(server.address("udp"))
            for number in range(501):
                if number % 50 == 0:  # or the answers find no room
                    sock.send(b"\x12\x34" + question("www.example.org")[2:])
                    while (answer := sock.recv(4096))[:2] != b"\x12\x34":
                        pass
                    self.assertEqual(code(answer), 0, f"PLAYGROUND_SEED={SEED}")
                data = bytearray(question("www.example.org", edns=(1232, 0)))
                for _ in range(draw.randrange(1, 5)):
                    data[draw.randrange(len(data))] = draw.randrange(256)
                sock.send(data[:draw.randrange(len(data) + 1)])


if __name__ == "__main__":
    unittest.main()
