"""A remedy fits the cause: what is advised is done here as it stands, and mends it.

What makes each cause by itself, and which advice it has, is in
tests/unit/test_remedy.c and test_address_remedy.c; here the program meets some.
"""

import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from server import IS_SANITIZED, PLAYGROUND, SEED, SOURCE, TIMEOUT_S, Server, config, connect, listener

MOUNTS = (
    ["unshare", "--mount"],
    ["unshare", "--mount", "--user", "--map-root-user"],
)
NO_PROC = "mount -t tmpfs none /proc"
PING = os.path.join(SOURCE, "plugins", "handler", "ping.c")


def under(script):
    """The words before a command that has mounts of its own, made by `script`."""
    for words in MOUNTS:
        if subprocess.run([*words, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
            return [*words, "sh", "-ec", f'{script}\nexec "$@"', "sh"]
    raise AssertionError("nobody can mount anything here: " + str(MOUNTS))


def advised(said):
    """The command that a message advises to run."""
    return re.search(r"(?:; run |, or run |make its folder: )(.*?)(?:\n|$)", said)[1]


class Remedies(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground remedy ")
        self.addCleanup(shutil.rmtree, self.folder)
        self.random = random.Random(SEED)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def handler(self, name):
        """ping.c under another name, in a folder that may be another."""
        with open(PING, encoding="utf-8") as file:
            text = file.read()
        stem = os.path.basename(name)
        self.write(f"{name}.c", text.replace('.name = "ping"', f'.name = "{stem}"'))

    def shell(self, script, words=("sh", "-c"), **environment):
        return subprocess.run(
            [*words, script],
            cwd=self.folder,
            env={**os.environ, "P": PLAYGROUND, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def succeeds(self, script, **options):
        done = self.shell(script, **options)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def fails(self, script, *words, **options):
        done = self.shell(script, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        for word in words:
            self.assertIn(word, done.stdout)
        return done.stdout


class WithoutProc(Remedies):
    def test_a_page_is_written(self):
        self.succeeds('"$P" compare boundaries --html x.html', words=(*under(NO_PROC), "sh", "-c"))
        self.assertEqual(os.path.exists(self.path("x.html")), True)

    def test_all_plugins_are_found(self):
        there = self.succeeds('"$P" plugins')
        self.assertRegex(there, r"(?m)^transport +tcp ")
        bare = under(NO_PROC)

        # A path from here, a whole one, and a name that the shell seeks in PATH.
        folder = os.path.dirname(PLAYGROUND)
        os.symlink(folder, self.path("bin"))
        for program in (PLAYGROUND, "bin/playground", "playground"):
            with self.subTest(program):
                here = self.succeeds(
                    f'PATH="{folder}:$PATH"; "{program}" plugins', words=(*bare, "sh", "-c")
                )
                self.assertEqual(here, there)

    def test_it_builds_and_serves(self):
        self.handler("first")
        words = under(NO_PROC)
        self.succeeds('"$P" build first.c', words=(*words, "sh", "-c"))
        chain = config([listener("tcp")], ["lines", "first"], plugin_path=self.folder)
        for arguments in ([], ["--single"]):
            with Server(chain, *arguments, under=words) as server:
                with connect(server.address()) as client:
                    client.send("ping\n")
                    self.assertEqual(client.line(), "pong")

    def test_wire_says_what_it_lacks(self):
        said = self.fails('"$P" wire -- true -- true', words=(*under(NO_PROC), "sh", "-c"))
        self.assertIn("/proc is not mounted: run mount -t proc proc /proc", said)


if IS_SANITIZED:  # the sanitizers themselves read /proc, and fail without it
    del WithoutProc


class Build(Remedies):
    def test_any_umask_will_do(self):
        for number in range(2):
            umask = self.random.choice((0, 0o2, 0o20, 0o22, 0o77)) if number else 0
            name = f"it{number}"
            self.handler(name)
            with self.subTest(umask=oct(umask), seed=SEED):
                self.succeeds(f'umask {umask:o}; "$P" build {name}.c')
                self.write("my.json", '{ "transports": ["tcp"], "handlers": ["lines", "%s"] }' % name)
                self.assertEqual(self.succeeds('"$P" check my.json'), "my.json: ok\n")
                self.assertFalse(os.stat(self.path(f"{name}.so")).st_mode & 0o002)

    def test_a_folder_that_everybody_may_change(self):
        os.mkdir(self.path("wide"))
        os.chmod(self.path("wide"), 0o777)
        self.handler("wide/it")
        done = self.shell('"$P" build wide/it.c')
        self.assertIn("everybody may change the folder ./wide", done.stdout)
        self.assertEqual(done.returncode, 1 if os.geteuid() == 0 else 0)

        self.succeeds(advised(done.stdout))

        self.assertNotIn("everybody", self.succeeds('"$P" build wide/it.c'))
        self.write("wide/my.json", '{ "transports": ["tcp"], "handlers": ["lines", "it"] }')
        self.succeeds('"$P" check wide/my.json')

    def test_what_everybody_may_change_and_nobody_can_mend(self):
        self.handler("it")
        self.succeeds('"$P" build it.c')
        self.write("my.json", '{ "transports": ["tcp"], "handlers": ["lines", "it"] }')
        self.write(
            "test.sh",
            """
            mkdir -m 755 mounted
            mount -t tmpfs -o mode=755 none mounted
            cp it.so my.json mounted
            chmod 777 mounted/it.so
            mount -o remount,bind,ro mounted
            "$P" check mounted/my.json 2>said || :
            grep 'everybody may change the file mounted/it.so.*; its file system is read-only: ' said
            """,
        )
        self.succeeds(". ./test.sh", words=(*under(":"), "sh", "-ec"))

    def test_a_file_system_mounted_noexec(self):
        """What was built elsewhere cannot be loaded, nor mended by building it."""
        self.handler("it")
        self.succeeds('"$P" build it.c')
        self.write("my.json", '{ "transports": ["tcp"], "handlers": ["lines", "it"] }')
        self.write(
            "test.sh",
            """
            mkdir -m 755 mounted
            mount -t tmpfs -o noexec,mode=755 none mounted
            cp it.c it.so my.json mounted
            for words in "check mounted/my.json" "build mounted/it.c"; do
                "$P" $words 2>&1 && exit 9
            done | tee said
            [ "$(grep -c 'is mounted noexec: take a folder' said)" = 2 ]
            ! grep 'build it again' said
            command=$(sed -n '1s/.* or run //p' said)
            eval "$command"
            "$P" check mounted/my.json
            "$P" build mounted/it.c
            """,
        )
        self.succeeds(". ./test.sh", words=(*under(":"), "sh", "-ec"))

    def test_compilers_that_cannot_be_run(self):
        self.handler("it")
        self.write("cc1", "#!/bin/sh\nexec cc \"$@\"\n")
        self.write("cc2", "#!/no/such/sh\n")
        os.chmod(self.path("cc1"), 0o600)
        os.chmod(self.path("cc2"), 0o700)

        said = self.fails('"$P" build it.c', "that CC names: Permission denied; run", CC="./cc1")
        self.fails('"$P" build it.c', "its first line names /no/such/sh: install", CC="./cc2 -O")
        self.fails('"$P" build it.c', "no folder of PATH has it: install it", CC="no-such-compiler")
        self.succeeds(advised(said))
        self.succeeds('"$P" build it.c', CC="./cc1")

    def test_no_process_to_load_it_in(self):
        """The plugin, which has done nothing yet, is not to blame."""
        self.handler("it")
        said = self.fails('ulimit -n 4; "$P" plugins echo', "this process may hold 4 descriptors: ")
        self.assertNotIn("constructors", said)
        self.succeeds('ulimit -n 40; "$P" plugins echo')

    def test_what_is_in_the_place_of_the_result(self):
        self.handler("it")
        os.mkdir(self.path("it.so"))
        self.fails('"$P" build it.c', "Is a directory; it is a folder: rename or remove it")
        os.rmdir(self.path("it.so"))
        self.succeeds('"$P" build it.c')


class Files(Remedies):
    """Commands and plugins that open a file: its folder is not there."""

    def test_a_folder_that_is_made_as_advised(self):
        says = '{ "transports": [{ "plugin": "sim", "messages": 1%s }], "handlers": ["echo"%s] }'
        configs = {
            "trace": says % (', "trace": "a/b/trace"', ""),
            "log": says % ("", ', { "plugin": "log", "file": "c/log" }'),
        }
        for name, text in configs.items():
            with self.subTest(name):
                self.write("my.json", text)
                said = self.fails('"$P" run my.json', "No such file or directory; make its folder: ")
                self.succeeds(advised(said))
                self.succeeds('"$P" run my.json')
        said = self.fails('"$P" compare boundaries --html d/x.html', "make its folder: ")
        self.succeeds(advised(said))
        self.assertTrue(os.path.isdir(self.path("d")))

    def test_stdout_on_a_full_disk(self):
        self.write(
            "test.sh",
            """
            mkdir mounted
            mount -t tmpfs -o size=4k none mounted
            "$P" plugins --json >mounted/x 2>said && exit 9
            grep 'No space left on device; its file system is full (df): remove ' said
            mount -o remount,size=1m mounted
            "$P" plugins --json >mounted/x
            """,
        )
        self.succeeds(". ./test.sh", words=(*under(":"), "sh", "-ec"))

    def test_what_grows_leaves_the_old_one_on_a_full_disk(self):
        self.write(
            "my.json",
            '{ "transports": [{ "plugin": "sim", "trace": "mounted/x" }], "handlers": ["echo"] }',
        )
        self.write(
            "test.sh",
            """
            mkdir mounted
            mount -t tmpfs -o size=16k none mounted
            echo old >mounted/x
            head -c 100000 /dev/zero >mounted/full || true
            for what in "run my.json" "wire --log mounted/x -- true -- true" \\
                "wire --pcap mounted/x -- true -- true"
            do
                "$P" $what >said 2>&1 && exit 9
                grep ': No space left on device; its file system is full (df): remove ' said
                grep -x old mounted/x
            done
            rm mounted/full
            "$P" run my.json
            grep hello mounted/x
            """,
        )
        self.succeeds(". ./test.sh", words=(*under(":"), "sh", "-ec"))

    def test_a_path_of_plugins(self):
        self.write("x", "")
        os.mkdir(self.path("y"))
        os.symlink("z", self.path("z"))
        text = '{ "plugin_path": "%s", "transports": ["tcp"], "handlers": ["echo"] }'
        for name, says in (("x", "Not a directory; name a folder"), ("z", "its links lead in a ")):
            self.write("my.json", text % name)
            self.assertIn(f"warning: ./{name}: ", self.succeeds('"$P" check my.json'))
            self.assertIn(says, self.succeeds('"$P" check my.json'))
        self.write("my.json", text % "y")
        self.assertEqual(self.succeeds('"$P" check my.json'), "my.json: ok\n")

    def test_a_folder_in_place_of_a_file(self):
        os.mkdir(self.path("x"))
        self.write("my.json", '{ "transports": [{ "plugin": "sim", "say": "@x" }], "handlers": ["echo"] }')
        self.fails('"$P" run my.json', "cannot read x: Is a directory; name another file")
        self.fails('"$P" check x', "x: Is a directory; give the path of a config")
        for name, says in (("none", "No such file or directory"), ("x", "Is a directory")):
            self.fails(
                f'"$P" compare my.json --swap tcp,udp --send {name}',
                f"{name}: {says}; give a file with one message a line",
            )


class Names(Remedies):
    """Of several addresses, of which the first has no server."""

    def answered_by_the_second(self, said, wanted, count=1):
        """A name for 127.0.0.1 and 127.0.0.2; what the client prints of what is
        said, one datagram a line, to a server on the second."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as hosts:
            hosts.write("127.0.0.1 two.example\n127.0.0.2 two.example\n")
            hosts.flush()
            words = under(f"mount --bind '{hosts.name}' /etc/hosts")
            with Server(config([listener("udp", host="127.0.0.2")], ["echo"])) as server:
                port = server.address("udp")[1]
                done = subprocess.run(
                    [*words, PLAYGROUND, "client", "--wait", "1s", f"udp://two.example:{port}"],
                    input=said,
                    capture_output=True,
                    timeout=TIMEOUT_S,
                    check=False,
                )
        self.assertEqual((done.returncode, done.stdout), (0, wanted), done.stderr)
        self.assertRegex(
            done.stderr.decode(),
            rf"(?s)sending to udp 127\.0\.0\.1:{port};.*refused: udp 127\.0\.0\.1:{port}: nobody "
            rf"listens there.*trying udp 127\.0\.0\.2:{port}\n.*sending to udp 127\.0\.0\.2:{port};",
        )

    def test_the_next_address_gets_what_the_first_did_not(self):
        count = self.random.randint(1, 20)
        lines = b"".join(b"%d of %d\n" % (i, count) for i in range(count))
        self.answered_by_the_second(lines, lines)

    def test_the_last_address_is_the_last(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        self.write("hosts", "127.0.0.1 two.example\n127.0.0.2 two.example\n")
        words = under(f"mount --bind '{self.path('hosts')}' /etc/hosts")
        said = self.fails(
            f'echo um | "$P" client udp://two.example:{port}', words=(*words, "sh", "-c")
        )
        self.assertEqual(said.count("refused: udp 127.0.0."), 2)

    def test_no_name_server(self):
        said = self.fails(
            '"$P" client tcp://some.name.example',
            words=("unshare", "--net", "--user", "--map-root-user", "sh", "-c"),
        )
        self.assertRegex(
            said,
            "in name resolution; no name server has answered: check the network, or write the "
            "address in numbers|not known; check the spelling, or write the address in numbers",
        )

    def test_a_host_without_a_name_server(self):
        self.write("my.json", '{ "transports": [{ "plugin": "udp", "host": "some.name.example" }] }')
        said = self.fails(
            '"$P" run my.json',
            words=("unshare", "--net", "--user", "--map-root-user", "sh", "-c"),
        )
        self.assertRegex(
            said,
            r'"some.name.example" is a name, (and no name server has answered; check the network, '
            r"or write the address in numbers)",
        )

    def test_everybody_is_no_server(self):
        for transport, host in (("udp", "127.255.255.255"), ("tcp", "127.255.255.255")):
            said = self.fails(f'"$P" client {transport}://{host}:7')
            self.assertIn("is a broadcast address, for all machines of a network; take ", said)
            self.assertNotIn("privileges", said)

    def test_an_address_has_one_spelling(self):
        for host in ("127.0.0.01", "010.0.0.1", "127.1"):
            self.write("my.json", '{ "transports": [{ "plugin": "udp", "host": "%s" }] }' % host)
            for command in (f"client udp://{host}:5000", f"client tcp://{host}:5000", "check my.json"):
                self.fails(f'"$P" {command}', "write four numbers from 0 to 255 without zeros")


if __name__ == "__main__":
    unittest.main()
