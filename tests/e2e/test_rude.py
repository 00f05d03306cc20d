"""A handler that ends the process it runs in: it is named, its worker is
replaced, and who comes next is served."""

import os
import unittest

from server import Server, config, connect, listener

PLUGINS = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")

MEMORY = r"crashed: it used memory that is not there \(SIGSEGV\); "
ENDS = {
    "crash": MEMORY,
    "recurse": MEMORY,
    "divide": r"crashed: it divided by zero \(SIGFPE\); ",
    "abort": r"crashed: it gave up \(SIGABRT\); ",
    "scratch-huge": r"crashed: it gave up \(SIGABRT\); ",
    "scratch-often": r"crashed: it gave up \(SIGABRT\); ",
    "exit": r"called exit\(\), which ends the program; return an error instead",
}


def rude(when, what, **rest):
    entry = {"plugin": "rude", "when": when, "what": what}
    return config([listener()], ["lines", entry, "echo"], plugin_path=PLUGINS, **rest)


def provoke(server):
    """One that comes, speaks and leaves: at one of these it happens. It may never
    be served: what crashes at each tick does so before."""
    with connect(server.address()) as client:
        try:
            client.send("x\n")
            client.end()
        except OSError:  # reset, or not connected any more
            pass
        server.err.wait(r'^playground: handler "rude" ')


class Rude(unittest.TestCase):
    def assert_serves(self, server):
        with connect(server.address()) as client:
            client.send("hello\n")
            self.assertEqual(client.line(), "hello")

    def assert_replaced(self, when, what, end):
        with Server(rude(when, what)) as server:
            before = server.children()
            provoke(server)
            server.err.wait(rf'^playground: handler "rude" {end}')
            server.err.wait(
                r"worker 0 \(pid \d+\) ended(: signal \d+, .*| with status \d+) "
                r'in handler "rude"'
            )
            if when == "recv":
                self.assert_serves(server)
                self.assertNotEqual(server.children(), before)

    def test_its_worker_is_replaced(self):
        for what, end in ENDS.items():
            with self.subTest(what):
                self.assert_replaced("recv", what, end)

    def test_wherever_it_happens(self):
        for when in ("open", "send", "end", "close", "tick"):
            with self.subTest(when):
                self.assert_replaced(when, "crash", MEMORY)

    def test_how_to_see_where(self):
        for arguments, advice in (
            ([], r"gdb --args playground run --single (\S+)$"),
            (["--single"], r"put `gdb --args` before the command$"),
        ):
            with Server(rude("recv", "crash"), *arguments) as server:
                provoke(server)
                found = server.err.wait(rf"{MEMORY}to see where: {advice}")
                if found.groups():
                    self.assertEqual(found[1], server.path)
                else:
                    server.wait()

    def test_alone_it_is_named_too(self):
        for what, end in ENDS.items():
            with self.subTest(what), Server(rude("recv", what), "--single") as server:
                provoke(server)
                self.assertNotEqual(server.wait(), 0)
                self.assertRegex(server.err.text(), rf'(?m)^playground: handler "rude" {end}')

    def test_the_clients_of_other_workers_stay(self):
        with Server(rude("recv", "crash", workers=2)) as server:
            members = [connect(server.address())]
            while len({self.worker(server, one) for one in members}) < 2:
                self.assertLess(len(members), 200, "one worker gets all clients")
                members.append(connect(server.address()))
            doomed = self.worker(server, members[0])
            members[0].send("x\n")
            server.err.wait(rf'\(pid {doomed}\) ended.* in handler "rude"')
            other = next(
                one for one in members if self.worker_or_none(server, one) not in (None, doomed)
            )
            other.send("hello\n")
            self.assertEqual(other.line(), "hello")
            for one in members:
                one.close()

    @staticmethod
    def worker(server, client):
        client.send("hello\n")
        client.line()
        return server.worker_of(client)

    @staticmethod
    def worker_or_none(server, client):
        try:
            return server.worker_of(client)
        except (AssertionError, OSError):
            return None


class Forking(unittest.TestCase):
    def test_a_child_that_goes_on_is_stopped_and_told(self):
        for arguments in ([], ["--single"]):
            with Server(rude("recv", "fork"), *arguments) as server:
                with connect(server.address()) as client:
                    client.send("x\n")
                    server.err.wait(
                        r'^playground: handler "rude" called fork\(\), and its child went on as '
                        r"if it was the server; let the child call _exit\(\) or execve\(\)"
                    )
                    client.send("hello\n")
                    client.end()
                    self.assertEqual(client.rest(), b"hello\n")
                self.assertNotIn("ended", server.err.text())

    def test_a_child_that_ends_harms_nobody(self):
        with Server(rude("recv", "fork-and-end")) as server:
            with connect(server.address()) as client:
                client.send("x\nhello\n")
                client.end()
                self.assertEqual(client.rest(), b"hello\n")
            server.stop()
            self.assertEqual(server.err.text(), "")


if __name__ == "__main__":
    unittest.main()
