"""What a server and its handlers write: nothing waits for who reads it, and
what nobody could be shown is counted."""

import fcntl
import json
import os
import random
import re
import select
import signal
import subprocess
import tempfile
import unittest

from server import PLAYGROUND, SEED, TIMEOUT_S, Server, config, connect, deadline, listener

PLUGINS = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")
COUNT = 30000  # lines of 40 bytes: more than all pipes and rings between


def printing(**rest):
    return config([listener()], ["lines", "prints"], plugin_path=PLUGINS, **rest)


class Prints(unittest.TestCase):
    """A handler's printf()."""

    def test_it_appears_at_once(self):
        with Server(printing()) as server, connect(server.address()) as client:
            client.send("print one, \nprint two\nlines 1\n")
            server.out.wait("^one, twoline 0 of those that a handler prints$")

    def test_a_line_of_any_length(self):
        """The guard hands on what is longer than its own lines in pieces."""
        draw = random.Random(SEED)
        lengths = [4096 * pages + draw.randrange(-80, 80) for pages in (1, 1, 2, 3, 10)]
        lengths += [4096, 4097, draw.randrange(60_000)]
        draw.shuffle(lengths)
        with Server(printing()) as server, connect(server.address()) as client:
            for number, length in enumerate(lengths, 1):
                client.send(f"print {'x' * length}\nlines 1\n")
                said = server.out.wait("^(x*)line 0 of those that a handler prints$", number)
                self.assertEqual(len(said[1]), length, f"PLAYGROUND_SEED={SEED}")

    def test_it_is_not_lost_in_a_crash(self):
        with Server(printing(workers=2)) as server:
            with connect(server.address()) as client:
                client.send("print the last words\ncrash\n")
                server.out.wait("^the last words$")
            server.err.wait("ended: signal 6")

    def test_a_simulation_loses_no_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "c.json")
            with open(path, "w", encoding="utf-8") as file:
                sim = {"plugin": "sim", "clients": 1, "messages": 1, "say": f"lines {COUNT}"}
                json.dump({**printing(), "transports": [sim]}, file)
            with subprocess.Popen(
                [PLAYGROUND, "run", path], stdout=subprocess.PIPE, text=True
            ) as process:
                lines = process.stdout.read().splitlines()
        self.assertEqual(sum(line.startswith("line ") for line in lines), COUNT)


class Stuck(unittest.TestCase):
    """Nobody reads stdout or stderr."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "playground.json")
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(printing(), file)
        # The guard may have a word to say on stderr, too: that one is larger.
        self.out, self.err = self.pipe(4096), self.pipe(65536)

    def pipe(self, size):
        """As two files."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, size)
        ends = os.fdopen(reader, "rb"), os.fdopen(writer, "wb", 0)
        for end in ends:
            self.addCleanup(end.close)
        return ends

    def start(self):
        process = subprocess.Popen(
            [PLAYGROUND, "run", self.path],
            stdin=subprocess.DEVNULL,
            stdout=self.out[1],
            stderr=self.err[1],
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def port(self):
        line = self.out[0].readline().decode()
        self.assertEqual(self.out[0].readline(), b"ready\n")
        return int(line.split(":")[1])

    def ask(self, port, text):
        with connect(("127.0.0.1", port)) as client:
            client.send(f"{text}\n")
            self.assertEqual(client.line(), "done")

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(TIMEOUT_S), 0)

    def rest(self, ends):
        ends[1].close()
        return ends[0].read().decode()

    def assert_all_told(self, text, unwritten):
        """Each line is there, or announced, or counted at the end."""
        shown = len(re.findall("^line ", text, re.MULTILINE))
        lost = sum(int(n) for n in re.findall(r"^\((\d+) lines lost", text, re.MULTILINE))
        self.assertEqual(shown + lost + unwritten, COUNT, text[-500:])

    def test_a_handler_that_prints_does_not_wait(self):
        process = self.start()
        port = self.port()
        self.ask(port, f"lines {COUNT}")
        self.ask(port, "print .")
        self.stop(process)
        missing = re.search(r"(\d+) log lines could not be written", self.rest(self.err))
        # The last line is ".", which nobody saw either.
        self.assert_all_told(self.rest(self.out), int(missing[1]) - 1)

    def test_a_handler_that_complains_does_not_wait(self):
        process = self.start()
        port = self.port()
        self.ask(port, f"complain {COUNT}")
        self.ask(port, "print .")
        self.stop(process)
        text = self.rest(self.err)
        self.assertIn("line 0 of", text)
        self.assertLess(len(re.findall("^line ", text, re.MULTILINE)), COUNT)

    def test_what_is_lost_is_shown(self):
        process = self.start()
        self.ask(self.port(), f"lines {COUNT}")
        process.send_signal(signal.SIGUSR1)
        while not re.match(rb"guard: stdout: lines lost: [1-9]\d*\n", line := self.err[0].readline()):
            self.assertTrue(line)
        self.stop(process)

    def test_a_reader_that_comes_late_is_told(self):
        process = self.start()
        self.ask(self.port(), f"lines {COUNT}")
        lines = []
        while not re.match(rb"line %d " % (COUNT - 1), lines[-1] if lines else b""):
            lines.append(self.out[0].readline())
            if b"lines lost" in lines[-1]:
                break
        self.stop(process)
        self.assert_all_told(b"".join(lines).decode() + self.rest(self.out), 0)

    def test_full_from_the_beginning(self):
        self.out[1].write(b"x" * fcntl.fcntl(self.out[1], fcntl.F_GETPIPE_SZ))
        process = self.start()
        check = deadline()
        line = b""
        os.set_blocking(self.err[0].fileno(), False)
        while not line.startswith(b"worker 0: "):
            with open(
                f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii"
            ) as file:
                if file.read():
                    process.send_signal(signal.SIGUSR1)
            line = self.err[0].readline() or b""
            check("the report of a worker that serves")
        self.stop(process)


class Logs(unittest.TestCase):
    """Files and FIFOs of `log`."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "log")
        self.config = config(
            [listener()], ["lines", {"plugin": "log", "file": self.path}, "echo"]
        )

    def say(self, client, text):
        client.send(f"{text}\n")
        self.assertEqual(client.line(), text)

    def wait_for(self, path, text):
        check = deadline()
        while True:
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    if text in (found := file.read()):
                        return found
            check(f"{text!r} in {path}")

    def test_a_file_that_was_moved_is_begun_anew(self):
        with Server(self.config) as server, connect(server.address()) as client:
            self.say(client, "before")
            self.wait_for(self.path, "before")
            os.rename(self.path, f"{self.path}.1")
            self.say(client, "after")
            self.assertNotIn("before", self.wait_for(self.path, "after"))
            os.unlink(self.path)
            self.say(client, "again")
            self.assertNotIn("after", self.wait_for(self.path, "again"))
            self.assertNotIn("after", self.wait_for(f"{self.path}.1", "before"))

    def test_lines_for_a_fifo_without_a_reader_are_counted(self):
        os.mkfifo(self.path)
        with Server(self.config) as server, connect(server.address()) as client:
            for text in ("one", "two", "three"):
                self.say(client, text)
            check = deadline()
            while server.count("log", "lines lost") < 4:  # and "came"
                check("lost lines")
            self.assertEqual(server.count("log", "lines lost"), 4)

            # It comes back with its reader, which is told.
            with open(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
                os.set_blocking(reader.fileno(), True)
                self.say(client, "four")
                # Until the log has opened it, a read would see an end.
                self.assertTrue(select.select([reader], [], [], TIMEOUT_S)[0])
                self.assertRegex(reader.readline(), rb"^\(4 lines lost here")
                self.assertIn(b"four", reader.readline())
            self.say(client, "five")
            while server.count("log", "lines lost") < 5:
                check("another lost line")


if __name__ == "__main__":
    unittest.main()
