"""What a command has inherited: signals that were ignored on purpose (nohup)
stay so, all else is set anew. Which signals are ignored and which blocked is
drawn by a seed."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import unittest

from server import (
    PLAYGROUND,
    SEED,
    TIMEOUT_S,
    Server,
    connect,
    deadline,
    echo,
    run,
    times,
)

ON_PURPOSE = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT]
ACCIDENTS = [signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM]


class Inheritance:
    """A set of ignored and one of blocked signals."""

    def __init__(self, draw):
        everything = sorted(signal.valid_signals())
        self.kept = draw.sample(ON_PURPOSE, draw.randint(1, 3))
        self.ignored = self.kept + draw.sample(ACCIDENTS, draw.randint(0, 5))
        self.blocked = draw.sample(everything, draw.choice([0, 3, len(everything)]))
        self.text = (
            f"PLAYGROUND_SEED={SEED}: ignored {[one.name for one in self.ignored]},"
            f" blocked {list(map(int, self.blocked))}"
        )

    def __call__(self):
        """Between fork(2) and execve(2)."""
        for number in ON_PURPOSE + ACCIDENTS:
            ignored = number in self.ignored
            signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)


def pending(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    return int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)


def tell(pids, number):
    """As a terminal does: to all of them; and all have heard it."""
    for pid in pids:
        os.kill(pid, number)
    check = deadline()
    for pid in pids:
        while pending(pid) & 1 << (number - 1):
            check(f"{pid} takes signal {number}")


class Inherited(unittest.TestCase):
    def setUp(self):
        self.draw = random.Random(f"{SEED}{self.id()}")

    def draws(self):
        for _ in range(times(3, 30)):
            yield Inheritance(self.draw)

    def start(self, inheritance, *words, **options):
        process = subprocess.Popen(
            [PLAYGROUND, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=inheritance,
            **options,
        )
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()

    def assert_ends(self, process, status, inheritance):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(TIMEOUT_S), status, inheritance.text)

    def test_run(self):
        for inheritance in self.draws():
            for single in ([], ["--single"]):
                with Server(echo("tcp", workers=2), *single, setup=inheritance) as server:
                    with connect(server.address()) as client:
                        for number in inheritance.kept:
                            tell(server.processes(), number)
                        client.send("still there\n")
                        self.assertEqual(client.line(), "still there", inheritance.text)
                    os.kill(server.process.pid, signal.SIGUSR1)
                    server.err.wait(r"worker \d+: \d+ sessions")

    def test_those_not_ignored_end_it(self):
        for number in (signal.SIGHUP, signal.SIGINT):
            others = Inheritance(self.draw)
            others.ignored = [one for one in others.ignored if one != number]
            with Server(echo("tcp"), setup=others) as server:
                server.stop(number)

    def test_client(self):
        with Server(echo("tcp")) as server:
            url = "tcp://%s:%d" % server.address()
            for inheritance in self.draws():
                process = self.start(inheritance, "client", url)
                for text in ["first", *inheritance.kept, "last"]:
                    if isinstance(text, str):
                        process.stdin.write(f"{text}\n")
                        process.stdin.flush()
                        said = process.stdout.readline()
                        self.assertEqual(said, f"{text}\n", inheritance.text)
                    else:
                        tell([process.pid], text)
                self.assert_ends(process, 128 + signal.SIGTERM, inheritance)

    def test_wire(self):
        """Its commands inherit the same, but nothing blocked."""
        says = (
            "import signal, sys;"
            "print(*(int(one) for one in signal.valid_signals()"
            " if signal.getsignal(one) == signal.SIG_IGN), flush=True);"
            "print(len(signal.pthread_sigmask(0, [])), flush=True);"
            "print(sys.stdin.readline(), flush=True);"
            "sys.stdin.readline()"
        )
        possible = run("wire", "--check").returncode == 0
        for inheritance in self.draws() if possible else []:
            process = self.start(
                inheritance,
                *("wire", "--wait", "0s", "--", sys.executable, "-c", says, "--", "sleep", "1000"),
            )
            ignored = set(map(int, process.stdout.readline().split()))
            self.assertTrue(ignored, process.stderr.read() if not ignored else "")
            self.assertEqual(
                ignored & {int(one) for one in ON_PURPOSE + ACCIDENTS},
                set(map(int, inheritance.kept)),
                inheritance.text,
            )
            self.assertEqual(process.stdout.readline(), "0\n", inheritance.text)
            for number in inheritance.kept:
                tell([process.pid], number)
            process.stdin.write("still there\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "still there\n", inheritance.text)
            process.send_signal(signal.SIGTERM)
            process.wait(TIMEOUT_S)

    def test_compare(self):
        for inheritance in self.draws():
            with tempfile.TemporaryDirectory() as folder:
                process = self.start(
                    inheritance,
                    *("compare", "fanout", "--messages", "1000000"),
                    env={**os.environ, "TMPDIR": folder},
                )
                check = deadline()
                while not os.listdir(folder):
                    check("an experiment")
                for number in inheritance.kept:
                    tell([process.pid], number)
                self.assertEqual(len(os.listdir(folder)), 1)
                self.assert_ends(process, -signal.SIGTERM, inheritance)
                self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
