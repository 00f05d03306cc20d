"""Configs of an odd size and shape: the time `check` takes grows with the size
of a config, not with its square, and problems that are not shown are counted.

Time is the processor's, and the limit ten times what is needed and more: a
square would take minutes. Only the largest shapes come near a second."""

import json
import os
import re
import resource
import subprocess
import tempfile
import unittest

from server import sampled

PLAYGROUND = os.environ["PLAYGROUND"]
LIMIT_S = 30
MANY, SOME = 100_000, 10_000


def keys(count):
    return {f"key{i}": 1 for i in range(count)}


def top(**rest):
    return json.dumps({"transports": ["tcp"], **rest})


def raw(members):
    """A config whose top has these members, given as JSON."""
    return '{"transports": ["tcp"], %s}' % ",".join(members)


# What is drawn, and how often problems are found in it.
SHAPES = {
    "64 transports with 60 handlers each": (
        json.dumps({"transports": [{"plugin": "tcp", "port": 0, "handlers": ["echo"] * 60}] * 64}),
        0,
    ),
    "many handlers": (top(handlers=["echo"] * SOME), 1),
    "many transports": (json.dumps({"transports": ["tcp"] * MANY}), 1),
    "handlers of one name": (top(handlers=[{"plugin": "echo", "name": "a"}] * SOME), SOME),
    "handlers that are no text": (top(handlers=list(range(SOME))), SOME),
    "handlers with a wrong option": (
        top(handlers=[{"plugin": "lines", "max_bytes": "x"}] * SOME),
        SOME + 1,  # the chain is too long, too
    ),
    "one plugin that is not there": (top(handlers=["ecoh"] * SOME), SOME),
    "many that are not there": (top(handlers=[f"e{i}" for i in range(SOME)]), SOME),
    "unknown keys at the top": (top(**keys(MANY)), MANY),
    "unknown keys, a line each": (
        json.dumps({"transports": ["tcp"], **keys(MANY)}, indent=1),
        MANY,
    ),
    "unknown limits": (top(limits=keys(MANY)), MANY),
    "unknown options": (json.dumps({"transports": [{"plugin": "tcp", **keys(MANY)}]}), MANY),
    "many keys and no plugin": (json.dumps({"transports": [keys(MANY)]}), 1),
    "one key many times": (raw(['"workers": 1'] * MANY), MANY - 1),
    "many keys twice": (raw(f'"k{i}":1,"k{i}":1' for i in range(SOME)), 2 * SOME),
    "keys twice, far inside": (
        raw(['"x": %s{%s}%s' % ('{"a":' * 2000, ",".join(['"k": 1'] * MANY), "}" * 2000)]),
        MANY,
    ),
    "comments": (top(**{f"// {i}": 1 for i in range(MANY)}), 0),
    "one comment many times": (raw(['"//": 1'] * MANY), 0),
    "many folders": (top(plugin_path=["x"] * MANY), 1),
    "64 on one address": (json.dumps({"transports": [{"plugin": "tcp", "port": 5000}] * 64}), 2016),
    "a long key": (top(**{"k" * 1_000_000: 1}), 1),
    "a long value": (json.dumps({"transports": [{"plugin": "tcp", "host": "k" * 1_000_000}]}), 1),
    "a long name": (json.dumps({"transports": [{"plugin": "k" * 1_000_000}]}), 1),
    "a long line": (
        raw(['"//": "%s"' % ("x" * 5_000_000), *(f'"k{i}": 1' for i in range(30))]),
        30,
    ),
    "deep nesting": (raw(['"//": %s%s' % ("[" * 2000, "]" * 2000)]), 0),
    "nesting without end": ('{"//": ' + "[" * MANY, 1),
    "a list without commas": ('{"transports": ["tcp" %s' % ('"tcp" ' * MANY), 1),
}


def limit_cpu():
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))


class BigConfigs(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "big.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return subprocess.run(
                [PLAYGROUND, "check", "big.json"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                preexec_fn=limit_cpu,
            )

    @staticmethod
    def count_of(done):
        """How many problems it tells of, shown or not; warnings too."""
        shown = re.findall(r"(?m)^big\.json(?::\d+:\d+)?: (?!and \d+ more)", done.stderr)
        more = re.search(r"(?m)^big\.json: and (\d+) more; correct these first$", done.stderr)
        return len(shown) + (int(more[1]) if more else 0)

    def test_the_time_grows_with_the_size(self):
        for name, (text, problems) in sampled(SHAPES.items(), 12):
            with self.subTest(name):
                done = self.check(text)
                self.assertEqual(done.returncode, 2 if problems else 0, done.stderr[:2000])
                if name != "many folders":  # each is warned of, up to a limit
                    self.assertEqual(self.count_of(done), problems, done.stderr[-2000:])

    def test_a_caret_in_a_long_line(self):
        """It stands below the key, though the line is cut on both sides."""
        wide = "\u00e4\u65e5\t" * 1000
        for before in ("x" * 5000, "\u00e4" * 5000, wide.replace("\t", "\\t")):
            rest = "y" * 5000
            done = self.check(raw([f'"//": "{before}"', '"kex": 1', f'"// 2": "{rest}"']))
            place, source, caret = done.stderr.splitlines()
            self.assertIn('has no key "kex"', place)
            self.assertRegex(source, r"^ +1 \| \.\.\..*\.\.\.$")
            self.assertEqual(caret.index("^") - self.extra(source), source.index('"kex"'))

    @staticmethod
    def extra(source):
        """Columns that the characters before the place take beyond one."""
        return sum(0x1100 <= ord(c) for c in source[: source.index('"kex"')])


if __name__ == "__main__":
    unittest.main()
