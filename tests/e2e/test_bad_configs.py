"""Each broken config is refused by `check` and by `run` alike: status 2, the
place and the text that its .expect file says, no crash."""

import glob
import os
import subprocess
import unittest

PLAYGROUND = os.environ["PLAYGROUND"]
FOLDER = os.path.join(os.environ["PLAYGROUND_SOURCE"], "tests", "fixtures", "configs")


def tried(command, name):
    return subprocess.run(
        [PLAYGROUND, *command, name],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
    )


def places(stderr):
    return [line for line in stderr.splitlines() if ".json:" in line and line[0] != " "]


class BadConfigs(unittest.TestCase):
    def refused(self, *command):
        files = sorted(glob.glob(os.path.join(FOLDER, "*.json")))
        self.assertGreaterEqual(len(files), 40)
        for path in files:
            name = os.path.basename(path)
            with self.subTest(name), open(path[:-5] + ".expect", encoding="utf-8") as file:
                wanted = file.read().splitlines()
                done = tried(command, name)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual(places(done.stderr), wanted)

    def test_check_refuses_them(self):
        self.refused("check")

    def test_run_refuses_them(self):
        self.refused("run")

    def test_run_single_refuses_them(self):
        self.refused("run", "--single")


if __name__ == "__main__":
    unittest.main()
