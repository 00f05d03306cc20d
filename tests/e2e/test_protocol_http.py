"""The HTTP server: curl, wrk, requests that are pipelined, cut or wrong, and a
slow reader."""

import re
import unittest

from protocols import BYTE_BY_BYTE, build, program, serve, slow_client
from server import TIMEOUT_S, connect


def setUpModule():
    build("http")


def get(path, *fields, method="GET", version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: x", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


class Answer:
    """One answer; of a long body `body` is the last piece."""

    def __init__(self, client, is_head=False):
        head = [client.line()]
        while head[-1] != "\r":
            head.append(client.line())
        self.status = int(head[0].split()[1])
        self.fields = dict(line.rstrip("\r").split(": ", 1) for line in head[1:-1])
        self.size, self.body = 0 if is_head else int(self.fields["Content-Length"]), b""
        left = self.size
        while left > 0:
            self.body = client.exactly(min(left, 1 << 16))
            left -= len(self.body)


class Http(unittest.TestCase):
    def url(self, server, path):
        return f"http://127.0.0.1:{server.address()[1]}{path}"

    def test_curl_keeps_its_connection(self):
        with serve("http") as server:
            said = program("curl", "-sS", "-w", " %{http_code} %{num_connects}\n",
                           *(self.url(server, path) for path in ("/", "/x", "/big/3?a=b")))
            self.assertEqual(said.replace("\0", "0"), "hi 200 1\n404 Not Found 404 0\n000 200 0\n")
            said = program("curl", "-sS", "-I", self.url(server, "/big/77"))
            self.assertRegex(said, r"(?s)^HTTP/1.1 200 OK\nDate: \w{3}, \d\d \w{3} \d{4} "
                             r"\d\d:\d\d:\d\d GMT\n.*Content-Length: 77\n")
            said = program("curl", "-sS", "--http1.0", "-i", self.url(server, "/"))
            self.assertIn("Connection: close\n", said)
            said = program("curl", "-sS", "-d", "x" * 2000, "-w", "%{http_code}",
                           "-o", "/dev/null", self.url(server, "/"))
            self.assertEqual(said, "405")

    def test_pipelined_and_cut(self):
        asked = b"".join(
            b"\r\n" + get("/") + get(f"/big/{n}") + get("/", method="HEAD")
            + get("/", f"Content-Length: {n}", method="POST") + b"z" * n
            for n in range(40))
        for before in ((), [BYTE_BY_BYTE]):
            with serve("http", before) as server, connect(server.address()) as client:
                client.send(asked + get("/", "Connection: close") + get("/never"))
                for n in range(40):
                    self.assertEqual(Answer(client).body, b"hi")
                    self.assertEqual(Answer(client).body, bytes(n))
                    self.assertEqual(Answer(client, is_head=True).status, 200)
                    self.assertEqual(Answer(client).status, 405)
                self.assertEqual(Answer(client).fields["Connection"], "close")
                self.assertEqual(client.rest(), b"")

    def test_what_is_wrong_has_a_status_and_an_end(self):
        cases = {
            400: [b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", get("/", "Host: y"), get("/", "a b: c"),
                  get("/", " folded"), get("/", "Content-Length: -1"), get("/", "no colon"),
                  get("/", "Content-Length: 99999999999999999999"), get("/", "a: b\nc: d"),
                  get("/", "Content-Length: 1", "Content-Length: 1"), get("/", "a: \0b"),
                  get("/", "Content-Length: 1", "Transfer-Encoding: chunked"), b"\0\r\n\r\n"],
            431: [get("/", "a: " + "b" * 8200), b"x" * 8192, get("/" + "b" * 9000)],
            501: [get("/", "Transfer-Encoding: chunked", method="POST"), get("/", method="BREW")],
            505: [get("/", version="2.0"), b"GET / HTTP/3.0\r\n\r\n"],
        }
        with serve("http") as server:
            for status, requests in cases.items():
                for request in requests:
                    with connect(server.address()) as client, self.subTest(request[:60]):
                        client.send(request + b"GET /never")
                        self.assertEqual(Answer(client).status, status)
                        self.assertEqual(client.rest(), b"")

    def test_100_mb_for_one_who_reads_late(self):
        with serve("http") as server, connect(server.address()) as other:
            with slow_client(server.address()) as client:
                client.send(get("/big/100000000") + get("/"))
                client.end()
                for _ in range(100):
                    other.send(get("/"))
                    self.assertEqual(Answer(other).body, b"hi")
                self.assertEqual(Answer(client).size, 100_000_000)
                self.assertEqual(Answer(client).body, b"hi")
                self.assertEqual(client.rest(), b"")
            said = program("curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}",
                           self.url(server, "/big/100000000"))
            self.assertEqual(said, "100000000")

    def test_wrk_with_64_and_1000_connections(self):
        with serve("http") as server:
            for connections in ("64", "1000"):
                said = program("wrk", "-c", connections, "-t", "1", "-d", "1",
                               "--timeout", str(TIMEOUT_S), self.url(server, "/"))
                self.assertGreater(int(re.search(r"(\d+) requests in", said)[1]), 0)
                self.assertNotRegex(said, "Socket errors|Non-2xx")


if __name__ == "__main__":
    unittest.main()
