"""playground compare: the command around the experiments, and what it prints."""

import contextlib
import html.parser
import json
import os
import random
import re
import resource
import signal
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from server import PLAYGROUND, SEED, TIMEOUT_S, deadline, run
from terminal import Terminal


def compare(*arguments, status=0, **options):
    """What `playground compare` prints, once it has ended with this status."""
    result = run("compare", *arguments, **options)
    assert result.returncode == status, (result.stdout, result.stderr)
    return result


def guess(text, *arguments):
    """The same with lines to read."""
    return subprocess.run(
        [PLAYGROUND, "compare", "--predict", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )


def names():
    return [one["name"] for one in json.loads(compare("--json").stdout)]


class List(unittest.TestCase):
    def test_says_what_there_is(self):
        lines = compare().stdout.splitlines()
        listed = [line.split()[0] for line in lines[1:] if line[:1].islower()]
        self.assertEqual(listed, names())

    def test_marks_those_for_a_first_class(self):
        text = compare().stdout
        for one in json.loads(compare("--json").stdout):
            marked = re.search(rf"^{one['name']} +\*", text, re.MULTILINE)
            self.assertEqual(bool(marked), one["is_first"], one["name"])

    def test_columns_line_up(self):
        lines = compare().stdout.splitlines()
        columns = [lines[0].index(word) for word in ("first", "needs", "what it asks")]
        for line in lines[1 : len(names()) + 1]:
            for column in columns:
                self.assertEqual(line[column - 1 : column], " ", line)
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_help(self):
        text = compare("--help").stdout
        for word in ("--json", "--html", "--predict", "--seed", "--loss", "example:"):
            self.assertIn(word, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)


class Usage(unittest.TestCase):
    def refused(self, *arguments):
        result = compare(*arguments, status=2)
        self.assertEqual(result.stdout, "")
        return result.stderr

    def test_unknown_name(self):
        self.assertIn('did you mean "boundaries"?', self.refused("boundaris"))
        self.assertIn("`playground compare` lists them", self.refused("xyzzy"))

    def test_words_of_a_title(self):
        for words in ("head-of-line", "Head of line", "line-blocking"):
            self.assertIn('did you mean "headofline"?', self.refused(words))
        self.assertIn("lists them", self.refused(""))

    def test_a_name_of_former_times(self):
        self.assertIn("it is called headofline now", self.refused("blocking"))

    def test_a_config_without_swap(self):
        self.assertIn(
            "`playground compare config/chat.json --swap tcp,udp`",
            self.refused("config/chat.json"),
        )
        error = self.refused("a b\033[2J.json")
        self.assertIn("compare 'a b", error)
        self.assertNotIn("\033", error)

    def test_every_unknown_name_is_told(self):
        self.assertEqual(len(self.refused("boundaris", "trunkation").splitlines()), 2)

    def test_hostile_name(self):
        self.assertNotIn("\033", self.refused("a\033[2Jb"))

    def test_unknown_option(self):
        self.assertIn("--help", self.refused("--verbose", "boundaries"))

    def test_setting_out_of_range(self):
        for argument in ("101", "-1", "much", "", "nan", "1e999"):
            with self.subTest(argument):
                self.assertIn(
                    "--loss takes a number from 0 to 100",
                    self.refused("boundaries", f"--loss={argument}"),
                )

    def test_settings_with_their_units(self):
        for given in ("--loss=1%", "--loss=1", "--delay=20ms", "--delay=0.5s"):
            with self.subTest(given):
                error = self.refused("boundaries", given)
                self.assertIn("no chosen experiment uses", error)
        for given in ("--loss=1ms", "--delay=20%", "--delay=11s", "--load=1%", "--loss=1e"):
            with self.subTest(given):
                self.assertIn("takes a number from", self.refused("loss", given))
        self.assertIn("0 to 10000 ms, not", self.refused("loss", "--delay=x"))

    def test_setting_that_must_be_whole(self):
        self.assertIn("whole number", self.refused("fanout", "--clients", "2.5"))

    def test_setting_that_nothing_uses(self):
        error = self.refused("boundaries", "--clients", "3")
        self.assertIn("no chosen experiment uses --clients", error)
        self.assertIn("fanout", error)

    def test_html_and_predict_need_an_experiment(self):
        self.assertIn("needs the name", self.refused("--html", "x.html"))
        self.assertIn("needs the name", self.refused("--predict"))

    def test_page_that_cannot_be_written_is_refused_first(self):
        result = compare("boundaries", "--html", "/nowhere/x.html", status=1)
        self.assertEqual(result.stdout, "")
        self.assertIn("cannot write /nowhere/x.html", result.stderr)


class Whole(unittest.TestCase):
    """A page is written whole, or the old one stays."""

    def full_after(self, size):
        """As on a disk that has so many bytes left: what writes more gets EFBIG,
        see setrlimit(2)."""

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        return limit

    def test_a_full_disk_leaves_the_old_page(self):
        draw = random.Random(SEED)
        for old in ("the old page\n" * draw.randrange(1, 3000), None):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "page.html")
                if old:
                    with open(path, "w", encoding="ascii") as file:
                        file.write(old)
                result = compare(
                    *("nobody", "--html", path),
                    status=1,
                    preexec_fn=self.full_after(draw.randrange(1, 3000)),
                )
                self.assertIn(f"cannot write {path}: File too large; make room", result.stderr)
                self.assertEqual(os.listdir(folder), ["page.html"] if old else [])
                if old:
                    with open(path, encoding="ascii") as file:
                        self.assertEqual(file.read(), old, f"PLAYGROUND_SEED={SEED}")

    def test_a_page_that_is_a_link_and_has_rights_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            page, link = (os.path.join(folder, name) for name in ("page.html", "link.html"))
            with open(page, "w", encoding="ascii") as file:
                file.write("x" * 1_000_000)
            os.chmod(page, 0o640)
            os.symlink("page.html", link)
            compare("boundaries", "--html", link)
            self.assertTrue(os.path.islink(link))
            self.assertEqual(os.stat(page).st_mode & 0o777, 0o640)
            self.assertLess(os.stat(page).st_size, 1_000_000)
            self.assertEqual(sorted(os.listdir(folder)), ["link.html", "page.html"])

    def test_a_page_with_the_longest_name(self):
        with tempfile.TemporaryDirectory() as folder:
            name = "x" * (os.pathconf(folder, "PC_NAME_MAX") - 5) + ".html"
            compare("boundaries", "--html", os.path.join(folder, name))
            self.assertEqual(os.listdir(folder), [name])

    def test_what_is_no_file_is_written_as_it_is(self):
        result = compare("boundaries", "--html", "/dev/stdout")
        self.assertIn("</html>", result.stdout)
        result = compare("boundaries", "--html", "/dev/full", status=1)
        self.assertIn("cannot write /dev/full: No space left", result.stderr)


class Text(unittest.TestCase):
    def test_tcp_and_udp_stand_side_by_side(self):
        text = compare("boundaries").stdout
        lines = text.splitlines()
        head = next(line for line in lines if re.fullmatch(r" +TCP +UDP", line))
        tcp, udp = head.index("TCP"), head.index("UDP")
        rows = lines[lines.index(head) + 1 :]
        rows = rows[: rows.index("")]
        self.assertEqual(len(rows), 4)
        for row in rows:
            self.assertEqual(row[tcp - 2 : tcp], "  ", row)
            self.assertEqual(row[udp - 2 : udp], "  ", row)
            self.assertNotEqual(row[tcp], " ", row)
            self.assertNotEqual(row[udp], " ", row)

    def test_says_question_why_and_checks(self):
        text = compare("boundaries").stdout
        self.assertIn("Does one send() arrive as one message?", text)
        self.assertIn("  Why: TCP carries a stream", text)
        self.assertIn("4 of 4 checks: as theory says.", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertNotIn("\033", text)

    def test_settings_are_told(self):
        text = compare("fanout", "--clients", "3", "--messages", "4").stdout
        self.assertIn("settings: clients 3, messages 4", text)
        self.assertRegex(text, r"messages that arrived, of all +12 +12\n")

    def test_a_name_twice_runs_once(self):
        text = compare("truncation", "boundaries", "truncation").stdout
        self.assertEqual(text.count("(truncation)"), 1)
        self.assertLess(text.index("(truncation)"), text.index("(boundaries)"))

    def test_no_progress_in_a_file(self):
        result = compare("fanout", "--messages", "20")
        # On a slow machine one line, once, and nothing of a terminal.
        self.assertRegex(
            result.stderr, r"\A(1 of 1: fanout takes a few seconds\n)?\Z"
        )


class Progress(unittest.TestCase):
    def test_progress_on_a_terminal(self):
        arguments = ["compare", "fanout", "--messages", "100000", "--clients", "9"]
        with Terminal(PLAYGROUND, *arguments) as terminal:
            terminal.wait_text("1 of 1: fanout, ")
            terminal.type("\x03")
            self.assertEqual(terminal.end(), -signal.SIGINT)
            self.assertNotIn("1 of 1", "".join(terminal.screen.rows()))


class FullDisk(unittest.TestCase):
    def test_lost_output_is_no_success(self):
        for arguments in (["boundaries"], ["boundaries", "--json"], ["--json"], []):
            with self.subTest(arguments), open("/dev/full", "w") as full:
                result = subprocess.run(
                    [PLAYGROUND, "compare", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=full,
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=TIMEOUT_S,
                    check=False,
                )
                self.assertEqual(result.returncode, 1)
                self.assertIn("could not be written and is lost", result.stderr)


class Json(unittest.TestCase):
    def test_says_how_to_repeat_it(self):
        report = json.loads(compare("boundaries", "--json").stdout)
        self.assertEqual(
            report["command"], "playground compare boundaries --json --seed 1"
        )
        self.assertEqual(report["seed"], 1)
        self.assertRegex(report["version"], r"\d+\.\d+\.\d+")
        self.assertRegex(report["date"], r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
        self.assertIn("Linux", report["machine"]["kernel"])

    def test_the_command_is_fit_for_a_shell(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "it's a page.html")
            report = json.loads(
                compare("boundaries", "--json", "--seed", "7", "--html", path).stdout
            )
            words = subprocess.run(
                ["sh", "-c", f"printf '%s\\n' {report['command']}"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.splitlines()
        self.assertEqual(words[-2:], ["--html", path])
        self.assertEqual(report["seed"], 7)


class Predict(unittest.TestCase):
    def test_right_and_wrong(self):
        text = guess("b\na\n", "boundaries", "truncation").stdout
        self.assertIn("a) five times over TCP and five times over UDP", text)
        self.assertIn("Your guess was right: once over TCP, five times", text)
        self.assertIn("Your guess: the next 10 bytes of the datagram. What", text)
        self.assertIn("Guessed right: 1 of 2.", text)

    def test_asks_until_it_understands(self):
        text = guess("perhaps b\nz\n B)\n", "boundaries").stdout
        self.assertEqual(text.count("Your guess (a to c"), 3)
        self.assertIn("Your guess was right", text)

    def test_no_guess_is_no_mistake(self):
        for lines in ("\n", ""):
            text = guess(lines, "boundaries").stdout
            self.assertNotIn("Guessed right", text)
            self.assertIn("as theory says", text)

    def test_the_guess_is_asked_before(self):
        text = guess("b\n", "boundaries").stdout
        self.assertLess(text.index("Your guess ("), text.index("  TCP"))

    def test_json_stays_json(self):
        result = guess("a\n", "boundaries", "--json")
        note = json.loads(result.stdout)["experiments"][0]["guess"]
        self.assertEqual((note["guess"], note["is_right"]), (0, False))
        self.assertEqual(len(note["answers"]), 3)
        self.assertIn("Your guess (a to c", result.stderr)


def members(marker):
    """The processes that were started with this in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(pid))
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            pass
    return found


class End(unittest.TestCase):
    """Whatever ends the command, nothing of it is left."""

    def setUp(self):
        self.reader, self.stderr = os.pipe()
        self.addCleanup(os.close, self.stderr)
        self.folder = tempfile.TemporaryDirectory(prefix="compare-end-")
        self.addCleanup(self.folder.cleanup)

    def launch(self):
        environment = {**os.environ, "TMPDIR": self.folder.name}
        self.process = subprocess.Popen(
            [PLAYGROUND, "compare", "fanout", "--messages", "1000000"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.stderr,
            env=environment,
        )

    def start(self):
        self.launch()
        check = deadline()
        # The command, the experiment, its watch of lateness and the server.
        while len(members(self.folder.name)) < 4:
            check("the server of an experiment")

    def tearDown(self):
        self.process.kill()
        self.process.wait()
        if self.reader >= 0:
            os.close(self.reader)

    def ends_by(self, number):
        self.assertEqual(self.process.wait(TIMEOUT_S), -number)
        self.assertEqual(members(self.folder.name), [])
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number):
                self.start()
                self.process.send_signal(number)
                self.ends_by(number)

    def test_nobody_reads_the_progress(self):
        os.close(self.reader)
        self.reader = -1
        self.launch()
        self.ends_by(signal.SIGPIPE)

    def test_sigkill(self):
        self.start()
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        check = deadline()
        while members(self.folder.name):
            check("the end of what a killed command started")

    def test_the_end_of_the_experiment(self):
        self.start()
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        self.assertEqual(self.process.wait(TIMEOUT_S), 1)
        self.assertEqual(members(self.folder.name), [])
        self.assertEqual(os.listdir(self.folder.name), [])


class Crash(unittest.TestCase):
    def test_the_others_go_on(self):
        """The crash of one experiment is its result, and no more."""
        process = subprocess.Popen(
            [
                PLAYGROUND,
                *("compare", "--json", "fanout", "boundaries"),
                *("--messages", "1000000"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        check, children = deadline(), ""
        while not children:
            check("the experiment's process")
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
                children = file.read()
        os.kill(int(children), signal.SIGKILL)
        out, _ = process.communicate(timeout=TIMEOUT_S)
        crashed, other = json.loads(out)["experiments"]
        self.assertIn("signal 9", crashed["error"])
        self.assertNotIn("error", other)
        self.assertEqual(process.returncode, 1)


class Busy(unittest.TestCase):
    """A machine on which processes wait, made by stopping all that belong to an
    experiment again and again."""

    STOPPED_S, RUNNING_S = 0.2, 0.02

    def experiment_of(self, process):
        """Its process group, once it leads one."""
        check = deadline()
        while True:
            check("the experiment's process")
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
                group = int(file.read() or 0)
            if group and os.getpgid(group) == group:
                return group

    def stutter(self, process):
        group = self.experiment_of(process)
        steps = ((signal.SIGSTOP, self.STOPPED_S), (signal.SIGCONT, self.RUNNING_S))
        while process.poll() is None:
            for number, pause_s in steps:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(pause_s)

    def compare(self, *arguments):
        """What it prints once it was too busy; a stop may come at a moment that
        harms nothing."""
        check, status = deadline(), 0
        while status != 3:
            check("an experiment that was too busy")
            with subprocess.Popen(
                [PLAYGROUND, "compare", "headofline", "--delay", "10", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            ) as process:
                self.addCleanup(process.kill)
                self.stutter(process)
                text, status = process.stdout.read(), process.returncode
        return text

    def test_it_is_no_verdict_on_theory(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.html")
            (one,) = json.loads(self.compare("--json", "--html", path))["experiments"]
            with open(path, encoding="utf-8") as file:
                page = "".join(Page(file.read()).text)
        self.assertTrue(one["busy"])
        self.assertGreater(one["late_ms"], 1e3 * self.STOPPED_S / 2)
        self.assertNotIn("answer", one)
        spoilt = [check for check in one["checks"] if not check["holds"]]
        self.assertTrue(spoilt)
        for check in spoilt:
            self.assertTrue(check["busy"])
            self.assertIn(f"cannot tell: {check['claim']}", page)
        self.assertRegex(page, r"This machine was too busy: the loop came [\d,]+ ms late")
        self.assertNotIn("not as theory says", page)

    def test_in_text(self):
        text = self.compare()
        self.assertRegex(text, r"(?m)^  cannot tell: \w")
        self.assertIn("  This machine was too busy: the loop came ", text)
        self.assertNotIn("as theory says", text)


VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(html.parser.HTMLParser):
    """Checks that all elements are closed, in order, and collects the rest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.text = [], [], [], []
        self.elements = set()
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for key in ("href", "src", "action", "data", "srcset", "poster"):
            if key in attributes:
                self.links.append(attributes[key])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open, self.getpos())
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


class Html(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.html")
            compare("boundaries", "backpressure", "nobody", "--html", path)
            with open(path, encoding="utf-8") as file:
                cls.text = file.read()
        cls.page = Page(cls.text)

    def test_needs_nothing_else(self):
        for link in self.page.links:
            self.assertTrue(link.startswith("#"), link)
            self.assertIn(link[1:], self.page.ids)
        self.assertNotRegex(self.text, r"https?:|url\((?!#)|@import|<script|<link")

    def test_ids_are_unique(self):
        self.assertEqual(len(self.page.ids), len(set(self.page.ids)))

    def test_pictures_are_xml_that_can_be_read_out(self):
        pictures = re.findall(r"<svg.*?</svg>", self.text, re.DOTALL)
        self.assertEqual(len(pictures), 2)
        for picture in pictures:
            root = ElementTree.fromstring(picture)
            self.assertEqual(root.get("role"), "img")
            labels = root.get("aria-labelledby").split()
            for name, label in zip(("title", "desc"), labels):
                element = root.find(name)
                self.assertEqual(element.get("id"), label)
                self.assertTrue(element.text)

    def test_has_all_it_takes_to_repeat_it(self):
        text = "".join(self.page.text)
        self.assertIn("playground compare boundaries backpressure nobody", text)
        self.assertIn("--seed 1", text)
        self.assertIn("Linux", text)
        self.assertRegex(text, r"playground \d+\.\d+")
        self.assertRegex(text, r"\d{4}-\d\d-\d\dT")

    def test_is_made_for_screens_and_paper(self):
        self.assertIn('name="viewport"', self.text)
        self.assertIn("@media print", self.text)
        self.assertIn('lang="en"', self.text)

    def test_shows_guesses(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report.html")
            guess("a\n", "boundaries", "--html", path)
            with open(path, encoding="utf-8") as file:
                text = file.read()
        Page(text)
        self.assertIn("the guess", text)
        self.assertIn("came out", text)


if __name__ == "__main__":
    unittest.main()
