"""What a message and a session cost, in counts that do not wobble: system calls
(strace) and bytes of memory. No times. Instructions: test_instructions.py."""

import os
import resource
import signal
import socket
import struct
import tempfile
import unittest

from server import Server, config, connect, echo, listener, udp

FIXTURES = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")
HOW = ([], ["--single"])  # arguments of `run`
UDP_SEGMENT = 103  # see udp(7); not in Python's socket module
MESSAGE = b"m" * 63 + b"\n"
SESSIONS = 5000
SESSION_BYTES = 512  # with echo, which has no state of its own


def broadcast(plugin, *layers, **rest):
    chat = {"plugin": "chat-broadcast", "names": False}
    return config([listener(plugin)], ["lines", *layers, chat], **rest)


def calls_of(path):
    """{name: how often} out of what `strace -c` has written: share, seconds,
    microseconds a call, calls, errors if any, name."""
    calls = {}
    with open(path, encoding="ascii") as file:
        for words in map(str.split, file):
            if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
                calls[words[-1]] = int(words[3])
    return calls


def strace(what, arguments, traffic, messages):
    """The system calls of a server, all its processes, in one run."""
    with tempfile.NamedTemporaryFile() as file:
        under = ["strace", "-f", "-c", "-qq", "-o", file.name]
        with Server(what, *arguments, under=under) as server:
            traffic(server, messages)
            os.kill(server.children()[0], signal.SIGTERM)
            status = server.wait()
        assert status == 0, f"exit status {status}"
        return calls_of(file.name)


def more_calls(what, arguments, traffic, messages):
    """How many more calls twice the messages make, one message of them; start
    and end of the server cancel out. And by name, for the failure's text."""
    once = strace(what, arguments, traffic, messages)
    twice = strace(what, arguments, traffic, 2 * messages)
    more = {name: twice[name] - once.get(name, 0) for name in twice}
    return sum(more.values()) / messages, {n: c for n, c in more.items() if c}


def tcp_in_turns(server, messages):
    with connect(server.address()) as client:
        for _ in range(messages):
            client.send(MESSAGE)
            assert client.exactly(len(MESSAGE)) == MESSAGE


def udp_bursts(server, messages):
    """64 datagrams a call, which arrive as one packet."""
    control = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", len(MESSAGE)))]
    with udp(server.address("udp")) as client:
        for _ in range(messages // 64):
            client.sock.sendmsg([MESSAGE * 64], control)
            for _ in range(64):
                assert client.sock.recv(2048) == MESSAGE


def broadcast_bursts(server, messages):
    """32 lines a write, to ten others."""
    others = [connect(server.address()) for _ in range(10)]
    with connect(server.address()) as sender:
        for _ in range(messages // 32):
            sender.send(MESSAGE * 32)
            for other in others:
                assert other.exactly(32 * len(MESSAGE)) == 32 * MESSAGE
    for other in others:
        other.close()


class SystemCalls(unittest.TestCase):
    def check(self, what, traffic, messages, limit):
        for arguments in HOW:
            with self.subTest(arguments=arguments):
                calls, names = more_calls(what, arguments, traffic, messages)
                self.assertLessEqual(calls, limit, names)
                self.assertNotIn("epoll_ctl", names)
                self.assertNotIn("brk", names)
                self.assertNotIn("mmap", names)

    def test_a_tcp_message_takes_three(self):
        """epoll_wait, recv, send, as a server written by hand."""
        self.check(echo("tcp"), tcp_in_turns, 1000, 3.05)

    def test_a_burst_of_64_datagrams_takes_three(self):
        """epoll_wait, recvmmsg, sendmmsg."""
        self.check(echo("udp"), udp_bursts, 6400, 3.2 / 64)

    def test_a_burst_of_lines_takes_one_write_a_receiver(self):
        """And epoll_wait, recv: twelve for 320 deliveries."""
        self.check(broadcast("tcp"), broadcast_bursts, 3200, 12.5 / 32)


class Receivers(unittest.TestCase):
    def test_a_layer_that_counts_sees_each_receiver(self):
        """Below a chat, what is not `send_is_shared` runs for each."""
        what = broadcast("tcp", "counting", plugin_path=[FIXTURES])
        with Server(what) as server:
            broadcast_bursts(server, 64)
            self.assertEqual(server.count("counting", "sent"), 640)

    def test_a_shared_layer_sees_each_message_once(self):
        what = broadcast("tcp", "counting-shared", plugin_path=[FIXTURES])
        with Server(what) as server:
            broadcast_bursts(server, 64)
            self.assertEqual(server.count("counting-shared", "sent"), 64)


def raise_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def bytes_used(server):
    """All who have connected are sessions now: they are accepted in order, and
    one more has been answered."""
    tcp_in_turns(server, 1)
    return server.memory_bytes()


class Memory(unittest.TestCase):
    def test_an_idle_session_is_small(self):
        raise_files()
        for arguments in HOW:
            with self.subTest(arguments=arguments), Server(
                echo("tcp"), *arguments
            ) as server:
                none = bytes_used(server)
                clients = [connect(server.address()) for _ in range(SESSIONS)]
                each = (bytes_used(server) - none) / SESSIONS
                for client in clients:
                    client.reset()
                self.assertLessEqual(each, SESSION_BYTES)


if __name__ == "__main__":
    unittest.main()
