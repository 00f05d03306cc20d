"""The real program, started for one test, and plain sockets to talk to it.

Nothing here waits for time to pass: every wait is for an event (a line, a
datagram, an end) and has a limit, after which the test fails. No test depends
on being alone on its machine: TIMEOUT_S is far more than any wait takes,
PATIENT is for servers that have to deliver something at their end, and
without_patience() takes away what only a slow machine adds.
"""

import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

PLAYGROUND = os.environ["PLAYGROUND"]
SOURCE = os.environ.get(
    "PLAYGROUND_SOURCE",
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
)
TIMEOUT_S = 200  # ten times what the longest wait takes where nothing else runs
IS_LONG = bool(os.environ.get("PLAYGROUND_LONG"))  # `tools/test --long`
IS_SANITIZED = bool(os.environ.get("PLAYGROUND_SANITIZED"))  # starts cost ten times as much
# Says what sampled() takes; PLAYGROUND_SEED repeats a run.
SEED = int(os.environ.get("PLAYGROUND_SEED") or random.randrange(1 << 32))
# After drain_ms and a moment more a guard ends a worker that has not ended: a slow
# machine has ten times the default's time, and more where much is to be delivered.
DRAIN_MS = 8000
PATIENT = {"drain_ms": 60_000}
REPORT = r"^worker \d+: \d+ sessions"


def times(usual, in_full):
    """How often, how many, how much: `tools/test --long` takes the full count."""
    return in_full if IS_LONG else usual


def sampled(items, count, is_dear=IS_SANITIZED):
    """All of them; where each costs much, as many as `count`, other ones in
    each run. PLAYGROUND_SEED, which a failure shows, takes the same ones
    again."""
    items = list(items)
    if not is_dear or IS_LONG or count >= len(items):
        return items
    print(f"PLAYGROUND_SEED={SEED}: {count} of {len(items)}")
    chosen = set(random.Random(SEED).sample(range(len(items)), count))
    return [item for number, item in enumerate(items) if number in chosen]


def without_patience(said):
    """What a client has written to stderr, without the line that tells whoever
    waits for a slow machine."""
    return re.sub(r"^client: still connecting to .*\n", "", said, flags=re.MULTILINE)


class Lines:
    """The lines of a pipe, collected by a thread."""

    def __init__(self, pipe):
        self.lines = []
        self.is_ended = False
        self.pipe = pipe
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.pipe:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.is_ended = True
            self.changed.notify_all()

    def _found(self, pattern, count):
        found = [m for m in (re.search(pattern, x) for x in self.lines) if m]
        return found[count - 1] if len(found) >= count else None

    def wait(self, pattern, count=1):
        """The match of the count-th line in which `pattern` is found."""
        with self.changed:
            self.changed.wait_for(
                lambda: self._found(pattern, count) or self.is_ended, TIMEOUT_S
            )
            match = self._found(pattern, count)
            if not match:
                raise AssertionError(f"no line with {pattern!r} in:\n{self.text()}")
            return match

    def comes(self, pattern, seconds):
        """Is such a line there, or comes within this time?"""
        with self.changed:
            self.changed.wait_for(lambda: self._found(pattern, 1) or self.is_ended, seconds)
            return self._found(pattern, 1) is not None

    def text(self):
        return "\n".join(self.lines)

    def close(self):
        self.thread.join(TIMEOUT_S)
        self.pipe.close()


def listener(plugin="tcp", **options):
    """A line of `transports`, on a free port of the loopback interface."""
    return {"plugin": plugin, "port": 0, **options}


def config(transports, handlers, **rest):
    return {"transports": transports, "handlers": handlers, **rest}


def echo(*plugins, **rest):
    return config([listener(plugin) for plugin in plugins], ["echo"], **rest)


def chat(*plugins, **rest):
    return config(
        [listener(plugin) for plugin in plugins], ["lines", "chat-broadcast"], **rest
    )


class Server:
    """`playground run` on a config: a dict, the path of a file, or (is_text)
    the text of one.

    with Server(echo("tcp")) as server: ...

    At the end it gets SIGTERM and has to end with status 0, which in a
    sanitizer build also says that nothing leaked. `under`: a command that runs
    it, such as strace; `setup` is called in the process before it is the server.
    """

    def __init__(
        self,
        what,
        *arguments,
        soft_files=None,
        hard_files=None,
        is_ready=True,
        is_text=False,
        under=(),
        setup=None,
    ):
        self.folder = tempfile.mkdtemp(prefix="playground-")
        self.path = what
        if isinstance(what, dict):
            what = {**what, "limits": {"drain_ms": DRAIN_MS, **what.get("limits", {})}}
        if is_text or isinstance(what, dict):
            self.path = os.path.join(self.folder, "playground.json")
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(what if is_text else json.dumps(what, indent=4))
        self.is_over = False
        self.reports = 0
        self.files = (soft_files, hard_files)
        self.process = subprocess.Popen(
            [*under, PLAYGROUND, "run", *arguments, self.path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            cwd=self.folder,
            start_new_session=True,
            preexec_fn=self._limit if soft_files or hard_files else setup,
        )
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)
        if is_ready:
            try:
                self.out.wait("^ready$")
            except AssertionError as error:
                self._clean_up()
                raise AssertionError(f"{error}\n{self.err.text()}") from None

    def _limit(self):
        soft, hard = self.files
        hard = hard or resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft or hard, hard))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            self._clean_up()
            print(f"--- stderr of the server ---\n{self.err.text()}\n---")
        elif not self.is_over:
            self.stop()
        return False

    def _clean_up(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.is_over = True
        self.out.close()
        self.err.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self):
        """The exit status, once it has ended by itself."""
        try:
            return self.process.wait(TIMEOUT_S)
        finally:
            self._clean_up()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.wait()
        assert status == 0, f"exit status {status}:\n{self.err.text()}"

    def kill(self):
        """Ends the guard with SIGKILL."""
        self.process.kill()
        self.process.wait()
        self.is_over = True

    def addresses(self, transport):
        """(host, port) of each listener of this transport."""
        found = (
            re.fullmatch(rf"listening {transport} (.*):(\d+)", line)
            for line in self.out.lines
        )
        return [(m[1].strip("[]"), int(m[2])) for m in found if m]

    def address(self, transport="tcp"):
        return self.addresses(transport)[0]

    def children(self):
        """The pids of the workers."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]

    def count(self, name, reason):
        """What a counter says now, all workers together; see SIGUSR1 in
        `playground run --help`."""
        return sum(
            int(match[1])
            for pid in self.children() or [self.process.pid]
            for match in re.finditer(
                rf"^worker \d+: {name}: {reason}: (\d+)$", self._report(pid), re.MULTILINE
            )
        )

    def _report(self, pid):
        for _ in range(2):  # the first one is whole where the second begins
            self.reports += 1
            os.kill(pid, signal.SIGUSR1)
            self.err.wait(REPORT, self.reports)
        starts = [i for i, line in enumerate(self.err.lines) if re.search(REPORT, line)]
        who = re.match(r"worker \d+: ", self.err.lines[starts[-2]])[0]
        report = self.err.lines[starts[-2] : starts[-1]]
        return "\n".join(line for line in report if line.startswith(who))

    def processes(self):
        """The pids of all that serve."""
        return [self.process.pid, *self.children()]

    def memory_bytes(self):
        """Proportional set size of all processes."""
        total = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += int(re.search(r"\nPss:\s+(\d+) kB", file.read())[1])
        return total * 1024

    def worker_of(self, client):
        """The pid of the worker that serves a TCP client on IPv4."""
        inode = _inode_of_peer(client.sock)
        for pid in self.processes():
            folder = f"/proc/{pid}/fd"
            for name in os.listdir(folder):
                if os.readlink(f"{folder}/{name}") == f"socket:[{inode}]":
                    return pid
        raise AssertionError("nobody has accepted the client")


def _hex(address):
    host, port = address
    return f"{struct.unpack('=I', socket.inet_aton(host))[0]:08X}:{port:04X}"


def _inode_of_peer(sock):
    """The other end of a TCP client's connection, as /proc/net/tcp has it."""
    ends = [_hex(sock.getpeername()), _hex(sock.getsockname())]
    with open("/proc/net/tcp", encoding="ascii") as file:
        for fields in map(str.split, file):
            if fields[1:3] == ends:
                return int(fields[9])
    raise AssertionError(f"no connection between {ends}")


class Client:
    """A socket that also reads line by line. Each line of a UDP server is a
    datagram of its own."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(TIMEOUT_S)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends the connection with RST instead of FIN, see socket(7)."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def address(self):
        return self.sock.getsockname()[:2]

    def fileno(self):
        return self.sock.fileno()

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def end(self):
        self.sock.shutdown(socket.SHUT_WR)

    def line(self):
        while b"\n" not in self.buffer:
            more = self.sock.recv(1 << 17)
            if not more:
                raise EOFError(f"the server closed; left: {self.buffer!r}")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def line_with(self, text):
        """The next line that contains `text`; what comes before is passed."""
        while True:
            line = self.line()
            if text in line:
                return line

    def exactly(self, count):
        while len(self.buffer) < count:
            more = self.sock.recv(1 << 17)
            if not more:
                raise EOFError(f"the server closed after {len(self.buffer)} bytes")
            self.buffer += more
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def rest(self):
        """All up to the end, which must come."""
        parts = [self.buffer]
        self.buffer = b""
        while part := self.sock.recv(1 << 17):
            parts.append(part)
        return b"".join(parts)

    def is_ended(self):
        """Waits for the end, orderly or not, and throws away what comes."""
        try:
            while self.sock.recv(1 << 17):
                pass
        except ConnectionError:
            pass
        return True

    def name(self):
        """Reads a chat's greeting: the name one was given."""
        return re.match(r"you are (\S+),", self.line_with("you are "))[1]


def connect(address):
    return Client(socket.create_connection(address, TIMEOUT_S))


def udp_socket(address, source=None):
    """A connected UDP socket: it hears from `address` alone."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(TIMEOUT_S)
    if source:
        sock.bind(source)
    sock.connect(address)
    return sock


def udp(address):
    return Client(udp_socket(address))


class Forger:
    """Sends datagrams from any address of 127.0.0.0/8, see IP_PKTINFO in ip(7),
    and gets what is sent to any of them."""

    IP_PKTINFO = 8  # Python has no name for it

    def __init__(self, address):
        self.address = address
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("0.0.0.0", 0))
        self.sock.settimeout(TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, number, data):
        """As the address of this number, below a million."""
        source = struct.pack("!I", 0x7F100000 + number)
        info = struct.pack("=I4s4s", 0, source, b"")
        self.sock.sendmsg([data], [(socket.IPPROTO_IP, self.IP_PKTINFO, info)], 0, self.address)

    def ask(self, numbers, data, times=1):
        """As each of them `times`, and takes an answer for each datagram. A few at
        a time, so that the kernel drops none."""
        numbers = list(numbers)
        for first in range(0, len(numbers), 50 // times):
            some = numbers[first : first + 50 // times]
            for number in some:
                for _ in range(times):
                    self.send(number, data)
            for _ in range(times * len(some)):
                self.sock.recv(1 << 16)


def _queued_for(port):
    """rx_queue of /proc/net/udp."""
    with open("/proc/net/udp", encoding="ascii") as file:
        for fields in map(str.split, file):
            if fields[1].endswith(f":{port:04X}"):
                return int(fields[4].split(":")[1], 16)
    raise AssertionError(f"nobody has port {port}")


def wait_until_taken(port):
    """Nothing waits in the kernel for the UDP socket of this port, so that it has
    room for what comes next."""
    check = deadline()
    while _queued_for(port):
        os.sched_yield()  # to whoever is to take it
        check(f"whoever has port {port} takes its datagrams")


def member(server, transport="tcp"):
    """Joins a chat; over UDP a peer has to be heard from twice."""
    address = server.address(transport)
    if transport == "tcp":
        client = connect(address)
        client.nick = client.name()
        return client
    client = udp(address)
    client.send("/who\n")
    client.send("/who\n")
    client.nick = client.name()
    client.line_with("here are ")
    return client


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
            return True
    except OSError:
        return False


def has_localhost():
    """Not in the barest of containers, which have no /etc/hosts."""
    try:
        return socket.gethostbyname("localhost") == "127.0.0.1"
    except OSError:
        return False


NO_NAMESPACES = """
echo 0 >/proc/sys/user/max_user_namespaces
echo 0 >/proc/sys/user/max_net_namespaces
exec "$@"
"""


def without_namespaces():
    """The words before a command that then can make no namespaces, as on systems
    that forbid them; none where nobody can. In a chroot there are no user
    namespaces (see unshare(2)), but root needs none until its rights are gone."""
    for jail in (
        ["unshare", "--user", "--map-root-user", "sh", "-ec", NO_NAMESPACES, "sh"],
        ["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
    ):
        if subprocess.run([*jail, "true"], check=False).returncode == 0:
            return jail
    return []


def run(*arguments, **options):
    """A command of the program that ends by itself."""
    return subprocess.run(
        [PLAYGROUND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        **options,
    )


def deadline():
    """A function that fails the test when it is called too late."""
    limit = time.monotonic() + TIMEOUT_S

    def check(what):
        if time.monotonic() > limit:
            raise AssertionError(f"not in {TIMEOUT_S} s: {what}")

    return check
