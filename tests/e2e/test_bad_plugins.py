"""A zoo of plugins that cannot be used. `check`, `run`, `plugins NAME` and
`build` say what is wrong with each, alike, and none of them crashes."""

import atexit
import concurrent.futures
import functools
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest

from at_once import at_once
from server import PLAYGROUND, SOURCE, TIMEOUT_S, Server, connect, sampled

INCLUDE = os.path.join(SOURCE, "core", "include")

TEMPLATE = """
#include <playground/simulation.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
struct options {{
    bool flag;
    int count, other;
    double number;
    const char *text;
    const char *const *list;
}};
#define FIELD(name) PG_FIELD(struct options, name)
{before}
{definition}
"""

HANDLER = "const struct pg_handler pg_handler"
TRANSPORT = "const struct pg_transport pg_transport"
ADVICE_BUILD = "build it again with this program's `playground build`"

NOT_EXPORTED = (
    r"pg_handler is not exported; delete the word static before it, and include its header"
)


class Bad:
    """One thing wrong: what stands before the struct, which of its fields are
    otherwise, and what is said about it (a regular expression)."""

    is_handler = True
    base = (
        '.abi = PG_HANDLER_ABI, .name = "{name}", .summary = "is a bad example", '
        ".options_size = sizeof(struct options)"
    )

    def __init__(self, says, *fields, before="", what=HANDLER, build=None):
        self.says, self.fields, self.before, self.what = says, fields, before, what
        self.build = build or says

    def definition(self, name):
        fields = ",\n    ".join((self.base.format(name=name), *self.fields))
        return f"{self.what} = {{ {fields} }};"

    def source(self, name):
        if self.what is None:
            return self.before
        return TEMPLATE.format(before=self.before, definition=self.definition(name))

    def config(self, name):
        handlers = f'["{name}"]' if self.is_handler else '["echo"]'
        transport = '{ "plugin": "tcp", "port": 0 }' if self.is_handler else f'"{name}"'
        return '{ "transports": [%s],\n  "handlers": %s }\n' % (transport, handlers)

    def place(self):
        return "2:16" if self.is_handler else "1:18"


NEXT_NS = """
static uint64_t it_next_ns(struct pg_listener *listener) { (void)listener; return 0; }
"""


class BadTransport(Bad):
    is_handler = False
    base = (
        '.abi = PG_TRANSPORT_ABI, .name = "{name}", .summary = "is a bad example", '
        ".provides = PG_STREAM, .listen = it_listen, .ready = it_ready, .recv = it_recv, "
        ".send = it_send, .address = it_address"
    )
    callbacks = """
static int it_listen(struct pg_listener *listener) { (void)listener; return -1; }
static int it_ready(struct pg_listener *listener, int fd)
{ (void)listener, (void)fd; return -1; }
static ssize_t it_recv(struct pg_session *session, int fd, void *data, size_t size)
{ (void)session, (void)fd, (void)data, (void)size; return -1; }
static ssize_t it_send(struct pg_session *session, int fd, const struct iovec *parts, int n)
{ (void)session, (void)fd, (void)parts, (void)n; return -1; }
static void it_address(struct pg_listener *listener, const struct pg_session *session,
                       int fd, char *text, size_t size)
{ (void)listener, (void)session, (void)fd, (void)size; text[0] = 0; }
"""

    def __init__(self, says, *fields, before=""):
        super().__init__(says, *fields, before=self.callbacks + before, what=TRANSPORT)


class BadOption(Bad):
    def __init__(self, says, *elements, fields=()):
        table = "static const struct pg_option table[] = { %s, {0} };" % ", ".join(elements)
        super().__init__(says, ".options = table", *fields, before=table)


class BadCall(Bad):
    """Its check() would call a function, which needs a field."""

    def __init__(self, call, field):
        function = call.split("(")[0]
        super().__init__(
            rf"calls {function}\(\), but has no \.{field}; write \.{field} ",
            before="const void *it_calls(struct pg_ctx *ctx, struct pg_entry *entry)\n"
            "{ (void)ctx, (void)entry; return %s; }" % call,
        )


class BadTransportCall(BadTransport):
    def __init__(self, call, field):
        function = call.split("(")[0]
        super().__init__(
            rf"calls {function}\(\), but has no \.{field}; write \.{field} ",
            before="const void *it_calls(struct pg_session *session, struct pg_listener *listener)\n"
            "{ (void)session, (void)listener; return %s; }" % call,
        )


def check_function(body):
    return "static int it_check(struct pg_entry *entry) { (void)entry; %s }" % body


COUNT = '{ "count", PG_INT, FIELD(count)%s }'
TWO = COUNT % "" + ', { "other", PG_INT, FIELD(other), .help = "one line" }'
NO_END = r"the option table has no end; let \{0\} be its last element"

BAD = {
    # ---- the symbol -------------------------------------------------------
    "no-symbol": Bad(
        r"no symbol pg_handler: not a handler plugin; define `const struct pg_handler "
        r"pg_handler`, not static, spelt so",
        before="int nothing;\n",
        what=None,
    ),
    "misspelt-symbol": Bad(
        r"no symbol pg_handler, but pg_handlr; correct the spelling",
        what="const struct pg_handler pg_handlr",
    ),
    "static-symbol": Bad(
        NOT_EXPORTED,
        before="static const int pg_handler[40] __attribute__((used)) = {1};\n",
        what=None,
    ),
    "function-symbol": Bad(
        r"pg_handler is no data; define it as `const struct pg_handler pg_handler`",
        before="void pg_handler(void) {}\n",
        what=None,
        build=NOT_EXPORTED,
    ),
    # ---- the version ------------------------------------------------------
    "no-abi": Bad(r"its \.abi is not set; write \.abi = PG_HANDLER_ABI", ".abi = 0"),
    "abi-of-ones-own": Bad(
        r"its \.abi is 99, and no version was ever that; write \.abi = PG_HANDLER_ABI",
        ".abi = 99",
    ),
    "other-version": Bad(
        r"was built for version 7 of the handler interface, and this program has version "
        r"\d+; " + ADVICE_BUILD,
        ".abi = 7u << 16 | (uint32_t)sizeof(struct pg_handler)",
    ),
    "larger-struct": Bad(
        r"was built for a newer handler interface \(version 1, \d+ bytes\) than this "
        r"program's \(version 1, \d+ bytes\); " + ADVICE_BUILD + ", or update the program",
        ".abi = PG_HANDLER_ABI + 16",
    ),
    "smaller-than-it-says": Bad(
        r"pg_handler has 16 bytes, but its \.abi says 100; write \.abi = PG_HANDLER_ABI",
        before="const struct { unsigned abi; const char *name; } pg_handler = "
        '{ 1u << 16 | 100, "x" };\n',
        what=None,
        build=NOT_EXPORTED,
    ),
    "nothing-but-abi": Bad(
        r'\.name is missing; write \.name = "nothing-but-abi"', ".abi = 1u << 16 | 4"
    ),
    # ---- fields -----------------------------------------------------------
    "no-name": Bad(r'\.name is missing; write \.name = "no-name"', ".name = NULL"),
    "other-name": Bad(
        r'\.name is "this", but the file is other-name\.so; make them the same',
        '.name = "this"',
    ),
    "no-summary": Bad(
        r"\.summary is missing; write one line that says what it does", ".summary = NULL"
    ),
    "needs-a-stream": Bad(
        r"\.needs is neither PG_ANY nor PG_RECORDS; write one of them", ".needs = PG_STREAM"
    ),
    "makes-a-stream": Bad(
        r"\.makes is neither PG_ANY nor PG_RECORDS; write one of them", ".makes = PG_STREAM"
    ),
    "huge-options": Bad(
        r"\.options_size is \d+ bytes, more than 65536; ", ".options_size = SIZE_MAX"
    ),
    "huge-entry": Bad(
        r"\.entry_size is \d+ bytes, more than 1073741824; ", ".entry_size = SIZE_MAX"
    ),
    "huge-session": Bad(
        r"\.session_size is 1099511627776 bytes, more than 1048576; keep less, or allocate "
        r"the rest in init\(\)",
        ".session_size = (size_t)1 << 40",
    ),
    # ---- options ----------------------------------------------------------
    "option-twice": BadOption(
        r'option "count": the table has it twice; delete one of them',
        COUNT % "",
        '{ "count", PG_INT, FIELD(other) }',
    ),
    "option-field-twice": BadOption(
        r'option "other": it has the field of "count"; give it one of its own',
        COUNT % "",
        '{ "other", PG_INT, FIELD(count) }',
    ),
    "option-wrong-size": BadOption(
        r'option "count": its type does not fit a field of 1 bytes; PG_BOOL wants bool, '
        r"PG_INT int or int64_t",
        '{ "count", PG_INT, FIELD(flag) }',
    ),
    "option-without-field": BadOption(
        r'option "count": it has no field; write PG_FIELD\(struct NAME, FIELD\)',
        '{ "count", PG_INT }',
    ),
    "option-without-type": BadOption(
        r'option "count": it has no type; write PG_BOOL, PG_INT, PG_NUMBER, '
        r"PG_STRING or PG_STRINGS",
        '{ "count", 0, FIELD(count) }',
    ),
    "option-outside": BadOption(
        r'option "count": its field is outside of the struct; set \.options_size to the '
        r"struct's sizeof",
        '{ "count", PG_INT, .offset = 4096, .size = sizeof(int) }',
    ),
    "options-without-size": BadOption(
        r'option "count": its field is outside of the struct; set \.options_size to the '
        r"struct's sizeof",
        COUNT % "",
        fields=(".options_size = 0",),
    ),
    "option-range-backwards": BadOption(
        r'option "count": its \.min is greater than its \.max; swap them',
        COUNT % ", .min = 10, .max = -10",
    ),
    "option-range-too-wide": BadOption(
        r'option "count": its range is wider than int; use int64_t',
        COUNT % ", .min = 0, .max = 1e12",
    ),
    "option-range-of-text": BadOption(
        r'option "text": only numbers and lists have \.min and \.max; delete them',
        '{ "text", PG_STRING, FIELD(text), .min = 1, .max = 5 }',
    ),
    "option-range-is-nan": BadOption(
        r'option "number": its \.min or \.max is no number; write one',
        '{ "number", PG_NUMBER, FIELD(number), .min = NAN, .max = 5 }',
    ),
    "option-choices-of-number": BadOption(
        r'option "count": only PG_STRING and PG_STRINGS have \.choices; delete them',
        COUNT % ', .choices = "1 2"',
    ),
    "option-choices-empty": BadOption(
        r'option "text": its \.choices are empty; ',
        '{ "text", PG_STRING, FIELD(text), .choices = " " }',
    ),
    "default-is-no-number": BadOption(
        r'option "count": its \.initial does not fit: "count" is "twelve", not a whole '
        r"number; ",
        COUNT % ', .initial = "twelve"',
    ),
    "default-out-of-range": BadOption(
        r'option "count": its \.initial does not fit: "count" is 11; choose 0 to 10',
        COUNT % ', .initial = "11", .min = 0, .max = 10',
    ),
    "default-zero-out-of-range": BadOption(
        r'option "count": its \.initial does not fit: "count" is 0; choose 1 to 10',
        COUNT % ", .min = 1, .max = 10",
    ),
    "default-is-no-choice": BadOption(
        r'option "text": its \.initial does not fit: "text" is "a"; choose "b" or "c"',
        '{ "text", PG_STRING, FIELD(text), .initial = "a", .choices = "b c" }',
    ),
    "list-of-minus-one": BadOption(
        r'option "list": its \.min and \.max say how many texts; write whole numbers from 0',
        '{ "list", PG_STRINGS, FIELD(list), .min = -1, .max = 5 }',
    ),
    "list-of-halves": BadOption(
        r'option "list": its \.min and \.max say how many texts; write whole numbers from 0',
        '{ "list", PG_STRINGS, FIELD(list), .min = 1, .max = 2.5 }',
    ),
    "list-wrong-size": BadOption(
        r'option "list": its type does not fit a field of 1 bytes; .* PG_STRINGS const '
        r"char \*const \*",
        '{ "list", PG_STRINGS, FIELD(flag) }',
    ),
    "list-default-too-long": BadOption(
        r'option "list": its \.initial does not fit: "list" has 2 texts; give 3 to 4',
        '{ "list", PG_STRINGS, FIELD(list), .initial = " a  b ", .min = 3, .max = 4 }',
    ),
    "list-default-is-no-choice": BadOption(
        r'option "list": its \.initial does not fit: "list\[1\]" is "b"; choose "a" or "c"',
        '{ "list", PG_STRINGS, FIELD(list), .initial = "a b", .choices = "a c" }',
    ),
    "option-of-the-host": BadOption(
        r'option "name": this name is the host\'s own; choose another',
        '{ "name", PG_STRING, FIELD(text) }',
    ),
    "option-with-capitals": BadOption(
        r'option "MaxCount": its name may hold small letters, digits and _; ',
        '{ "MaxCount", PG_INT, FIELD(count) }',
    ),
    "options-without-end": BadOption(
        r"the option table has no end; let \{0\} be its last element",
        *('{ "count_%d", PG_INT, .offset = %d, .size = 4 }' % (i, 4 * i) for i in range(70)),
        fields=(".options_size = 400",),
    ),
    "table-without-end": Bad(
        NO_END, ".options = table", before="static const struct pg_option table[] = { %s };" % TWO
    ),
    "table-of-nothing": Bad(
        NO_END,
        ".options = (const struct pg_option *)here",
        before="static const long here[] = { 3, 2, 1 };",
    ),
    "table-in-a-struct": Bad(
        NO_END,
        ".options = all.table",
        before="static struct { struct pg_option table[2]; const void *more[3]; } all = "
        "{ { %s }, { &all, &all, &all } };" % TWO,
    ),
    # ---- what is called, or is not there ----------------------------------
    "state-without-size": BadCall("pg_state(ctx)", "session_size"),
    "private-without-size": BadCall("pg_private(ctx)", "entry_size"),
    "entry-private-without-size": BadCall("pg_entry_private(entry)", "entry_size"),
    "options-without-table": BadCall("pg_options(ctx)", "options"),
    "entry-options-without-table": BadCall("pg_entry_options(entry)", "options"),
    "transport-data-without-size": BadTransportCall("pg_session_data(session)", "session_size"),
    "transport-const-data-without-size": BadTransportCall(
        "pg_session_data_const(session)", "session_size"
    ),
    "transport-private-without-size": BadTransportCall(
        "pg_listener_private(listener)", "listener_size"
    ),
    "transport-options-without-table": BadTransportCall(
        "pg_listener_options(listener)", "options"
    ),
    "missing-core-function": Bad(
        r"calls pg_sned\(\), which this program does not have; correct the spelling, or "
        r"update the program",
        ".check = it_check",
        before="extern int pg_sned(struct pg_entry *entry);\n"
        + check_function("return pg_sned(entry);"),
    ),
    "missing-function": Bad(
        r"uses not_anywhere, which is defined nowhere; correct the spelling, or link the "
        r"library that has it",
        ".check = it_check",
        before="extern int not_anywhere(void);\n" + check_function("return not_anywhere();"),
    ),
    # ---- transports -------------------------------------------------------
    "transport-of-nothing": BadTransport(
        r"\.provides is neither PG_STREAM nor PG_RECORDS; write one of them", ".provides = 0"
    ),
    "transport-without-address": BadTransport(
        r"\.address is missing; write one, because a transport that provides PG_STREAM "
        r"needs it",
        ".address = NULL",
    ),
    "transport-without-recv": BadTransport(r"\.recv is missing; ", ".recv = NULL"),
    "transport-without-ready": BadTransport(r"\.ready is missing; ", ".ready = NULL"),
    "transport-without-clock": BadTransport(
        r"\.simulation->next_ns is missing; write one, because a transport that provides "
        r"PG_STREAM and has \.simulation needs it",
        ".simulation = &(const struct pg_simulation){0}",
    ),
    "transport-without-step": BadTransport(
        r"\.simulation->step is missing; ",
        ".simulation = &(const struct pg_simulation){.next_ns = it_next_ns}",
        before=NEXT_NS,
    ),
    "transport-without-stop": BadTransport(
        r"\.simulation->stop is missing; ",
        ".simulation = &(const struct pg_simulation){.next_ns = it_next_ns, .step = it_step}",
        before=NEXT_NS + "static int it_step(struct pg_listener *listener)\n"
        "{ (void)listener; return 0; }\n",
    ),
    "transport-without-peers": BadTransport(
        r"\.send_records is missing; write one, because a transport that provides "
        r"PG_RECORDS needs it",
        ".provides = PG_RECORDS, .peer_size = 4, .session_size = 4",
    ),
    "transport-peers-too-large": BadTransport(
        r"\.peer_size is more than \.session_size; ", ".peer_size = 8, .session_size = 4"
    ),
    "transport-huge": BadTransport(
        r"\.listener_size is \d+ bytes, more than 1073741824; ", ".listener_size = SIZE_MAX"
    ),
    "transport-no-abi": BadTransport(
        r"its \.abi is not set; write \.abi = PG_TRANSPORT_ABI", ".abi = 0"
    ),
    "transport-larger": BadTransport(
        r"was built for a newer transport interface \(version 1, \d+ bytes\)",
        ".abi = PG_TRANSPORT_ABI + 8",
    ),
}


def compiled(folder, name, source, *options):
    """Writes NAME.c and makes NAME.so of it, good or bad."""
    path = os.path.join(folder, name + ".c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    subprocess.run(
        ["cc", "-w", "-std=gnu11", "-shared", "-fPIC", f"-I{INCLUDE}", *options]
        + ["-o", path[:-2] + ".so", path],
        check=True,
        timeout=TIMEOUT_S,
    )


def playground(folder, *arguments, timeout=TIMEOUT_S, **options):
    return subprocess.run(
        [PLAYGROUND, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground-zoo-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write_config(self, name, text):
        with open(self.path(name + ".json"), "w", encoding="utf-8") as file:
            file.write(text)

    def assert_said(self, done, pattern, status=2):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, pattern)

    def assert_refused_alike(self, name, pattern, **options):
        """By `check`, and by both ways to run it."""
        checked = playground(self.folder, "check", f"{name}.json", **options)
        self.assert_said(checked, pattern)
        for command in (["run"], ["run", "--single"]):
            done = playground(self.folder, *command, f"{name}.json", **options)
            self.assertEqual(done.stderr, checked.stderr)
            self.assert_said(done, pattern)


ZOO = dict(sampled(BAD.items(), 15))
ZOO_LOCK = threading.Lock()


@functools.cache
def zoo():
    """A folder with each of ZOO, compiled once for all tests."""
    folder = tempfile.mkdtemp(prefix="playground-zoo-")
    atexit.register(shutil.rmtree, folder)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda name: compiled(folder, name, BAD[name].source(name)), ZOO))
    for name, bad in ZOO.items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
            file.write(bad.config(name))
    return folder


class Sources(Folder):
    """Each of ZOO."""

    def setUp(self):
        with ZOO_LOCK:
            self.folder = zoo()

    def test_check_and_run_refuse_them_alike(self):
        for name, bad in ZOO.items():
            with self.subTest(name):
                self.assert_refused_alike(
                    name, rf"^{name}\.json:{bad.place()}: \./{name}\.so:? {bad.says}"
                )

    def test_plugins_names_what_is_wrong(self):
        for name, bad in ZOO.items():
            with self.subTest(name):
                done = playground(self.folder, "plugins", name)
                self.assert_said(done, rf"^\./{name}\.so:? {bad.says}")

    def test_a_list_has_what_can_be_used(self):
        done = playground(self.folder, "plugins")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^handler +echo ")
        for name in ZOO:
            self.assertNotIn(name, done.stdout)

    def status(self, name):
        """Of the plugin, without the time when somebody read it."""
        status = os.stat(self.path(name + ".so"))
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def test_build_refuses_them_and_keeps_the_file(self):
        for name, bad in sampled(ZOO.items(), 15, is_dear=True):
            with self.subTest(name):
                before = self.status(name)
                done = playground(self.folder, "build", name + ".c")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, rf"{name}\.so:? {bad.build}|{name}\.c.*: {bad.build}")
                self.assertEqual(self.status(name), before)


# Handlers that are as they should be, but for what they do.
GOOD = Bad("", ".recv = it_recv", before="""
static enum pg_verdict it_recv(struct pg_ctx *ctx, struct pg_bytes in)
{ pg_send(ctx, in); return PG_STOP; }
""")


class Accepted(Folder):
    """What looks odd and is fine."""

    def assert_answers(self, name):
        self.write_config(name, GOOD.config(name))
        with Server(self.path(name + ".json")) as server, connect(server.address()) as client:
            client.send("hello\n")
            self.assertEqual(client.line(), "hello")

    def test_a_smaller_struct(self):
        """Made for an older interface that ended before .end: what follows is
        not looked at."""
        older = Bad(
            "",
            *GOOD.fields,
            ".abi = 1u << 16 | offsetof(struct pg_handler, end)",
            ".end = (void (*)(struct pg_ctx *))1",
            ".close = (void (*)(struct pg_ctx *, struct pg_reason))1",
            before=GOOD.before,
        )
        compiled(self.folder, "older", older.source("older"))
        self.assert_answers("older")

    def test_a_handler_that_is_a_transport_too(self):
        source = TEMPLATE.format(
            before=GOOD.before + BadTransport.callbacks.replace("it_recv", "from_it"),
            definition=GOOD.definition("both") + BadTransport("").definition("both").replace("it_recv", "from_it"),
        )
        compiled(self.folder, "both", source)
        self.assert_answers("both")
        listed = playground(self.folder, "plugins")
        for kind in ("handler", "transport"):
            self.assertRegex(listed.stdout, rf"(?m)^{kind} +both ")

    def test_a_plugin_without_symbol_table(self):
        """strip(1) takes .symtab away, not .dynsym."""
        compiled(self.folder, "bare", GOOD.source("bare"), "-s")
        self.assert_answers("bare")

    def test_its_options_are_known_where_it_is_used(self):
        mine = BadOption("", COUNT % "", fields=(".recv = NULL",))
        compiled(self.folder, "mine", mine.source("mine"))
        self.write_config(
            "mine",
            '{ "transports": [{ "plugin": "tcp", "count": 1 }],\n'
            '  "handlers": ["mine"], "count": 2 }',
        )
        done = playground(self.folder, "check", "mine.json")
        self.assertEqual(
            [line for line in done.stderr.splitlines() if "json" in line],
            [
                "mine.json:1:37: count belongs to mine; delete it for tcp",
                "mine.json:2:25: count belongs to mine; move it there",
            ],
        )

    def test_an_option_table_of_a_plugin_without_symbol_table(self):
        """Its end is found, and nothing is read behind it."""
        table = "static const struct pg_option table[] = { %s, {0} };" % TWO
        for name, before in (("bare", table), ("endless", table.replace(", {0}", ""))):
            bad = Bad("", *GOOD.fields, ".options = table", before=GOOD.before + before)
            compiled(self.folder, name, bad.source(name), "-s")
        self.assert_answers("bare")
        self.write_config("endless", GOOD.config("endless"))
        self.assert_refused_alike("endless", rf"^endless\.json:2:16: \./endless\.so: {NO_END}")

    def test_a_link(self):
        compiled(self.folder, "real", GOOD.source("linked"))
        os.rename(self.path("real.so"), self.path("real.so.1"))
        os.symlink("real.so.1", self.path("linked.so"))
        self.assert_answers("linked")


class Files(Folder):
    """What is called NAME.so and is no plugin of ours."""

    def write(self, name, data):
        with open(self.path(name + ".so"), "wb") as file:
            file.write(data)

    def setUp(self):
        super().setUp()
        compiled(self.folder, "good", GOOD.source("good"))
        with open(self.path("good.so"), "rb") as file:
            self.good = file.read()

    def assert_refused(self, name, pattern):
        """By each command, with the file named."""
        self.write_config(name, GOOD.config(name))
        self.assert_refused_alike(name, rf"^{name}\.json:2:16: \./{name}\.so:? {pattern}")
        done = playground(self.folder, "plugins", name)
        self.assert_said(done, rf"^\./{name}\.so:? {pattern}")
        self.assertEqual(playground(self.folder, "plugins").returncode, 0)

    def test_text(self):
        self.write("text", b"int main(void) { return 0; }\n")
        self.assert_refused("text", "is no shared object; build one: `playground build FILE.c`")

    def test_an_empty_file(self):
        self.write("empty", b"")
        self.assert_refused("empty", "is empty; build it again")

    def test_the_beginning_of_one(self):
        parts = (4, 20, 63, 64, 200, len(self.good) // 2, len(self.good) - 1)
        for part in sampled(parts, 3):
            self.write("part", self.good[:part])
            self.assert_refused("part", "is (cut off|no shared object); build ")

    def test_one_for_another_machine(self):
        other = {0x3E: 0xB7, 0xB7: 0x3E}  # x86-64 and AArch64
        machine = struct.unpack_from("<H", self.good, 18)[0]
        changed = struct.pack("<H", other.get(machine, 0xF3))
        self.write("foreign", self.good[:18] + changed + self.good[20:])
        self.assert_refused(
            "foreign", "was built for another processor; build it again on this machine"
        )

    def test_one_of_another_word_size(self):
        other = bytes([3 - self.good[4]])  # ELFCLASS32, ELFCLASS64
        self.write("narrow", self.good[:4] + other + self.good[5:])
        self.assert_refused("narrow", "was built for another processor; ")

    def test_an_object_file(self):
        subprocess.run(
            ["cc", "-c", "-fPIC", f"-I{INCLUDE}", "-o", "object.so", "good.c"],
            cwd=self.folder,
            check=True,
            timeout=TIMEOUT_S,
        )
        self.assert_refused("object", "is an ELF file, but no shared object; link it with -shared")

    def test_a_program(self):
        subprocess.run(
            ["cc", f"-I{INCLUDE}", "-rdynamic", "-x", "c", "-o", "program.so", "-"],
            input=GOOD.source("program") + "int main(void) { return 0; }\n"
            "int pg_send(struct pg_ctx *ctx, struct pg_bytes b) { (void)ctx, (void)b; return 0; }",
            cwd=self.folder,
            text=True,
            check=True,
            timeout=TIMEOUT_S,
        )
        self.assert_refused("program", "is a program, not a shared object; link it with -shared")

    def test_another_library(self):
        compiled(self.folder, "other", "int other_library(void) { return 1; }\n")
        self.assert_refused("other", "no symbol pg_handler: not a handler plugin; ")

    def test_a_folder(self):
        os.mkdir(self.path("folder.so"))
        self.assert_refused("folder", "is a folder, no plugin; rename it, or build the plugin")

    def test_a_named_pipe(self):
        os.mkfifo(self.path("pipe.so"))
        self.assert_refused("pipe", "is no regular file; put the plugin there")

    def test_a_link_to_nothing(self):
        os.symlink("nothing.so.1", self.path("dangling.so"))
        self.assert_refused("dangling", "cannot be read: .*; it is a link to .*: make that file, ")

    def test_a_link_to_itself(self):
        os.symlink("loop.so", self.path("loop.so"))
        self.assert_refused("loop", "cannot be read: Too many levels of symbolic links; ")

    def test_a_transport_where_a_handler_belongs(self):
        compiled(self.folder, "carrier", BadTransport("").source("carrier"))
        self.write_config("carrier", GOOD.config("carrier"))
        self.assert_refused_alike(
            "carrier",
            r"^carrier\.json:2:16: \./carrier\.so is a transport, not a handler; put it into "
            r'"transports"',
        )

    def test_a_handler_where_a_transport_belongs(self):
        self.write_config("good", BadTransport("").config("good"))
        self.assert_refused_alike(
            "good",
            r'^good\.json:1:18: \./good\.so is a handler, not a transport; put it into "handlers"',
        )


class Misbehaving(Folder):
    """Plugins that are as they should be, but for one callback that does not
    come to its end."""

    CALLBACKS = {
        "check": "static int it_check(struct pg_entry *entry) { (void)entry; %s; return 0; }",
        "init": "static int it_init(struct pg_entry *entry) { (void)entry; %s; return 0; }",
        "check_place": "static int it_check_place(struct pg_entry *entry, enum pg_kind kind, "
        "const char *name) { (void)entry, (void)kind, (void)name; %s; return 0; }",
        "constructor": "__attribute__((constructor)) static void it_early(void) { %s; }",
    }
    FIELDS = ("check", "init", "check_place")
    RECURSION = """
static volatile bool forever = true;
static int deeper(volatile char *before)
{ volatile char here[4096]; here[0] = *before; return forever ? deeper(here) + here[0] : 0; }
"""
    ENDS = {
        "*(volatile int *)8 = 1": r"crashed: it used memory that is not there \(SIGSEGV\); ",
        "raise(SIGFPE)": r"crashed: it divided by zero \(SIGFPE\); ",
        "abort()": r"crashed: it gave up \(SIGABRT\); ",
        "char c = 0; deeper(&c)": r"crashed: it used memory that is not there \(SIGSEGV\); ",
        "exit(0)": r"called exit\(\), which ends the program; return an error instead",
        "_exit(0)": r"called _exit\(\), which ends the program; return an error instead",
        "_Exit(0)": r"called _Exit\(\), which ends the program; return an error instead",
        "quick_exit(0)": r"called quick_exit\(\), which ends the program; return an error",
    }

    @staticmethod
    def source(name, callback, act):
        fields = (f".{callback} = it_{callback}",) if callback in Misbehaving.FIELDS else ()
        return Bad(
            "",
            *fields,
            before=Misbehaving.RECURSION + Misbehaving.CALLBACKS[callback] % act,
        )

    def make(self, name, callback, act):
        bad = self.source(name, callback, act)
        compiled(self.folder, name, bad.source(name), "-fno-sanitize=all")
        self.write_config(name, bad.config(name))

    def commands(self, callback):
        """Those that come to this callback."""
        runs = [["run"], ["run", "--single"]]
        return runs if callback == "init" else [["check"], *runs]

    def assert_blamed(self, done, name, callback, end):
        callback = callback if callback == "constructor" else callback + "()"
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(
            done.stderr,
            rf"(?m)^{name}\.json:2:16: \./{name}\.so: its {re.escape(callback)} {end}",
        )


class Crashing(Misbehaving):
    """Plugins that end the process which loads them: the config that names them
    is wrong, at that place."""

    def test_each_is_blamed(self):
        every = [(act, callback) for act in self.ENDS for callback in self.CALLBACKS]
        for number, (act, callback) in enumerate(sampled(every, 10, is_dear=True)):
            name = f"{callback}-{number}"
            with self.subTest(callback=callback, act=act):
                self.make(name, callback, act)
                for command in self.commands(callback):
                    done = playground(self.folder, *command, name + ".json")
                    self.assert_blamed(done, name, callback, self.ENDS[act])

    def test_for_a_program_to_read(self):
        self.make("it", "check", "abort()")
        done = playground(self.folder, "check", "--json", "it.json")
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        said = json.loads(done.stdout)
        self.assertEqual((said["file"], said["ok"]), ("it.json", False))
        (problem,) = said["problems"]
        self.assertEqual((problem["line"], problem["column"]), (2, 16))
        self.assertFalse(problem["warning"])
        self.assertRegex(problem["text"], r"^\./it\.so: its check\(\) crashed: it gave up ")

    def test_a_first_worker_that_ends_in_silence(self):
        self.make("it", "check", "syscall(SYS_exit_group, 0)")
        done = playground(self.folder, "run", "it.json")
        self.assert_said(done, r"^worker 0 \(pid \d+\) ended with status 0\n$", status=1)

    def test_one_that_nobody_has_named(self):
        """A misspelt key asks no plugin that the config does not use."""
        self.make("it", "constructor", "abort()")
        self.write_config("other", '{ "transports": [{ "plugin": "tcp", "nodely": true }] }')
        self.write_config("foreign", '{ "transports": [{ "plugin": "tcp", "flag": true }] }')
        for name in ("other", "foreign"):
            done = playground(self.folder, "check", name + ".json")
            self.assert_said(done, rf"^{name}\.json:1:37: tcp has no key ")
            self.assertNotIn("it.so", done.stderr)

    def test_a_list_goes_on_without_it(self):
        silent = "syscall(SYS_exit_group, 0)"
        for number, act in enumerate(("abort()", silent, "raise(SIGKILL)")):
            self.make(f"it-{number}", "constructor", act)
        listed = playground(self.folder, "plugins")
        self.assertEqual(listed.returncode, 0)
        self.assertRegex(listed.stdout, r"(?m)^handler +shout ")
        as_json = playground(self.folder, "plugins", "--json")
        self.assertIn("shout", [one["name"] for one in json.loads(as_json.stdout)])
        for number, end in enumerate(("Aborted|status", "status 0", "Killed")):
            says = rf"\./it-{number}\.so ends the process that loads it \(({end})"
            for done in (listed, as_json):
                self.assertRegex(done.stderr, says)
            self.assert_said(playground(self.folder, "plugins", f"it-{number}"), says)
        schema = playground(self.folder, "plugins", "--schema")
        self.assertEqual(schema.returncode, 0)
        names = json.loads(schema.stdout)["$defs"]["handler"]["anyOf"][0]["enum"]
        self.assertIn("shout", names)
        self.assertNotIn("it-0", names)


class Hanging(Misbehaving):
    """Plugins that do not return: all wait at the same time, 5 s each."""

    LOOPS = {
        "constructor": "for (;;) pause()",
        "check": "while (forever) {}",
        "check_place": "for (;;) pause()",
        "init": "for (;;) pause()",
    }
    PATIENCE_S = 10 * TIMEOUT_S
    # One that wants to hear of no signal is ended from outside.
    DEAF = "sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0); for (;;) pause()"

    def setUp(self):
        super().setUp()
        for callback, act in self.LOOPS.items():
            self.make(callback.replace("_", "-"), callback, act)

    def test_each_is_ended_and_blamed(self):
        calls = [
            (command, callback) for callback in self.LOOPS for command in self.commands(callback)
        ]

        def run(call):
            config = call[1].replace("_", "-") + ".json"
            return playground(self.folder, *call[0], config, timeout=self.PATIENCE_S)

        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            for (command, callback), done in zip(calls, pool.map(run, calls)):
                with self.subTest(command=command, callback=callback):
                    name = callback.replace("_", "-")
                    self.assert_blamed(done, name, callback, "does not return within 5 s; ")

    def test_nobody_else_waits(self):
        """Whoever does not name it is not held up, in silence or at all."""
        self.write_config("other", '{ "transports": [{ "plugin": "tcp", "flag": true }] }')
        done = playground(self.folder, "check", "other.json")
        self.assertEqual(
            done.stderr.splitlines()[0].split(";")[0], "other.json:1:37: tcp has no key \"flag\""
        )

    def test_a_list_goes_on_without_it(self):
        deaf = self.path("deaf")
        os.mkdir(deaf)
        source = self.source("deaf", "constructor", self.DEAF).source("deaf")
        compiled(deaf, "deaf", source, "-fno-sanitize=all")

        def plugins(call):
            return playground(call[0], "plugins", *call[1:], timeout=self.PATIENCE_S)

        calls = (
            (self.folder,),
            (self.folder, "--schema"),
            (self.folder, "constructor"),
            (deaf, "deaf"),
        )
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            listed, schema, alone, killed = pool.map(plugins, calls)
        for done in (listed, schema, alone):
            self.assertRegex(
                done.stderr,
                r"(?m)^playground: \./constructor\.so: its constructor does not return within 5 s; ",
            )
        self.assertEqual((listed.returncode, schema.returncode, alone.returncode), (0, 0, 2))
        self.assert_said(killed, r"^\./deaf\.so ends the process that loads it \(Killed\)")
        for name in ("shout", "check", "init"):
            self.assertRegex(listed.stdout, rf"(?m)^handler +{name} ")


class Refusing(Misbehaving):
    """Callbacks that return an error, with words or without."""

    def test_an_init_that_fails_is_reported(self):
        says = {
            'return pg_fail(entry, NULL, "the moon is not full; wait for it")': "the moon is "
            "not full; wait for it",
            "return -1": r"failing \(\./failing\.so\) refuses in its init\(\) without saying why; "
            r"let that call pg_fail\(\)",
        }
        for act, pattern in says.items():
            self.make("failing", "init", act)
            self.assertEqual(playground(self.folder, "check", "failing.json").returncode, 0)
            for command in (["run"], ["run", "--single"]):
                done = playground(self.folder, *command, "failing.json")
                self.assert_said(done, rf"^failing\.json:2:16: {pattern}", status=1)

    def test_a_check_that_fails_is_reported(self):
        says = {
            'return pg_fail(entry, NULL, "the moon is not full; wait for it")': "the moon is "
            "not full; wait for it",
            "return -1": r"failing \(\./failing\.so\) refuses in its check\(\) without saying why; "
            r"let that call pg_fail\(\)",
        }
        for act, pattern in says.items():
            self.make("failing", "check", act)
            self.assert_refused_alike("failing", rf"^failing\.json:2:16: {pattern}")

    def test_a_listen_that_fails_is_reported(self):
        bad = BadTransport("")
        compiled(self.folder, "deaf", bad.source("deaf"))
        self.write_config("deaf", bad.config("deaf"))
        self.assertEqual(playground(self.folder, "check", "deaf.json").returncode, 0)
        for command in (["run"], ["run", "--single"]):
            done = playground(self.folder, *command, "deaf.json")
            self.assert_said(
                done,
                r"^deaf\.json:1:18: deaf \(\./deaf\.so\) refuses in its listen\(\) without saying "
                r"why; let that call pg_listen_fail\(\)",
                status=1,
            )


class Unbuilt(Folder):
    """NAME.c is there, and NAME.so is not, or is older."""

    def test_a_source_without_its_plugin(self):
        os.mkdir(self.path("more"))
        for source in ("good.c", "more/good.c"):
            with open(self.path(source), "w", encoding="utf-8") as file:
                file.write(GOOD.source("good"))
            self.write_config(
                "good",
                '{ "plugin_path": "more", "transports": ["tcp"],\n  "handlers": ["good"] }',
            )
            self.assert_refused_alike(
                "good",
                r'^good\.json:2:16: there is no handler plugin "good", only its source; build it: '
                rf"`playground build \./{source}`",
            )
            os.unlink(self.path(source))

    def test_a_source_that_is_newer_is_warned_of_once(self):
        compiled(self.folder, "good", GOOD.source("good"))
        self.write_config(
            "good",
            '{ "workers": 2, "transports": [{ "plugin": "tcp", "port": 0 }],\n'
            '  "handlers": ["good", "good"] }',
        )
        self.assertEqual(playground(self.folder, "check", "good.json").stderr, "")
        os.utime(self.path("good.c"), (2**31, 2**31))
        warning = (
            "good.json:2:16: warning: ./good.c is newer than what was built of it; `playground "
            "build ./good.c`"
        )
        done = playground(self.folder, "check", "good.json")
        self.assertEqual((done.returncode, done.stdout), (0, "good.json: ok\n"))
        self.assertEqual(done.stderr.splitlines()[0], warning)
        self.assertEqual(done.stderr.count("warning"), 1)
        for arguments in ([], ["--single"]):
            with Server(self.path("good.json"), *arguments) as server:
                server.stop()
                self.assertEqual(server.err.text().count("good.c is newer"), 1)


class Modes(Folder):
    """Whoever may write to a plugin or to its folder has our rights."""

    def setUp(self):
        super().setUp()
        compiled(self.folder, "good", GOOD.source("good"))
        self.write_config("good", GOOD.config("good"))
        os.chmod(self.folder, 0o755)
        os.chmod(self.path("good.so"), 0o755)
        self.is_root = os.geteuid() == 0

    def ordinary(self, *arguments):
        """As a user without rights, by a copy of the program which that one
        can reach. Who is no root stays who it is."""
        if not self.is_root:
            return playground(self.folder, *arguments)
        program = shutil.copytree(
            os.path.dirname(PLAYGROUND), self.path("tree/bin"), dirs_exist_ok=True
        )
        shutil.copytree(
            os.path.join(os.path.dirname(PLAYGROUND), "..", "lib", "playground"),
            self.path("tree/lib/playground"),
            dirs_exist_ok=True,
        )
        return subprocess.run(
            [os.path.join(program, "playground"), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            user=65534,
            group=65534,
            extra_groups=[],
        )

    def test_root_refuses_a_file_that_everybody_may_change(self):
        os.chmod(self.path("good.so"), 0o777)
        if self.is_root:
            self.assert_refused_alike(
                "good",
                r"^good\.json:2:16: everybody may change the file \./good\.so, so it is not "
                r"loaded for root; run chmod o-w \./good\.so",
            )

    def test_root_refuses_a_folder_that_everybody_may_change(self):
        os.chmod(self.folder, 0o777)
        if self.is_root:
            self.assert_refused_alike(
                "good",
                r"^good\.json:2:16: everybody may change the folder \., so it is not loaded for "
                r"root; run chmod o-w \.",
            )

    def test_nobody_loads_what_another_user_left_open(self):
        os.chmod(self.path("good.so"), 0o777)
        if self.is_root:
            self.assert_said(
                self.ordinary("check", "good.json"),
                r"^good\.json:2:16: everybody may change the file \./good\.so, so it is not "
                r"loaded: it is not yours; run chmod o-w \./good\.so",
            )

    def test_one_warning_for_what_is_ones_own(self):
        """WSL and shared folders show every file so."""
        os.chmod(self.path("good.so"), 0o777)
        os.chmod(self.folder, 0o777)
        self.write_config(
            "good", '{ "transports": ["tcp"], "handlers": ["good",\n { "plugin": "good" }] }'
        )
        if self.is_root:
            for path in (self.folder, self.path("good.so")):
                os.chown(path, 65534, 65534)
        done = self.ordinary("check", "good.json")
        self.assertEqual((done.returncode, done.stdout), (0, "good.json: ok\n"), done.stderr)
        self.assertRegex(
            done.stderr,
            r"^good\.json:1:\d+: warning: everybody may change the file \./good\.so; run chmod "
            r"o-w \./good\.so\n",
        )
        self.assertEqual(done.stderr.count("warning"), 1)

    def test_a_file_that_cannot_be_read(self):
        os.chmod(self.path("good.so"), 0)
        if self.is_root:
            os.chown(self.path("good.so"), 65534, 65534)
        self.assert_said(
            self.ordinary("check", "good.json"),
            r"^good\.json:2:16: \./good\.so cannot be read: Permission denied; ",
        )

    def test_a_folder_that_cannot_be_read(self):
        os.mkdir(self.path("closed"), 0)
        self.write_config(
            "far", '{ "plugin_path": "closed", "transports": ["tcp"],\n  "handlers": ["far"] }'
        )
        self.assert_said(
            self.ordinary("check", "far.json"),
            r'far\.json:2:16: there is no handler plugin "far" to be seen: \./closed: Permission '
            + ("denied; it is not yours: ask" if self.is_root else r"denied; run chmod u\+rx "),
        )
        os.chmod(self.path("closed"), 0o700)


load_tests = at_once(6)

if __name__ == "__main__":
    unittest.main()
