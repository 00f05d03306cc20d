"""The key-value store: redis-cli, redis-benchmark, and those who read late."""

import re
import threading
import unittest

from protocols import (
    BYTE_BY_BYTE,
    SMALL,
    build,
    program,
    reads_late,
    round_trip,
    send_until_stopped,
    serve,
    slow_client,
)
from server import connect


def setUpModule():
    build("resp")


def command(*words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def bulk(value):
    return b"$%d\r\n%s\r\n" % (len(value), value)


TALK = [
    (command("PING"), b"+PONG\r\n"),
    (command("ping", "ola"), bulk(b"ola")),
    (command("ECHO", b"a\r\n\0b"), bulk(b"a\r\n\0b")),
    (command("GET", "k"), b"$-1\r\n"),
    (command("SET", "k", ""), b"+OK\r\n"),
    (command("GET", "k"), bulk(b"")),
    (command("INCR", "k"), b"-ERR value is not an integer or too large\r\n"),
    (command("SET", b"\0\xff", b"\0" * 300), b"+OK\r\n"),
    (command("GET", b"\0\xff"), bulk(b"\0" * 300)),
    (command("SET", "n", "-2"), b"+OK\r\n"),
    *((command("INCR", "n"), b":%d\r\n" % n) for n in range(-1, 3)),
    (command("SET", "n", 2**63 - 1), b"+OK\r\n"),
    (command("INCR", "n"), b"-ERR value is not an integer or too large\r\n"),
    (command("DEL", "n"), b":1\r\n"),
    (command("DEL", "n"), b":0\r\n"),
    (command("INCR", "n"), b":1\r\n"),
    (b"set x  1\r\nGET x\n\n\r\n", b"+OK\r\n" + bulk(b"1")),
    (command("COMMAND", "DOCS"), b"*0\r\n"),
    (command("GET"), b"-ERR unknown command, or not its arguments\r\n"),
    (command("NO", "k"), b"-ERR unknown command, or not its arguments\r\n"),
    (b"*0\r\n", b""),
    (command("SET", "big", b"x" * 60000), b"+OK\r\n"),
    (command("GET", "big"), bulk(b"x" * 60000)),
]


class Resp(unittest.TestCase):
    def test_the_same_however_it_is_cut(self):
        asked, answers = (b"".join(part) for part in zip(*TALK))
        for before in ((), [BYTE_BY_BYTE]):
            with serve("resp", before) as server, connect(server.address()) as client:
                client.send(asked)
                client.end()
                self.assertEqual(client.rest(), answers)

    def test_what_is_no_command_ends_the_session_with_an_answer(self):
        wrong = [b"*1\r\n:1\r\n", b"*1\r\n$-1\r\n", b"*x\r\n", b"*1\n", b"*\r\n1",
                 b"*65\r\n", b"*1\r\n$99999999999999999999\r\n", b"*-1\r\n", b"PING\0\r\n",
                 b" x" * 65 + b"\n", b"*1\r\n$70000\r\n" + b"x" * 70000, b"y" * 70000]
        with serve("resp") as server:
            for data in wrong:
                with connect(server.address()) as client, self.subTest(data[:20]):
                    client.send(command("PING") + data + b"\r\n")
                    self.assertEqual(client.rest(), b"+PONG\r\n-ERR Protocol error\r\n")

    def test_redis_cli(self):
        with serve("resp") as server:
            said = program("redis-cli", "-p", str(server.address()[1]),
                           input='SET k "two words"\nGET k\nINCR n\nNO\nDEL k\nGET k\n')
            self.assertEqual(said, "OK\ntwo words\n1\nERR unknown command, or not its "
                             "arguments\n\n1\n\n")

    def test_redis_benchmark_and_each_increment_counts_once(self):
        with serve("resp") as server, connect(server.address()) as client:
            for number, deep in ((1, "1"), (2, "16")):
                said = program("redis-benchmark", "-p", str(server.address()[1]), "-n", "4000",
                               "-c", "20", "-P", deep, "-t", "ping,set,get,incr", "--csv")
                self.assertEqual(len(re.findall(r'^"(PING|SET|GET|INCR)', said, re.M)), 5)
                round_trip(client, command("GET", "counter:__rand_int__"),
                           bulk(b"%d" % (4000 * number)))

    def test_100000_commands_by_one_who_reads_late(self):
        with serve("resp", limits=SMALL) as server, connect(server.address()) as other:
            with slow_client(server.address()) as client:
                heard = reads_late(client, command("INCR", "n") * 100_000,
                                   lambda: round_trip(other, command("PING"), b"+PONG\r\n"))
            self.assertEqual(heard, b"".join(b":%d\r\n" % n for n in range(1, 100_001)))

    def test_many_who_read_late_share_what_there_is(self):
        """All want more than there is; none is closed, and nothing is done twice."""
        limits = {**SMALL, "queue_bytes_total": 270_000}
        with serve("resp", limits=limits) as server, connect(server.address()) as other:
            def witness():
                round_trip(other, command("PING"), b"+PONG\r\n")

            expected = b"".join(
                b":%d\r\n" % n + (bulk(b"x" * 60_000) if n % 100 == 0 else b"")
                for n in range(1, 10_001))
            clients = [slow_client(server.address()) for _ in range(8)]
            asked = [(command("INCR", f"n{number}") * 100 + command("GET", "x")) * 100
                     for number in range(8)]
            round_trip(other, command("SET", "x", b"x" * 60_000), b"+OK\r\n")
            left = [send_until_stopped(*pair, witness) for pair in zip(clients, asked)]
            senders = [threading.Thread(target=lambda c=c, d=d: (c.sock.sendall(d), c.end()))
                       for c, d in zip(clients, left)]
            for sender in senders:
                sender.start()
            for client in clients:
                self.assertEqual(client.rest(), expected)
                client.close()
            for sender in senders:
                sender.join()


if __name__ == "__main__":
    unittest.main()
