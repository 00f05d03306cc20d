"""Each experiment comes out as theory says, and says so completely."""

import json
import signal
import subprocess
import unittest

from server import PLAYGROUND, run, without_namespaces
from terminal import Terminal

LIMIT_S = 120


def listed():
    return json.loads(run("compare", "--json").stdout)


class Experiments(unittest.TestCase):
    """One test for each, made below."""

    def check(self, name):
        result = subprocess.run(
            [PLAYGROUND, "compare", name, "--json", "--seed", "1"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        (one,) = json.loads(result.stdout)["experiments"]
        self.assertNotIn("error", one)
        self.assertTrue(one["checks"])
        for check in one["checks"]:
            self.assertTrue(check["holds"], (check, one["rows"]))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.check_is_complete(one)

    def check_is_complete(self, one):
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
        self.assertIsInstance(one["answer"], int)


def make_test(name):
    return lambda self: self.check(name)


for experiment in listed():
    setattr(
        Experiments, f"test_{experiment['name']}", make_test(experiment["name"])
    )


class WithoutNamespaces(unittest.TestCase):
    """As on systems that forbid them."""

    def test_most_run_all_the_same(self):
        result = subprocess.run(
            [*without_namespaces(), PLAYGROUND, "compare", "all", "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        experiments = json.loads(result.stdout)["experiments"]
        ran = [one for one in experiments if "error" not in one]
        self.assertGreaterEqual(len(ran), 12)
        for one in ran:
            for check in one["checks"]:
                self.assertTrue(check["holds"], (one["name"], check))
            if one["needs"] == "a link":
                self.assertIn("namespace", " ".join(one["notes"]))


class Progress(unittest.TestCase):
    def test_progress_on_a_terminal(self):
        arguments = ["compare", "fanout", "--messages", "100000", "--clients", "9"]
        with Terminal(PLAYGROUND, *arguments) as terminal:
            terminal.wait_text("1 of 1: fanout, 2 s: TCP")
            terminal.type("\x03")
            self.assertEqual(terminal.end(), -signal.SIGINT)
            self.assertNotIn("1 of 1", "".join(terminal.screen.rows()))


class List(unittest.TestCase):
    def test_first_stands_for_those_marked(self):
        marked = [one["name"] for one in listed() if one["is_first"]]
        result = subprocess.run(
            [PLAYGROUND, "compare", "first", "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=True,
        )
        experiments = json.loads(result.stdout)["experiments"]
        self.assertEqual([one["name"] for one in experiments], marked)

    def test_each_has_words_and_a_name_of_its_own(self):
        experiments = listed()
        names = [one["name"] for one in experiments]
        self.assertEqual(len(names), len(set(names)))
        for one in experiments:
            self.assertRegex(one["name"], r"^[a-z]+(-[a-z]+)*$")
            self.assertTrue(one["title"][0].isupper())
            self.assertTrue(one["question"].endswith("?"), one["question"])


if __name__ == "__main__":
    unittest.main()
