"""When there are more clients than room: descriptors, sessions, memory."""

import random
import resource
import select
import unittest

from server import SEED, TIMEOUT_S, Server, chat, connect, echo, times


class Descriptors(unittest.TestCase):
    CLIENTS = times(1500, 8000)

    def test_a_soft_limit_of_1024_does_not_stop_1500_clients(self):
        self.raise_own_limit(self.CLIENTS + 500)
        with Server(echo("tcp"), soft_files=1024) as server:
            clients = [connect(server.address()) for _ in range(self.CLIENTS)]
            for number, client in enumerate(clients):
                client.send(f"{number}\n")
            for number, client in enumerate(clients):
                self.assertEqual(client.line(), str(number))
            for client in clients:
                client.close()

    def test_a_soft_limit_of_1024_does_not_stop_1500_clients_in_one_process(self):
        self.raise_own_limit(self.CLIENTS + 500)
        with Server(echo("tcp"), "--single", soft_files=1024) as server:
            clients = [connect(server.address()) for _ in range(self.CLIENTS)]
            clients[-1].send("the last\n")
            self.assertEqual(clients[-1].line(), "the last")
            for client in clients:
                client.close()

    def raise_own_limit(self, least):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertTrue(hard < 0 or hard >= least, f"the hard limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_without_descriptors_it_goes_on_and_accepts_again_later(self):
        with Server(echo("tcp"), hard_files=64) as server:
            waiting = {}
            for number in range(100):
                client = connect(server.address())  # the backlog takes them all
                client.send(f"{number}\n")
                waiting[client.fileno()] = (client, number)
            server.err.wait("tcp: cannot accept: Too many open files")
            served = self.next_answered(waiting)
            for client in served:  # those who are in are served as ever
                client.send("still served\n")
                self.assertEqual(client.line(), "still served")

            # Each one that leaves makes room for the next.
            while waiting or served:
                for client in served:
                    client.close()
                served = self.next_answered(waiting) if waiting else []

    def next_answered(self, waiting):
        """Waits for one or more of them, and takes them out."""
        ready = select.select(list(waiting), [], [], TIMEOUT_S)[0]
        self.assertTrue(ready, f"{len(waiting)} clients are never served")
        answered = []
        for fd in ready:
            client, number = waiting.pop(fd)
            self.assertEqual(client.line(), str(number))
            answered.append(client)
        return answered

    def test_it_says_how_many_sessions_fit(self):
        with Server(echo("tcp"), hard_files=256) as server:
            server.err.wait(r"limits\.max_sessions is 10000, but .* about \d+ connections")


class Sessions(unittest.TestCase):
    def test_one_too_many_is_turned_away_and_counted(self):
        with Server(echo("tcp", limits={"max_sessions": 3})) as server:
            clients = [connect(server.address()) for _ in range(3)]
            for client in clients:
                client.send("in\n")
                self.assertEqual(client.line(), "in")
            with connect(server.address()) as late:
                self.assertTrue(late.is_ended())
            self.assertEqual(server.count("tcp", r"refused: limits\.max_sessions"), 1)

            clients[0].end()
            self.assertEqual(clients[0].rest(), b"")

            with connect(server.address()) as next_one:
                next_one.send("now\n")
                self.assertEqual(next_one.line(), "now")
            for client in clients:
                client.close()

    def test_who_is_turned_away_sees_an_end_and_no_reset(self):
        """As many at a time as the server has patience with; drawn by a seed."""
        draw = random.Random(SEED)
        what = echo("tcp", limits={"max_sessions": 1, "linger_ms": 60_000})
        with self.subTest(f"PLAYGROUND_SEED={SEED}"), Server(what) as server:
            with connect(server.address()) as guest:
                guest.send("hello\n")
                guest.line()
                others = [connect(server.address()) for _ in range(draw.randrange(1, 65))]
                for client in others:
                    for _ in range(draw.randrange(4)):
                        client.send(bytes(draw.choice((1, 100, 70_000))))
                for client in others:
                    self.assertEqual(client.rest(), b"")
                    client.send("too late\n")  # is thrown away, too
                    if draw.random() < 0.5:
                        client.end()
                        self.assertEqual(client.rest(), b"")
                for client in others:
                    client.close()
                refused = server.count("tcp", r"refused: limits\.max_sessions")
                self.assertEqual(refused, len(others))
                guest.send("still here\n")
                self.assertEqual(guest.line(), "still here")

    def test_the_cap_holds_over_all_workers(self):
        with Server(chat("tcp", limits={"max_sessions": 8}, workers=2)) as server:
            clients = [connect(server.address()) for _ in range(30)]
            names = set()
            for client in clients:
                try:
                    names.add(client.name())
                except (EOFError, ConnectionError):
                    pass
            self.assertEqual(len(names), 8)
            for client in clients:
                client.close()


if __name__ == "__main__":
    unittest.main()
