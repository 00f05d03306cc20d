"""The commands of README.md and README.pt.md, run as they stand there.

A block after the comment <!-- test --> is run: its `$` lines are commands, and
what follows one has to be seen, in that order, from it or from the server. A
command that ends with `&` is the server of what follows. Times and ports are
as they come. Words after `test:` say more:

    file NAME       the block is not run but written to NAME
    fails           the commands have to fail
    python CONFIG   a session of Python with a server of that config
    terminal NAME   `>` lines are typed into the client on NAME's terminal
"""

import doctest
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from server import PLAYGROUND, SOURCE, TIMEOUT_S
from terminal import Terminal

BLOCK = re.compile(r"^<!-- test(?:: (.*?))? -->\n```\w+\n(.*?)^```$", re.M | re.S)


def pattern_of(line):
    """Times and ports vary."""
    pattern = re.escape(line.strip())
    pattern = re.sub(r"\d\d:\d\d:\d\d", r"\\d\\d:\\d\\d:\\d\\d", pattern)
    return re.sub(r"(127\\\.0\\\.0\\\.1):\d+", r"\1:\\d+", pattern)


class Transcript:
    """All that the server and the commands write, line by line."""

    def __init__(self):
        self.lines, self.at = [], 0
        self.changed = threading.Condition()

    def follow(self, pipe):
        with pipe:
            for line in pipe:
                with self.changed:
                    self.lines.append(line.strip())
                    self.changed.notify_all()

    def _wait(self, find, what):
        with self.changed:
            if not self.changed.wait_for(find, TIMEOUT_S):
                seen = "\n".join(self.lines)
                raise AssertionError(f"not seen: {what!r}, but:\n{seen}")

    def expect(self, line):
        """Moves on behind the next line like this one."""
        pattern = re.compile(pattern_of(line))

        def find():
            for at in range(self.at, len(self.lines)):
                if pattern.fullmatch(self.lines[at]):
                    self.at = at + 1
                    return True
            return False

        self._wait(find, line)


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = None
        self.addCleanup(self.stop)
        self.terminals = {}
        self.ports = {}
        self.transcript = Transcript()
        self.furnish()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def furnish(self):
        """What the commands use of a clone. tools/run does not build here:
        it starts the program under test, on a free port."""
        shutil.copytree(os.path.join(SOURCE, "config"), self.path("config"))
        os.makedirs(self.path("build", "release", "bin"))
        os.symlink(PLAYGROUND, self.path("build", "release", "bin", "playground"))
        os.mkdir(self.path("tools"))
        with open(self.path("tools", "run"), "w", encoding="utf-8") as file:
            file.write(
                "#!/bin/sh\nexec build/release/bin/playground run --port 0 "
                '"${@:-config/chat.json}"\n'
            )
        os.chmod(self.path("tools", "run"), 0o755)

    # ---- commands ------------------------------------------------------

    def localised(self, command):
        """The command with the real ports instead of 5000."""
        for transport, port in self.ports.items():
            command = command.replace(
                f"{transport}://127.0.0.1:5000", f"{transport}://127.0.0.1:{port}"
            ).replace(
                f"/dev/{transport}/127.0.0.1/5000",
                f"/dev/{transport}/127.0.0.1/{port}",
            )
        self.assertNotIn("5000", command, "the server has no such listener")
        return command

    def spawn(self, command):
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(
            target=self.transcript.follow, args=(process.stdout,), daemon=True
        ).start()
        return process

    def run_command(self, command, fails):
        if self.server:  # the shell's first job
            command = command.replace("%1", str(self.server.pid))
        process = self.spawn(self.localised(command))
        self.addCleanup(process.kill)
        status = process.wait(TIMEOUT_S)
        self.assertEqual(status != 0, fails, f"{command}: status {status}")

    def serve(self, command):
        self.stop()
        start = self.transcript.at = len(self.transcript.lines)
        self.server = self.spawn("exec " + command.rstrip("& "))
        self.transcript.expect("ready")
        self.transcript.at = start
        for line in self.transcript.lines[start:]:
            match = re.fullmatch(r"listening (\S+) 127\.0\.0\.1:(\d+)", line)
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
                self.path(command[0]), *command[1:], columns=200
            )
            self.terminals[name].wait(
                lambda t: "> " in "".join(t.screen.rows()) + " ", "a prompt"
            )
        elif line.startswith("> "):
            self.terminals[name].type(line[2:] + "\n")
        else:
            self.terminals[name].wait_text(line)

    def run_line(self, line, words):
        if line.startswith("$ ") and line.endswith("&"):
            self.serve(line[2:])
        elif words[:1] == ["terminal"]:
            self.on_terminal(words[-1], line)
        elif line.startswith("$ "):
            self.run_command(line[2:], "fails" in words)
        elif line:
            self.transcript.expect(line)

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
            return
        if words[:1] == ["python"]:
            self.serve(f"tools/run {words[1]}")
            self.run_python(text)
            return
        for line in text.splitlines():
            self.run_line(line, words)

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
