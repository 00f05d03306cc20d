"""The servers that are measured: how each is started, and ended in any case."""

import contextlib
import ctypes
import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
READY_S = 20
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Failed(Exception):
    """A server or the load did not do what it should; the text says what."""


class Builds:
    """Where the programs are, and a folder for what they need."""

    def __init__(self, build):
        self.playground = os.path.join(build, "bin", "playground")
        self.bench = os.path.join(build, "tools", "bench")
        self.folder = tempfile.mkdtemp(prefix="playground-bench-")

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def tree(pid):
    """A process and all that it started and they started."""
    found = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            for child in file.read().split():
                found += tree(int(child))
    return found


def free_port():
    """For programs that do not say which port they took."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# ---- what there is -----------------------------------------------------------


class Reference:
    """A bare server from reference/. `name` is its name in the tables."""

    kind = "reference"
    framing = "lines"
    has_calls = True

    def __init__(self, name, program, *arguments):
        self.name = name
        self.program = program
        self.arguments = arguments
        self.has_instructions = not program.endswith(".py")

    def is_installed(self):
        return True

    def command(self, builds):
        is_c = self.has_instructions
        folder = builds.bench if is_c else os.path.join(HERE, "reference")
        return [os.path.join(folder, self.program), *self.arguments], None


class Playground:
    """`playground run` on a config made here. valgrind cannot follow the guard
    into the worker, which is started as /proc/self/exe; what the worker does
    with a message is the same with --single."""

    kind = "playground"
    framing = "lines"
    has_calls = True

    def __init__(self, name, transport, handlers, *arguments, **rest):
        self.name = name
        self.arguments = arguments
        self.has_instructions = "--single" in arguments
        self.config = {
            "transports": [{"plugin": transport, "port": 0}],
            "handlers": handlers,
            "limits": {"max_sessions": 20000},
            **rest,
        }

    def is_installed(self):
        return True

    def command(self, builds):
        config = {**self.config, "plugin_path": [builds.bench]}
        path = builds.file("playground.json", json.dumps(config))
        return [builds.playground, "run", *self.arguments, path], None


class Peer:
    """An installed program, given a free port. `files` are written first;
    {port} and {NAME} (the path of a file) are filled in. Those that make a process
    for each client would take minutes under strace."""

    kind = "peer"
    has_instructions = False

    def __init__(self, name, *command, framing="lines", files=(), has_calls=True):
        self.name = name
        self.words = command
        self.framing = framing
        self.files = dict(files)
        self.has_calls = has_calls

    def _program(self):
        return shutil.which(self.words[0], path=os.environ["PATH"] + ":/usr/sbin")

    def is_installed(self):
        return self._program() is not None

    def command(self, builds):
        port = free_port()
        names = {
            name: builds.file(name, text.format(port=port))
            for name, text in self.files.items()
        }
        words = [word.format(port=port, **names) for word in self.words[1:]]
        return [self._program(), *words], port


# ---- one that runs -----------------------------------------------------------


def pinned(cpus):
    """In the child: it is pinned, and ends when this program does."""

    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cpus)

    return prepare


def _read_ready(process):
    """The port that it says it listens on."""
    limit = time.monotonic() + READY_S
    text = ""
    while not re.search(r"^ready$", text, re.MULTILINE):
        left = limit - time.monotonic()
        if left < 0 or not select.select([process.stdout], [], [], left)[0]:
            raise Failed(f"not ready in {READY_S} s")
        more = os.read(process.stdout.fileno(), 4096)
        if not more:
            raise Failed("ended before it was ready")
        text += more.decode()
    return int(re.search(r"^listening \S+ .*:(\d+)$", text, re.MULTILINE)[1])


def _wait_port(process, port):
    limit = time.monotonic() + READY_S
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.01)
    raise Failed(f"no answer at port {port}")


def _end(process, pid):
    """Orderly, so that what counts may write its result; else with SIGKILL.
    Whatever it started ends with it: it has a session of its own."""
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


@contextlib.contextmanager
def running(server, builds, cpus, under=(), is_child=False):
    """Starts it, under another program if need be, whose child it then is or
    whose place it takes. Yields (pid, port)."""
    command, port = server.command(builds)
    with open(os.path.join(builds.folder, "stderr"), "w+b") as errors:
        process = subprocess.Popen(
            [*under, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if port else subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            preexec_fn=pinned(cpus),
        )
        pid = process.pid
        try:
            if port:
                process.stdout = open(os.devnull, "rb")
                _wait_port(process, port)
            else:
                port = _read_ready(process)
            if is_child:
                pid = tree(pid)[1]
            yield pid, port
        except Failed as error:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise Failed(f"{error}; it said: {' / '.join(said[-3:])}" if said
                         else str(error)) from None
        finally:
            _end(process, pid)


def load(builds, cpus, port, mode, arguments, limit_s):
    """Runs the load; what it reports."""
    done = subprocess.run(
        [os.path.join(builds.bench, "load"), mode, "--port", str(port), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
        preexec_fn=pinned(cpus),
    )
    if done.returncode:
        raise Failed(done.stderr.strip().removeprefix("load: ") or
                     f"the load ended with status {done.returncode}")
    return json.loads(done.stdout)
