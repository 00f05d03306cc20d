"""Names, options and words from outside are shown by every command without
what a terminal obeys or nobody sees."""

import json
import os
import random
import shutil
import subprocess
import tempfile
import unicodedata
import unittest

from server import PLAYGROUND, SOURCE, TIMEOUT_S, Server, echo, times

# Control, format and direction characters, fillers, selectors, a byte that is
# no UTF-8 (as os.fsdecode() has it), private, unassigned.
HIDDEN = (
    "\x1b \x07 \x7f \x85 \x9b \xad \u034f \u061c \u200b \u200e \u200f \u2028 \u202e \u2060 "
    "\u2066 \u3164 \ue000 \ufe0f \ufeff \udcff \udc80 \u0378 \U000e0001"
).split(" ")
IGNORABLE = "\u034f\u115f\u1160\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10)))

HANDLER = r"""
#include <playground/handler.h>

struct options { const char *text; };

static const struct pg_option options[] = {
    {"%(o)s", PG_STRING, PG_FIELD(struct options, text), .initial = "%(i)s",
     .help = "help %(c)s", .unit = "%(c)s"},
    {0},
};

static int start(struct pg_entry *entry)
{
    return pg_fail(entry, "", "%(c)s cannot be");
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI, .name = "own%(n)s", .summary = "sums %(c)s up",
    .needs = PG_ANY, .options = options, .options_size = sizeof(struct options),
    .init = start,
};
"""


def in_c(text):
    """As the inside of a text in C."""
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(text))


def is_hidden(c):
    return unicodedata.category(c)[0] == "C" or c in IGNORABLE or c in "\u2028\u2029"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground-")
        self.addCleanup(shutil.rmtree, self.folder)

    def assert_harmless(self, output, what):
        text = output.decode("utf-8", "surrogateescape")
        found = sorted({hex(ord(c)) for c in text if c != "\n" and is_hidden(c)})
        self.assertEqual(found, [], f"{what!r} shows them:\n{text!r}")

    def show(self, *words):
        """All that the command says, which must be something."""
        done = subprocess.run(
            [PLAYGROUND, *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=5 * TIMEOUT_S,
            check=False,
        )
        self.assertTrue(done.stdout, words)
        self.assert_harmless(done.stdout, words)
        return done.stdout.decode()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(os.fsencode(text))
        return path


class Words(Case):
    """Each hidden character in each word that a command is given."""

    def test_commands(self):
        for seed in range(times(1, 20)):
            chosen = random.Random(seed)
            bad = "x" + "".join(chosen.sample(HIDDEN, k=len(HIDDEN))) + "y"
            self.write(f"{bad}.c", "#error no\n")
            self.write(f"{bad}.json", f'{{"transports": ["tcp"], "{bad}": 1}}')
            for words in (
                [bad],
                ["run", bad],
                ["run", f"{bad}.json"],
                ["run", f"--{bad}"],
                ["run", "--port", bad],
                ["run", "--host", f"{bad}.json"],
                ["run", "--single", f"{bad}.json"],
                ["check", bad],
                ["check", "--json", bad],
                ["check", f"{bad}.json"],
                ["check", "--json", f"{bad}.json"],
                ["plugins", bad],
                ["plugins", "--json", bad],
                ["build", bad],
                ["build", f"{bad}.none.c"],
                ["build", "-" + bad],
                ["client", bad],
                ["client", f"tcp://{bad}:5000"],
                ["client", f"tcp://127.0.0.1:{bad}"],
                ["client", f"unix:{bad}"],
                ["client", f"--{bad}", "tcp://127.0.0.1:1"],
                ["wire", bad],
                ["wire", "--loss", bad, "--", "true"],
                ["wire", f"--{bad}"],
                ["compare", bad],
                ["compare", "loss", "--seed", bad],
                ["compare", "loss", f"--{bad}"],
                ["compare", "loss", "--html", f"{bad}/{bad}"],
                ["compare", f"{bad}.json", "--swap", bad],
                ["compare", f"{bad}.json", "--swap", "tcp,udp"],
            ):
                self.show(*words)


class Configs(Case):
    def test_keys_values_and_names(self):
        for seed in range(times(4, 200)):
            chosen = random.Random(seed)

            def bad(draw=chosen):
                return "a" + "".join(draw.choices(HIDDEN[:-6], k=3)) + "b"

            entry = chosen.choice(
                [
                    {"plugin": bad()},
                    {"plugin": "log", bad(): 1},
                    {"plugin": "log", "format": bad()},
                    {"plugin": "log", "file": f"{bad()}/{bad()}"},
                    {"plugin": "log", "name": bad()},
                    {"plugin": "lines", "max_bytes": bad()},
                ]
            )
            config = {
                "transports": [{"plugin": "tcp", "port": 0, bad(): 1}],
                "handlers": [entry],
                bad(): {bad(): bad()},
            }
            self.write("c.json", json.dumps(config, ensure_ascii=bool(seed % 2)))
            self.show("check", "c.json")
            self.show("check", "--json", "c.json")
            self.show("run", "c.json")

    def test_syntax(self):
        for seed in range(times(4, 200)):
            chosen = random.Random(seed)
            text = list('{"transports": ["tcp"], "handlers": ["echo"]}')
            for _ in range(3):
                text.insert(chosen.randrange(len(text)), chosen.choice(HIDDEN))
            self.write("c.json", "".join(text))
            self.show("check", "c.json")
            self.show("check", "--json", "c.json")

    def test_a_path(self):
        """Of a config that is right, in all that a server says about it."""
        with Server(echo("tcp")) as server:
            name = "c\u202e\u200f.json"
            shutil.copy(server.path, os.path.join(self.folder, name))
        self.assertIn("ok", self.show("check", name))


class Plugins(Case):
    def test_what_a_plugin_says_of_itself(self):
        hidden = in_c("".join(HIDDEN))
        name = "own\u200f\x1b"
        initial = in_c("".join(c for c in HIDDEN if not "\ud800" <= c <= "\udfff"))
        words = {"c": hidden, "n": in_c(name[3:]), "o": hidden, "i": ""}
        self.write(f"{name}.c", HANDLER % words)
        self.assertIn("choose another", self.show("build", f"{name}.c"))
        self.write(f"{name}.c", HANDLER % {**words, "o": "text", "i": initial})
        self.show("build", f"{name}.c")
        self.assertIn("own\\u200f\\x1b", self.show("plugins"))
        self.show("plugins", name)
        self.show("plugins", "--schema")
        self.show("plugins", "--json")
        self.write("c.json", json.dumps({"transports": ["tcp"], "handlers": [name]}))
        self.show("run", "c.json")
        self.show("run", "--single", "c.json")

    def test_what_is_said_when_one_crashes(self):
        name = "own\u200f\x1b\udcff"
        words = {"c": "", "n": in_c(name[3:]), "o": "text", "i": ""}
        self.write(f"{name}.c", HANDLER % words)
        self.show("build", f"{name}.c")
        crash = "__attribute__((constructor)) static void crash(void) {abort();}\n"
        self.write(f"{name}.c", f"#include <stdlib.h>\n{crash}{HANDLER % words}")
        so = os.path.join(self.folder, f"{name}.so")
        source = os.path.join(self.folder, f"{name}.c")
        include = os.path.join(SOURCE, "core", "include")
        subprocess.run(
            ["cc", "-shared", "-fPIC", f"-I{include}", "-o", so, source], check=True
        )
        # JSON cannot name a file that is no UTF-8, but a folder is read.
        # A config is UTF-8, and names this one.
        shutil.copy(so, os.path.join(self.folder, "own\u200f\x1b.so"))
        config = {"transports": ["tcp"], "handlers": ["own\u200f\x1b"]}
        self.write("c.json", json.dumps(config))
        self.assertIn("crashed", self.show("check", "c.json"))
        said = json.loads(self.show("check", "--json", "c.json"))
        self.assertIn("crashed", said["problems"][0]["text"])
        self.show("run", "c.json")
        self.show("plugins")
        self.show("plugins", name)


if __name__ == "__main__":
    unittest.main()
