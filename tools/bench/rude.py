"""What one client costs the others: each measure starts a server, lets somebody
misbehave, and returns what that does to somebody who does not."""

import contextlib
import os
import selectors
import signal
import socket
import struct
import time

from measures import cpus, pss_bytes, settled
from servers import Failed, running, tree

FLOOD = b"x\n" * 32768  # 64 KB of two-byte lines
LIMIT_S = 30
MIB = 1 << 20  # the default of limits.session_queue_bytes


def client(port, reads=None):
    sock = socket.create_connection(("127.0.0.1", port), LIMIT_S)
    if reads is not None:
        sock.setblocking(False)
        reads.register(sock, selectors.EVENT_READ)
    return sock


def drain(reads, until, limit_s=LIMIT_S):
    """Reads for all until a client has heard what it waits for, or for a time."""
    limit = time.monotonic() + limit_s
    heard = b""
    while time.monotonic() < limit:
        for key, _ in reads.select(0.05):
            got = key.fileobj.recv(1 << 18)
            if not got:
                raise Failed("the server has closed a client that reads")
            if until and key.fileobj is until[0]:
                heard = heard[-64:] + got
                if until[1] in heard:
                    return
    if until:
        raise Failed(f"no {until[1]!r} in {limit_s} s")


@contextlib.contextmanager
def clients_of(table, server, builds):
    """A server, its port, and a set of clients that are read from together."""
    server_cpus, load_cpus = cpus(table)
    mine = os.sched_getaffinity(0)
    with running(server, builds, server_cpus) as (pid, port):
        reads = selectors.DefaultSelector()
        os.sched_setaffinity(0, load_cpus)
        try:
            yield pid, port, reads
        finally:
            os.sched_setaffinity(0, mine)
            for key in list(reads.get_map().values()):
                key.fileobj.close()
            reads.close()


@contextlib.contextmanager
def others_read(reads):
    """In a process of their own, so that the one that asks does not wait for
    them."""
    child = os.fork()
    if child == 0:
        try:
            drain(reads, None)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def who_waits(table, case, server, builds, times):
    """From `/who` to its answer, while 64 KB of two-byte lines are dealt with."""
    del times
    with clients_of(table, server, builds) as (_, port, reads):
        for _ in range(case.connections - 2):
            client(port, reads)
        sender, asker = client(port, reads), client(port, reads)
        drain(reads, (asker, b"you are"))
        drain(reads, None, 0.5)
        reads.unregister(asker)
        with asker, others_read(reads):
            for sock in (sender, asker):
                sock.settimeout(LIMIT_S)
            sender.sendall(FLOOD)
            began = time.monotonic()
            asker.send(b"/who\n")
            heard = b""
            while b"here are" not in heard:
                heard = heard[-64:] + asker.recv(1 << 16)
            return {"wait_ms": (time.monotonic() - began) * 1000}


class Rude:
    """Floods, reads or does not, and breaks off when it likes."""

    def __init__(self, port, number):
        self.port, self.number, self.sock, self.left = port, number, None, b""

    def act(self):
        try:
            if not self.sock:
                self.sock = socket.socket()
                self.sock.setblocking(False)  # or a full backlog would hold us up
                self.sock.connect(("127.0.0.1", self.port))
            self.left = self.left or FLOOD
            self.left = self.left[self.sock.send(self.left):]
            if self.number % 3 == 0:
                self.sock.recv(1 << 18)
            if self.number % 3 == 1:
                self.leave()
        except BlockingIOError:
            pass
        except OSError:
            self.leave()

    def leave(self):
        if self.sock:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
            self.sock.close()
        self.sock, self.left = None, b""


def honest_waits(table, case, server, builds, times):
    """The longest round trip of a client that says a line at a time."""
    longest = 0.0
    with clients_of(table, server, builds) as (_, port, _reads):
        rude = [Rude(port, number) for number in range(case.connections)]
        honest = client(port)
        honest.settimeout(0)
        end = time.monotonic() + max(2.0, times.window_s)
        began, said = time.monotonic(), b"ping\n"
        honest.send(said)
        while time.monotonic() < end:
            for one in rude:
                one.act()
                with contextlib.suppress(BlockingIOError):
                    if not honest.recv(64):
                        raise Failed("the server has closed the honest client")
                    longest = max(longest, time.monotonic() - began)
                    began = time.monotonic()
                    honest.send(said)
        longest = max(longest, time.monotonic() - began)
        for one in rude:
            one.leave()
        honest.close()
    return {"wait_ms": longest * 1000}


def unread_memory(table, case, server, builds, times):
    """What the server grows by while one member never reads, at most, in parts
    of session_queue_bytes."""
    del case, times
    with clients_of(table, server, builds) as (pid, port, reads):
        sender, deaf = client(port, reads), client(port)
        drain(reads, (sender, b"joined"))
        none = most = settled(lambda: pss_bytes(pid))
        line = b"x" * 59 + b"\n"
        limit = time.monotonic() + LIMIT_S
        while time.monotonic() < limit:
            for _ in range(2000):  # a turn each
                sender.setblocking(True)
                sender.send(line)
            most = max(most, pss_bytes(pid))
            if any(b" left" in key.fileobj.recv(1 << 16)
                   for key, _ in reads.select(0)):
                break
        deaf.close()
    return {"grown": (most - none) / MIB}


# ---- strangers -----------------------------------------------------------------


def cpu_s(pid):
    """See clock_getcpuclockid(3)."""
    return sum(time.clock_gettime((~each << 3) | 2) for each in tree(pid))


def datagrams(port, first, count, each):
    """From so many addresses of their own, each empty."""
    for number in range(first, first + count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((f"127.{1 + number // 62500}.{number // 250 % 250}."
                       f"{1 + number % 250}", 0))
            for _ in range(each):
                sock.sendto(b"", ("127.0.0.1", port))
        if number % 50 == 0:
            time.sleep(0.002)  # a socket's buffer is only so large


def settled_cpu_s(pid):
    return settled(lambda: cpu_s(pid))


def stranger_costs(table, case, server, builds, times):
    """The CPU time of a new address's one datagram, with few and many peers."""
    del case, times
    costs = []
    with clients_of(table, server, builds) as (pid, port, _):
        known = 0
        for peers in (100, 10000):
            datagrams(port, known, peers - known, 2)
            known = peers
            before = settled_cpu_s(pid)
            datagrams(port, 20000 + peers, 500, 1)
            costs.append((settled_cpu_s(pid) - before) / 500 * 1e6)
    return {"few_us": costs[0], "many_us": costs[1], "growth": costs[1] / costs[0]}
