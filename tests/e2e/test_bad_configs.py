"""Each broken config is refused by `check` and by `run` alike: status 2, the
place and the text that its .expect file says, no crash."""

import glob
import os
import subprocess
import tempfile
import unittest

from server import PLAYGROUND, SOURCE, TIMEOUT_S, sampled

FOLDER = os.path.join(SOURCE, "tests", "fixtures", "configs")


def tried(command, name):
    return subprocess.run(
        [PLAYGROUND, *command, name],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def places(stderr):
    return [line for line in stderr.splitlines() if ".json:" in line and line[0] != " "]


class BadConfigs(unittest.TestCase):
    def files(self):
        files = sorted(glob.glob(os.path.join(FOLDER, "*.json")))
        self.assertGreaterEqual(len(files), 40)
        return files

    def refused(self, files, *command):
        for path in files:
            name = os.path.basename(path)
            with self.subTest(name), open(path[:-5] + ".expect", encoding="utf-8") as file:
                wanted = file.read().splitlines()
                done = tried(command, name)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual(places(done.stderr), wanted)
                for line in wanted:  # what is wrong; what to do
                    self.assertRegex(line, r"^\S+\.json(:\d+:\d+)?: .+; .+")

    def test_check_refuses_them(self):
        self.refused(sampled(self.files(), 40), "check")

    def test_run_refuses_them(self):
        self.refused(sampled(self.files(), 20), "run")

    def test_run_single_refuses_them(self):
        self.refused(sampled(self.files(), 20), "run", "--single")

    def test_line_ends_of_windows_change_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in sampled(self.files(), 20):
                with open(path, "rb") as file:
                    text = file.read().replace(b"\r\n", b"\n")
                if b"\0" in text:  # UTF-16
                    continue
                said = []
                for line_end in (b"\n", b"\r\n"):
                    copy = os.path.join(folder, "a.json")
                    with open(copy, "wb") as file:
                        file.write(text.replace(b"\n", line_end))
                    said.append(places(tried(["check"], copy).stderr))
                with self.subTest(path):
                    self.assertEqual(*said)

    def test_a_file_without_end(self):
        for command in (["check"], ["run"], ["run", "--single"]):
            with self.subTest(command):
                done = tried(command, "/dev/zero")
                self.assertEqual(done.returncode, 2)
                self.assertIn("/dev/zero: the file is larger than 8 MiB", done.stderr)

    def test_what_cannot_be_read(self):
        give_up = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "closed.json")
            with open(path, "w", encoding="utf-8"):
                os.chmod(path, 0)
            for what, says in (
                (folder, "Is a directory; give the path of a config, such as config/chat.json"),
                (path, f"Permission denied; run chmod u+r {path}"),
            ):
                for command in (["check"], ["run"], ["run", "--single"]):
                    done = subprocess.run(
                        [*give_up, PLAYGROUND, *command, what],
                        capture_output=True,
                        text=True,
                        timeout=TIMEOUT_S,
                    )
                    self.assertEqual((done.returncode, done.stdout), (2, ""))
                    self.assertEqual(done.stderr, f"{what}: {says}\n")

    def test_a_port_that_needs_privileges(self):
        """To a user who has none; root gives up the one that matters."""
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            first_free = int(file.read())
        port = first_free - 1 if first_free > 1 else 80
        give_up = ["setpriv", "--bounding-set=-net_bind_service"]
        low = '{ "transports": [{ "plugin": "%s", "host": "%s", "port": %d }] }'
        text = f"port {port} needs privileges; try {port + 5000}"
        for plugin, host in (("udp", "127.0.0.1"), ("tcp", "localhost")):
            for configured, arguments, place in (
                (port, ["check"], ":1:66: "),
                (port, ["run"], ":1:66: "),
                (5000, ["run", "--port", str(port)], ": --port on the command line: "),
                (5000, ["run", "--single", "--port", str(port)], ": --port on the command line: "),
            ):
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "low.json")
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(low % (plugin, host, configured))
                    if port >= first_free:  # here every port is free to all
                        arguments, place = ["check"], None
                    done = subprocess.run(
                        [*(give_up if os.geteuid() == 0 else []), PLAYGROUND, *arguments, path],
                        capture_output=True,
                        text=True,
                        timeout=TIMEOUT_S,
                    )
                self.assertEqual(done.returncode, 2 if place else 0, done.stderr)
                self.assertEqual(places(done.stderr), [path + place + text] if place else [])


if __name__ == "__main__":
    unittest.main()
