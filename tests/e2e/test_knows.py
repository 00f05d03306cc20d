"""What a handler can know besides the bytes: files and lists of its options,
its worker, the time, the address a peer came to. And what `check` says where
one of them is wrong."""

import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from server import (
    PLAYGROUND,
    SEED,
    TIMEOUT_S,
    Client,
    Server,
    config,
    connect,
    has_ipv6,
    listener,
    run,
    udp_socket,
)
from test_plugins import fits

FIXTURES = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")


def knowing(*transports, handlers=("lines",), **options):
    rest = {key: options.pop(key) for key in ("workers",) if key in options}
    return config(
        list(transports) or [listener()],
        [*handlers, {"plugin": "knows", **options}],
        plugin_path=[FIXTURES],
        **rest,
    )


def asked(client, question):
    client.send(question + "\n")
    return client.line()


class Refused(unittest.TestCase):
    """By `check` and by `run` alike."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "a.json")

    def write(self, what):
        text = json.dumps(what, indent=4)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        return text

    def place_of(self, text, at):
        """Line and column of an offset."""
        return f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"

    def place(self, text, key):
        """... of the value of `key`."""
        return self.place_of(text, text.index(f'"{key}": ') + len(key) + 4)

    def refused(self, what, says, place, under=()):
        """`place` finds it in the text. The text, and what was said."""
        text = self.write(what)
        for command in (["check"], ["run"], ["run", "--single"]):
            done = subprocess.run(
                [*under, PLAYGROUND, *command, self.path],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(f"{self.path}:{place(text)}: {says}", done.stderr)
        return text, done.stderr

    # ---- one worker -------------------------------------------------------

    def alone(self, where, workers):
        what = config([listener(), listener("udp")], ["lines"], plugin_path=[FIXTURES])
        if workers:
            what["workers"] = workers
        one = {"plugin": "alone", "name": "counter"}
        if where == "shared":
            what["handlers"].append(one)
        else:
            what["transports"][where]["handlers"] = ["lines", one]
            what["handlers"] = []
        return what

    def test_more_workers_than_one(self):
        drawn = random.Random(SEED)
        for where in ("shared", 0, 1):
            workers = drawn.randrange(2, 65)
            text, said = self.refused(
                self.alone(where, workers),
                "counter keeps one state for all its sessions, and each of "
                f'{workers} workers would have its own; write "workers": 1, or delete the key\n',
                lambda text: self.place(text, "workers"),
            )
            entry = text.rindex("{", 0, text.index('"alone"'))
            self.assertIn(f"  and {self.path}:{self.place_of(text, entry)}\n", said)

    def test_one_worker_is_enough(self):
        for where in ("shared", 0, 1):
            for workers in (None, 1):
                self.write(self.alone(where, workers))
                self.assertEqual(run("check", self.path).returncode, 0)

    # ---- files ------------------------------------------------------------

    def file_refused(self, file, says, under=(), **options):
        self.refused(
            knowing(file=file, **options), says, lambda text: self.place(text, "file"), under
        )

    def test_a_file_that_cannot_be_had(self):
        os.mkfifo(os.path.join(self.folder, "pipe"))
        os.mkdir(os.path.join(self.folder, "sub"))
        with open(os.path.join(self.folder, "sub", "long"), "wb") as file:
            file.write(b"x" * 65)
        for name, says in (
            ("no.txt", "cannot read no.txt: No such file or directory; "),
            ("sub", "sub is a folder, not a regular file; name one"),
            ("pipe", "pipe is a pipe, not a regular file; name one"),
            ("/dev/null", "/dev/null is a device, not a regular file; name one"),
            ("sub/long", "sub/long has more than 64 bytes; shorten it, or name another file"),
        ):
            self.file_refused(name, says)

    def test_a_file_that_is_closed_to_us(self):
        give_up = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
        path = os.path.join(self.folder, "closed")
        with open(path, "wb"):
            os.chmod(path, 0)
        self.file_refused(
            "closed", f"cannot read closed: Permission denied; run chmod u+r {path}", give_up
        )

    def test_a_file_that_is_too_long_for_init(self):
        with open(os.path.join(self.folder, "a"), "wb") as file:
            file.write(b"12345")
        text = self.write(knowing(file="a", init_most=4))
        self.assertEqual(run("check", self.path).returncode, 0)
        done = run("run", self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.path}:{self.place(text, 'file')}: a has more than", done.stderr)

    # ---- lists ------------------------------------------------------------

    def test_a_text_of_a_list_that_is_none(self):
        """Each wrong one has its own place, wherever it stands."""
        drawn = random.Random(SEED)
        for wrong, shown in ((7, "7"), (True, "true"), (None, "null"), ({}, "an object")):
            words = [f"w{i}" for i in range(drawn.randrange(1, 5))]
            at = drawn.randrange(len(words))
            words[at] = wrong
            value = json.dumps(wrong)

            def place(text, at=at, value=value):
                row = self.place(text, "words").split(":")[0]
                line = text.splitlines()[int(row) + at]
                return f"{int(row) + at + 1}:{line.index(value) + 1}"

            self.refused(
                knowing(words=words), f'"words[{at}]" is {shown}, not a text in quotes; ', place
            )

    def test_a_schema_knows_lists(self):
        done = run("plugins", "--schema", "knows", cwd=FIXTURES)
        self.assertEqual(done.returncode, 0, done.stderr)
        schema = json.loads(done.stdout)
        for words in ([], ["a"], ["a"] * 4, ["a"] * 5, "a", ["a", 1], [None], None, [[]]):
            entry = {"plugin": "knows", "words": words}
            self.write(knowing(words=words))
            accepted = run("check", self.path).returncode == 0
            self.assertEqual(fits(entry, schema, schema), accepted, words)

    def test_the_listing_knows_lists(self):
        done = run("plugins", "knows", cwd=FIXTURES)
        self.assertRegex(
            done.stdout, r'\n  words      list of texts  1 to 4 +\["um", "dois"\]\n'
        )
        self.assertIn('"words": ["um", "dois"]', done.stdout.splitlines()[-1])
        listed = json.loads(run("plugins", "--json", "knows", cwd=FIXTURES).stdout)
        words = next(one for one in listed[0]["options"] if one["name"] == "words")
        self.assertEqual(
            (words["type"], words["default"], words["min"], words["max"]),
            ("strings", ["um", "dois"], 1, 4),
        )


class Asked(unittest.TestCase):
    def test_a_file_beside_the_config(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "motd"), "w", encoding="utf-8") as file:
                file.write("welcome")
            path = os.path.join(folder, "a.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(knowing(file="motd", words=["a b", "c"]), file)
            with Server(path) as server, connect(server.address()) as client:
                self.assertEqual(asked(client, "file"), "welcome")
                self.assertEqual(asked(client, "words"), "(a b)(c)")

    def test_the_time_of_day(self):
        with Server(knowing()) as server, connect(server.address()) as client:
            before = time.time_ns() // 1_000_000
            said = int(asked(client, "wall"))
            after = time.time_ns() // 1_000_000
        self.assertLessEqual(before, said)
        self.assertLessEqual(said, after)

    def test_each_worker_has_a_number(self):
        workers = random.Random(SEED).randrange(2, 5)
        wanted = {f"{i} of {workers}" for i in range(workers)}
        found, clients = set(), []
        with Server(knowing(workers=workers)) as server:
            while found != wanted:
                self.assertLess(len(clients), 300, "one worker gets all clients")
                clients.append(connect(server.address()))
                found.add(asked(clients[-1], "worker"))
                self.assertLessEqual(found, wanted)
            for client in clients:
                client.close()

    def test_a_process_alone_is_worker_0(self):
        what = knowing(workers=3)
        with Server(what, "--single") as server, connect(server.address()) as client:
            self.assertEqual(asked(client, "worker"), "0 of 1")

    def test_one_counter_for_all(self):
        what = config([listener(), listener("udp")], ["lines", "alone"], plugin_path=[FIXTURES])
        with Server(what) as server, connect(server.address()) as client:
            with Client(udp_socket(server.address("udp"))) as other:
                answers = [asked(one, "x") for one in (client, other, client)]
        self.assertEqual(answers, ["1", "2", "3"])


class Local(unittest.TestCase):
    def assert_local(self, client, transport, host, port):
        own_host, own_port = client.sock.getsockname()[:2]
        shown, own = (f"[{x}]" if ":" in x else x for x in (host, own_host))
        self.assertEqual(
            asked(client, "local"),
            f"{transport} {shown}:{port} from {transport} {own}:{own_port}",
        )

    def hosts(self):
        drawn = random.Random(SEED)
        return [f"127.0.{drawn.randrange(256)}.{drawn.randrange(1, 255)}" for _ in range(3)]

    def test_tcp_on_every_address(self):
        with Server(knowing(listener(host="0.0.0.0"))) as server:
            port = server.address()[1]
            for host in self.hosts():
                with connect((host, port)) as client:
                    self.assert_local(client, "tcp", host, port)

    def test_udp_on_every_address(self):
        """The answer comes from there, too: the client's socket is connected."""
        with Server(knowing(listener("udp", host="0.0.0.0"))) as server:
            port = server.address("udp")[1]
            for host in self.hosts():
                with Client(udp_socket((host, port))) as client:
                    self.assert_local(client, "udp", host, port)

    def test_udp_on_one_address(self):
        for host in self.hosts():
            with Server(knowing(listener("udp", host=host))) as server:
                port = server.address("udp")[1]
                with Client(udp_socket((host, port))) as client:
                    self.assert_local(client, "udp", host, port)

    def test_ipv6_and_ipv4_on_one_socket(self):
        if not has_ipv6():
            return  # nothing can listen on "::", see test_tcp.py
        with Server(knowing(listener(host="::"), listener("udp", host="::"))) as server:
            for host in ("::1", *self.hosts()):
                port = server.address()[1]
                with connect((host, port)) as client:
                    self.assert_local(client, "tcp", host, port)
                port = server.address("udp")[1]
                with Client(udp_socket((host, port))) as client:
                    self.assert_local(client, "udp", host, port)

    def test_unix(self):
        for kind in ("stream", "seqpacket"):
            what = knowing({"plugin": "unix", "path": "a.sock", "type": kind})
            with Server(what) as server:
                path = os.path.join(server.folder, "a.sock")
                type_ = socket.SOCK_STREAM if kind == "stream" else socket.SOCK_SEQPACKET
                with Client(socket.socket(socket.AF_UNIX, type_)) as client:
                    client.sock.connect(path)
                    self.assertTrue(
                        asked(client, "local").startswith(f"unix {path} from unix pid ")
                    )


if __name__ == "__main__":
    unittest.main()
