"""Peers of every sort for test_rude_model.py. Each does a little at a time and
never blocks; a seed draws what."""

import errno
import os
import select
import socket
import struct
import time

from server import TIMEOUT_S

IP_PKTINFO, TCP_REPAIR = 8, 19  # Python has no names for them
GOES_AWAY = (BlockingIOError, ConnectionError, BrokenPipeError)


def framed(framing, payload):
    if framing == "length":
        return struct.pack("!I", len(payload)) + payload
    return payload + b"\n" if framing == "lines" else payload


class Peer:
    """A TCP connection that does not block; `small`: its kernel holds little."""

    small = True
    listener = "tcp"

    def __init__(self, model):
        self.model, self.random = model, model.random
        self.sock = socket.socket()
        if self.small:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(getattr(model, self.listener))
        self.sock.setblocking(False)
        self.left = memoryview(b"")  # of a message that is under way

    def message(self):
        size = self.random.choice((0, 1, 2, 60, 60, 1000, 8000))
        return framed(self.model.framing, bytes(self.random.choices(b"abc ", k=size)))

    def send(self, data=None):
        """Goes on with what is under way, or begins with this or another one."""
        if self.sock.fileno() < 0:
            return
        if not self.left:
            self.left = memoryview(self.message() if data is None else data)
            if self.small and not self.model.may_send(len(self.left)):
                self.left = memoryview(b"")
        try:
            self.left = self.left[self.sock.send(self.left) :]
        except GOES_AWAY:
            pass

    def read(self, most):
        try:
            return self.sock.recv(most) if self.sock.fileno() >= 0 else b""
        except GOES_AWAY:
            return b""

    def fileno(self):
        return self.sock.fileno()

    def half_close(self):
        if self.sock.fileno() < 0:
            return
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise

    def reset(self):
        if self.sock.fileno() < 0:
            return
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def step(self):
        raise NotImplementedError

    def leave(self):
        self.sock.close()


class ReadsNever(Peer):
    def step(self):
        self.send()


class ReadsSlowly(Peer):
    def step(self):
        self.send()
        self.read(self.random.randrange(1, 100))


class Floods(Peer):
    def step(self):
        for _ in range(4):
            self.send(self.message() * 16)
        while len(self.read(1 << 16)) == 1 << 16:
            pass


class HalfCloses(Peer):
    is_closed = False

    def step(self):
        if not self.is_closed:
            self.send()
        if not self.is_closed and not self.left and self.random.random() < 0.1:
            self.half_close()
            self.is_closed = True
        self.read(self.random.randrange(1, 2000))


class HalfClosesThenResets(Peer):
    steps = 0

    def step(self):
        self.steps += 1
        self.send(self.message() * 20)
        if self.steps == 5:
            self.half_close()
            self.reset()


class Resets(Peer):
    def step(self):
        self.send()
        if self.random.random() < 0.05:
            self.reset()


class StopsInAFrame(Peer):
    is_done = False

    def step(self):
        if not self.is_done:
            self.send(framed(self.model.framing, b"half of this")[:7])
        self.is_done = True


class SaysNothing(Peer):
    def step(self):
        pass


class SaysNonsense(Peer):
    """Too long, too short, cut anywhere, or no frame at all."""

    def step(self):
        kind = self.random.randrange(4)
        if kind == 0:
            self.send(self.random.randbytes(self.random.randrange(1, 3000)))
        elif kind == 1:
            self.send(b"x" * 70_000)
        elif kind == 2:
            self.send(b"\n" * self.random.randrange(1, 2000))
        else:
            self.send(self.message()[: self.random.randrange(1, 20)])
        self.read(1 << 16)


class Stays(Peer):
    """Keeps its socket when the others have left: a limit has to end its session."""

    def leave(self):
        self.model.stayed.append(self)


class StaysUnread(Stays):
    """Falls under limits.unread_s, if anything waits for it."""

    def step(self):
        self.send()

    def leave(self):
        self.half_close()
        super().leave()


class StaysSilent(Stays):
    """Falls under the idle time of its listener, whatever it is sent."""

    listener = "idle"

    def step(self):
        if self.random.random() < 0.1:
            self.send()
        self.read(1 << 16)


class Vanishes(Peer):
    """Says neither FIN nor RST when it goes, see TCP_REPAIR in tcp(7); for root."""

    def step(self):
        self.send()
        self.read(100)

    def leave(self):
        if os.geteuid() == 0:
            self.sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.sock.close()


class Udp:
    """Datagrams from any address of 127.0.0.0/8, by IP_PKTINFO (ip(7))."""

    times = 1

    def __init__(self, model):
        self.model, self.random = model, model.random
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("0.0.0.0", 0))
        self.sock.setblocking(False)
        self.source = self.new_source()

    def new_source(self):
        return b"\x7f" + bytes(self.random.randrange(1, 255) for _ in range(3))

    def message(self):
        size = self.random.choice((0, 1, 2, 60, 1000, 1400))
        return framed(self.model.framing, bytes(self.random.choices(b"abc ", k=size)))

    def send(self, data=None):
        info = struct.pack("=I4s4s", 0, self.source, b"")
        control = [(socket.IPPROTO_IP, IP_PKTINFO, info)]
        data = self.message() if data is None else data
        if not self.model.may_send(len(data)):
            return
        try:
            self.sock.sendmsg([data], control, 0, self.model.udp)
            self.model.datagrams += 1
        except (BlockingIOError, ConnectionError):
            pass

    def leave(self):
        self.sock.close()


class ForgesOnce(Udp):
    def step(self):
        for _ in range(20):
            self.source = self.new_source()
            for _ in range(self.times):
                self.send()


class ForgesTwice(ForgesOnce):
    times = 2


class UdpReadsNever(Udp):
    def step(self):
        self.send()


class UdpSaysNonsense(Udp):
    def step(self):
        size = self.random.choice((0, 1, 3, 1400, 9000, 60_000))
        self.send(self.random.randbytes(size))


RUDE_TCP = [
    ReadsNever,
    ReadsSlowly,
    Floods,
    HalfCloses,
    HalfClosesThenResets,
    Resets,
    StopsInAFrame,
    SaysNothing,
    SaysNonsense,
    StaysUnread,
    StaysSilent,
    Vanishes,
]
RUDE_UDP = [ForgesOnce, ForgesTwice, UdpReadsNever, UdpSaysNonsense]


# ---- those who behave ----------------------------------------------------------


class Honest(Peer):
    """Reads all there is."""

    small = False

    def __init__(self, model, name):
        super().__init__(model)
        self.name, self.number, self.heard = name, 0, bytearray()
        self.why = None  # it can go no further

    def take(self):
        try:
            while data := self.sock.recv(1 << 18):
                self.heard += data
            self.why = self.why or "the server has ended the connection"
        except BlockingIOError:
            pass
        except ConnectionError as error:
            self.why = self.why or str(error)

    def check(self):
        """Whether all has come that has to; what is wrong is in .why."""
        raise NotImplementedError


class HonestEcho(Honest):
    def __init__(self, model, name):
        super().__init__(model, name)
        self.said = bytearray()

    def step(self):
        if not self.left:
            data = b"%s %d " % (self.name, self.number)
            data = framed(self.model.framing, data + b"x" * self.random.randrange(300))
            self.number += 1
            self.said += data
            self.send(data)
        else:
            self.send()

    def check(self):
        self.take()
        if self.left:
            self.send()
        if not self.said.startswith(self.heard):
            self.why = "what came back is not what was said"
        return len(self.heard) == len(self.said)


class HonestMember(Honest):
    """Of the chat: its numbered lines reach every other, once and in order."""

    def __init__(self, model, name):
        super().__init__(model, name)
        self.next = {}
        select.select([self], [], [], TIMEOUT_S)  # it is a member when it is greeted

    def step(self):
        self.send(b"%s-%d\n" % (self.name, self.number))
        self.number += 1

    def take(self):
        super().take()
        *lines, rest = self.heard.split(b"\n")
        self.heard = bytearray(rest)
        for line in lines:
            name, is_one, number = bytes(line).partition(b": honest")[2].rpartition(b"-")
            if is_one and number.isdigit():
                if int(number) != self.next.get(name, 0):
                    self.why = self.why or f"{name} {self.next.get(name, 0)}: {line!r} came"
                self.next[name] = int(number) + 1

    def check(self):
        self.take()
        if self.left:
            self.send()
        return all(
            self.next.get(one.name.removeprefix(b"honest"), 0) == one.number
            for one in self.model.honest
            if one is not self
        )


class HonestUdp(Udp):
    """Asks again when no answer came within a second."""

    def __init__(self, model, name):
        super().__init__(model)
        self.source = b"\x7f\0\0\1"
        self.name, self.number, self.why = name, 0, None
        self.asked, self.answered, self.asked_at = None, True, 0

    def step(self):
        self.take()
        if self.answered:
            self.number += 1
            self.asked, self.answered = framed(
                self.model.framing, b"%s %d" % (self.name, self.number)
            ), False
            self.ask()

    def ask(self):
        self.asked_at = time.monotonic()
        self.send(self.asked)

    def fileno(self):
        return self.sock.fileno()

    def take(self):
        try:
            while True:
                data = self.sock.recv(1 << 16)
                self.answered = self.answered or data == self.asked
                if self.name not in data:
                    self.why = f"{data!r} came"
        except (BlockingIOError, ConnectionError):
            pass

    def check(self):
        self.take()
        if not self.answered and time.monotonic() > self.asked_at + 1:
            self.ask()
        return self.answered
