"""Real protocols: the handlers of tests/protocols, built outside the tree, and
what the tests of each need to drive them by clients that others wrote."""

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading

from server import SOURCE, TIMEOUT_S, Client, Server, connect, run

FOLDER = os.path.join(SOURCE, "tests", "protocols")
NAMES = ("dns", "http", "irc", "resp")
SMALL = {"session_queue_bytes": 133_120}  # the least that a frame asks for
BYTE_BY_BYTE = {"plugin": "impair", "direction": "in", "cut_percent": 100}
built = tempfile.mkdtemp(prefix="playground-protocols-")
atexit.register(shutil.rmtree, built)


def build(*names):
    """Without a word of the compiler."""
    for name in names:
        for end in ("c", "json"):
            shutil.copy(os.path.join(FOLDER, f"{name}.{end}"), built)
        done = run("build", os.path.join(built, f"{name}.c"))
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


def shipped(name):
    with open(os.path.join(FOLDER, f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def serve(name, before=(), **rest):
    """The config that is shipped, on free ports."""
    what = {**shipped(name), "plugin_path": built, **rest}
    for transport in what["transports"]:
        transport["port"] = 0
    what["handlers"] = [*before, *what["handlers"]]
    return Server(what)


def program(*words, **options):
    """What a client says, who has to end well."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S,
                          check=False, **options)
    if done.returncode:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def round_trip(client, ask, answer):
    client.send(ask)
    heard = client.exactly(len(answer))
    assert heard == answer, heard


def send_until_stopped(client, data, witness):
    """Sends what the server takes and reads nothing; `witness()` comes and goes
    in between. Returns the rest once a visit has made no more room."""
    left, moved = memoryview(data), True
    client.sock.setblocking(False)
    while left and moved:
        moved = False
        with contextlib.suppress(BlockingIOError):
            while left:
                left = left[client.sock.send(left[:1 << 16]):]
                moved = True
        for _ in range(20):
            witness()
    client.sock.settimeout(TIMEOUT_S)
    return left


def reads_late(client, data, witness):
    """Sends all of it, and begins to read when nothing more is taken."""
    left = send_until_stopped(client, data, witness)
    sender = threading.Thread(target=lambda: (client.sock.sendall(left), client.end()))
    sender.start()
    heard = client.rest()
    sender.join()
    return heard


def slow_client(address):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(TIMEOUT_S)
    sock.connect(address)
    return Client(sock)
