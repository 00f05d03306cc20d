"""`playground client`: from pipes and on a terminal, against servers of every
kind: ours, and some of a few lines that do just one thing."""

import contextlib
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from at_once import at_once
from server import (
    PLAYGROUND,
    TIMEOUT_S,
    Server,
    chat,
    config,
    echo,
    has_localhost,
    listener,
    wait_until_taken,
    without_patience,
)
from terminal import Terminal

COMMAND = [PLAYGROUND, "client"]


def client(*arguments, data=b"", **options):
    return subprocess.run(
        [*COMMAND, *arguments],
        input=data,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        **options,
    )


class Peer:
    """One TCP connection to a server of the test's own, in the test's hands."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(TIMEOUT_S)
        self.url = "tcp://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.sock = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        if self.sock:
            self.sock.close()

    def accept(self):
        self.sock = self.listener.accept()[0]
        self.sock.settimeout(TIMEOUT_S)
        return self

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            assert more, f"the client closed after {data!r}"
            data += more
        return data

    def rest(self):
        """All up to the client's goodbye."""
        return b"".join(iter(lambda: self.sock.recv(1 << 16), b""))

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


@contextlib.contextmanager
def serving(*steps):
    """A server that takes one connection through the steps, in a thread."""
    errors = []
    with Peer() as peer:

        def run():
            try:
                peer.accept()
                for step in steps:
                    step(peer)
            except BaseException as error:  # for the test to see
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield peer
        thread.join(TIMEOUT_S)
        assert not thread.is_alive(), "the server is not done"
        if errors:
            raise errors[0]


def udp_server():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(TIMEOUT_S)
    return sock, "udp://127.0.0.1:%d" % sock.getsockname()[1]


def closed_port(kind):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def write_until_stuck(process, data):
    """Fills stdin until the program sleeps and reads no more. How many bytes
    went in."""
    fd, written = process.stdin.fileno(), 0
    os.set_blocking(fd, False)
    while written < len(data):
        try:
            written += os.write(fd, data[written : written + 65536])
        except BlockingIOError:
            is_writable = select.select([], [fd], [], 0.05)[1]
            if not is_writable and is_asleep(process.pid):
                break
    os.set_blocking(fd, True)
    return written


def is_asleep(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


class Case(unittest.TestCase):
    def assert_end(self, done, status, out=None, err=None):
        self.assertEqual(done.returncode, status, done.stderr.decode())
        if out is not None:
            self.assertEqual(done.stdout, out)
        for text in [err] if isinstance(err, str) else err or []:
            self.assertIn(text, done.stderr.decode())


class Piped(Case):
    def test_both_lines_come_back_and_it_ends(self):
        for handlers in (["echo"], ["lines", "echo"]):
            with Server(config([listener()], handlers)) as server:
                url = "tcp://%s:%d" % server.address()
                done = client(url, data=b"um\ndois\n")
            self.assert_end(done, 0, b"um\ndois\n")
            self.assertEqual(
                without_patience(done.stderr.decode()),
                "client: connected to tcp %s:%d\nclient: closed by the server\n"
                % server.address(),
            )

    def test_three_megabytes_come_back_unchanged_from_a_pipe_and_a_file(self):
        data = os.urandom(3_000_000)
        with Server(echo("tcp")) as server, tempfile.TemporaryFile() as file:
            url = "tcp://%s:%d" % server.address()
            piped = client(url, data=data)
            file.write(data)
            file.seek(0)
            read = subprocess.run(
                [*COMMAND, url],
                stdin=file,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        for done in (piped, read):
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout == data, "other bytes came back")

    def test_output_goes_to_a_file_too(self):
        data = os.urandom(1_000_000)
        with serving(lambda p: p.send(data), Peer.close) as peer:
            with tempfile.TemporaryFile() as file:
                subprocess.run(
                    [*COMMAND, "--quiet", peer.url],
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    timeout=TIMEOUT_S,
                    check=True,
                )
                file.seek(0)
                self.assertTrue(file.read() == data, "other bytes came")

    def test_more_than_the_queue_holds_waits_for_a_slow_server(self):
        """The server begins to read once the client has stopped reading its
        stdin; without that its queue of 1 MiB would overflow."""
        data = os.urandom(24_000_000)
        is_stuck = threading.Event()
        received = []
        with serving(
            lambda p: is_stuck.wait(TIMEOUT_S),
            lambda p: received.append(p.rest()),
            Peer.close,
        ) as peer:
            process = subprocess.Popen(
                [*COMMAND, peer.url], stdin=subprocess.PIPE, stderr=subprocess.PIPE
            )
            written = write_until_stuck(process, data)
            is_stuck.set()
            process.stdin.write(data[written:])
            error = process.communicate(timeout=TIMEOUT_S)[1]
        self.assertEqual(process.returncode, 0, error)
        self.assertLess(written, len(data))
        self.assertTrue(received[0] == data, "other bytes came")

    def test_a_reader_that_pauses_gets_everything(self):
        data = os.urandom(4_000_000)
        with serving(lambda p: p.send(data), Peer.close) as peer:
            process = subprocess.Popen(
                [*COMMAND, "--quiet", peer.url],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
            got = bytearray()
            while more := os.read(process.stdout.fileno(), 1000 + len(got) // 100):
                got += more
            process.stdout.close()
            self.assertEqual(process.wait(TIMEOUT_S), 0)
        self.assertTrue(got == data, "other bytes came")

    def test_a_half_closed_connection_brings_the_last_answer(self):
        def answer(peer):
            peer.send(b"%d bytes\n" % len(peer.rest()))

        with serving(answer, Peer.close) as peer:
            done = client(peer.url, data=b"x" * 100_000)
        self.assert_end(done, 0, b"100000 bytes\n")

    def test_no_input_still_shows_what_the_server_says(self):
        with serving(lambda p: p.send("good day\n"), Peer.close) as peer:
            done = client(peer.url)
        self.assert_end(done, 0, b"good day\n", "closed by the server")

    def test_a_server_that_closes_ends_it_while_stdin_is_open(self):
        with serving(lambda p: p.send("bye\n"), Peer.close) as peer:
            process = subprocess.Popen(
                [*COMMAND, peer.url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self.assertEqual(process.wait(TIMEOUT_S), 0)
            out, err = process.communicate()
        self.assertEqual(out, b"bye\n")
        self.assertIn(b"closed by the server", err)

    def test_control_characters_pass_unchanged(self):
        data = bytes(range(256))
        with serving(lambda p: p.send(data), Peer.close) as peer:
            self.assert_end(client(peer.url), 0, data)

    def test_the_quit_word_is_nothing_special(self):
        with Server(echo("tcp")) as server:
            done = client("tcp://%s:%d" % server.address(), data=b"um\nSAIR\ndois\n")
        self.assert_end(done, 0, b"um\nSAIR\ndois\n")

    def test_a_reader_that_has_gone_ends_it_quietly(self):
        with Peer() as peer:
            process = subprocess.Popen(
                [*COMMAND, "--quiet", peer.url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            peer.accept().send("um\n")
            self.assertEqual(process.stdout.readline(), b"um\n")
            process.stdout.close()
            self.assertEqual(process.wait(TIMEOUT_S), 0)
            self.assertEqual(process.stderr.read(), b"")
            process.stdin.close()
            process.stderr.close()

    def test_closed_descriptors_do_no_harm(self):
        with serving(lambda p: p.send("um\n"), Peer.close) as peer:
            done = subprocess.run(
                ["sh", "-c", '"$0" client "$1" <&- 2>&-', PLAYGROUND, peer.url],
                stdout=subprocess.PIPE,
                timeout=TIMEOUT_S,
                check=False,
            )
        self.assertEqual((done.returncode, done.stdout), (0, b"um\n"))

    def test_quiet_says_nothing_but_what_went_wrong(self):
        with Server(echo("tcp")) as server:
            url = "tcp://%s:%d" % server.address()
            self.assertEqual(client("--quiet", url, data=b"um\n").stderr, b"")
        self.assert_end(client("--quiet", url), 1, b"", "refused")

    def test_a_name_is_looked_up(self):
        with Server(echo("tcp", "udp")) as server:
            for transport in ("tcp", "udp"):
                port = server.address(transport)[1]
                done = client(f"{transport}://localhost:{port}", data=b"um\n")
                if has_localhost():
                    self.assert_end(done, 0, b"um\n", f"{transport} 127.0.0.1:{port}")
                else:
                    self.assert_end(done, 1, b"", 'cannot find "localhost"')

    def test_ipv6_stands_in_brackets(self):
        with Server(config([listener(host="::1")], ["echo"])) as server:
            port = server.address()[1]
            done = client(f"tcp://[::1]:{port}", data=b"um\n")
        self.assert_end(done, 0, b"um\n", f"connected to tcp [::1]:{port}")


class Udp(Case):
    def test_each_line_is_one_datagram(self):
        sock, url = udp_server()
        with sock:
            process = subprocess.Popen(
                [*COMMAND, url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            process.stdin.write(b"um\ndois\n\nquatro")
            process.stdin.close()
            process.stdin = None
            for expected in (b"um", b"dois", b"", b"quatro"):
                data, peer = sock.recvfrom(100)
                self.assertEqual(data, expected)
            for answer in (b"one", b"two\n", b"", b"\n"):
                sock.sendto(answer, peer)
            out, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(out, b"one\ntwo\n\n\n")
        self.assertIn(b"UDP has no goodbye", err)

    def test_the_same_chain_answers_alike_on_both_transports(self):
        with Server(config([listener("tcp"), listener("udp")], ["lines", "echo"])) as s:
            for transport in ("tcp", "udp"):
                url = f"{transport}://%s:%d" % s.address(transport)
                done = client(url, data="um\nação\n".encode())
                self.assert_end(done, 0, "um\nação\n".encode())

    def test_refused_is_said(self):
        url = "udp://127.0.0.1:%d" % closed_port(socket.SOCK_DGRAM)
        done = client(url, data=b"um\n")
        self.assert_end(done, 1, b"", ["refused", "nobody listens there", "start the server"])

    def test_no_answer_is_said(self):
        sock, url = udp_server()
        with sock:
            done = client("--wait", "0.2", url, data=b"um\n")
        words = [
            "no answer from udp 127.0.0.1",
            "in 0.2 s: UDP cannot tell whether anybody listens",
            "--wait SECONDS",
        ]
        self.assert_end(done, 1, b"", words)

    def test_nothing_said_needs_no_answer(self):
        sock, url = udp_server()
        with sock:
            self.assert_end(client("--wait", "0", url), 0, b"")

    def test_what_no_datagram_carries_is_not_sent(self):
        sock, url = udp_server()
        with sock:
            lines = b"a" * 65_508 + b"\n" + b"b" * 70_000 + b"\n" + b"c" * 65_507
            process = subprocess.Popen(
                [*COMMAND, url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            process.stdin.write(lines)
            process.stdin.close()
            process.stdin = None
            data, peer = sock.recvfrom(1 << 16)
            sock.sendto(b"ok", peer)
            out, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(data, b"c" * 65_507)
        self.assertEqual((process.returncode, out), (1, b"ok\n"))
        self.assertIn(b"a message of 65508 bytes was not sent", err)
        self.assertIn(b"a line of more than 65536 bytes was not sent", err)


    def test_what_stdout_is_too_slow_for_is_counted(self):
        sock, url = udp_server()
        with sock:
            process = subprocess.Popen(
                [*COMMAND, url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            process.stdin.write(b"um\n")
            process.stdin.flush()
            peer = sock.recvfrom(100)[1]
            for _ in range(40):  # 2 MB, of which 64 KiB + 256 KiB find room
                for _ in range(50):  # as many as its socket holds
                    sock.sendto(b"x" * 1000, peer)
                wait_until_taken(peer[1])
            out, err = process.communicate(timeout=TIMEOUT_S)
        lost = re.search(rb"(\d+) messages were lost", err)
        self.assertTrue(lost, err)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(len(out) // 1001 + int(lost[1]), 2000)
        self.assertEqual(out, (b"x" * 1000 + b"\n") * (len(out) // 1001))


class Broken(Case):
    def test_refused(self):
        port = closed_port(socket.SOCK_STREAM)
        done = client(f"tcp://127.0.0.1:{port}", data=b"um\n")
        self.assert_end(
            done, 1, b"", f"refused: nobody listens on tcp 127.0.0.1:{port}"
        )

    def test_every_address_of_a_name_is_tried(self):
        port = closed_port(socket.SOCK_STREAM)
        done = client(f"tcp://localhost:{port}", data=b"um\n")
        refused = f"refused: nobody listens on tcp 127.0.0.1:{port}"
        unknown = 'cannot find "localhost"'
        self.assert_end(done, 1, b"", refused if has_localhost() else unknown)

    @contextlib.contextmanager
    def no_answer(self):
        """A queue of connections that is full lets new ones wait in vain."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            address = full.getsockname()
            waiting = []
            for _ in range(4):
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(address)
                waiting.append(sock)
            yield "tcp://%s:%d" % address
            for sock in waiting:
                sock.close()

    def test_a_server_that_does_not_answer(self):
        with self.no_answer() as url:
            done = client("--timeout", "0.3", url)
        self.assert_end(done, 1, b"", "timed out: tcp 127.0.0.1")
        said = without_patience(done.stderr.decode())
        self.assertEqual(len(said.splitlines()), 1, said)

    def test_one_who_waits_is_told_what_for(self):
        with self.no_answer() as url:
            process = subprocess.Popen([*COMMAND, url], stderr=subprocess.PIPE)
            with process:
                self.assertIn(b"still connecting to tcp 127", process.stderr.readline())
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(TIMEOUT_S), 130)
                self.assertEqual(process.stderr.read(), b"")

    def test_reset(self):
        with serving(lambda p: p.exactly(3), Peer.reset) as peer:
            process = subprocess.Popen(
                [*COMMAND, peer.url], stdin=subprocess.PIPE, stderr=subprocess.PIPE
            )
            process.stdin.write(b"um\n")
            process.stdin.flush()
            self.assertEqual(process.wait(TIMEOUT_S), 1)
            self.assertIn(b"reset by the server", process.stderr.read())
            process.stdin.close()
            process.stderr.close()

    def test_a_name_that_is_none(self):
        done = client("tcp://no..such..name:5000")
        self.assert_end(done, 1, b"", 'cannot find "no..such..name"')

    def test_stdin_that_cannot_be_read(self):
        with Server(echo("tcp")) as server:
            folder = os.open("/", os.O_RDONLY)
            done = subprocess.run(
                [*COMMAND, "tcp://%s:%d" % server.address()],
                stdin=folder,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            os.close(folder)
        self.assert_end(done, 1, b"", "cannot read stdin: Is a directory")

    def test_stdout_that_is_full(self):
        with serving(lambda p: p.send("um\n"), Peer.close) as peer:
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [*COMMAND, peer.url],
                    stdin=subprocess.DEVNULL,
                    stdout=full,
                    stderr=subprocess.PIPE,
                    timeout=TIMEOUT_S,
                    check=False,
                )
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write to stdout: No space left", done.stderr)


class Framing(Case):
    def test_messages_are_framed_as_by_the_server(self):
        got = []
        with serving(
            lambda p: got.append(p.exactly(10)),
            lambda p: p.send(b"\x03\x00sim\x00\x00\x04\x00n\xc3\xa3o"),
            Peer.close,
        ) as peer:
            done = client(
                "--framing", "length,size=2,order=little", peer.url, data=b"um\ndois"
            )
        self.assertEqual(got[0], b"\x02\x00um\x04\x00dois")
        self.assert_end(done, 0, "sim\n\nnão\n".encode())

    def test_lines_of_a_stream_are_cut_into_messages(self):
        with serving(
            lambda p: p.send(b"um\r\ndois\nt"),
            lambda p: p.send(b"res"),
            Peer.close,
        ) as peer:
            done = client("--framing", "lines", peer.url)
        self.assert_end(done, 0, b"um\ndois\ntres\n")

    def test_layers_stand_one_on_the_other(self):
        got = []
        with serving(lambda p: got.append(p.rest()), Peer.close) as peer:
            done = client(
                "--framing=length,size=1", "--framing=lines", peer.url, data=b"um\ndois\n"
            )
        self.assertEqual(got[0], b"\x03um\n\x05dois\n")
        self.assert_end(done, 0, b"")

    def test_what_is_wrong_with_a_layer_is_said(self):
        for framing, words in {
            "length,size=3": ["size", "3"],
            "length,sise=2": ["sise", 'did you mean "size"'],
            "lenght": ["lenght", "length"],
            "length,size": ["write KEY=VALUE"],
            "length,size=2,size=4": ['"size" is there twice'],
            "": ["the name of a framing layer is missing"],
        }.items():
            with self.subTest(framing):
                done = client("--framing", framing, "tcp://127.0.0.1:1")
                self.assert_end(done, 2, b"", words)

    def test_hex_shows_what_is_on_the_wire(self):
        with serving(
            lambda p: p.exactly(4), lambda p: p.send(b"\x00\x03ol\xe1"), Peer.close
        ) as peer:
            done = client("--hex", "--framing", "length,size=2", peer.url, data=b"oi")
        self.assert_end(
            done,
            0,
            b"> 4 bytes sent\n"
            b"00000000  00 02 6f 69                                       |..oi|\n"
            b"< 5 bytes received\n"
            b"00000000  00 03 6f 6c e1                                    |..ol.|\n",
        )


class Usage(Case):
    def test_help_says_how(self):
        done = client("--help")
        self.assert_end(done, 0)
        for words in (b"usage: playground client", b"--framing", b"udp://", b"Ctrl-D"):
            self.assertIn(words, done.stdout)
        for line in done.stdout.decode().splitlines():
            self.assertLessEqual(len(line), 79, line)

    def test_wrong_usage_is_explained(self):
        for arguments, words in {
            (): "the URL is missing",
            ("tpc://localhost",): "did you mean tcp://localhost",
            ("http://localhost",): "known are tcp, udp and unix",
            ("localhost:5000",): "write tcp://HOST:PORT",
            ("tcp://localhost:x",): 'the port "x" is not a number',
            ("tcp://a", "tcp://b"): "one URL at a time",
            ("--hexx", "tcp://a"): "unknown option --hexx",
            ("-x", "tcp://a"): "unknown option -x",
            ("tcp://a", "--wait"): "--wait needs a value; write for example --wait 1",
            ("--wait", "long", "tcp://a"): "--wait takes a number from 0 to 86400 s",
            ("--wait", "-1", "tcp://a"): "--wait takes a number from 0 to 86400 s",
            ("--timeout", "0", "tcp://a"): "--timeout takes a number from 0.001 to 86400 s",
            ("--timeout", "nan", "tcp://a"): "--timeout takes a number from 0.001 to 86400 s",
        }.items():
            with self.subTest(arguments):
                self.assert_end(client(*arguments), 2, b"", words)


class OnTerminal(unittest.TestCase):
    """Typed by hand, as far as a test can."""

    @contextlib.contextmanager
    def session(self, *arguments, columns=80, rows=24, **environment):
        """A client on a terminal and the server's end of its connection."""
        with Peer() as peer:
            command = [*COMMAND, *arguments, peer.url]
            with Terminal(
                *command, columns=columns, rows=rows, **environment
            ) as terminal:
                peer.accept()
                terminal.wait_rows(">")
                yield terminal, peer

    def assert_end(self, terminal, status):
        self.assertEqual(terminal.end(), status)
        self.assertTrue(terminal.has_its_mode(), "the terminal is left in raw mode")

    def test_a_line_is_sent_with_its_end_and_stays_on_the_screen(self):
        with self.session() as (terminal, peer):
            terminal.type("olá\r")
            self.assertEqual(peer.exactly(5), "olá\n".encode())
            peer.send("também\n")
            terminal.wait_rows("> olá", "também", ">")

    def test_the_quit_word_leaves(self):
        with self.session() as (terminal, peer):
            terminal.type("um SAIR\rSAIR\r")
            self.assertEqual(peer.rest(), b"um SAIR\n")
            peer.close()
            self.assert_end(terminal, 0)

    def test_the_quit_word_is_an_option(self):
        with self.session("--quit-word", "fim") as (terminal, peer):
            terminal.type("SAIR\rfim\r")
            self.assertEqual(peer.rest(), b"SAIR\n")
            peer.close()
            self.assert_end(terminal, 0)

    def test_messages_do_not_tear_the_line_being_typed(self):
        with self.session(columns=40, rows=12) as (terminal, peer):
            terminal.type("uma linha de 40 colunas não chega: ação 日本語 e mais")
            typed = ["> uma linha de 40 colunas não chega: açã", "o 日本語 e mais"]
            terminal.wait_rows(*typed)
            peer.send("primeira mensagem\n")
            terminal.wait_rows("primeira mensagem", *typed)
            peer.send("a segunda é mais larga do que a janela toda\n")
            terminal.wait_rows(
                "primeira mensagem",
                "a segunda é mais larga do que a janela t",
                "oda",
                *typed,
            )
            terminal.type("\x7f" * 14)
            terminal.wait_rows("oda", "> uma linha de 40 colunas não chega: a")
            peer.send("terceira\n")
            terminal.wait_rows("oda", "terceira", "> uma linha de 40 colunas não chega: a")
            terminal.type("\x01\x1b[CX\r")
            self.assertEqual(
                peer.exactly(38), "uXma linha de 40 colunas não chega: a\n".encode()[:38]
            )

    def test_many_messages_while_typing(self):
        with self.session(columns=40, rows=10) as (terminal, peer):
            text = ""
            for word in ("um", "dois", "três", "quatro", "cinco", "seis", "sete"):
                terminal.type(word + " ")
                text += word + " "
                peer.send("".join(f"{word} {n}\n" for n in range(50)))
                rows = [("> " + text)[:40].rstrip(), ("> " + text)[40:].rstrip()]
                terminal.wait_rows(f"{word} 48", f"{word} 49", *filter(None, rows))
            terminal.type("\r")
            self.assertEqual(peer.exactly(len(text.encode()) + 1), f"{text}\n".encode())

    def test_a_line_that_ends_at_the_margin(self):
        with self.session(columns=40) as (terminal, peer):
            terminal.type("x" * 38)
            terminal.wait_rows("> " + "x" * 38)
            peer.send("um\n")
            terminal.wait_rows("um", "> " + "x" * 38)
            terminal.type("日")
            peer.send("dois\n")
            terminal.wait_rows("um", "dois", "> " + "x" * 38, "日")
            terminal.type("\x7f\x7f")
            peer.send("três\n")
            terminal.wait_rows("dois", "três", "> " + "x" * 37)

    def test_a_message_that_comes_in_parts_is_one_row(self):
        with self.session(columns=40) as (terminal, peer):
            terminal.type("abc")
            peer.send("prim")
            terminal.wait_rows("prim", "> abc")
            peer.send("eira, que é mais larga do que a janela: a")
            terminal.wait_rows("primeira, que é mais larga do que a jane", "la: a", "> abc")
            peer.send(b"\xc3")  # the first half of "ç"
            peer.send(b"\xa7\xc3\xa3o\nsegunda")
            terminal.wait_rows("la: ação", "segunda", "> abc")
            terminal.type("\r")
            terminal.wait_rows("segunda", "> abc", ">")
            peer.send("terceira")
            terminal.wait_rows("> abc", "terceira", ">")

    def test_a_hostile_server_does_not_reach_the_terminal(self):
        with self.session() as (terminal, peer):
            peer.send(b"\x1b[2J\x1b]0;owned\x07\x9b2J\xc2\x9b2J\x08\xff\r\nfim\n")
            terminal.wait_rows(
                r"\x1b[2J\x1b]0;owned\x07\x9b2J\u009b2J\x08\xff", "fim", ">"
            )
            self.assertNotIn(b"\x1b[2J", terminal.bytes)
            self.assertNotIn(b"\x1b]", terminal.bytes)

    def test_output_to_a_terminal_is_escaped_without_line_editing_too(self):
        with Peer() as peer:
            shell = ["sh", "-c", '"$0" client "$1" </dev/null', PLAYGROUND, peer.url]
            with Terminal(*shell) as terminal:
                peer.accept().send(b"\x1b[2Jum\n")
                terminal.wait_rows(r"\x1b[2Jum")
                peer.close()
                self.assert_end(terminal, 0)

    def test_history_comes_back(self):
        with self.session() as (terminal, peer):
            terminal.type("um\rdois\r\x1b[A\x1b[A")
            terminal.wait_rows("> um", "> dois", "> um")
            peer.send("mensagem\n")
            terminal.wait_rows("mensagem", "> um")
            terminal.type("!\r\x1b[A")
            terminal.wait_rows("> um!", "> um!")
            self.assertEqual(peer.exactly(12), b"um\ndois\num!\n")

    def test_a_lone_escape_does_not_stop_messages(self):
        with self.session() as (terminal, peer):
            terminal.type("ab\x1b")
            terminal.wait_rows("> ab")
            peer.send("um\n")
            terminal.wait_rows("um", "> ab")
            terminal.type("[DX")
            terminal.wait_rows("um", "> aXb")

    def test_keys_for_programs_do_not_end_up_in_the_text(self):
        with self.session() as (terminal, peer):
            terminal.type("a\x1b[24~\x1b[1;2R\x12\x16b\r")
            self.assertEqual(peer.exactly(3), b"ab\n")

    def test_ctrl_d_says_goodbye_and_waits_for_the_last_answers(self):
        with self.session() as (terminal, peer):
            terminal.type("um\r\x04")
            self.assertEqual(peer.rest(), b"um\n")
            terminal.wait_text("said goodbye")
            peer.send("última\n")
            terminal.wait_text("última")
            peer.close()
            self.assert_end(terminal, 0)
            self.assertEqual(terminal.screen.rows()[-1], "client: closed by the server")

    def test_ctrl_d_within_a_line_deletes(self):
        with self.session() as (terminal, peer):
            terminal.type("abc\x01\x04\r")
            self.assertEqual(peer.exactly(3), b"bc\n")

    def test_ctrl_c_leaves_at_once(self):
        with self.session() as (terminal, _):
            terminal.type("half a line")
            terminal.wait_rows("> half a line")
            terminal.type("\x03")
            self.assert_end(terminal, 130)

    def test_the_server_closes_while_one_types(self):
        with self.session() as (terminal, peer):
            terminal.type("half a line")
            terminal.wait_rows("> half a line")
            peer.close()
            self.assert_end(terminal, 0)
            self.assertEqual(terminal.screen.rows()[-1], "client: closed by the server")

    def test_the_server_breaks_the_connection(self):
        with self.session() as (terminal, peer):
            peer.reset()
            self.assert_end(terminal, 1)
            self.assertIn("reset by the server", terminal.screen.rows()[-1])

    def test_a_crash_gives_the_terminal_back(self):
        with self.session() as (terminal, _):
            terminal.kill(signal.SIGSEGV)
            self.assertNotEqual(terminal.end(), 0)
            self.assertTrue(terminal.has_its_mode(), "left in raw mode")

    def test_asked_to_end_it_gives_the_terminal_back(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.session() as (terminal, _):
                terminal.kill(number)
                self.assert_end(terminal, 128 + number)

    def test_another_width_of_the_window(self):
        with self.session(columns=60) as (terminal, peer):
            terminal.type("x" * 30)
            terminal.wait_rows("> " + "x" * 30)
            terminal.resize(40)
            peer.send("y" * 45 + "\n")
            terminal.wait_rows("y" * 40, "yyyyy", "> " + "x" * 30)
            terminal.type("x" * 10)
            terminal.wait_rows("yyyyy", "> " + "x" * 38, "xx")
            peer.send("fim\n")
            terminal.wait_rows("yyyyy", "fim", "> " + "x" * 38, "xx")

    def test_a_terminal_that_cannot_move_its_cursor(self):
        with Peer() as peer:
            with Terminal(*COMMAND, peer.url, TERM="dumb") as terminal:
                peer.accept()
                terminal.wait_text("connected to")
                terminal.type("um\nSAIR\n")
                self.assertEqual(peer.rest(), b"um\n")
                peer.close()
                self.assert_end(terminal, 0)

    def test_stdout_elsewhere_gets_the_messages_alone(self):
        with Peer() as peer, tempfile.NamedTemporaryFile() as file:
            shell = ["sh", "-c", 'exec "$0" client "$1" >"$2"']
            with Terminal(*shell, PLAYGROUND, peer.url, file.name) as terminal:
                peer.accept()
                terminal.type("um\n")
                self.assertEqual(peer.exactly(3), b"um\n")
                peer.send(b"dois\x1b\n")
                peer.close()
                self.assert_end(terminal, 0)
            self.assertEqual(file.read(), b"dois\x1b\n")

    def test_hex_on_a_terminal_shows_both_directions(self):
        with self.session("--hex", columns=60) as (terminal, peer):
            terminal.type("oi\r")
            self.assertEqual(peer.exactly(3), b"oi\n")
            sent = "00000000  6f 69 0a                 |oi.|"
            terminal.wait_rows("> oi", "> 3 bytes sent", sent, ">")
            peer.send("ok")
            terminal.wait_rows(
                sent, "< 2 bytes received", "00000000  6f 6b                    |ok|", ">"
            )

    def test_udp_has_no_goodbye(self):
        sock, url = udp_server()
        with sock, Terminal(*COMMAND, "--wait", "0.2", url) as terminal:
            terminal.wait_rows(">")
            terminal.type("um\r")
            data, peer = sock.recvfrom(100)
            self.assertEqual(data, b"um")
            sock.sendto(b"one", peer)
            terminal.wait_rows("> um", "one", ">")
            terminal.type("\x04")
            self.assert_end(terminal, 0)
            self.assertIn("UDP has no goodbye", " ".join(terminal.screen.rows()))

    def test_two_people_chat_over_tcp_and_udp(self):
        with Server(chat("tcp", "udp")) as server:
            urls = [f"{t}://%s:%d" % server.address(t) for t in ("tcp", "udp")]
            with Terminal(*COMMAND, urls[0]) as ana, Terminal(*COMMAND, urls[1]) as rui:
                ana.wait_text("you are ")
                rui.wait_rows(">")
                rui.type("oi\roi\r")  # a UDP peer has to be heard from twice
                rui.wait_text("you are ")
                ana.wait(
                    lambda t: any(re.search(r"\boi$", row) for row in t.screen.rows()),
                    "oi",
                )
                ana.type("olá, Rui\r")
                rui.wait_text("olá, Rui")
                for terminal in (ana, rui):
                    terminal.type("SAIR\r")
                    self.assert_end(terminal, 0)


load_tests = at_once(6, sanitized=30)

if __name__ == "__main__":
    unittest.main()
