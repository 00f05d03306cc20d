"""playground compare CONFIG --swap tcp,udp: a config over both transports."""

import functools
import json
import os
import re
import subprocess
import tempfile
import unittest

from at_once import at_once
from server import PLAYGROUND, SOURCE, run

LIMIT_S = 600
BRIEF = ["--for", "0.25", "--load", "800"]  # 200 messages

MINE = """
#include <playground/handler.h>

static enum pg_verdict mine_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    pg_send(ctx, in);
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "mine",
    .summary = "sends back",
    .needs = PG_RECORDS,
    .recv = mine_recv,
};
"""


def config(name):
    return os.path.join(SOURCE, "config", f"{name}.json")


def on_wire(test):
    """Where the link cannot be made, the test is that everybody is told why."""

    @functools.wraps(test)
    def either(self):
        if run("wire", "--check").returncode == 0:
            test(self)
            return
        result = self.swap(config("echo"), "--loss", "1", status=1)
        self.assertIn("there is no impaired link on this system", result["error"])

    return either


class Swap(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="swap-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text if isinstance(text, str) else json.dumps(text))
        return path

    def compare(self, *arguments):
        return subprocess.run(
            [PLAYGROUND, "compare", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def swap(self, path, *arguments, status=0):
        """Its result, with the rows as a dict: key -> [tcp, udp]."""
        done = self.compare(path, "--swap", "tcp,udp", "--json", *BRIEF, *arguments)
        self.assertEqual(done.returncode, status, (done.stdout, done.stderr))
        (result,) = json.loads(done.stdout)["experiments"]
        result["rows"] = {
            row["key"]: [row["tcp"], row["udp"]] for row in result["rows"]
        }
        for check in result["checks"]:
            self.assertTrue(check["holds"], check)
        return result

    def refused(self, *arguments):
        done = self.compare(*arguments)
        self.assertEqual(done.returncode, 2, (done.stdout, done.stderr))
        self.assertEqual(done.stdout, "")
        return done.stderr

    def assert_all_answered(self, rows, sent, fan):
        self.assertEqual(rows["sent"], [sent, sent])
        self.assertEqual(rows["expected"], [sent * fan, sent * fan])
        self.assertEqual(rows["lost"], [0, 0])


class Configs(Swap):
    """Configs that nobody made for this."""

    def test_a_chat_answers_to_the_others(self):
        result = self.swap(config("chat"))
        rows = result["rows"]
        self.assertEqual(rows["answer"], ["it reaches the 3 others"] * 2)
        self.assert_all_answered(rows, 200, 3)
        self.assertEqual(rows["reordered"], [0, 0])
        self.assertEqual(rows["duplicates"], [0, 0])
        self.assertGreater(min(rows["wire_bytes"]), 4 * 64)
        self.assertTrue(all(kib > 100 for kib in rows["memory"]), rows["memory"])

    def test_percentiles_grow_and_the_plots_show_them(self):
        result = self.swap(config("chat"), "--clients", "2")
        rows = result["rows"]
        self.assertEqual(rows["answer"], ["it reaches the other client"] * 2)
        for side in range(2):
            quantiles = [rows[key][side] for key in ("p50_ms", "p90_ms", "p99_ms", "max_ms")]
            self.assertEqual(quantiles, sorted(quantiles))
            self.assertGreater(quantiles[0], 0)
            points = result["plots"][0]["series"][side]["points"]
            self.assertEqual(points, sorted(points))
            self.assertEqual(points[-1], [quantiles[-1], 100])
        self.assertEqual([plot["kind"] for plot in result["plots"]], ["steps", "points"])

    def test_an_echo_without_framing(self):
        rows = self.swap(config("echo"))["rows"]
        self.assertEqual(rows["answer"], ["it comes back"] * 2)
        self.assert_all_answered(rows, 200, 1)

    def test_the_framing_is_that_of_the_config(self):
        self.assert_all_answered(self.swap(config("length"))["rows"], 200, 1)
        # UDP: 64 bytes, as many back, 28 bytes of headers each way.
        strict = self.file(
            "strict.json",
            {
                "transports": ["tcp"],
                "handlers": [
                    {"plugin": "length", "size": 2, "offset": 1, "order": "little"},
                    "echo",
                ],
            },
        )
        rows = self.swap(strict)["rows"]
        self.assert_all_answered(rows, 200, 1)
        self.assertEqual(rows["wire_bytes"][1], 2 * (64 + 3 + 28))

    def test_messages_that_merge_are_told_apart(self):
        self.assert_all_answered(self.swap(config("merge"))["rows"], 200, 1)

    def test_options_of_one_transport_are_left_out_and_reported(self):
        path = self.file(
            "loud.json",
            {
                "transports": [
                    {"plugin": "tcp", "nodelay": False, "port": 80, "handlers": ["lines"]}
                ],
                "handlers": ["shout", "chat-broadcast"],
                "workers": 2,
            },
        )
        result = self.swap(path)
        self.assert_all_answered(result["rows"], 200, 3)
        self.assertIn(
            '"nodelay" of tcp is left out over udp, which has no such option.',
            result["notes"],
        )
        self.assertFalse([note for note in result["notes"] if '"port"' in note])

    def test_each_transport_of_the_config_is_taken_as_it_is(self):
        path = self.file(
            "both.json",
            {
                "transports": [{"plugin": "tcp", "handlers": ["lines"]}, "udp"],
                "handlers": ["chat-broadcast"],
            },
        )
        rows = self.swap(path)["rows"]
        self.assert_all_answered(rows, 200, 3)
        # Over UDP no line ends: 64 bytes in, three times 64 + "guestN: " out.
        self.assertEqual(rows["wire_bytes"][1], 4 * (64 + 28) + 3 * len("guest1: "))

    def test_plugins_beside_the_config_are_found(self):
        source = self.file("mine.c", MINE)
        built = run("build", source)
        self.assertEqual(built.returncode, 0, built.stderr)
        path = self.file("m.json", {"transports": ["udp"], "handlers": ["lines", "mine"]})
        self.assert_all_answered(self.swap(path)["rows"], 200, 1)

    def test_system_calls_are_counted(self):
        result = self.swap(config("echo"))
        if any("ptrace() of the server failed" in note for note in result["notes"]):
            self.assertEqual(result["rows"]["syscalls"], [None, None])
            return
        tcp, udp = result["rows"]["which_syscalls"]
        # A server that is behind saves calls, which are then among the others.
        self.assertRegex(tcp, r"\b(recv\w*|read\w*|others) \d")
        self.assertRegex(tcp, r"\b(send\w*|write\w*|others) \d")
        self.assertRegex(udp, r"\b(recv\w*|others) \d")
        self.assertRegex(udp, r"\b(send\w*|others) \d")
        for side in range(2):
            # A server that is behind reads several messages at once.
            self.assertGreater(result["rows"]["syscalls"][side], 0)


class Messages(Swap):
    def test_lines_of_a_file(self):
        path = self.file("m.txt", "hej\n\\x00\\x01\\xff\\n\nthree words here\n")
        rows = self.swap(config("echo"), "--send", path)["rows"]
        self.assertEqual(rows["answer"], ["it comes back"] * 2)
        self.assert_all_answered(rows, 200, 1)
        self.assertEqual(rows["reordered"], [0, 0])

    def test_lost_messages_that_are_the_same_are_not_told_apart(self):
        path = self.file("h.json", impaired("echo", loss_percent=3))
        same, different = "same\n", "".join(f"line {n}\n" for n in range(200))
        for text, can_tell in ((same, False), (different, True)):
            result = self.swap(path, "--send", self.file("m.txt", text))
            rows = result["rows"]
            self.assertGreater(min(rows["lost"]), 0)
            for key in ("p50_ms", "reordered", "duplicates"):
                self.assertEqual([x is not None for x in rows[key]], [can_tell] * 2)
            said = " ".join(result["notes"])
            self.assertEqual("cannot be told" in said, not can_tell, said)

    def test_a_path_that_is_no_utf8(self):
        path = self.file(b"e\xff.json".decode("utf-8", "surrogateescape"), {
            "transports": ["tcp"], "handlers": ["echo"],
        })
        self.assertIn("\\xff.json over TCP", self.swap(path)["title"])

    def test_hex(self):
        path = self.file("m.hex", "68 65 6a\n00ff0a\n")
        rows = self.swap(config("echo"), "--send", path, "--hex")["rows"]
        self.assert_all_answered(rows, 200, 1)
        self.assertEqual(rows["wire_bytes"][1], 2 * (3 + 28))

    def test_answers_that_do_not_carry_the_message(self):
        ping = self.file("p.json", {"transports": ["tcp"], "handlers": ["raw", "ping"]})
        result = self.swap(ping, "--send", self.file("m.txt", "ping\n"))
        rows = result["rows"]
        self.assertEqual(rows["answer"], ["whatever comes next"] * 2)
        self.assert_all_answered(rows, 200, 1)
        self.assertEqual(rows["reordered"], [None, None])
        self.assertTrue([note for note in result["notes"] if "do not carry" in note])

    def test_a_file_with_a_mistake(self):
        error = self.refused(
            config("echo"), "--swap", "tcp,udp", "--send", self.file("m.txt", "a\n\\q\n")
        )
        self.assertIn("m.txt:2:1: no such escape; write", error)


def impaired(*handlers, **options):
    """A config whose own chain does harm: impair above the transport."""
    return {
        "transports": ["tcp"],
        "handlers": ["lines", {"plugin": "impair", **options}, *handlers],
    }


class Harm(Swap):
    """Loss inside the chain, which no transport can see."""

    def test_probes_that_are_late_or_lost_or_doubled(self):
        result = self.swap(config("impair"))
        self.assertEqual(result["rows"]["answer"], ["it comes back"] * 2)
        self.assertEqual(result["rows"]["sent"], [200, 200])
        self.assertGreater(result["rows"]["lost"][1], 0)
        why = " ".join(result["why"])
        self.assertIn("impair stands in the chain", why)
        self.assertNotIn("TCP sent again", why)

    def test_half_of_the_probes_are_lost(self):
        path = self.file("h.json", impaired("echo", loss_percent=50))
        result = self.swap(path)
        rows = result["rows"]
        self.assertEqual(rows["answer"], ["it comes back"] * 2)
        self.assertEqual(rows["sent"], [200, 200])
        self.assertGreater(rows["lost"][0], 0)
        for side in range(2):
            _, share = result["plots"][0]["series"][side]["points"][-1]
            self.assertAlmostEqual(share, 100 - rows["lost_percent"][side])
        why = " ".join(result["why"])
        self.assertIn("impair stands in the chain, above the transport", why)
        self.assertNotIn("both deliver everything", why)

    def test_waiting_for_lost_answers_has_an_end(self):
        path = self.file(
            "w.json",
            {
                "transports": [
                    {"plugin": "tcp", "handlers": ["lines", {"plugin": "impair", "loss_percent": 30}]},
                    "udp",
                ],
                "handlers": ["ping"],
            },
        )
        ping = self.file("m.txt", "ping\n")
        result = self.swap(path, "--send", ping)
        self.assertEqual(result["rows"]["answer"], ["whatever comes next"] * 2)
        sent = result["rows"]["sent"]
        self.assertTrue(0 < sent[0] < 200, sent)
        self.assertEqual(sent[1], 200)
        self.assertIn("there was no time for", "".join(result["notes"]))


CRASHING = MINE.replace("pg_send(ctx, in);", "(void)ctx, (void)in;\n    abort();").replace(
    "#include", "#include <stdlib.h>\n#include", 1
)


class Refused(Swap):
    def test_a_plugin_that_crashes(self):
        built = run("build", self.file("mine.c", CRASHING))
        self.assertEqual(built.returncode, 0, built.stderr)
        path = self.file("m.json", {"transports": ["tcp"], "handlers": ["lines", "mine"]})
        error = self.swap(path, status=1)["error"]
        self.assertIn('handler "mine" crashed', error)
        self.assertIn("`gdb --args playground run --single CONFIG`", error)

    def test_nothing_answers(self):
        result = self.swap(config("lecture"), status=1)
        self.assertIn("over tcp nothing answers", result["error"])
        self.assertIn('add "echo" to the handlers', result["error"])

    def test_nobody_answers_the_messages_of_the_file(self):
        ping = self.file("p.json", {"transports": ["tcp"], "handlers": ["lines", "ping"]})
        result = self.swap(ping, "--send", self.file("m.txt", "pong\n"), status=1)
        self.assertIn("nothing answers the messages of the file", result["error"])

    def test_one_client_alone_in_a_chat(self):
        result = self.swap(config("chat"), "--clients", "1", status=1)
        self.assertIn("or more than one client", result["error"])

    def test_too_many_messages(self):
        result = self.swap(config("echo"), "--load", "100000", "--for", "60", status=1)
        self.assertIn("6,000,000 messages are more than 1,000,000", result["error"])

    def test_a_message_too_long_for_a_datagram(self):
        lines = self.file("e.json", {"transports": ["tcp"], "handlers": ["lines", "echo"]})
        long = self.file("m.txt", "x" * 65507 + "\n")
        result = self.swap(lines, "--send", long, status=1)
        self.assertIn("too long for udp", result["error"])

    def test_the_config_does_not_run_over_the_other(self):
        path = self.file("c.json", {"transports": ["udp"], "handlers": ["chat-broadcast"]})
        error = self.refused(path, "--swap", "tcp,udp")
        self.assertIn("c.json cannot run over tcp: chat-broadcast needs records", error)

    def test_a_config_with_a_mistake(self):
        path = self.file("c.json", '{"transports": ["tpc"]}')
        self.assertRegex(self.refused(path, "--swap", "tcp,udp"), r"c\.json:1:\d+: .*tcp")
        self.assertIn("No such file", self.refused("/nowhere.json", "--swap", "tcp,udp"))

    def test_transports_that_cannot_be_swapped(self):
        for pair in ("tcp", "tcp,tcp", "tcp,unix", "", "udp,tcp,udp"):
            with self.subTest(pair):
                self.assertIn(
                    "write --swap tcp,udp", self.refused(config("echo"), "--swap", pair)
                )

    def test_what_belongs_to_swap_alone(self):
        self.assertIn("belongs to --swap", self.refused("loss", "--send", "x"))
        self.assertIn("belongs to --swap", self.refused("loss", "--hex"))
        self.assertIn("give --send FILE too", self.refused(config("echo"), "--swap", "tcp,udp", "--hex"))
        self.assertIn("takes one config", self.refused("--swap", "tcp,udp"))
        self.assertIn("takes one config", self.refused("a", "b", "--swap", "tcp,udp"))
        self.assertIn(
            "no chosen experiment uses --size",
            self.refused(config("echo"), "--swap", "tcp,udp", "--size", "9"),
        )


class Link(Swap):
    @on_wire
    def test_loss(self):
        """UDP loses answers, TCP sends again; both wait for the link."""
        result = self.swap(
            config("chat"), "--loss", "5", "--delay", "10", "--load", "1000"
        )
        rows = result["rows"]
        self.assertIn("What was lost on the way TCP sent again", result["why"][0])
        self.assertEqual(rows["lost"][0], 0)
        self.assertGreater(rows["lost"][1], 0)
        self.assertGreater(rows["retransmissions"][0], 0)
        for side in range(2):
            self.assertGreaterEqual(rows["p50_ms"][side], 20)
        self.assertGreater(rows["max_ms"][0], 40)

    @on_wire
    def test_bytes_are_those_of_the_link(self):
        result = self.swap(config("echo"), "--delay", "1")
        self.assertEqual(result["rows"]["wire_bytes"][1], 2 * (64 + 28))
        # Messages that wait share a segment and its 52 bytes of headers.
        self.assertGreater(result["rows"]["wire_bytes"][0], 2 * 64)
        self.assertEqual(result["settings"]["delay"], 1)

    @on_wire
    def test_settings_with_units(self):
        units = ("--delay", "2ms", "--rate", "2mbit", "--for", "500ms", "--load", "1000")
        text = self.compare(config("echo"), "--swap", "tcp,udp", *units).stdout
        text = " ".join(text.split())
        for shown in ("delay 2 ms", "loss 0 %", "rate 2 Mbit/s", "for 0.5", "load 1,000 a second"):
            self.assertIn(shown, text)


class Page(Swap):
    def test_one_page_with_everything(self):
        page = os.path.join(self.folder, "page.html")
        done = self.compare(
            config("chat"), "--swap", "udp,tcp", "--html", page, *BRIEF
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"messages sent +200 +200\n")
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(len(re.findall("<svg", text)), 2)
        self.assertIn("chat.json over TCP and over UDP", text)


load_tests = at_once(8, sanitized=15)

if __name__ == "__main__":
    unittest.main()
