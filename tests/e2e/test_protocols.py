"""Real protocols: the handlers of tests/protocols, built outside the tree, and
clients that others wrote."""

import contextlib
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from server import SEED, SOURCE, TIMEOUT_S, Client, Server, connect, deadline, run

FOLDER = os.path.join(SOURCE, "tests", "protocols")
NAMES = ("dns", "http", "irc", "resp")
SMALL = {"session_queue_bytes": 133_120}  # the least that a frame asks for
BYTE_BY_BYTE = {"plugin": "impair", "direction": "in", "cut_percent": 100}
built = tempfile.mkdtemp(prefix="playground-protocols-")


def setUpModule():
    for name in NAMES:
        shutil.copy(os.path.join(FOLDER, f"{name}.c"), built)
        done = run("build", os.path.join(built, f"{name}.c"))
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


def tearDownModule():
    shutil.rmtree(built)


def shipped(name):
    with open(os.path.join(FOLDER, f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def serve(name, before=(), **rest):
    """The config that is shipped, on free ports."""
    what = {**shipped(name), "plugin_path": built, **rest}
    for transport in what["transports"]:
        transport["port"] = 0
    what["handlers"] = [*before, *what["handlers"]]
    return Server(what)


def program(*words, **options):
    """What a client says, who has to end well."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S,
                          check=False, **options)
    if done.returncode:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def round_trip(client, ask, answer):
    client.send(ask)
    heard = client.exactly(len(answer))
    assert heard == answer, heard


def send_until_stopped(client, data, witness):
    """Sends what the server takes and reads nothing; `witness()` comes and goes
    in between. Returns the rest once a visit has made no more room."""
    left, moved = memoryview(data), True
    client.sock.setblocking(False)
    while left and moved:
        moved = False
        with contextlib.suppress(BlockingIOError):
            while left:
                left = left[client.sock.send(left[:1 << 16]):]
                moved = True
        for _ in range(20):
            witness()
    client.sock.settimeout(TIMEOUT_S)
    return left


def reads_late(client, data, witness):
    """Sends all of it, and begins to read when nothing more is taken."""
    left = send_until_stopped(client, data, witness)
    sender = threading.Thread(target=lambda: (client.sock.sendall(left), client.end()))
    sender.start()
    heard = client.rest()
    sender.join()
    return heard


def slow_client(address):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(TIMEOUT_S)
    sock.connect(address)
    return Client(sock)


class Files(unittest.TestCase):
    def test_are_read_in_one_sitting(self):
        self.assertEqual({name for name in os.listdir(FOLDER)},
                         {f"{name}.{end}" for name in NAMES for end in ("c", "json")})
        for name in NAMES:
            with open(os.path.join(FOLDER, f"{name}.c"), encoding="utf-8") as file:
                self.assertLessEqual(len(file.readlines()), 250, name)

    def test_configs_are_right(self):
        for name in NAMES:
            shutil.copy(os.path.join(FOLDER, f"{name}.json"), built)
            done = run("check", os.path.join(built, f"{name}.json"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_store_of_two_workers_is_refused(self):
        path = os.path.join(built, "two.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**shipped("resp"), "workers": 2}, file)
        done = run("check", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn("workers", done.stderr)


# ---- RESP ----------------------------------------------------------------------


def command(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def bulk(value):
    return b"$%d\r\n%s\r\n" % (len(value), value)


TALK = [
    (command("PING"), b"+PONG\r\n"),
    (command("ping", "ola"), bulk(b"ola")),
    (command("ECHO", b"a\r\n\0b"), bulk(b"a\r\n\0b")),
    (command("GET", "k"), b"$-1\r\n"),
    (command("SET", "k", ""), b"+OK\r\n"),
    (command("GET", "k"), bulk(b"")),
    (command("INCR", "k"), b"-ERR value is not an integer or too large\r\n"),
    (command("SET", b"\0\xff", b"\0" * 300), b"+OK\r\n"),
    (command("GET", b"\0\xff"), bulk(b"\0" * 300)),
    (command("SET", "n", "-2"), b"+OK\r\n"),
    *((command("INCR", "n"), b":%d\r\n" % n) for n in range(-1, 3)),
    (command("SET", "n", 2**63 - 1), b"+OK\r\n"),
    (command("INCR", "n"), b"-ERR value is not an integer or too large\r\n"),
    (command("DEL", "n"), b":1\r\n"),
    (command("DEL", "n"), b":0\r\n"),
    (command("INCR", "n"), b":1\r\n"),
    (b"set x  1\r\nGET x\n\n\r\n", b"+OK\r\n" + bulk(b"1")),
    (command("COMMAND", "DOCS"), b"*0\r\n"),
    (command("GET"), b"-ERR unknown command, or not its arguments\r\n"),
    (command("NO", "k"), b"-ERR unknown command, or not its arguments\r\n"),
    (b"*0\r\n", b""),
    (command("SET", "big", b"x" * 60000), b"+OK\r\n"),
    (command("GET", "big"), bulk(b"x" * 60000)),
]


class Resp(unittest.TestCase):
    def test_the_same_however_it_is_cut(self):
        asked, answers = (b"".join(part) for part in zip(*TALK))
        for before in ((), [BYTE_BY_BYTE]):
            with serve("resp", before) as server, connect(server.address()) as client:
                client.send(asked)
                client.end()
                self.assertEqual(client.rest(), answers)

    def test_what_is_no_command_ends_the_session_with_an_answer(self):
        wrong = [b"*1\r\n:1\r\n", b"*1\r\n$-1\r\n", b"*x\r\n", b"*1\n", b"*\r\n1",
                 b"*65\r\n", b"*1\r\n$99999999999999999999\r\n", b"*-1\r\n", b"PING\0\r\n",
                 b" x" * 65 + b"\n", b"*1\r\n$70000\r\n" + b"x" * 70000, b"y" * 70000]
        with serve("resp") as server:
            for data in wrong:
                with connect(server.address()) as client, self.subTest(data[:20]):
                    client.send(command("PING") + data + b"\r\n")
                    self.assertEqual(client.rest(), b"+PONG\r\n-ERR Protocol error\r\n")

    def test_redis_cli(self):
        with serve("resp") as server:
            said = program("redis-cli", "-p", str(server.address()[1]),
                           input='SET k "two words"\nGET k\nINCR n\nNO\nDEL k\nGET k\n')
            self.assertEqual(said, "OK\ntwo words\n1\nERR unknown command, or not its "
                             "arguments\n\n1\n\n")

    def test_redis_benchmark_and_each_increment_counts_once(self):
        with serve("resp") as server, connect(server.address()) as client:
            for number, deep in ((1, "1"), (2, "16")):
                said = program("redis-benchmark", "-p", str(server.address()[1]), "-n", "4000",
                               "-c", "20", "-P", deep, "-t", "ping,set,get,incr", "--csv")
                self.assertEqual(len(re.findall(r'^"(PING|SET|GET|INCR)', said, re.M)), 5)
                round_trip(client, command("GET", "counter:__rand_int__"),
                           bulk(b"%d" % (4000 * number)))

    def test_100000_commands_by_one_who_reads_late(self):
        with serve("resp", limits=SMALL) as server, connect(server.address()) as other:
            with slow_client(server.address()) as client:
                heard = reads_late(client, command("INCR", "n") * 100_000,
                                   lambda: round_trip(other, command("PING"), b"+PONG\r\n"))
            self.assertEqual(heard, b"".join(b":%d\r\n" % n for n in range(1, 100_001)))

    def test_many_who_read_late_share_what_there_is(self):
        """None is closed, nothing is done twice: some are refused with -ENOBUFS."""
        limits = {**SMALL, "queue_bytes_total": 270_000}
        with serve("resp", limits=limits) as server, connect(server.address()) as other:
            def witness():
                round_trip(other, command("PING"), b"+PONG\r\n")

            expected = b"".join(
                b":%d\r\n" % n + (bulk(b"x" * 60_000) if n % 100 == 0 else b"")
                for n in range(1, 10_001))
            clients = [slow_client(server.address()) for _ in range(8)]
            asked = [(command("INCR", f"n{number}") * 100 + command("GET", "x")) * 100
                     for number in range(8)]
            round_trip(other, command("SET", "x", b"x" * 60_000), b"+OK\r\n")
            left = [send_until_stopped(*pair, witness) for pair in zip(clients, asked)]
            senders = [threading.Thread(target=lambda c=c, d=d: (c.sock.sendall(d), c.end()))
                       for c, d in zip(clients, left)]
            for sender in senders:
                sender.start()
            for client in clients:
                self.assertEqual(client.rest(), expected)
                client.close()
            for sender in senders:
                sender.join()


# ---- HTTP ----------------------------------------------------------------------


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


# ---- DNS -----------------------------------------------------------------------


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


# ---- IRC -----------------------------------------------------------------------


class Ends:
    """The two ends of another process's one connection over IPv4."""

    def __init__(self, pid):
        links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
        inodes = {link[8:-1] for link in links if link.startswith("socket:")}
        with open("/proc/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file]
        (self.row,) = [row for row in rows if row[9] in inodes]
        self.sock = self

    def end(self, text):
        address, port = text.split(":")
        return socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)

    def getsockname(self):
        return self.end(self.row[1])

    def getpeername(self):
        return self.end(self.row[2])


class Ii:
    """The client ii, which is files: `in`, to write to, and `out`."""

    def __init__(self, server, nick):
        self.folder = os.path.join(server.folder, nick)
        self.process = subprocess.Popen(
            ["ii", "-s", "127.0.0.1", "-p", str(server.address()[1]), "-i", self.folder, "-n", nick],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.folder = os.path.join(self.folder, "127.0.0.1")
        self.hears("Welcome")
        self.worker = server.worker_of(Ends(self.process.pid))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def hears(self, text, *channel):
        check = deadline()
        while True:
            with contextlib.suppress(FileNotFoundError):
                with open(self.path(*channel, "out"), encoding="utf-8") as file:
                    if text in file.read():
                        return
            check(f"{text!r} in {self.folder}")
            os.sched_yield()

    def says(self, text, *channel):
        with open(self.path(*channel, "in"), "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def join(self, channel):
        self.says(f"/j {channel}")
        self.hears("End of NAMES")

    def stop(self):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)


def logged_in(server, nick):
    client = connect(server.address())
    client.send(f"NICK {nick}\r\nUSER u 0 * :{nick}\r\n")
    client.line_with(" 001 ")
    return client


class Irc(unittest.TestCase):
    def test_two_ii_in_one_channel_over_two_workers(self):
        with serve("irc") as server, contextlib.ExitStack() as stack:
            found = {}
            for number in range(100):
                one = Ii(server, f"ana{number}")
                stack.callback(one.stop)
                found.setdefault(one.worker, one)
                if len(found) == 2:
                    break
            ana, bob = found.values()
            for one in (ana, bob):
                one.join("#sala")
            ana.says("ola a todos", "#sala")
            bob.hears("ola a todos", "#sala")
            bob.says("e voce?", "#sala")
            ana.hears("e voce?", "#sala")

    def test_a_talk(self):
        talk = [
            ("JOIN #a", "451 * :You have not registered"),
            ("NICK", "431 * :is empty"),
            ("NICK !", "432 * ! :"),
            ("NICK Ana", "433 * Ana :Nickname is already in use"),
            ("USER a", "461 * USER :Not enough parameters"),
            ("nick Eva", None),
            ("USER a b c :d e", "001 Eva :Welcome"),
            ("USER a b c d", "462 Eva :"),
            ("JOIN a", "403 Eva a :"),
            ("PRIVMSG #no :x", "403 Eva #no :"),
            ("PRIVMSG no :x", "401 Eva no :"),
            ("PART #no", "442 Eva #no :"),
            ("FOO", "421 Eva FOO :Unknown command"),
            ("PING :a b", "PONG Eva :a b"),
            ("NAMES #sala", "353 Eva = #sala :ana"),
            ("", "366 Eva #sala :End of NAMES"),
            (":x join #sala", ":Eva!u@irc JOIN #sala"),
        ]
        for before in ((), [BYTE_BY_BYTE]):
            with serve("irc", before) as server, logged_in(server, "ana") as ana:
                ana.send("JOIN #sala\r\n")
                ana.line_with(" 366 ")
                with connect(server.address()) as client:
                    for said, heard in talk:
                        client.send(said + "\r\n")
                        if heard:
                            self.assertIn(heard, client.line())
                    client.line_with(" 366 ")
                    self.assertEqual(ana.line(), ":Eva!u@irc JOIN #sala\r")
                    client.send("PRIVMSG ANA :so\rQUIT\r\nPRIVMSG #sala :oi\r\nNICK Iva\r\n")
                    client.line_with(":Eva!u@irc NICK Iva")
                    ana.send("PRIVMSG iva :" + "x" * 495 + "\r\n")
                    self.assertEqual(len(client.line()), 511)
                    client.send("PART #sala :fui\r\nJOIN #sala\r\nQUIT :ate logo\r\n")
                    client.rest()
                for heard in ("Eva!u@irc PRIVMSG ANA :so", "Eva!u@irc PRIVMSG #sala :oi",
                              "Eva!u@irc NICK Iva", "Iva!u@irc PART #sala :fui",
                              "Iva!u@irc JOIN #sala", "Iva!u@irc QUIT :ate logo"):
                    self.assertEqual(ana.line(), f":{heard}\r")


if __name__ == "__main__":
    unittest.main()
