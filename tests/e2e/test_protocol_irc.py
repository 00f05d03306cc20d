"""The IRC server: ii over two workers, and a talk in all its words."""

import contextlib
import os
import socket
import subprocess
import unittest

from protocols import BYTE_BY_BYTE, NAMES, build, serve
from server import TIMEOUT_S, connect, deadline


def setUpModule():
    build("irc")


class Ends:
    """The two ends of another process's one connection over IPv4."""

    def __init__(self, pid):
        links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
        inodes = {link[8:-1] for link in links if link.startswith("socket:")}
        with open("/proc/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file]
        (self.row,) = [row for row in rows if row[9] in inodes]
        self.sock = self

    def end(self, text):
        address, port = text.split(":")
        return socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)

    def getsockname(self):
        return self.end(self.row[1])

    def getpeername(self):
        return self.end(self.row[2])


class Ii:
    """The client ii, which is files: `in`, to write to, and `out`."""

    def __init__(self, server, nick):
        self.folder = os.path.join(server.folder, nick)
        self.process = subprocess.Popen(
            ["ii", "-s", "127.0.0.1", "-p", str(server.address()[1]), "-i", self.folder, "-n", nick],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.folder = os.path.join(self.folder, "127.0.0.1")
        self.hears("Welcome")
        self.worker = server.worker_of(Ends(self.process.pid))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def hears(self, text, *channel):
        check = deadline()
        while True:
            with contextlib.suppress(FileNotFoundError):
                with open(self.path(*channel, "out"), encoding="utf-8") as file:
                    if text in file.read():
                        return
            check(f"{text!r} in {self.folder}")
            os.sched_yield()

    def says(self, text, *channel):
        with open(self.path(*channel, "in"), "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def join(self, channel):
        self.says(f"/j {channel}")
        self.hears("End of NAMES")

    def stop(self):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)


def logged_in(server, nick):
    client = connect(server.address())
    client.send(f"NICK {nick}\r\nUSER u 0 * :{nick}\r\n")
    client.line_with(" 001 ")
    return client


class Irc(unittest.TestCase):
    def test_two_ii_in_one_channel_over_two_workers(self):
        with serve("irc") as server, contextlib.ExitStack() as stack:
            found = {}
            for number in range(100):
                one = Ii(server, f"ana{number}")
                stack.callback(one.stop)
                found.setdefault(one.worker, one)
                if len(found) == 2:
                    break
            ana, bob = found.values()
            for one in (ana, bob):
                one.join("#sala")
            ana.says("ola a todos", "#sala")
            bob.hears("ola a todos", "#sala")
            bob.says("e voce?", "#sala")
            ana.hears("e voce?", "#sala")

    def test_a_talk(self):
        talk = [
            ("JOIN #a", "451 * :You have not registered"),
            ("NICK", "431 * :is empty"),
            ("NICK !", "432 * ! :"),
            ("NICK Ana", "433 * Ana :Nickname is already in use"),
            ("USER a", "461 * USER :Not enough parameters"),
            ("nick Eva", None),
            ("USER a b c :d e", "001 Eva :Welcome"),
            ("USER a b c d", "462 Eva :"),
            ("JOIN a", "403 Eva a :"),
            ("PRIVMSG #no :x", "403 Eva #no :"),
            ("PRIVMSG no :x", "401 Eva no :"),
            ("PART #no", "442 Eva #no :"),
            ("FOO", "421 Eva FOO :Unknown command"),
            ("PING :a b", "PONG Eva :a b"),
            ("NAMES #sala", "353 Eva = #sala :ana"),
            ("", "366 Eva #sala :End of NAMES"),
            (":x join #sala", ":Eva!u@irc JOIN #sala"),
        ]
        for before in ((), [BYTE_BY_BYTE]):
            with serve("irc", before) as server, logged_in(server, "ana") as ana:
                ana.send("JOIN #sala\r\n")
                ana.line_with(" 366 ")
                with connect(server.address()) as client:
                    for said, heard in talk:
                        client.send(said + "\r\n")
                        if heard:
                            self.assertIn(heard, client.line())
                    client.line_with(" 366 ")
                    self.assertEqual(ana.line(), ":Eva!u@irc JOIN #sala\r")
                    client.send("PRIVMSG ANA :so\rQUIT\r\nPRIVMSG #sala :oi\r\nNICK Iva\r\n")
                    client.line_with(":Eva!u@irc NICK Iva")
                    ana.send("PRIVMSG iva :" + "x" * 495 + "\r\n")
                    self.assertEqual(len(client.line()), 511)
                    client.send("PART #sala :fui\r\nJOIN #sala\r\nQUIT :ate logo\r\n")
                    client.rest()
                for heard in ("Eva!u@irc PRIVMSG ANA :so", "Eva!u@irc PRIVMSG #sala :oi",
                              "Eva!u@irc NICK Iva", "Iva!u@irc PART #sala :fui",
                              "Iva!u@irc JOIN #sala", "Iva!u@irc QUIT :ate logo"):
                    self.assertEqual(ana.line(), f":{heard}\r")


if __name__ == "__main__":
    unittest.main()
