"""The commands of README.md and README.pt.md, run as they stand there.

A block after the comment <!-- test --> is run: its `$` lines are commands, and
what follows one is what it has to print, to the letter. Times and ports are
as they come. Words after `test:` say more:

    file NAME       the block is not run but written to NAME
    fails           the commands have to fail
    unseen          what the commands print does not stand there
    part            not all of what they print stands there
    server          the server's terminal: a command starts it anew, and what
                    follows has to come next
    terminal NAME   NAME's terminal: `>` lines are typed into the client
    python CONFIG   a session of Python with a server of that config
"""

import doctest
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from server import PLAYGROUND, SOURCE, TIMEOUT_S, without_patience
from terminal import Terminal

PATH = os.environ["PATH"]
BLOCK = re.compile(r"^<!-- test(?:: (.*?))? -->\n```\w+\n(.*?)^```$", re.M | re.S)


def pattern_of(line):
    """Times and ports vary."""
    pattern = re.escape(line.strip())
    pattern = re.sub(r"\d\d:\d\d:\d\d", r"\\d\\d:\\d\\d:\\d\\d", pattern)
    return re.sub(r"(127\\\.0\\\.0\\\.1):\d+", r"\1:\\d+", pattern)


class Transcript:
    """What the server writes, line by line."""

    def __init__(self, process):
        self.lines, self.at = [], 0
        self.changed = threading.Condition()
        threading.Thread(target=self._follow, args=(process.stdout,), daemon=True).start()

    def _follow(self, pipe):
        with pipe:
            for line in pipe:
                with self.changed:
                    self.lines.append(line.rstrip())
                    self.changed.notify_all()

    def expect(self, line):
        """The next line has to be like this one."""
        with self.changed:
            is_there = self.changed.wait_for(lambda: len(self.lines) > self.at, TIMEOUT_S)
            seen = self.lines[self.at :]
        if not is_there or not re.fullmatch(pattern_of(line), seen[0]):
            raise AssertionError(f"not seen: {line!r}, but: {seen}")
        self.at += 1


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = None
        self.addCleanup(self.stop)
        self.terminals = {}
        self.ports = {}
        self.transcript = None
        self.furnish()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def furnish(self):
        """What the commands use of a clone."""
        shutil.copytree(os.path.join(SOURCE, "config"), self.path("config"))
        os.makedirs(self.path("build", "release", "bin"))
        os.symlink(PLAYGROUND, self.path("build", "release", "bin", "playground"))

    # ---- commands ------------------------------------------------------

    def localised(self, command):
        """The command with the real ports instead of 5000."""
        for transport, port in self.ports.items():
            command = command.replace(
                f"{transport}://127.0.0.1:5000", f"{transport}://127.0.0.1:{port}"
            )
        if self.server:  # the oldest one in the test's little world
            command = command.replace("$(pgrep -of 'playground run')", str(self.server.pid))
        self.assertNotIn("5000", command, "the server has no such listener")
        return command

    def spawn(self, command):
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{self.path('build', 'release', 'bin')}:{PATH}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return process

    def run_command(self, command, expected, words):
        process = self.spawn(self.localised(command))
        self.addCleanup(process.kill)
        printed = without_patience(process.communicate(timeout=TIMEOUT_S)[0]).splitlines()
        self.assertEqual(process.returncode != 0, "fails" in words, printed)
        if "unseen" in words:
            return
        if "part" in words:
            printed = [line for line in printed if line in expected]
        self.assertEqual(len(printed), len(expected), printed)
        for line, wanted in zip(printed, expected):
            self.assertRegex(line.strip(), f"^{pattern_of(wanted)}$")

    def serve(self, command):
        self.stop()
        command = command.replace("playground run", "playground run --port 0")
        self.server = self.spawn("exec " + command)
        self.transcript = Transcript(self.server)

    def expect(self, line):
        self.transcript.expect(line)
        last = self.transcript.lines[self.transcript.at - 1]
        match = re.fullmatch(r"listening (\S+) .*:(\d+)", last)
        if match:
            self.ports[match[1]] = match[2]

    def stop(self):
        for terminal in self.terminals.values():
            terminal.__exit__()
        self.terminals = {}
        if self.server:
            self.server.terminate()
            self.assertEqual(self.server.wait(TIMEOUT_S), 0)
        self.server, self.ports = None, {}

    # ---- blocks --------------------------------------------------------

    def on_terminal(self, name, line):
        if line.startswith("$"):
            command = self.localised(line[1:]).split()
            self.terminals[name] = Terminal(
                *command, columns=200, PATH=f"{self.path('build', 'release', 'bin')}:{PATH}"
            )
        elif line.startswith("> "):
            self.terminals[name].wait(
                lambda t: "> " in "".join(t.screen.rows()) + " ", "a prompt"
            )
            self.terminals[name].type(line[2:] + "\n")
        else:
            pattern = re.compile(pattern_of(line))
            self.terminals[name].wait(
                lambda t: any(map(pattern.fullmatch, t.screen.rows())), line
            )

    def run_commands(self, words, text):
        """Each `$` line with what follows it."""
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, *expected = part.splitlines()
            self.run_command(command, expected, words)

    def run_lines(self, words, text):
        for line in text.splitlines():
            if words[0] == "terminal":
                self.on_terminal(words[-1], line)
            elif line.startswith("$ "):
                self.serve(line[2:])
            else:
                self.expect(line)

    def run_python(self, text):
        """In the test, as for whoever types slowly, all has come that TCP
        brings in its own time."""
        for transport, call in (("tcp", "create_connection"), ("udp", "connect")):
            address = f'{call}(("127.0.0.1", 5000))'
            self.assertIn(address, text)
            text = text.replace(address, address.replace("5000", self.ports[transport]))
        text = text.replace("tcp.recv(100)", "tcp.recv(6, MSG_WAITALL)")
        example = doctest.DocTestParser().get_doctest(text, {}, "README", None, 0)
        report = []
        runner = doctest.DocTestRunner()
        result = runner.run(example, out=report.append, clear_globs=False)
        for name in {"tcp", "udp"} & set(example.globs):
            example.globs[name].close()
        self.assertEqual((result.failed, result.attempted > 3), (0, True), "".join(report))

    def run_block(self, words, text):
        if words[:1] == ["file"]:
            os.makedirs(os.path.dirname(self.path(words[1])), exist_ok=True)
            with open(self.path(words[1]), "w", encoding="utf-8") as file:
                file.write(text)
        elif words[:1] == ["python"]:
            self.serve(f"playground run {words[1]}")
            for line in ("listening tcp 127.0.0.1:0", "listening udp 127.0.0.1:0", "ready"):
                self.expect(line)
            self.run_python(text)
        elif words[:1] in (["server"], ["terminal"]):
            self.run_lines(words, text)
        else:
            self.run_commands(words, text)

    def run_readme(self, name):
        with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
            text = file.read()
        blocks = BLOCK.findall(text)
        self.assertEqual(len(blocks), text.count("<!-- test"), "a marker alone")
        self.assertGreater(len(blocks), 2)
        for words, block in blocks:
            with self.subTest(block=block):
                self.run_block(words.split(), block)

    def test_english(self):
        self.run_readme("README.md")

    def test_portuguese(self):
        self.run_readme("README.pt.md")


if __name__ == "__main__":
    unittest.main()
