"""`playground wire`: two commands at the two ends of an impaired link.

Where network namespaces are forbidden, every test is that the reason is given
(see `on_wire`); what the link itself does is in test_wire_link.c.
"""

import functools
import glob
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import uuid

from at_once import at_once
from server import PLAYGROUND, SOURCE, TIMEOUT_S, deadline, run, without_namespaces
from terminal import Terminal

BUILD = os.environ["PLAYGROUND_BUILD"]
ECHO = os.path.join(SOURCE, "config", "echo.json")
NOBODY = 65534
os.environ.setdefault("WIRE_TEST", "another")  # see left_behind()
WIRE = [PLAYGROUND, "wire", "--wait", "0s"]  # the right command never listens

# Sends numbered datagrams, and goes on when one of the last 50 has arrived:
# never more than the sockets on the way can hold. The other end says so
# through a socket of the file system, which no link is between.
SEND = """
import socket, sys
count, folder = int(sys.argv[1]), sys.argv[2]
answers = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
answers.bind(folder + "/answers")
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
arrived = 0
for number in range(count):
    out.sendto(number.to_bytes(4, "big"), ("10.77.0.2", 5000))
    while number - arrived > 50:
        arrived = max(arrived, int.from_bytes(answers.recv(4), "big"))
"""
RECEIVE = """
import signal, socket, sys
folder, came = sys.argv[1], []
def end(*_):
    sock.setblocking(False)
    try:
        while True:
            came.append(int.from_bytes(sock.recv(4), "big"))
    except BlockingIOError:
        pass
    with open(folder + "/came", "w") as file:
        file.write(" ".join(map(str, came)))
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("10.77.0.2", 5000))
answers = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
while True:
    number = sock.recv(4)
    came.append(int.from_bytes(number, "big"))
    try:
        answers.sendto(number, folder + "/answers")
    except (FileNotFoundError, ConnectionRefusedError):
        pass  # it has sent all and gone
"""

# A server that sleeps while datagrams come in, so that it finds all at once.
SLEEPER = """
import os, signal, socket, subprocess, sys
server = subprocess.Popen(
    [sys.argv[1], "run", "--single", sys.argv[2]], stdout=subprocess.PIPE)
while not server.stdout.readline().startswith(b"ready"):
    pass
def end(*_):
    server.terminate()
    sys.exit(server.wait())
signal.signal(signal.SIGTERM, end)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("10.77.0.2", 5001))
while True:
    word, peer = sock.recvfrom(9)
    os.kill(server.pid, signal.SIGSTOP if word == b"sleep" else signal.SIGCONT)
    sock.sendto(word, peer)
"""
ASKER = """
import socket
echo, words = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "12"]
echo.settimeout(20)
def say(word):
    while True:
        words.sendto(word, ("10.77.0.2", 5001))
        words.settimeout(0.2)
        try:
            while words.recv(9) != word:
                pass
            return
        except (socket.timeout, ConnectionRefusedError):
            pass
say(b"wake")
sent = [bytes([number]) * 1400 for number in range(30)]
for data in sent[:3]:
    echo.sendto(data, ("10.77.0.2", 5000))
    assert echo.recv(2000) == data
say(b"sleep")
for data in sent:
    echo.sendto(data, ("10.77.0.2", 5000))
say(b"wake")
came = [echo.recv(2000) for _ in sent]
print("whole" if came == sent else list(map(len, came)))
"""


def as_user(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def open_to_all(folder, *paths):
    """Copies of them that somebody without rights may read and run, wherever
    the originals are."""
    subprocess.run(["cp", "-r", *paths, folder], check=True)
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)


def wire(*arguments, **options):
    """`playground wire` to its end. The left command starts when the right one
    listens or has ended, however long that takes."""
    return finished(PLAYGROUND, "wire", "--wait", "60s", *arguments, **options)


def finished(*command, stdin=b"", **options):
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        **options,
    )


def on_wire(test):
    """Where the link cannot be made, the test is that everybody is told why."""

    @functools.wraps(test)
    def either(self):
        check = wire("--check")
        if check.returncode == 0:
            self.assertRegex(check.stdout.decode(), r"^possible: (tun|veth)\n$")
            test(self)
            return
        said = check.stderr.decode()
        self.assertRegex(said, r"^playground wire: .*; .*\n$")
        forbidden = wire("--", "true", "--", "true")
        self.assertEqual((forbidden.returncode, forbidden.stderr.decode()), (1, said))

    return either


def summary(result):
    """What --json says, in the last line of stderr."""
    return json.loads(result.stderr.decode().splitlines()[-1])


def left_behind(mark, namespaces):
    """Processes that have WIRE_TEST=`mark` in their environment, or none and are
    in one of these network namespaces. A namespace that is gone leaves its number
    to the next one, whose processes have the mark of their own test."""
    found = []
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(f"{folder}/environ", "rb") as file:
                marks = re.findall(rb"^WIRE_TEST=(.*)$", file.read().replace(b"\0", b"\n"), re.M)
            is_in_it = os.readlink(f"{folder}/ns/net") in namespaces
            if mark.encode() in marks or (is_in_it and not marks):
                found.append(folder)
        except OSError:
            pass  # it has ended, or is not ours
    return found


class Datagrams(unittest.TestCase):
    """Numbered datagrams through the command."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="playground-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o777)

    def send(self, count, *options):
        """The numbers that came, in their order, and the summary."""
        answers = os.path.join(self.folder, "answers")
        if os.path.exists(answers):
            os.unlink(answers)
        left = [sys.executable, "-c", SEND, str(count), self.folder]
        right = [sys.executable, "-c", RECEIVE, self.folder]
        result = wire("--json", *options, "--", *left, "--", *right)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        with open(os.path.join(self.folder, "came"), encoding="ascii") as file:
            return list(map(int, file.read().split())), summary(result)

    @on_wire
    def test_a_seed_repeats(self):
        lost = []
        for options in ([], ["--link", "veth"], ["--to-left", "--loss", "9%"]):
            came, said = self.send(10000, "--loss", "5%", "--seed", "4", *options)
            lost.append(set(range(10000)) - set(came))
            self.assertEqual(came, sorted(came))
            self.assertEqual(said["to_right"]["payload_packets"], 10000)
            self.assertEqual(said["to_right"]["lost"], len(lost[-1]))
            self.assertEqual(said["to_right"]["delivered"], len(came))
            self.assertEqual(said["to_right"]["overrun"], 0)
        self.assertTrue(400 < len(lost[0]) < 600)
        for other in lost[1:]:
            self.assertEqual(other, lost[0])

    @on_wire
    def test_nothing_is_lost_unasked(self):
        came, said = self.send(2000, "--delay", "1ms", "--jitter", "1ms")
        self.assertEqual(came, list(range(2000)))
        self.assertEqual(said["to_right"]["lost"], 0)

    @on_wire
    def test_what_is_named_is_dropped(self):
        came, said = self.send(100, "--to-right", "--drop", "1,50", "--drop", "100")
        self.assertEqual(came, [n for n in range(100) if n not in (0, 49, 99)])
        self.assertEqual(said["to_right"]["lost"], 3)

    @on_wire
    def test_reordered_and_duplicated_are_told_apart(self):
        came, said = self.send(1000, "--reorder", "10%", "--duplicate", "10%")
        self.assertEqual(set(came), set(range(1000)))
        self.assertEqual(len(came) - 1000, said["to_right"]["duplicated"])
        self.assertTrue(50 < said["to_right"]["duplicated"] < 150)
        overtaken = sum(n < max(came[:i]) for i, n in enumerate(came) if i)
        self.assertEqual(said["to_right"]["reordered"], overtaken)
        # A tenth is held back, some of those twice; the last may be alone.
        self.assertTrue(50 < overtaken < 170, overtaken)

    @on_wire
    def test_the_capture_has_every_packet(self):
        path = os.path.join(self.folder, "wire.pcap")
        _, said = self.send(300, "--loss", "20%", "--pcap", path)
        with open(path, "rb") as file:
            head, rest = file.read(24), file.read()
        magic, major, minor, _, _, _, link = struct.unpack("=IHHIIII", head)
        self.assertEqual((magic, major, minor, link), (0xA1B23C4D, 2, 4, 101))
        numbers = []
        while rest:
            _, nanoseconds, captured, length = struct.unpack("=IIII", rest[:16])
            packet, rest = rest[16 : 16 + captured], rest[16 + captured :]
            self.assertEqual(captured, length)
            self.assertLess(nanoseconds, 10**9)
            self.assertEqual(struct.unpack("!H", packet[2:4])[0], length)
            numbers.append(int.from_bytes(packet[28:], "big"))
        self.assertEqual(numbers, list(range(300)))
        self.assertEqual(said["to_right"]["packets"], 300)
        self.assertTrue(said["to_right"]["lost"] > 30)


class WithoutRights(unittest.TestCase):
    """All of it as somebody who has none: with the veth pair, where a TUN
    device is not for everybody."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="playground-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        tests = os.path.join(BUILD, "tests", "test_wire_link")
        open_to_all(self.folder, f"{BUILD}/bin", f"{BUILD}/lib", tests, ECHO)

    def run_there(self, program, *arguments, **options):
        nobody = as_user(NOBODY) if os.geteuid() == 0 else []
        path = os.path.join(self.folder, program)
        return finished(*nobody, path, *arguments, cwd=self.folder, **options)

    def test_the_link_does_the_same_for_everybody(self):
        brief = {**os.environ, "PLAYGROUND_BRIEF": "1"}
        result = self.run_there("test_wire_link", env=brief)
        self.assertEqual(result.returncode, 0, result.stderr.decode())

    @on_wire
    def test_a_config_is_served(self):
        check = self.run_there("bin/playground", "wire", "--check")
        result = self.run_there(
            "bin/playground", "wire", "--loss", "10%", "echo.json", stdin=b"um\ndois\n"
        )
        said = result.stderr.decode()
        if check.returncode == 0:
            self.assertEqual((result.returncode, result.stdout), (0, b"um\ndois\n"), said)
        else:
            self.assertEqual((result.returncode, said), (1, check.stderr.decode()))

    @on_wire
    def test_a_device_that_may_not_be_opened_is_named(self):
        result = self.run_there(
            *("bin/playground", "wire", "--link", "tun", "--", "true", "--", "true")
        )
        if result.returncode:
            self.assertRegex(
                result.stderr.decode(),
                r"^playground wire: (a user namespace .*|no TUN device: "
                r"/dev/net/tun: (Permission denied; take a veth pair, or let an administrator "
                r"`chmod 666 /dev/net/tun`|.*; take a veth pair, .*))\n$",
            )
        else:
            self.assertEqual(os.stat("/dev/net/tun").st_mode & 6, 6)


class Commands(unittest.TestCase):
    @on_wire
    def test_the_status_is_that_of_the_left_command(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)):
            result = wire("--", "sh", "-c", script, "--", "true")
            self.assertEqual(result.returncode, status)

    @on_wire
    def test_what_a_slow_link_still_has_is_waited_for(self):
        send = (
            "import socket; sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "for _ in range(5): sock.sendto(bytes(1000), ('10.77.0.2', 5000))"
        )
        rate = ("--to-right", "--rate", "50kbit", "--queue", "64KiB")  # 0.16 s each
        left = [sys.executable, "-c", send]
        result = wire("--wait", "0s", *rate, "--json", "--", *left, "--", "sleep", "1000")
        counts = summary(result)["to_right"]
        self.assertEqual((counts["packets"], counts["delivered"]), (5, 5))

    @on_wire
    def test_a_reader_of_stderr_may_go(self):
        mark = str(uuid.uuid4())
        script = "(setsid sleep 1000 </dev/null >/dev/null 2>&1 &) && exec cat"
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [*WIRE, "--", "sh", "-c", script, "--", "true"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=writer,
            env={**os.environ, "WIRE_TEST": mark},
        )
        os.close(writer)
        os.close(reader)
        process.stdin.close()
        self.assertEqual(process.wait(TIMEOUT_S), 0)
        self.assertEqual(left_behind(mark, []), [])

    @on_wire
    def test_a_command_that_is_not_there_is_named(self):
        for arguments, side in (
            (["/no/left", "--", "true"], "left"),
            (["true", "--", "/no/right"], "right"),
        ):
            result = wire("--", *arguments)
            self.assertEqual(result.returncode, 1)
            self.assertIn(
                f"playground wire: the {side} command cannot start: /no/{side}: No such file or "
                "directory; there is no folder /no: correct the path\n",
                result.stderr.decode(),
            )

    @on_wire
    def test_a_right_command_that_fails_is_not_waited_for(self):
        result = wire("--wait", "60s", "--", "echo", "unheard", "--", "false")
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertIn("the right command ended with status 1", result.stderr.decode())

    @on_wire
    def test_stdout_is_the_left_commands_alone(self):
        result = wire("--", "cat", "--", "echo", "from the right", stdin=b"input\n")
        self.assertEqual(result.stdout, b"input\n")
        self.assertIn("from the right\n", result.stderr.decode())

    @on_wire
    def test_the_right_commands_output_goes_to_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log")
            right = ["sh", "-c", "echo one; echo two >&2"]
            result = wire("--log", path, "--", "true", "--", *right)
            self.assertEqual(result.returncode, 0)
            with open(path, encoding="ascii") as file:
                self.assertEqual(file.read(), "one\ntwo\n")
            self.assertNotIn("one\n", result.stderr.decode())

    @on_wire
    def test_files_that_cannot_be_written_are_named(self):
        for option in ("--log", "--pcap"):
            result = wire(option, "/no such folder/x", "--", "true", "--", "true")
            self.assertEqual(
                (result.returncode, result.stderr.decode()),
                (
                    1,
                    "playground wire: /no such folder/x: No such file or directory; "
                    "make its folder: mkdir -p '/no such folder'\n",
                ),
            )

    @on_wire
    def test_the_ends_know_their_addresses(self):
        show = "echo $WIRE_SIDE $WIRE_SELF $WIRE_PEER"
        result = wire("--", "sh", "-c", show, "--", "sh", "-c", show)
        self.assertEqual(result.stdout, b"left 10.77.0.1 10.77.0.2\n")
        self.assertIn("right 10.77.0.2 10.77.0.1\n", result.stderr.decode())

    @on_wire
    def test_the_table_lines_up(self):
        result = wire("--seed", "9", "--mtu", "576", "--", "true", "--", "true")
        lines = result.stderr.decode().splitlines()[-4:]
        self.assertRegex(lines[0], r"^wire \((tun|veth), seed 9, MTU 576\): \d+\.\d s$")
        self.assertEqual(len({len(line) for line in lines[1:]}), 1, lines)
        self.assertRegex(lines[2], r"^to right +0 +0 +0 +0 +0 +0 +0 +0\.000$")
        self.assertRegex(lines[3], r"^to left ")

    @on_wire
    def test_neither_end_sees_the_machine(self):
        show = "cat /proc/net/dev"
        seen = wire("--", "sh", "-c", show, "--", "true").stdout.decode()
        names = re.findall(r"^ *(\S+):", seen, re.MULTILINE)
        self.assertEqual(sorted(names), ["lo", "wire0"])


class Config(unittest.TestCase):
    @on_wire
    def test_a_config_is_served_and_a_client_talks_to_it(self):
        result = wire("--delay", "5ms", ECHO, stdin=b"um\ndois\n")
        said = result.stderr.decode()
        self.assertEqual((result.returncode, result.stdout), (0, b"um\ndois\n"), said)
        self.assertIn("listening tcp 10.77.0.2:", said)
        self.assertIn("\nto right ", said)

    @on_wire
    def test_tcp_loses_nothing(self):
        data = os.urandom(200000)
        result = wire("--loss", "3%", "--seed", "2", "--json", ECHO, stdin=data)
        self.assertEqual(result.stdout, data)
        self.assertTrue(summary(result)["to_right"]["lost"] > 0)
        self.assertTrue(summary(result)["to_right"]["payload_bytes"] > len(data))

    @on_wire
    def test_answers_too_long_for_the_link_are_fragmented(self):
        # They could leave as one message, which the kernel then refuses.
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(
                {
                    "transports": [{"plugin": "udp", "host": "10.77.0.2"}],
                    "handlers": ["echo"],
                },
                file,
            )
            file.flush()
            left = [sys.executable, "-c", ASKER]
            right = [sys.executable, "-c", SLEEPER, PLAYGROUND, file.name]
            result = wire("--mtu", "1000", "--", *left, "--", *right)
        self.assertEqual(result.stdout, b"whole\n", result.stderr.decode())

    @on_wire
    def test_another_command_finds_the_server(self):
        result = wire(ECHO, "--", "sh", "-c", "echo $WIRE_URL")
        self.assertEqual(result.stdout, b"tcp://10.77.0.2:5000\n")

    @on_wire
    def test_a_config_that_is_wrong_is_refused_as_by_run(self):
        result = wire("/no/such/config.json")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/no/such/config.json", result.stderr.decode())
        self.assertNotIn("to right ", result.stderr.decode())


def press_ctrl_c(terminal):
    """Once more. Whether that was the end of it."""
    terminal.type("\x03")
    return terminal.process.poll() is not None


class Ends(unittest.TestCase):
    """Nothing is left behind, however it ends."""

    def setUp(self):
        self.mark = f"mark-{uuid.uuid4()}"
        self.environment = {**os.environ, "WIRE_TEST": self.mark}

    def assert_nothing_left(self, namespaces):
        self.assertEqual(left_behind(self.mark, namespaces), [])

    # Each end says where it is, so that we see that it is gone.
    SAY = "readlink /proc/self/ns/net; "

    @on_wire
    def test_after_a_normal_end(self):
        script = self.SAY + "sleep 1000 >/dev/null 2>&1 & readlink /proc/self/ns/net"
        result = wire(
            *("--wait", "0s", "--", "sh", "-c", script, "--", "sleep", "1000"),
            env=self.environment,
        )
        self.assertEqual(result.returncode, 0)
        self.assert_nothing_left(result.stdout.decode().split())

    @on_wire
    def test_after_ctrl_c(self):
        left = ["sh", "-c", self.SAY + "exec sleep 1000"]
        right = ["sh", "-c", self.SAY + "sleep 1000 & sleep 1000"]
        with Terminal(
            *WIRE, "--", *left, "--", *right, WIRE_TEST=self.mark
        ) as terminal:
            seen = lambda t: re.findall(r"net:\[\d+\]", " ".join(t.screen.rows()))
            terminal.wait(lambda t: len(seen(t)) == 2, "both ends")
            self.assertNotEqual(left_behind(self.mark, []), [])
            terminal.type("\x03")
            self.assertEqual(terminal.end(), 130)
            self.assertIn("to right ", "\n".join(terminal.screen.rows()))
            self.assert_nothing_left(seen(terminal))

    @on_wire
    def test_a_left_command_may_take_ctrl_c(self):
        left = ["sh", "-c", "trap 'echo caught' INT; echo begun; read line; echo got $line"]
        right = ["sh", "-c", "trap 'echo hurt' INT; sleep 1000"]
        with Terminal(*WIRE, "--", *left, "--", *right) as terminal:
            terminal.wait_text("begun")
            terminal.type("\x03")
            terminal.wait_text("caught")
            terminal.type("more\n")
            terminal.end()
            self.assertNotIn("hurt", "\n".join(terminal.screen.rows()))

    @on_wire
    def test_who_ignores_ctrl_c_is_ended_by_the_third(self):
        left = ["sh", "-c", "trap '' INT TERM; " + self.SAY + "sleep 1000"]
        with Terminal(*WIRE, "--", *left, "--", "true", WIRE_TEST=self.mark) as terminal:
            terminal.wait_text("net:[")
            terminal.wait(press_ctrl_c, "its end")
            self.assertEqual(terminal.end(), 137)
            self.assert_nothing_left([])

    @on_wire
    def test_after_sigterm(self):
        left = ["sh", "-c", "trap '' TERM; " + self.SAY + "sleep 1000"]
        process = subprocess.Popen(
            [*WIRE, "--", *left, "--", "sleep", "1000"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        namespace = process.stdout.readline().decode().strip()
        process.terminate()
        self.assertNotEqual(process.wait(TIMEOUT_S), 0)
        process.stdout.close()
        process.stderr.close()
        self.assert_nothing_left([namespace])

    @on_wire
    def test_after_a_sudden_death(self):
        """The forwarder and both commands die with it."""
        left = ["sh", "-c", self.SAY + "exec sleep 1000"]
        process = subprocess.Popen(
            [*WIRE, "--", *left, "--", "sleep", "1000"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )
        namespace = process.stdout.readline().decode().strip()
        process.kill()
        process.wait()
        process.stdout.close()
        check = deadline()
        while left_behind(self.mark, [namespace]):
            check("all of them have died")


class Refused(unittest.TestCase):
    def assert_usage(self, said, *arguments):
        result = run("wire", *arguments)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(result.stderr, f"playground wire: {said}\n")

    def test_a_simulation_needs_no_link(self):
        path = os.path.join(SOURCE, "config", "sim.json")
        result = run("wire", path, "--", "true")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(
            result.stderr,
            f"playground wire: {path} is a simulation, which needs no link; run it with "
            f"`playground run {path}`, its options have the loss and the delay\n",
        )

    def test_values_that_mean_nothing(self):
        for said, *arguments in (
            (
                '--loss takes a number with its unit, from 0 to 100 %, not "1"; '
                "write for example --loss 1%",
                "--loss", "1",
            ),
            (
                '--loss takes a number with its unit, from 0 to 100 %, not "101%"; '
                "write for example --loss 1%",
                "--loss", "101%",
            ),
            (
                '--loss takes a number with its unit, from 0 to 100 %, not "nan%"; '
                "write for example --loss 1%",
                "--loss", "nan%",
            ),
            (
                '--loss takes a number with its unit, from 0 to 100 %, not "-1%"; '
                "write for example --loss 1%",
                "--loss", "-1%",
            ),
            (
                '--loss takes a number with its unit, from 0 to 100 %, not "0x1%"; '
                "write for example --loss 1%",
                "--loss", "0x1%",
            ),
            (
                '--delay takes a number with its unit, from 0 to 60000 ms, not "10"; '
                "write for example --delay 10ms",
                "--delay", "10",
            ),
            (
                '--delay takes a number with its unit, from 0 to 60000 ms, not "61s"; '
                "write for example --delay 10ms",
                "--delay", "61s",
            ),
            (
                '--rate takes a number with its unit, from 0.001 to 100000 Mbit/s, not "10"; '
                "write for example --rate 10mbit",
                "--rate", "10",
            ),
            (
                '--rate takes a number with its unit, from 0.001 to 100000 Mbit/s, not "0mbit"; '
                "write for example --rate 10mbit",
                "--rate", "0mbit",
            ),
            (
                '--queue takes a number from 100 to 1000000000 bytes, not "5ms"; '
                "write for example --queue 64KiB",
                "--queue", "5ms",
            ),
            (
                '--mtu takes a whole number from 68 to 65535, not "60"; '
                "write for example --mtu 1400",
                "--mtu", "60",
            ),
            (
                '--seed takes a whole number from 0 to 9223372036854775807, not "9223372036854775808"; '
                "write for example --seed 7",
                "--seed", "9223372036854775808",
            ),
            (
                '--drop takes a whole number from 1 to 4294967295, not "0"; '
                "write for example --drop 3,5",
                "--drop", "3,0",
            ),
            (
                '--link takes tun or veth, not "ppp"; '
                "write for example --link tun",
                "--link", "ppp",
            ),
            (
                "--jitter 5ms is more than the delay of 2ms; a packet cannot arrive "
                "before it was sent",
                *("--delay", "2ms", "--jitter", "5ms"),
            ),
            (
                "--queue needs a --rate: without one nothing waits",
                *("--queue", "64KiB"),
            ),
        ):
            with self.subTest(arguments=arguments):
                self.assert_usage(said, *arguments)

    def test_commands_that_are_missing_or_too_many(self):
        for said, *arguments in (
            (
                "what is to run is missing; write a config, or two commands: "
                "-- LEFT... -- RIGHT...",
            ),
            (
                "the right end's command is missing; write it behind a second --",
                *("--", "true"),
            ),
            (
                "a link has two ends; leave out the third --",
                *("--", "true", "--", "true", "--", "true"),
            ),
            (
                'one config at a time: "b.json" is too much; what is to run at the '
                "left end stands behind --",
                *("a.json", "b.json"),
            ),
            (
                "with a config the right end serves it; leave out the second --",
                *("a.json", "--", "true", "--", "true"),
            ),
            ("-- and no command; write for example -- bash", "a.json", "--"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_usage(said, *arguments)

    def test_help(self):
        result = run("wire", "--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("usage: playground wire", result.stdout)
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 79)

    def forbid(self, setting, *drop):
        """The command where an administrator has set this to 0: in a user
        namespace, of which alone the setting is."""
        script = f'echo 0 >/proc/sys/user/{setting}; exec "$@"'
        return finished(
            *("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"),
            *drop,
            *(PLAYGROUND, "wire", "--", "true", "--", "true"),
            text=True,
            stdin="",
        )

    @on_wire
    def test_the_setting_that_forbids_it_is_named(self):
        no_rights = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        if without_namespaces()[:1] != ["unshare"]:
            result = finished(*no_rights, *WIRE, "--", "true", "--", "true")
            self.assertRegex(
                result.stderr.decode(),
                r"^playground wire: a user namespace cannot be made: .*; .*\n$",
            )
            return
        for setting, what, drop in (
            ("max_net_namespaces", "network namespace", []),
            ("max_user_namespaces", "user namespace", no_rights),
        ):
            result = self.forbid(setting, *drop)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertEqual(
                result.stderr,
                f"playground wire: a {what} cannot be made: the setting "
                f"user.{setting} is 0; an administrator allows it with `sysctl -w "
                f"user.{setting}=10000`, or run this as root\n",
            )


load_tests = at_once(4, sanitized=18)

if __name__ == "__main__":
    unittest.main()
