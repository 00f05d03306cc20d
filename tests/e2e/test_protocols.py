"""The handlers of tests/protocols as files: short, without a warning, with a config."""

import json
import os
import unittest

from protocols import FOLDER, NAMES, build, built, shipped
from server import run


def setUpModule():
    build(*NAMES)


class Files(unittest.TestCase):
    def test_are_read_in_one_sitting(self):
        self.assertEqual({name for name in os.listdir(FOLDER)},
                         {f"{name}.{end}" for name in NAMES for end in ("c", "json")})
        for name in NAMES:
            with open(os.path.join(FOLDER, f"{name}.c"), encoding="utf-8") as file:
                self.assertLessEqual(len(file.readlines()), 250, name)

    def test_configs_are_right(self):
        for name in NAMES:
            done = run("check", os.path.join(built, f"{name}.json"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_store_of_two_workers_is_refused(self):
        path = os.path.join(built, "two.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**shipped("resp"), "workers": 2}, file)
        done = run("check", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn("workers", done.stderr)


if __name__ == "__main__":
    unittest.main()
