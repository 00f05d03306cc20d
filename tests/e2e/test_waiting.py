"""Whatever a command waits for, SIGINT and SIGTERM end it. The command, what
holds it up and the signal are drawn by a seed."""

import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from server import PLAYGROUND, SEED, TIMEOUT_S, deadline, run, times


def write_json(folder, name, what):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(what, file)


def simulation(**options):
    return {"transports": [{"plugin": "sim", **options}], "handlers": ["echo"]}


def one_tcp(**entry):
    return {"transports": [{"plugin": "tcp", "port": 0, **entry}], "handlers": ["echo"]}


def full_pipe():
    """Both ends of a pipe that takes nothing more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    try:
        while os.write(writer, b"x" * size):
            pass
    except BlockingIOError:
        pass
    try:
        while os.write(writer, b"x"):
            pass
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


class Talker:
    """Sends without end to whoever connects."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "tcp://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.talk, daemon=True).start()

    def talk(self):
        sock = self.listener.accept()[0]
        try:
            while True:
                sock.sendall(b"y" * 1000 + b"\n")
        except OSError:
            sock.close()


# What waits for a FIFO, `fifo` in its folder, that nobody else opens.
FIFOS = [
    ("check", "fifo"),
    ("check", "--json", "fifo"),
    ("run", "fifo"),
    ("run", "--single", "fifo"),
    ("run", "say.json"),
    ("run", "--single", "say.json"),
    ("run", "trace.json"),
    ("run", "--single", "trace.json"),
    ("compare", "fifo", "--swap", "tcp,udp"),
    ("compare", "echo.json", "--swap", "tcp,udp", "--send", "fifo"),
    ("compare", "boundaries", "--html", "fifo"),
    ("wire", "fifo"),
]
WIRE_FIFOS = [
    ("wire", "--log", "fifo", "--", "sleep", "1000", "--", "sleep", "1000"),
    ("wire", "--pcap", "fifo", "--", "sleep", "1000", "--", "sleep", "1000"),
]
# What prints more than nothing: on a stdout, or a stderr, that takes nothing.
STDOUTS = [
    ("--help",),
    ("check", "echo.json"),
    ("check", "--json", "wrong.json"),
    ("plugins",),
    ("plugins", "--schema"),
    ("compare",),
    ("compare", "boundaries"),
    ("run", "--single", "shown.json"),
    ("run", "shown.json"),
    ("client", "URL"),
]
STDERRS = [
    ("check", "wrong.json"),
    ("run", "--single", "wrong.json"),
    ("build", "wrong.c"),
    ("compare", "fanout", "--messages", "1000000"),
    ("compare", "wrong.json", "--swap", "tcp,udp"),
]
WIRE_STDERRS = [
    ("wire", "--", "true", "--", "sleep", "1000"),
    ("wire", "--wait", "0s", "--", "sleep", "1000", "--", "false"),
]


class Waiting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="waiting-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkfifo(os.path.join(self.folder, "fifo"))
        write_json(self.folder, "echo.json", one_tcp())
        write_json(self.folder, "wrong.json", one_tcp(nonsense=1))
        write_json(self.folder, "say.json", simulation(say="@fifo"))
        write_json(self.folder, "trace.json", simulation(trace="fifo"))
        write_json(self.folder, "shown.json", simulation(trace="-", clients=1000))
        with open(os.path.join(self.folder, "wrong.c"), "w", encoding="ascii") as file:
            file.write("nonsense\n")
        self.draw = random.Random(f"{SEED}{self.id()}")
        self.has_wire = run("wire", "--check").returncode == 0

    def until_it_waits(self, process):
        """All its threads sleep, and nothing of it runs on a processor: then it
        has done all that it could."""
        check, before = deadline(), None
        while process.poll() is None:
            ticks = []
            for pid in self.family(process.pid):
                try:
                    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
                        ticks.append((pid, file.read()))
                except (FileNotFoundError, ProcessLookupError):
                    pass
            if ticks == before:
                return
            before = ticks
            check(f"{process.args} waits")
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                pass

    def family(self, pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                children = file.read().split()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [pid, *(one for child in children for one in self.family(child))]

    def ends(self, words, **streams):
        number = self.draw.choice([signal.SIGINT, signal.SIGTERM])
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams}
        with subprocess.Popen(
            [PLAYGROUND, *words],
            stdin=subprocess.DEVNULL if words[0] != "client" else subprocess.PIPE,
            cwd=self.folder,
            start_new_session=True,
            **streams,
        ) as process:
            try:
                if words[:2] == ("compare", "fanout"):
                    try:
                        process.wait(2.5)  # until it has something to say
                    except subprocess.TimeoutExpired:
                        pass
                else:
                    self.until_it_waits(process)
                self.assertIsNone(process.poll(), f"{words} waits for nothing")
                os.killpg(process.pid, number)
                process.wait(TIMEOUT_S / 10)
            except subprocess.TimeoutExpired:
                self.fail(f"{words} does not end by {number!r}; PLAYGROUND_SEED={SEED}")
            finally:
                for pid in reversed(self.family(process.pid)):
                    os.kill(int(pid), signal.SIGKILL)
                if process.stdin:
                    process.stdin.close()
        self.assertEqual(
            [one for one in os.listdir(self.folder) if one.startswith(".")], [], words
        )

    def drawn(self, cases):
        return self.draw.sample(cases, times(4, len(cases)))

    def test_a_fifo_that_nobody_opens(self):
        for words in self.drawn(FIFOS + (WIRE_FIFOS if self.has_wire else [])):
            self.ends(words)

    def full(self, cases, stream):
        for words in self.drawn(cases):
            reader, writer = full_pipe()
            self.addCleanup(os.close, reader)
            self.addCleanup(os.close, writer)
            url = Talker().url
            self.ends(tuple(url if one == "URL" else one for one in words), **{stream: writer})

    def test_stdout_takes_nothing(self):
        self.full(STDOUTS, "stdout")

    def test_stderr_takes_nothing(self):
        self.full(STDERRS + (WIRE_STDERRS if self.has_wire else []), "stderr")


if __name__ == "__main__":
    unittest.main()
