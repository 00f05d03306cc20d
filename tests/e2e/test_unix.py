"""Unix sockets through the real program: streams and records over connections,
and the file that is there as long as the server is."""

import fcntl
import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import unittest

from server import (
    REPORT,
    SEED,
    SOURCE,
    TIMEOUT_S,
    Client,
    Server,
    config,
    deadline,
    listener,
    member,
    run,
    times,
)

STREAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_SEQPACKET
KINDS = {"stream": STREAM, "seqpacket": SEQPACKET}


def unix(path="a.sock", **options):
    return {"plugin": "unix", "path": path, **options}


def echo(**options):
    return config([unix(**options)], ["echo"])


def chat(*transports, **rest):
    return config(list(transports), ["lines", "chat-broadcast"], **rest)


def connect(server, kind=STREAM, path="a.sock"):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.settimeout(TIMEOUT_S)
    sock.connect(os.path.join(server.folder, path))
    return Client(sock)


def joined(server, kind=STREAM, path="a.sock"):
    client = connect(server, kind, path)
    greeting = client.sock.recv(1 << 16).decode()
    client.nick = re.match(r"you are (\S+),", greeting)[1]
    return client


def at(server, path="a.sock"):
    return os.path.join(server.folder, path)


class Streams(unittest.TestCase):
    def test_a_megabyte_comes_back_unchanged_and_then_the_end(self):
        data = os.urandom(times(1_000_000, 30_000_000))
        with Server(echo()) as server, connect(server) as client:
            sender = threading.Thread(target=lambda: (client.send(data), client.end()))
            sender.start()
            self.assertEqual(client.rest(), data)
            sender.join()

    def test_nc_gets_both_lines_and_the_end(self):
        program = shutil.which("nc.openbsd") or shutil.which("nc")
        with Server(config([unix()], ["lines", "echo"])) as server:
            done = subprocess.run(
                [program, "-N", "-U", at(server)],
                input=b"um\ndois",
                capture_output=True,
                timeout=TIMEOUT_S,
                check=True,
            )
        self.assertEqual(done.stdout, b"um\ndois\n")

    def test_one_word_makes_unix_of_tcp(self):
        with Server('{"transports": ["unix"], "handlers": ["echo"]}', is_text=True) as server:
            self.assertIn("listening unix ", server.out.text())
            with connect(server, path="playground.sock") as client:
                client.send("ola")
                self.assertEqual(client.exactly(3), b"ola")

    def test_descriptors_that_a_peer_sends_along_are_nobodys(self):
        with Server(echo()) as server, connect(server) as client:
            worker = server.children()[0]
            client.send("x")
            client.exactly(1)
            before = len(os.listdir(f"/proc/{worker}/fd"))
            for _ in range(50):
                socket.send_fds(client.sock, [b"x"], [0, 1, 2])
            client.exactly(50)
            self.assertEqual(len(os.listdir(f"/proc/{worker}/fd")), before)


class Records(unittest.TestCase):
    def test_records_of_every_length_come_back_whole(self):
        rng = random.Random(SEED)
        lengths = [0, 0, 1, 65535, 65536, 0, *(int(65536 ** rng.random()) for _ in range(200)), 0]
        with Server(echo(type="seqpacket")) as server, connect(server, SEQPACKET) as client:
            records = [rng.randbytes(length) for length in lengths]
            sender = threading.Thread(
                target=lambda: ([client.sock.send(one) for one in records], client.end())
            )
            sender.start()
            for number, one in enumerate(records):
                self.assertEqual(client.sock.recv(1 << 17), one, f"{number}, SEED={SEED}")
            self.assertEqual(client.sock.recv(1 << 17), b"")  # the end
            sender.join()
            self.assertEqual(server.count("unix", "end of input"), 1)

    def test_an_empty_record_is_not_the_end(self):
        what = config([unix(type="seqpacket")], ["log", "echo"])
        with Server(what) as server, connect(server, SEQPACKET) as client:
            client.sock.send(b"")
            client.sock.send(b"still here")
            client.sock.recv(100)
            self.assertEqual(client.sock.recv(100), b"still here")
            client.end()
            server.err.wait("left: end of input")
            self.assertIn("said 0 bytes", server.err.text())

    def test_what_was_sent_before_it_was_accepted_is_told_apart_too(self):
        with Server(echo(type="seqpacket")) as server:
            os.kill(server.children()[0], signal.SIGSTOP)
            with connect(server, SEQPACKET) as client:
                for one in b"", b"x", b"":
                    client.sock.send(one)
                client.end()
                os.kill(server.children()[0], signal.SIGCONT)
                got = [client.sock.recv(10) for _ in range(4)]
            self.assertEqual(got, [b"", b"x", b"", b""])

    def test_a_record_that_is_too_long_ends_its_session_and_is_not_cut(self):
        what = {**echo(type="seqpacket"), "limits": {"frame_bytes": 1000}}
        with Server(what) as server, connect(server, SEQPACKET) as client:
            client.sock.send(b"a" * 1000)
            self.assertEqual(client.sock.recv(2000), b"a" * 1000)
            client.sock.send(b"b" * 1001)
            self.assertEqual(client.sock.recv(2000), b"")
            why = "sends a record that is longer than limits.frame_bytes"
            self.assertEqual(server.count("unix", why), 1)

    def test_who_does_not_read_loses_nothing(self):
        count = 3000
        with Server(echo(type="seqpacket")) as server, connect(server, SEQPACKET) as client:
            sender = threading.Thread(
                target=lambda: [client.sock.send(b"%d" % n * 50) for n in range(count)]
            )
            sender.start()
            sender.join(1)  # all is full meanwhile, or is not: both are right
            for n in range(count):
                self.assertEqual(client.sock.recv(1 << 16), b"%d" % n * 50)
            sender.join()

    def test_a_reset_is_no_harm(self):
        with Server(echo(type="seqpacket")) as server:
            for _ in range(20):
                client = connect(server, SEQPACKET)
                client.sock.send(b"x" * 1000)
                client.sock.close()  # with an answer unread
            with connect(server, SEQPACKET) as client:
                client.sock.send(b"ola")
                self.assertEqual(client.sock.recv(10), b"ola")


class Chat(unittest.TestCase):
    def test_members_by_tcp_and_both_kinds_of_unix_meet_over_two_workers(self):
        what = chat(
            listener("tcp"), unix(), unix("b.sock", type="seqpacket", name="b"), workers=2
        )
        with Server(what) as server:
            tcp, stream = member(server), joined(server)
            record = joined(server, SEQPACKET, "b.sock")
            tcp.line_with(f"{record.nick} joined")
            record.sock.send(b"ola")
            tcp.line_with(f"{record.nick}: ola")
            stream.line_with(f"{record.nick}: ola")
            tcp.send("bom dia\n")
            stream.line_with(f"{tcp.nick}: bom dia")
            while record.sock.recv(100) != f"{tcp.nick}: bom dia\n".encode():
                pass  # who joined, which may come later from the other worker
            for client in tcp, stream, record:
                client.close()

    def test_no_worker_takes_all(self):
        count = 48
        with Server(chat(unix(), workers=3)) as server:
            clients = [joined(server) for _ in range(count)]
            for pid in server.children():
                os.kill(pid, signal.SIGUSR1)
            server.err.wait(REPORT, 3)
            shares = [int(n) for n in re.findall(r"worker \d: (\d+) sessions", server.err.text())]
            self.assertEqual(sum(shares), count)
            self.assertGreaterEqual(min(shares), count // 6, shares)
            for client in clients:
                client.close()

    def test_another_worker_accepts_while_one_is_stopped(self):
        with Server(chat(unix(), workers=2)) as server:
            first, second = server.children()
            for stopped in first, second:
                os.kill(stopped, signal.SIGSTOP)
                for client in [connect(server) for _ in range(5)]:
                    client.name()
                    client.close()
                os.kill(stopped, signal.SIGCONT)


class Peers(unittest.TestCase):
    WHAT = config([unix(mode="666")], ["log", "echo"])

    def test_a_peer_is_pid_user_and_program(self):
        with open("/proc/self/comm", encoding="ascii") as file:
            name = file.read().rstrip("\n")
        try:
            with open("/proc/self/comm", "w", encoding="ascii") as file:
                file.write("a\x1b[2J\\ \nb")
            with Server(self.WHAT) as server, connect(server):
                line = server.err.wait("came$").string
        finally:
            with open("/proc/self/comm", "w", encoding="ascii") as file:
                file.write(name)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=False)
        who = user.stdout.strip() or f"uid {os.getuid()}"
        self.assertIn(f"unix pid {os.getpid()}, {who}, a\\\\x1b[2J", line)
        self.assertNotIn("\x1b", line)

    def test_a_user_without_a_name_is_a_number(self):
        if os.getuid():
            return  # nobody else may be one that is not in /etc/passwd
        with Server(self.WHAT) as server:
            os.chmod(server.folder, 0o755)
            child = os.fork()
            if child == 0:
                try:
                    os.setuid(54321)
                    connect(server)
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            server.err.wait(f"pid {child}, uid 54321")

    def test_silence_ends_a_session(self):
        with Server(echo(idle_s=1)) as server, connect(server) as client:
            self.assertEqual(client.rest(), b"")
            self.assertEqual(server.count("unix", "idle for too long"), 1)

    def test_who_takes_nothing_is_ended_however_little_is_said(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                what = chat(unix(type=kind), limits={"unread_s": 1})
                with Server(what) as server:
                    deaf, talker = joined(server, KINDS[kind]), joined(server, KINDS[kind])
                    check = deadline()
                    while not server.count("unix", "has read nothing for limits.unread_s"):
                        talker.send("are you there\n")
                        check("the deaf one is ended")
                    talker.send("/who\n")
                    talker.line_with("here ")
                    deaf.close()
                    talker.close()

    def test_mode_says_who_may_connect_whatever_umask_says(self):
        for mode in "600", "666", "0640":
            with Server(echo(mode=mode), setup=lambda: os.umask(0o077)) as server:
                self.assertEqual(f"{stat.S_IMODE(os.stat(at(server)).st_mode):o}", mode.lstrip("0"))


class Refusals(unittest.TestCase):
    def refused(self, what, *words):
        with Server(what, is_ready=False) as server:
            said = server.process.wait(TIMEOUT_S), server.err
            server.err.thread.join(TIMEOUT_S)
            text = said[1].text()
            server.wait()
        for word in words:
            self.assertIn(word, text)
        return text

    def test_a_path_over_107_bytes_is_refused_with_the_number(self):
        rng = random.Random(SEED)
        for length in 108, 109, 4000, rng.randrange(108, 5000):
            path = "/" + "x" * (length - 1)
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write('{"transports": [{"plugin": "unix", "path": "%s"}]}' % path)
                file.flush()
                done = run("check", file.name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"1:44: \"path\" has {length} bytes", done.stderr)

    def test_what_is_wrong_with_options_is_said_by_check(self):
        for options, words in (
            ('"path": ""', '"path" is empty'),
            ('"mode": "888"', '"mode" is "888"'),
            ('"mode": ""', '"mode" is ""'),
            ('"mode": "u=rw"', '"mode" is "u=rw"'),
            ('"mode": "1777"', '"mode" is "1777"'),
            ('"type": "dgram"', "seqpacket"),
        ):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write('{"transports": [{"plugin": "unix", %s}]}' % options)
                file.flush()
                done = run("check", file.name)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(words, done.stderr)

    def test_other_files_are_refused_and_stay(self):
        def folder(path):
            os.mkdir(path)

        def file(path):
            with open(path, "w", encoding="ascii") as out:
                out.write("precious")

        def link(path):
            os.symlink("nowhere", path)

        for make in folder, file, link, os.mkfifo:
            with self.subTest(make=make), tempfile.TemporaryDirectory() as place:
                path = os.path.join(place, "a.sock")
                make(path)
                before = os.lstat(path)
                self.refused(echo(path=path), "this is no socket")
                self.assertEqual(os.lstat(path)[:2], before[:2])

    def test_a_socket_that_anybody_uses_is_refused_and_not_disturbed(self):
        for kind in STREAM, SEQPACKET, socket.SOCK_DGRAM:
            for listens in {kind != socket.SOCK_DGRAM, False}:
                with tempfile.TemporaryDirectory() as place, socket.socket(
                    socket.AF_UNIX, kind
                ) as other:
                    path = os.path.join(place, "a.sock")
                    other.bind(path)
                    if listens:
                        other.listen()
                    self.refused(echo(path=path), "Address already in use")
                    if listens:
                        other.setblocking(False)
                        self.assertRaises(BlockingIOError, other.accept)
                    self.assertTrue(os.path.exists(path))

    def test_two_listeners_on_one_path_are_refused_and_leave_nothing(self):
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, "a.sock")
            what = config([unix(path), unix(path, name="b")], ["echo"])
            self.refused(what, "Address already in use")
            self.assertEqual(os.listdir(place), [])


class File(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground-")
        self.path = os.path.join(self.folder, "a.sock")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def server(self, *arguments, **options):
        return Server(config([unix(self.path)], ["echo"], workers=2), *arguments, **options)

    def answers(self):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(TIMEOUT_S)
            sock.connect(self.path)
            sock.sendall(b"ola")
            self.assertEqual(sock.recv(10), b"ola")

    def leave_a_dead_one(self, kind=STREAM):
        with socket.socket(socket.AF_UNIX, kind) as sock:
            sock.bind(self.path)

    def wait_until_gone(self, *pids):
        check = deadline()
        while any(os.path.exists(f"/proc/{pid}/fd/0") for pid in pids):
            os.sched_yield()
            check("they end")

    def test_it_is_gone_at_the_end_in_one_process_too(self):
        for arguments in (), ("--single",):
            with Server(config([unix(self.path)], ["echo"]), *arguments):
                self.answers()
            self.assertEqual(os.listdir(self.folder), [])

    def test_one_of_a_dead_server_is_replaced(self):
        for kind in STREAM, SEQPACKET, socket.SOCK_DGRAM:
            self.leave_a_dead_one(kind)
            with self.server():
                self.answers()
            self.assertEqual(os.listdir(self.folder), [])

    def test_it_stays_when_workers_die_and_goes_at_the_end(self):
        with self.server() as server:
            for pid in server.children():
                os.kill(pid, signal.SIGKILL)
            server.err.wait("a new one starts", 2)
            self.answers()
            os.kill(server.children()[0], signal.SIGTERM)
            server.err.wait("a new one starts", 3)
            self.answers()
        self.assertEqual(os.listdir(self.folder), [])

    def test_when_the_guard_dies_the_workers_remove_it(self):
        server = self.server()
        workers = server.children()
        server.kill()
        self.wait_until_gone(*workers)
        self.assertEqual(os.listdir(self.folder), [])
        server._clean_up()

    def test_when_all_die_the_next_server_replaces_it(self):
        server = self.server()
        workers = server.children()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)  # they shall not find out
        server.kill()
        with self.server(is_ready=False) as early:
            self.assertEqual(early.wait(), 1)  # they live
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        self.wait_until_gone(*workers)
        self.assertEqual(os.listdir(self.folder), ["a.sock"])
        with self.server():
            self.answers()
        self.assertEqual(os.listdir(self.folder), [])
        server._clean_up()

    def test_one_that_belongs_to_another_server_meanwhile_stays(self):
        with self.server() as first:
            os.unlink(self.path)
            with self.server():
                self.answers()
                first.stop()
                self.answers()
            self.assertEqual(os.listdir(self.folder), [])

    def test_of_servers_that_start_at_once_one_serves(self):
        rng = random.Random(SEED)
        for _ in range(times(4, 50)):
            if rng.random() < 0.7:
                self.leave_a_dead_one()
            servers = [self.server(is_ready=False) for _ in range(rng.randrange(2, 5))]
            check = deadline()
            while sum(one.process.poll() is None for one in servers) > 1:
                os.sched_yield()
                check(f"all but one end, SEED={SEED}")
            (winner,) = [one for one in servers if one.process.poll() is None]
            winner.out.wait("^ready$")
            self.answers()
            for one in servers:
                if one is winner:
                    one.stop()
                else:
                    self.assertEqual(one.wait(), 1)
            self.assertEqual(os.listdir(self.folder), [], f"SEED={SEED}")

    def test_a_folder_that_is_locked_for_ever_is_said(self):
        lock = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with self.server(is_ready=False) as server:
            server.err.wait("try again")
            self.assertEqual(server.wait(), 1)
        os.close(lock)


ENDED = """
static void mine_ended(struct pg_listener *listener, int fd)
{
    (void)listener;
    fprintf(stderr, "ended, still open: %d\\n", fcntl(fd, F_GETFD) >= 0);
}

const struct pg_transport pg_transport"""


class FromTheHeader(unittest.TestCase):
    """The file by itself, outside the tree."""

    def test_a_copy_is_built_and_hears_of_its_end_in_each_worker(self):
        with open(f"{SOURCE}/plugins/transport/unix.c", encoding="utf-8") as file:
            source = file.read()
        for old, new in (
            ('.name = "unix"', '.name = "mine"'),
            (".look = unix_look,", ".look = unix_look,\n    .ended = mine_ended,"),
            ("\nconst struct pg_transport pg_transport", ENDED),
        ):
            self.assertIn(old, source)
            source = source.replace(old, new)
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/mine.c", "w", encoding="utf-8") as file:
                file.write(source)
            done = run("build", f"{folder}/mine.c")
            self.assertEqual(done.returncode, 0, done.stderr)
            mine = {**unix(), "plugin": "mine"}
            what = config([mine], ["echo"], workers=2, plugin_path=folder)
            with Server(what) as server, connect(server) as client:
                client.send("ola")
                self.assertEqual(client.exactly(3), b"ola")
            self.assertEqual(server.err.text().count("ended, still open: 1"), 2)


class Commands(unittest.TestCase):
    def talk(self, server, url, data):
        return subprocess.run(
            [os.environ["PLAYGROUND"], "client", "--quiet", url],
            input=data,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=server.folder,
        )

    def test_client_talks_to_both_kinds(self):
        what = config([unix(), unix("b.sock", type="seqpacket", name="b")], ["echo"])
        with Server(what) as server:
            done = self.talk(server, "unix:a.sock", b"um\ndois")
            self.assertEqual((done.stdout, done.stderr), (b"um\ndois", b""))
            done = self.talk(server, f"unix://{server.folder}/a.sock", b"x")
            self.assertEqual(done.stdout, b"x")
            done = self.talk(server, "unix-seqpacket:b.sock", b"um\n\ndois\n")
            self.assertEqual((done.stdout, done.stderr), (b"um\n\ndois\n", b""))

    def test_client_says_what_is_wrong(self):
        with Server(echo()) as server:
            for url, words in (
                ("unix:no.sock", b"No such file"),
                ("unix:playground.json", b"Connection refused"),
                ("unix-seqpacket:a.sock", b"its type is the other one"),
                ("unix:" + "x" * 108, b"has 108 bytes"),
            ):
                done = self.talk(server, url, b"")
                self.assertNotEqual(done.returncode, 0, url)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
