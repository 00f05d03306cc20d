"""The transport `sim`: clients on a virtual clock. The same seed gives the
same output, to the byte, in every build and on every machine."""

import json
import math
import os
import re
import subprocess
import tempfile
import unittest
import unittest.mock

from server import PLAYGROUND, SOURCE, config, run, sampled

FIXTURES = os.path.join(SOURCE, "tests", "fixtures", "sim")
MOST_S = 600  # ten times what the longest takes with sanitizers
ROW = re.compile(r"^to the (server|clients)" + 6 * r" +(\d+)" + "$", re.M)


def sim(**options):
    return {"plugin": "sim", **options}


def simulated(what, *arguments, folder=None):
    """The finished process; its output is bytes."""
    with tempfile.TemporaryDirectory() as own:
        path = os.path.join(folder or own, "playground.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(what, file)
        return subprocess.run(
            [PLAYGROUND, "run", *arguments, path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MOST_S,
            check=False,
        )


def output(what, *arguments):
    done = simulated(what, *arguments)
    if done.returncode:
        raise AssertionError(f"status {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def counts(out):
    """The summary: by side, what was sent, lost, ..."""
    names = ("sent", "lost", "dropped", "doubled", "arrived", "on_the_way")
    return {
        match[1]: dict(zip(names, map(int, match.groups()[1:])))
        for match in ROW.finditer(out.decode())
    }


def counter(out, owner, name):
    match = re.search(rf"^{owner}: {name}: (\d+)$", out.decode(), re.M)
    return int(match[1]) if match else 0


class Repeats(unittest.TestCase):
    def test_the_output_is_the_one_it_always_was(self):
        for name in ("records", "stream"):
            path = os.path.join(FIXTURES, name)
            with open(path + ".out", "rb") as file:
                wanted = file.read().decode()
            for single in ([], ["--single"]):
                done = run("run", *single, path + ".json")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout, wanted)

    def test_a_seed_repeats_and_another_differs(self):
        for kind, loss in (("records", {"loss_percent": 5}), ("stream", {})):
            outputs = [
                output(
                    config(
                        [
                            sim(
                                provides=kind,
                                clients=50,
                                messages=5,
                                jitter_ms=30,
                                seed=seed,
                                trace="-",
                                **loss,
                            )
                        ],
                        ["lines", "chat-broadcast"],
                    )
                )
                for seed in (1, 1, 2)
            ]
            self.assertGreater(len(outputs[0]), 100_000)
            self.assertEqual(outputs[0], outputs[1])
            self.assertNotEqual(outputs[0], outputs[2])

    def log(self, kind, form, seed, zone):
        """What `log` writes into a file, on a machine of this time zone."""
        what = sim(provides=kind, clients=20, messages=5, jitter_ms=3_600_000, seed=seed)
        log = {"plugin": "log", "format": form, "file": "log.txt", "send": True}
        with tempfile.TemporaryDirectory() as folder:
            with unittest.mock.patch.dict(os.environ, TZ=zone):
                done = simulated(config([what], ["lines", log, "chat-broadcast"]), folder=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(folder, "log.txt"), "rb") as file:
                return file.read()

    def test_a_log_repeats_to_the_byte_at_every_time_of_day(self):
        for kind in ("records", "stream"):
            for form, first in (
                ("text", rb"00:00:0\d sim client \d+ came\n"),
                ("json", rb'{"time":"2000-01-01T00:00:0\d\.\d{3}Z","event":"open",'),
            ):
                log = self.log(kind, form, 1, "UTC0")
                self.assertRegex(log, b"^" + first)
                self.assertTrue(re.search(rb"00:[1-5]\d:\d\d", log), "minutes pass")
                self.assertTrue(log == self.log(kind, form, 1, "NPT-5:45"), "it differs")
                self.assertFalse(log == self.log(kind, form, 2, "UTC0"), "it is the same")

    def test_two_transports_share_the_chain(self):
        transports = [
            sim(clients=2, messages=2, name="udps"),
            sim(clients=2, messages=2, name="tcps", provides="stream"),
        ]
        out = output(config(transports, ["lines", "chat-broadcast"]))
        self.assertEqual(out, output(config(transports, ["lines", "chat-broadcast"])))
        self.assertEqual(out.count(b"sim: 2 clients"), 2)


class Links(unittest.TestCase):
    def test_thousands_chat_over_a_bad_link(self):
        clients = 2000
        what = sim(clients=clients, messages=1, delay_ms=20, loss_percent=1)
        out = output(config([what], ["lines", "chat-broadcast"]))
        for side, least in (("server", clients), ("clients", clients * clients * 9 // 10)):
            seen = counts(out)[side]
            expected = seen["sent"] / 100
            self.assertGreaterEqual(seen["sent"], least)
            self.assertLess(abs(seen["lost"] - expected), 3 * math.sqrt(0.99 * expected))
            self.assertEqual(seen["arrived"] + seen["lost"], seen["sent"])

    def test_loss_is_what_was_asked_for(self):
        for seed in sampled(range(1, 21), 5):
            what = sim(clients=10, messages=1000, interval_ms=1, loss_percent=5, seed=seed)
            seen = counts(output(config([what], [])))["server"]
            self.assertEqual(seen["sent"], 10_000)
            self.assertLess(abs(seen["lost"] - 500), 3 * math.sqrt(10_000 * 0.05 * 0.95))

    def test_the_meter_agrees(self):
        what = sim(
            clients=5,
            messages=1000,
            interval_ms=10,
            say="#{n}",
            loss_percent=2,
            duplicate_percent=3,
            reorder_percent=4,
            seed=3,
        )
        out = output(config([what], ["meter"]))
        seen = counts(out)["server"]
        # What was lost last of all, nobody knows of.
        self.assertIn(counter(out, "meter", "lost"), range(seen["lost"] - 10, seen["lost"] + 1))
        self.assertEqual(counter(out, "meter", "duplicated"), seen["doubled"])
        self.assertGreater(counter(out, "meter", "reordered"), 100)
        self.assertEqual(counter(out, "meter", "late"), 0)

    def test_a_stream_loses_nothing_and_keeps_its_order(self):
        what = sim(provides="stream", clients=20, messages=20, jitter_ms=500, trace="-", say="{n}")
        out = output(config([what], ["lines", "chat-broadcast"]))
        for seen in counts(out).values():
            self.assertEqual(seen["arrived"], seen["sent"])
        heard = {}
        lines = re.findall(rb'^\S+ (\d+) < arrives "(guest\d+): (\d+)\\n"$', out, re.M)
        self.assertGreater(len(lines), 20 * 19)
        for receiver, sender, number in lines:
            self.assertGreater(int(number), heard.get((receiver, sender), 0))
            heard[receiver, sender] = int(number)

    def test_a_slow_stream_makes_its_sender_wait(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "big.txt"), "w", encoding="utf-8") as file:
                file.write("x" * 60_000 + "\n")
            what = sim(
                provides="stream",
                clients=3,
                messages=10,
                say="@big.txt",
                interval_ms=1,
                rate_kbit_s=10_000,
            )
            done = simulated(config([what], ["echo"]), folder=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            for seen in counts(done.stdout).values():
                self.assertEqual(seen["sent"], 3 * 10 * 60_001)
                self.assertEqual(seen["arrived"], seen["sent"])

    def test_a_client_that_had_to_wait_goes_on_at_its_pace(self):
        # One window of 64 KiB at 10 kB/s, and messages of 20 kB.
        link = {"plugin": "impair", "direction": "in", "rate_kbit_s": 80}
        what = sim(
            provides="stream",
            clients=1,
            messages=30,
            interval_ms=100,
            say="{n}:" + "x" * 20000,
            wait_ms=100_000,
            trace="-",
        )
        out = output(config([what], [link, "echo"])).decode()
        said = re.findall(r'^(\S+) 1 > sends "\d+:', out, re.MULTILINE)
        self.assertEqual(len(said), 30)
        self.assertEqual(len(set(said)), 30, "some at the same instant")

    def test_what_does_not_arrive_in_time_is_told(self):
        what = sim(clients=1, messages=2, wait_ms=0)
        late = {"plugin": "impair", "delay_ms": 5000}
        out = output(config([what], [late, "echo"]))
        self.assertEqual(counts(out)["clients"]["sent"], 0)
        what = sim(clients=4, messages=1, interval_ms=0, rate_kbit_s=1, say="x" * 1000, wait_ms=100)
        out = output(config([what], ["echo"]))
        self.assertEqual(counts(out)["server"]["on_the_way"], 4)

    def test_an_hour_between_messages_costs_nothing(self):
        out = output(config([sim(clients=2, messages=50, interval_ms=3_600_000)], ["echo"]))
        self.assertEqual(counts(out)["clients"]["arrived"], 100)
        seconds = float(re.search(rb"^simulated ([\d.]+) s$", out, re.M)[1])
        self.assertGreater(seconds, 49 * 3600)


class Sessions(unittest.TestCase):
    def test_more_clients_than_sessions_are_refused(self):
        for kind, messages in (("records", 1), ("stream", 2)):
            what = config([sim(provides=kind, clients=8, messages=messages)], ["echo"])
            what["limits"] = {"max_sessions": 5}
            out = output(what)
            self.assertIn(b", 3 refused\n", out)
            self.assertEqual(counter(out, "sim", "refused: limits.max_sessions"), 3)

    def test_a_stream_that_the_server_ends(self):
        lines = {"plugin": "lines", "max_bytes": 3}
        what = sim(provides="stream", clients=1, messages=3, say="1234", trace="-")
        out = output(config([what], [lines, "echo"]))
        self.assertEqual(out.count(b'> sends "1234\\n"'), 1)
        self.assertIn(b" 1 < ends\n", out)
        self.assertIn(b"sim: line of N bytes or more > max_bytes N: 1\n", out)

    def test_log_loses_no_line(self):
        what = config([sim(clients=100, messages=100, interval_ms=1)], ["log", "echo"])
        done = simulated(what)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count(b" said "), 10_000)

    def test_a_log_in_a_file_is_written_to_its_end(self):
        """Its reader is in no hurry: the pipe is full, and the simulation over."""
        with tempfile.TemporaryDirectory() as folder:
            path, fifo = (os.path.join(folder, name) for name in ("sim.json", "fifo"))
            os.mkfifo(fifo)
            what = sim(clients=100, messages=20, interval_ms=1)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(config([what], [{"plugin": "log", "file": fifo}, "echo"]), file)
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            with subprocess.Popen([PLAYGROUND, "run", path]) as process:
                with self.assertRaises(subprocess.TimeoutExpired):
                    process.wait(2)
                os.set_blocking(reader, True)
                with open(reader, "rb") as log:
                    self.assertEqual(log.read().count(b" said "), 2000)
                self.assertEqual(process.wait(MOST_S), 0)


class Files(unittest.TestCase):
    def test_the_trace_goes_to_a_file_beside_the_config(self):
        with tempfile.TemporaryDirectory() as folder:
            done = simulated(config([sim(trace="trace.txt")], ["echo"]), folder=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(folder, "trace.txt"), "rb") as file:
                trace = file.read()
        self.assertNotIn(trace, done.stdout)
        self.assertEqual(output(config([sim(trace="-")], ["echo"])), trace + done.stdout)

    def test_messages_come_from_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "say.txt"), "w", encoding="utf-8") as file:
                file.write("um {n}\ndois\n")
            what = sim(clients=1, messages=3, say="@say.txt", trace="-")
            out = simulated(config([what], []), folder=folder).stdout.decode()
        self.assertEqual(re.findall('sends "(.*)"', out), ["um 1", "dois", "um 3"])

    def assert_fails(self, what, text):
        done = simulated(config([what], ["echo"]))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), text)

    def test_files_that_cannot_be_had(self):
        self.assert_fails(
            sim(say="@none.txt"), r"playground\.json:1:\d+: cannot read none.txt: No such file"
        )
        self.assert_fails(
            sim(trace="none/trace.txt"),
            r"playground\.json:1:\d+: cannot write none/trace.txt: No such file",
        )
        self.assert_fails(sim(trace="/dev/full", clients=100), "the simulation broke off: ")

    def test_messages_without_end_are_refused(self):
        refused = r"playground\.json:1:\d+: cannot read .*: File too large; give a file of at most"
        self.assert_fails(sim(say="@/dev/zero"), refused)
        with tempfile.TemporaryDirectory() as folder:
            fifo = os.path.join(folder, "fifo")
            os.mkfifo(fifo)
            with subprocess.Popen(["yes"], stdout=os.open(fifo, os.O_RDWR)) as endless:
                self.assert_fails(sim(say="@" + fifo), refused)
                endless.kill()

    def test_a_reader_that_goes_ends_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sim.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(config([sim(clients=1000, messages=1000, trace="-")], ["echo"]), file)
            with subprocess.Popen(
                [PLAYGROUND, "run", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                self.assertIn(b"comes", process.stdout.readline())
                process.stdout.close()
                self.assertIn(b"the simulation broke off", process.stderr.read())
                self.assertEqual(process.wait(MOST_S), 1)

    def test_asked_to_stop_it_stops(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sim.json")
            with open(path, "w", encoding="utf-8") as file:
                what = sim(clients=1000, messages=1_000_000, trace="trace.txt")
                json.dump(config([what], ["echo"]), file)
            with subprocess.Popen([PLAYGROUND, "run", path], stderr=subprocess.PIPE) as process:
                while not os.path.exists(os.path.join(folder, "trace.txt")):
                    self.assertIsNone(process.poll())
                process.terminate()
                self.assertEqual(process.wait(MOST_S), 0)
                self.assertEqual(process.stderr.read(), b"")


if __name__ == "__main__":
    unittest.main()
