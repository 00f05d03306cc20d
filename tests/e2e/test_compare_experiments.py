"""Each experiment comes out as theory says, and says so completely."""

import functools
import json
import subprocess
import unittest

from at_once import at_once
from busy import Others
from server import IS_LONG, PLAYGROUND, run, without_namespaces

LIMIT_S = 600
# Of those that run by the clock; in full they take half a minute.
SHORT = {"congestion": ["--for", "2"], "latency": ["--for", "0.4"]}
# The same on loopback, where nothing is to be shown but that they run.
SHORTEST = {"congestion": ["--for", "1.2"], "latency": ["--for", "0.1"]}


@functools.cache
def listed():
    return json.loads(run("compare", "--json").stdout)


class Experiment(unittest.TestCase):
    def compare(self, name, *arguments, prefix=()):
        """The result of one experiment. Where this machine was too busy for its
        lesson it has been checked that this is so, and that it says so."""
        others = Others()
        done = subprocess.run(
            [*prefix, PLAYGROUND, "compare", name, "--json", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        (one,) = json.loads(done.stdout)["experiments"]
        self.assertNotIn("error", one)
        self.assertTrue(one["checks"])
        for check in one["checks"]:
            self.assertTrue(check["holds"] or check.get("busy"), (check, one["rows"]))
        self.assertEqual(done.returncode, 3 if one["busy"] else 0, done.stderr)
        if one["busy"]:
            self.assertTrue(
                others.are_busy(), ("on a quiet machine", others.share(), one)
            )
        return one


class Experiments(Experiment):
    """One test for each, made below."""

    def check(self, name):
        arguments = [] if IS_LONG else SHORT.get(name, [])
        one = self.compare(name, "--seed", "1", *arguments)
        for key in ("did", "why", "rows"):
            self.assertTrue(one[key], key)
        keys = [row["key"] for row in one["rows"]]
        self.assertEqual(len(keys), len(set(keys)), keys)
        for row in one["rows"]:
            self.assertEqual(set(row), {"key", "measure", "unit", "tcp", "udp"})
            self.assertFalse(row["tcp"] is None and row["udp"] is None, row)
        for plot in one["plots"]:
            self.assertTrue(plot["description"])
            for series in plot["series"]:
                self.assertTrue(series["points"], (plot["title"], series["name"]))
        self.assertEqual(type(one.get("answer")), type(None) if one["busy"] else int)


class WithoutNamespaces(Experiment):
    """As on systems that forbid them: each runs all the same, and says what it
    can no longer show. One test for each, made below."""

    def check(self, name):
        one = self.compare(
            name, *([] if IS_LONG else SHORTEST.get(name, [])), prefix=jail()
        )
        if one["needs"] == "a link":
            self.assertIn("namespace", " ".join(one["notes"]))
        if one["needs"] == "a link" and name != "largest":
            self.assertRegex(
                one["notes"][0], "^No impaired link on this system: .*;"
            )
            self.assertRegex(one["notes"][1], "^So this ran on loopback")


@functools.cache
def jail():
    return without_namespaces()


def add_tests(case):
    for one in listed():
        name = one["name"]
        setattr(case, f"test_{name}", lambda self, name=name: self.check(name))


add_tests(Experiments)
add_tests(WithoutNamespaces)


class List(unittest.TestCase):
    def test_first_stands_for_those_marked(self):
        """With settings that make them short, so their checks are not asked."""
        marked = [one["name"] for one in listed() if one["is_first"]]
        done = subprocess.run(
            [PLAYGROUND, *"compare first --json --messages 60 --delay 5".split()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        experiments = json.loads(done.stdout)["experiments"]
        self.assertEqual([one["name"] for one in experiments], marked)

    def test_each_has_words_and_a_name_of_its_own(self):
        names = [one["name"] for one in listed()]
        self.assertEqual(len(names), len(set(names)))
        for one in listed():
            self.assertRegex(one["name"], r"^[a-z]+(-[a-z]+)*$")
            self.assertTrue(one["title"][0].isupper())
            self.assertTrue(one["question"].endswith("?"), one["question"])


load_tests = at_once(8, sanitized=20)

if __name__ == "__main__":
    unittest.main()
