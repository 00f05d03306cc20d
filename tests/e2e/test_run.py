"""`playground run` itself: starting, stopping, dying, and its options."""

import fcntl
import glob
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

from at_once import at_once
from server import (
    PATIENT,
    PLAYGROUND,
    SOURCE,
    TIMEOUT_S,
    Client,
    Server,
    chat,
    config,
    connect,
    deadline,
    echo,
    listener,
    member,
    run,
    udp_socket,
)

PROBE = os.path.join(os.environ["PLAYGROUND_BUILD"], "tests", "plugins")
CONFIGS = sorted(glob.glob(os.path.join(SOURCE, "config", "*.json")))


def is_simulated(path):
    with open(path, encoding="utf-8") as file:
        transports = json.load(file)["transports"]
    return "sim" in [one.get("plugin") for one in transports if isinstance(one, dict)]


def says_back(address, transport="tcp"):
    """One line and its echo."""
    if transport == "tcp":
        with connect(address) as client:
            client.send("hello\n")
            return client.line() == "hello"
    with udp_socket(address) as sock:
        sock.send(b"hello\n")
        return sock.recv(100) == b"hello\n"


class Ports(unittest.TestCase):
    def assert_refused(self, server, transport, workers):
        host, port = server.address(transport)
        what = config([{"plugin": transport, "host": host, "port": port}], ["echo"])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "second.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**what, "workers": workers}, file)
            for single in ([], ["--single"]):
                second = run("run", *single, path)
                self.assertEqual(second.returncode, 1)
                self.assertEqual(second.stdout, "")
                self.assertIn(f"port {port} is in use; stop the other", second.stderr)
                self.assertRegex(second.stderr, r"^\S*second\.json:\d+:\d+: ")

    def test_a_second_server_on_the_port_is_refused(self):
        for transport in ("tcp", "udp"):
            for workers in (1, 2):
                with Server(echo(transport, workers=workers)) as server:
                    self.assert_refused(server, transport, workers)
                    self.assertTrue(says_back(server.address(transport), transport))

    def test_a_port_somebody_else_uses_is_refused_too(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with Server(echo("tcp"), "--port", str(port), is_ready=False) as server:
                self.assertEqual(server.wait(), 1)
                self.assertIn(f"port {port} is in use", server.err.text())

    def test_the_port_is_free_again_at_once(self):
        with Server(echo("tcp")) as server:
            port = server.address()[1]
            client = connect(server.address())
            client.send("hello\n")
            client.line()
        with Server(echo("tcp"), "--port", str(port)) as server:
            self.assertTrue(says_back(("127.0.0.1", port)))
        client.close()

    def test_an_address_of_another_machine_is_refused(self):
        what = echo("tcp")
        what["transports"][0]["host"] = "203.0.113.77"
        with Server(what, is_ready=False) as server:
            self.assertEqual(server.wait(), 1)
            self.assertIn("203.0.113.77", server.err.text())
            self.assertIn("not an address of this machine", server.err.text())


    def test_what_the_command_line_says_has_no_place_in_the_file(self):
        for arguments, status in (
            (["--host", "203.0.113.77"], 1),
            (["--host", "300.1.1.1"], 2),
        ):
            for single in ([], ["--single"]):
                with Server(echo("tcp", "udp"), *arguments, *single, is_ready=False) as server:
                    self.assertEqual(server.wait(), status)
                    said = server.err.text()
                    self.assertIn(f"json: {arguments[0]} on the command line: ", said)
                    self.assertEqual(len(said.splitlines()), 1, said)


class Options(unittest.TestCase):
    def test_host_and_port_override_every_listener(self):
        transports = [
            {"plugin": "tcp", "host": "203.0.113.77", "port": 5000},
            {"plugin": "udp", "host": "203.0.113.77", "port": 5000},
        ]
        what = config(transports, ["echo"])
        with Server(what, "--host", "127.0.0.2", "--port", "0") as server:
            for transport in ("tcp", "udp"):
                host, port = server.address(transport)
                self.assertEqual(host, "127.0.0.2")
                self.assertNotIn(port, (0, 5000))
                self.assertTrue(says_back((host, port), transport))

    def test_single_is_one_process(self):
        with Server(chat("tcp", "udp", workers=2), "--single") as server:
            with member(server) as ana, member(server, "udp") as bob:
                ana.send("hello\n")
                self.assertEqual(bob.line_with("hello"), f"{ana.nick}: hello")
            self.assertEqual(server.children(), [])

    def test_workers_are_processes(self):
        for workers in (1, 3):
            with Server(echo("tcp", workers=workers)) as server:
                self.assertEqual(len(server.children()), workers)

    def test_a_wildcard_address_is_read_out(self):
        for host in ("0.0.0.0", "::"):
            with Server(chat("tcp", "udp"), "--host", host) as server:
                lines = server.out.lines
                self.assertEqual(lines[-1], "ready")
                for transport in ("tcp", "udp"):
                    port = server.address(transport)[1]
                    for address in self.own_addresses():
                        self.assertIn(
                            f"others: playground client {transport}://{address}:{port}",
                            lines,
                        )
                self.assertNotIn("127.0.0.1", server.out.text())

    def test_a_loopback_address_is_not(self):
        with Server(echo("tcp")) as server:
            self.assertNotIn("others:", server.out.text())

    @staticmethod
    def own_addresses():
        """The IPv4 address of each interface, see netdevice(7)."""
        get_address, get_flags, is_up, is_loopback = 0x8915, 0x8913, 1, 8
        found = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _, name in socket.if_nameindex():
                request = struct.pack("16s24x", name.encode())
                flags = fcntl.ioctl(sock, get_flags, request)
                if struct.unpack_from("=H", flags, 16)[0] & (is_up | is_loopback) != is_up:
                    continue
                try:
                    answer = fcntl.ioctl(sock, get_address, request)
                except OSError:  # it has none
                    continue
                found.append(socket.inet_ntoa(answer[20:24]))
        return found


class Stopping(unittest.TestCase):
    """SIGTERM and Ctrl-C: what is queued still goes to those who read."""

    # More than the kernel takes for a socket, less than session_queue_bytes.
    LINES, WIDTH = 10_000, 1000
    LIMITS = {
        "session_queue_bytes": 16 << 20,
        "queue_bytes_total": 64 << 20,
        "drain_ms": 800,
    }

    def queue_for_one(self, server):
        """A member for whom the server holds all that another one says: it
        has not read anything yet, and its socket takes little."""
        slow, ear, ana = connect_small(server.address()), member(server), member(server)
        slow.name()
        texts = [f"{i}-".ljust(self.WIDTH, "x") for i in range(self.LINES)]
        lines = [f"{ana.nick}: {text}" for text in texts]
        ana.send("\n".join(texts) + "\n")
        for expected in lines:  # who hears it last is in the same turn
            self.assertEqual(ear.line_with("xxx"), expected)
        return slow, ear, ana, lines

    def assert_delivers(self, stop, *arguments):
        what = chat("tcp", limits={**self.LIMITS, **PATIENT, "linger_ms": 60_000})
        with Server(what, *arguments) as server:
            slow, ear, ana, lines = self.queue_for_one(server)
            stop(server)
            got = slow.rest().decode().splitlines()
            self.assertEqual([line for line in got if "xxx" in line], lines)
            for one in (slow, ear, ana):
                one.close()
            self.assertEqual(server.process.wait(TIMEOUT_S), 0)

    def test_sigterm_delivers_what_is_queued(self):
        self.assert_delivers(lambda server: server.process.send_signal(signal.SIGTERM))

    def test_sigterm_delivers_what_is_queued_in_one_process(self):
        self.assert_delivers(
            lambda server: server.process.send_signal(signal.SIGTERM), "--single"
        )

    def test_ctrl_c_delivers_what_is_queued(self):
        # A terminal sends it to the whole process group, workers included.
        self.assert_delivers(lambda server: os.killpg(server.process.pid, signal.SIGINT))

    def test_ctrl_c_delivers_what_is_queued_in_one_process(self):
        self.assert_delivers(
            lambda server: os.killpg(server.process.pid, signal.SIGINT), "--single"
        )

    def test_one_that_dies_meanwhile_is_told(self):
        with Server(echo("tcp", workers=2)) as server:
            doomed = server.children()[0]
            os.kill(doomed, signal.SIGSTOP)
            server.process.send_signal(signal.SIGTERM)
            os.kill(doomed, signal.SIGKILL)
            self.assertEqual(server.process.wait(TIMEOUT_S), 0)
            server.err.wait(rf"\(pid {doomed}\) ended: signal 9, Killed; its clients are disconn")

    def test_what_was_read_is_dealt_with_first(self):
        # More than one turn's worth, in one read.
        count = 20_000
        with Server(chat("tcp", limits=PATIENT)) as server:
            ear, ana, *others = [member(server) for _ in range(20)]
            worker = server.worker_of(ana)
            os.kill(worker, signal.SIGSTOP)
            ana.send("x\n" * count)
            os.kill(worker, signal.SIGCONT)
            ear.line_with(": x")
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(1 + ear.rest().count(b": x\n"), count)
            for one in (ear, ana, *others):
                one.close()
            self.assertEqual(server.wait(), 0)

    def test_it_does_not_wait_for_those_who_do_not_read(self):
        with Server(chat("tcp", limits=self.LIMITS)) as server:
            slow, ear, ana, lines = self.queue_for_one(server)
            server.stop()
            self.assert_accounted(server, slow, lines)
            for client in (slow, ear, ana):
                client.close()

    def assert_accounted(self, server, slow, lines):
        """What the server says is missing, in its queue and its kernel's, is
        what the peer does not have."""
        missing = re.search(
            r"stopped with (\d+) bytes not delivered to 1 peer", server.err.text()
        )
        got = slow.buffer
        try:
            while part := slow.sock.recv(1 << 17):
                got += part
        except ConnectionResetError:
            pass  # but what its kernel had taken before could be read
        whole = re.sub(rb"^(.*joined\n)*", b"", got)
        self.assertEqual(len(whole) + int(missing[1]), sum(len(x) + 1 for x in lines))

    def test_outputs_that_are_stuck_do_not_hold_it_up(self):
        # Each has its own wait no longer: together they took so long that the
        # guard ended the worker.
        logs = [{"plugin": "log", "file": "/dev/full"} for _ in range(8)]
        what = config([listener()], [*logs, "lines", "chat-broadcast"], limits=self.LIMITS)
        with Server(what) as server:
            clients = self.queue_for_one(server)[:3]
            server.stop()
            # A worker that the guard had to end says no such thing.
            self.assertRegex(server.err.text(), r"\d+ log lines could not be written")
            for client in clients:
                client.close()

    @staticmethod
    def probe(**rest):
        return config([listener()], ["lines", "probe"], plugin_path=PROBE, **rest)

    @staticmethod
    def hang(server, client):
        """From now on a handler does not come back."""
        client.send("hang\n")
        server.err.wait("now it hangs$")

    def test_a_handler_that_hangs_is_named_and_ended(self):
        what = self.probe(limits={"drain_ms": 0})
        with Server(what) as server, connect(server.address()) as client:
            self.hang(server, client)
            server.err.wait(
                r'^worker 0 \(pid \d+\) does not come back from handler "probe"; '
                "until it does, all its clients wait$"
            )
            server.stop()
            self.assertIn(
                'does not stop: it hangs in handler "probe" and is killed', server.err.text()
            )

    def test_a_worker_that_hangs_ends_with_its_guard(self):
        what = self.probe(limits={"drain_ms": 0})
        with Server(what) as server, connect(server.address()) as client:
            self.hang(server, client)
            server.kill()
            self.assertTrue(client.is_ended())

    def test_a_closed_terminal_ends_it_in_one_process_too(self):
        for single in ([], ["--single"]):
            with Server(echo("tcp"), *single) as server:
                server.stop(signal.SIGHUP)

    def test_clients_see_an_orderly_end(self):
        with Server(chat("tcp", "udp", limits=PATIENT)) as server:
            with member(server) as ana, member(server, "udp"):
                server.process.send_signal(signal.SIGTERM)
                ana.rest()  # an end, not a reset
                self.assertEqual(server.process.wait(TIMEOUT_S), 0)

    def test_workers_end_with_their_guard(self):
        with Server(echo("tcp", workers=2)) as server, connect(server.address()) as client:
            client.send("hello\n")
            client.line()
            server.kill()
            self.assertTrue(client.is_ended())
            self.assertTrue(self.is_closed(server.address()))

    @staticmethod
    def is_closed(address):
        """Nobody listens any more; a moment before the last worker may."""
        check = deadline()
        while True:
            try:
                with connect(address) as client:
                    client.send("hello\n")
                    client.is_ended()
            except ConnectionRefusedError:
                return True
            except ConnectionError:
                pass
            check("the port is closed")


def connect_small(address):
    """A connection whose receive buffer takes little: what is sent to it
    stays in the server."""
    client = Client(socket.socket())
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.connect(address)
    return client


class Dying(unittest.TestCase):
    def test_new_clients_are_served_after_both_workers_are_killed(self):
        with Server(chat("tcp", "udp", workers=2)) as server:
            for number, pid in enumerate(server.children()):
                os.kill(pid, signal.SIGKILL)
                server.err.wait(rf"worker \d+ \(pid {pid}\) ended: signal 9", 1)
                members = [member(server) for _ in range(20)]
                members += [member(server, "udp") for _ in range(5)]
                members[0].send(f"after {number}\n")
                for one in members[1:]:
                    self.assertEqual(
                        one.line_with("after"), f"{members[0].nick}: after {number}"
                    )
                for one in members:
                    one.close()
            self.assertEqual(len(server.children()), 2)

    def test_one_that_leaves_a_writer_behind(self):
        # As a handler's child that goes on printing: its pipe is never empty.
        with Server(echo("tcp")) as server:
            (doomed,) = server.children()
            with open(f"/proc/{doomed}/fd/1", "wb") as pipe:
                left = [
                    subprocess.Popen(["yes"], stdout=pipe, stderr=subprocess.DEVNULL)
                    for _ in range(3)
                ]
            os.kill(doomed, signal.SIGKILL)
            try:
                for process in left:
                    process.wait(TIMEOUT_S)
            finally:
                for process in left:
                    process.kill()
                    process.wait()
            self.assertTrue(says_back(server.address()))

    def test_one_that_cannot_be_replaced_yet_ends_nobody(self):
        what = resource.RLIMIT_NOFILE
        with Server(chat("tcp", workers=2)) as server:
            members = [member(server)]
            doomed = server.worker_of(members[0])
            self.join_until(server, members, lambda pid: pid != doomed)
            before = resource.prlimit(server.process.pid, what)
            resource.prlimit(server.process.pid, what, (3, before[1]))
            os.kill(doomed, signal.SIGKILL)
            server.err.wait("cannot start: Too many open files; it is tried again")
            members[-1].send("/who\n")
            members[-1].line_with(members[-1].nick)
            resource.prlimit(server.process.pid, what, before)
            other = server.worker_of(members[-1])
            members += self.join_until(server, [], lambda pid: pid != other)
            for one in members:
                one.close()

    def test_clients_of_the_other_worker_stay(self):
        with Server(chat("tcp", workers=2)) as server:
            members = [member(server)]
            doomed = server.worker_of(members[0])
            self.join_until(server, members, lambda pid: pid != doomed)
            survivor = members.pop()
            other = server.worker_of(survivor)
            members[0].send("/nick phoenix\n")
            survivor.line_with("is now phoenix")

            os.kill(doomed, signal.SIGKILL)

            for one in members:
                self.assertTrue(one.is_ended())
                one.close()
            server.err.wait(rf"pid {doomed}\) ended")
            newcomers = self.join_until(server, [], lambda pid: pid != other)
            newcomers[-1].send("anybody there?\n")
            self.assertIn("anybody", survivor.line_with("anybody"))
            survivor.send("yes\n")
            self.assertIn("yes", newcomers[-1].line_with("yes"))
            # The names of those who are gone can be had again.
            survivor.send("/nick phoenix\n")
            survivor.line_with("you are now phoenix")
            for one in (survivor, *newcomers):
                one.close()

    def test_one_that_does_not_come_back_holds_up_nobody(self):
        with tempfile.TemporaryDirectory() as folder:
            log = {"plugin": "log", "file": os.path.join(folder, "there", "log")}
            os.mkdir(os.path.dirname(log["file"]))
            what = config([listener()], ["lines", log, "chat-broadcast"], workers=2)
            with Server(what) as server:
                members = [member(server)]
                doomed = server.worker_of(members[0])
                self.join_until(server, members, lambda pid: pid != doomed)
                survivor = members.pop()
                os.rename(os.path.dirname(log["file"]), os.path.join(folder, "gone"))
                os.kill(doomed, signal.SIGKILL)
                server.err.wait("ended with status", 2)  # twice it cannot start
                line = b"x" * 1000 + b"\n"
                survivor.sock.settimeout(TIMEOUT_S)
                for _ in range(200):  # more than a ring and both buffers hold
                    survivor.sock.sendall(line * 100)
                survivor.close()
                for one in members:
                    one.close()

    def test_what_was_said_before_the_end_is_delivered_by_all(self):
        with Server(chat("tcp", workers=2, limits=PATIENT)) as server:
            members = [member(server)]
            late = server.worker_of(members[0])
            self.join_until(server, members, lambda pid: pid != late)
            sender, hearer = members[-1], members[0]
            witness = members[-1]
            while witness is sender or server.worker_of(witness) == late:
                members.append(witness := member(server))
            sender.line_with(witness.nick)
            os.kill(late, signal.SIGSTOP)
            for number in range(600):
                sender.send(f"{number:06}{'x' * 1000}\n")
            for _ in range(600):
                witness.line_with("x" * 1000)
            server.process.send_signal(signal.SIGTERM)
            self.assertTrue(sender.is_ended())
            os.kill(late, signal.SIGCONT)
            self.assertEqual(hearer.rest().count(b"x" * 1000), 600)
            self.assertEqual(server.wait(), 0)
            for one in members:
                one.close()

    def join_until(self, server, members, is_wanted):
        """Members join until one is on a worker of this kind: the last."""
        while not members or not is_wanted(server.worker_of(members[-1])):
            self.assertLess(len(members), 200, "one worker gets all clients")
            members.append(member(server))
        return members


def children_in(path):
    with open(path, encoding="ascii") as file:
        return file.read().split()


class Descriptors(unittest.TestCase):
    """A server goes on without those that it was not given, or lost."""

    def assert_serves(self, redirection, **streams):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "playground.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**chat("tcp"), "workers": 2}, file)
            command = f'exec "$0" run "$1" {redirection}'
            process = subprocess.Popen(
                ["sh", "-c", command, PLAYGROUND, path],
                stdout=subprocess.PIPE,
                text=True,
                **streams,
            )
            with process:
                port = int(process.stdout.readline().split(":")[1])
                self.assertEqual(process.stdout.readline(), "ready\n")
                self.kill_one_worker(process)
                with connect(("127.0.0.1", port)) as client:
                    client.name()
                process.terminate()
                self.assertEqual(process.wait(TIMEOUT_S), 0)

    @staticmethod
    def kill_one_worker(process):
        """The guard has to say so, and does before it starts another one."""
        path = f"/proc/{process.pid}/task/{process.pid}/children"
        before = children = children_in(path)
        os.kill(int(before[0]), signal.SIGKILL)
        check = deadline()
        while len(children) < 2 or children == before:
            children = children_in(path)
            check("a new worker")

    def test_closed_ones(self):
        self.assert_serves("<&- 2>&-")

    def test_a_terminal_that_is_stopped(self):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.write(writer, b"x" * fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ))
        try:
            self.assert_serves("", stderr=writer)
        finally:
            os.close(reader)
            os.close(writer)

    def test_too_few_for_the_workers(self):
        what = config([listener(), listener("udp")] * 2, ["echo"], workers=8)
        for limit in range(30, 48, 2):
            with self.subTest(limit), Server(
                what, soft_files=limit, hard_files=limit, is_ready=False
            ) as server:
                if server.out.comes("^ready$", TIMEOUT_S):
                    server.stop()
                else:
                    self.assertTrue(server.out.is_ended)
                    self.assertEqual(server.wait(), 1)

    def test_a_report_is_asked_for_while_it_starts(self):
        with Server(echo("tcp", workers=4), is_ready=False) as server:
            check = deadline()
            while not server.children():
                check("the first worker")
            while "ready" not in server.out.lines:
                server.process.send_signal(signal.SIGUSR1)
                check("ready")

    def test_nobody_reads_what_goes_wrong(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            self.assert_serves("", stderr=writer)
        finally:
            os.close(writer)


class Overruns(unittest.TestCase):
    """A handler's state that is larger than its .session_size."""

    def test_it_is_named_once_and_its_session_ends(self):
        what = config([listener()], ["lines", "large"], plugin_path=PROBE)
        with Server(what) as server, connect(server.address()) as other:
            for place in ("13", "20", "15"):
                with connect(server.address()) as client:
                    client.send("write 12\nwrite 0\n")
                    self.assertEqual([client.line(), client.line()], ["written"] * 2)
                    client.send(f"write {place}\n")
                    self.assertTrue(client.is_ended())
            other.send("write 1\n")
            self.assertEqual(other.line(), "written")
            server.stop()
            self.assertEqual(
                server.err.text().count("large: writes behind the end of its state of 13 bytes"), 1
            )


class OtherThreads(unittest.TestCase):
    def test_what_they_post_runs_on_the_worker(self):
        what = config([listener()], ["lines", "probe"], plugin_path=PROBE)
        with Server(what) as server, connect(server.address()) as client:
            client.send("post 50\n")
            posted = {client.line() for _ in range(50)}
            self.assertEqual(posted, {f"posted {i}" for i in range(50)})
            client.send("post 200\n")  # and ends while some are on their way


class Configs(unittest.TestCase):
    """Every file of config/ runs as it is, and does what it is there for."""

    def test_there_are_some(self):
        names = {os.path.basename(path) for path in CONFIGS}
        self.assertLessEqual({"lecture.json", "echo.json", "chat.json", "length.json"}, names)

    def test_every_config_is_served_as_it_is(self):
        for path in CONFIGS:
            if is_simulated(path):
                continue
            with self.subTest(path), Server(path, "--port", "0") as server:
                self.assertIn("listening ", server.out.text())
                for address in server.addresses("tcp"):
                    with connect(address) as client:
                        client.send("hello\n")
                        client.end()
                        client.rest()
                for address in server.addresses("udp"):
                    with udp_socket(address) as sock:
                        sock.send(b"hello\n")
                server.stop()  # with status 0

    def test_every_simulation_runs_to_its_end(self):
        simulations = [path for path in CONFIGS if is_simulated(path)]
        self.assertTrue(simulations)
        for path in simulations:
            done = run("run", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"\nsimulated \d+\.\d{3} s\n$")

    def test_every_config_passes_check(self):
        for path in CONFIGS:
            checked = run("check", path)
            self.assertEqual(checked.stdout, f"{path}: ok\n", checked.stderr)
            self.assertEqual(checked.returncode, 0)

    @staticmethod
    def serve(name, transport=None):
        """A config on free ports, with its first transport swapped."""
        with open(os.path.join(SOURCE, "config", name), encoding="utf-8") as file:
            text = file.read()
        if transport:
            text = text.replace('"tcp"', f'"{transport}"', 1)
        return Server(text, "--port", "0", is_text=True)

    def test_lecture_merges_what_tcp_has_merged(self):
        with self.serve("lecture.json") as server, connect(server.address()) as client:
            client.send("Mensagem 1Mensagem 2")  # two send() may arrive so
            client.end()
            self.assertEqual(client.rest(), b"")
            server.err.wait("said 20 bytes: Mensagem 1Mensagem 2")
            server.err.wait(" left: ")

    def test_lecture_over_udp_keeps_messages_apart(self):
        with self.serve("lecture.json", "udp") as server:
            with udp_socket(server.address("udp")) as sock:
                sock.send(b"Mensagem 1")
                sock.send(b"Mensagem 2")
            server.err.wait("said 10 bytes: Mensagem 1$")
            server.err.wait("said 10 bytes: Mensagem 2$")

    def test_length_answers_whole_messages(self):
        message = b"\x01\x00\x02\x00\x00\x00\x05hello"
        with self.serve("length.json") as server, connect(server.address()) as client:
            client.send(message[:9])
            client.send(message[9:] + message)
            self.assertEqual(client.exactly(2 * len(message)), 2 * message)
        with self.serve("length.json", "udp") as server:
            with udp_socket(server.address("udp")) as sock:
                sock.send(message)
                self.assertEqual(sock.recv(100), message)

    def test_one_word_makes_the_echo_udp(self):
        answers = []
        for transport in ("tcp", "udp"):
            with self.serve("echo.json", transport) as server:
                answers.append(self.answers(server.address(transport), transport))
        self.assertEqual(answers[0], answers[1])

    @staticmethod
    def answers(address, transport):
        """What comes back for each of some lines, as bytes."""
        lines = [b"um\n", b"dois\n", b"\n", b"tr\xc3\xaas\n", b"x" * 1000 + b"\n"]
        got = []
        sock = socket.create_connection(address) if transport == "tcp" else udp_socket(address)
        with sock:
            sock.settimeout(TIMEOUT_S)
            for line in lines:
                sock.sendall(line)
                answer = b""
                while len(answer) < len(line):
                    answer += sock.recv(70_000)
                got.append(answer)
        return got


class BrokenConfigs(unittest.TestCase):
    def test_run_and_check_refuse_alike(self):
        broken = {
            "syntax": '{ "transports": ["tcp"],\n  "handlers": ["echo"],\n}',
            "meaning": '{ "transports": ["tcp"],\n  "handlers": ["eco"] }',
            "types": '{ "transports": ["tcp"],\n  "handlers": ["chat-broadcast"] }',
            "option": '{ "transports": [{ "plugin": "tcp",\n "port": 70000 }],\n "handlers": [] }',
            "address": '{ "transports": [{ "plugin": "tcp",\n "host": "1.2.3" }],\n'
            ' "handlers": ["echo"] }',
        }
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "broken.json")
            for name, text in broken.items():
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                with self.subTest(name):
                    self.assert_refused(path)

    def assert_refused(self, path):
        checked = run("check", path)
        for command in (["run"], ["run", "--single"]):
            served = run(*command, path)
            self.assertEqual((served.returncode, served.stdout), (2, ""))
            self.assertEqual(served.stderr, checked.stderr)
        self.assertEqual(checked.returncode, 2)
        self.assertRegex(checked.stderr, r"^\S*broken\.json:[23]:\d+: .+; ")

    def test_check_tells_programs_too(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "broken.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write('{ "transports": ["tcp"],\n  "handlers": ["eco"] }')
            checked = run("check", "--json", path)
        self.assertEqual((checked.returncode, checked.stderr), (2, ""))
        told = json.loads(checked.stdout)
        self.assertEqual((told["file"], told["ok"]), (path, False))
        (problem,) = told["problems"]
        text = problem.pop("text")
        self.assertEqual(problem, {"line": 2, "column": 16, "warning": False})
        self.assertIn('did you mean "echo"?', text)
        told = json.loads(run("check", CONFIGS[0], "--json").stdout)
        self.assertEqual(told, {"file": CONFIGS[0], "ok": True, "problems": []})

    def test_a_config_that_is_not_there(self):
        for command in (["check"], ["run"], ["run", "--single"]):
            refused = run(*command, "/nonexistent/playground.json")
            self.assertEqual(refused.returncode, 2)
            self.assertIn("/nonexistent/playground.json", refused.stderr)

    def test_without_an_argument_it_takes_playground_json(self):
        with tempfile.TemporaryDirectory() as folder:
            refused = run("run", cwd=folder)
            self.assertEqual(refused.returncode, 2)
            self.assertEqual(
                refused.stderr,
                "playground run: no CONFIG is given, and the default, ./playground.json, is not "
                "there; write for example `playground run config/chat.json`\n",
            )

    def test_an_option_that_swallowed_the_config(self):
        for words, says in (
            (["--port", CONFIGS[0]], f'--port takes a whole number from 0 to 65535, not "{CONFIGS[0]}"; '),
            (["--port", "seven", CONFIGS[0]], '--port takes a whole number from 0 to 65535, not "seven"; '),
            (["--port", "65536", CONFIGS[0]], "--port takes a whole number from 0 to 65535, not "),
            (["--port="], '--port takes a whole number from 0 to 65535, not ""; '),
            (["--port"], "--port needs a value; write for example --port 5001"),
            (["--host", "mine.json"], '--host takes an address, not "mine.json"; '),
            (["--host"], "--host needs a value; write for example --host 0.0.0.0"),
        ):
            with self.subTest(words):
                refused = run("run", *words)
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertTrue(refused.stderr.startswith("playground run: "), refused.stderr)
                self.assertIn(says, refused.stderr)
                self.assertEqual(refused.stderr.count("\n"), 1)

    def test_a_port_for_nobody(self):
        path = os.path.join(SOURCE, "config", "sim.json")
        for single in ([], ["--single"]):
            for name, value in (("port", "5"), ("host", "127.0.0.1")):
                refused = run("run", f"--{name}", value, *single, path)
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertEqual(
                    refused.stderr,
                    f"{path}: --{name} on the command line: nothing in this config has a {name}; "
                    "leave it out\n",
                )

    def test_each_command_has_help(self):
        for command in ("run", "check", "plugins", "client", "build", "compare", "wire"):
            with self.subTest(command):
                helped = run(command, "--help")
                self.assertEqual((helped.returncode, helped.stderr), (0, ""))
                self.assertTrue(helped.stdout.startswith(f"usage: playground {command} "))
                self.assertRegex(helped.stdout, r"\n  --help +this text\n")
                self.assertLessEqual(max(map(len, helped.stdout.splitlines())), 79)

    def test_a_command_that_there_is_not(self):
        meant = {"comapre": "compare", "cleint": "client", "plugin": "plugins", "chekc": "check"}
        for word, command in meant.items():
            refused = run(word)
            self.assertEqual((refused.returncode, refused.stdout), (2, ""))
            self.assertEqual(
                refused.stderr,
                f'playground: there is no command "{word}"; did you mean `playground {command}`?\n',
            )
        self.assertIn("`playground --help` lists them\n", run("xyz").stderr)

    def test_an_option_that_nobody_has(self):
        refusals = {
            ("run", "--prot", "5001"): "unknown option --prot; did you mean --port?",
            ("run", "--prot=5001"): "unknown option --prot; did you mean --port?",
            ("run", "--single=1"): "--single takes no value; delete the = and what follows",
            ("check", "--jsno"): "unknown option --jsno; did you mean --json?",
            ("plugins", "--shema"): "unknown option --shema; did you mean --schema?",
            ("client", "--hexx"): "unknown option --hexx; did you mean --hex?",
            ("wire", "--loss"): "--loss needs a value; write for example --loss 1%",
            ("wire", "--seeed"): "unknown option --seeed; did you mean --seed?",
            ("compare", "--jsn"): "unknown option --jsn; did you mean --json?",
            ("check", "--json", "-xy"): "unknown option -xy; `playground check --help` lists them",
        }
        for words, says in refusals.items():
            with self.subTest(words):
                refused = run(*words)
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertEqual(refused.stderr, f"playground {words[0]}: {says}\n")


load_tests = at_once(4, sanitized=25)

if __name__ == "__main__":
    unittest.main()
