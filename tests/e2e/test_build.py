"""`playground build FILE.c`: what it makes, and what it says when it cannot."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from server import PLAYGROUND, SOURCE, TIMEOUT_S

HANDLER = """
#include <playground/handler.h>
static enum pg_verdict it_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    return in.len > 3 ? pg_drop(ctx, "long") : PG_PASS;
}
const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI, .name = "it", .summary = "is a test",
    .needs = NEEDS, .makes = MAKES, .recv = it_recv,
};
"""

def handler(needs="PG_ANY", makes="PG_ANY"):
    return HANDLER.replace("NEEDS", needs).replace("MAKES", makes)


class BuildTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="playground build ")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, text, name="it.c"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def run_it(self, *arguments, status=0, **environment):
        result = subprocess.run(
            [PLAYGROUND, *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def build(self, *arguments, status=0, **environment):
        return self.run_it("build", *arguments, status=status, **environment)

    def refuses(self, text, *words, name="it.c", **environment):
        """The compiler or we say why, and nothing is left behind."""
        self.write(text, name)
        before = set(os.listdir(self.folder))
        result = self.build(name, status=1, **environment)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(set(os.listdir(self.folder)), before)
        return result

    def advised_config(self, result):
        """The line of JSON that it prints, written where it says."""
        line = next(x for x in result.stdout.splitlines() if x.startswith("    {"))
        config = json.loads(line)
        self.write(line, "my.json")
        return config


class Makes(BuildTest):
    def test_a_first_handler_without_a_warning(self):
        path = os.path.join(SOURCE, "plugins", "handler", "ping.c")
        with open(path, encoding="utf-8") as file:
            self.write(file.read().replace('.name = "ping"', '.name = "first"'), "first.c")

        result = self.build("first.c")

        self.assertEqual(result.stderr, "")
        self.assertIn("answers ping with pong", result.stdout)
        self.assertEqual(sorted(os.listdir(self.folder)), ["first.c", "first.so"])

    def test_a_config_that_check_accepts(self):
        chains = {
            ("PG_RECORDS", "PG_ANY"): ["lines", "it"],
            ("PG_ANY", "PG_ANY"): ["it"],
            ("PG_ANY", "PG_RECORDS"): ["it", "echo"],
        }
        for (needs, makes), chain in chains.items():
            with self.subTest(needs=needs, makes=makes):
                self.write(handler(needs, makes))

                config = self.advised_config(self.build("it.c"))

                self.assertEqual(config["handlers"], chain)
                self.assertIn("ok", self.run_it("check", "my.json").stdout)

    def test_what_hides_a_built_in_is_warned_of(self):
        for needs, makes, name, chain in (
            ("PG_RECORDS", "PG_ANY", "lines", ["length", "lines"]),
            ("PG_ANY", "PG_RECORDS", "echo", ["echo", "log"]),
        ):
            with self.subTest(name):
                self.write(handler(needs, makes).replace('"it"', f'"{name}"'), f"{name}.c")

                result = self.build(f"{name}.c")

                self.assertEqual(
                    result.stderr,
                    f'playground build: warning: there is a built-in handler "{name}" too, and '
                    "configs in this folder now take yours; if they should not, rename the file "
                    "and its .name\n",
                )
                self.assertEqual(self.advised_config(result)["handlers"], chain)
                self.run_it("check", "my.json")

    def test_an_open_that_holds_nobody_back_is_warned_of(self):
        warning = (
            "playground build: warning: it.c:{}: open() returns PG_STOP, but nothing in "
            "it.c calls pg_ready(), so it is taken as PG_PASS; return PG_PASS\n"
        )
        for body, line in (
            ("    pg_send(ctx, pg_text(\"hi\"));\n    return PG_STOP;\n", 6),
            ("    return PG_STOP;\n", 5),
            ("    if (pg_is_stranger(ctx)) {\n        return PG_PASS;\n    }\n"
             "    return PG_STOP;\n", 8),
            ("    pg_ready(ctx);\n    return PG_STOP;\n", None),
            ("    pg_send(ctx, pg_text(\"PG_STOP\")); /* no PG_STOP */\n"
             "    return '\"' ? PG_PASS : PG_PASS; // PG_STOP\n", None),
            ("    return PG_PASS;\n", None),
        ):
            with self.subTest(body):
                self.write(
                    handler()
                    .replace("static enum", "static enum pg_verdict it_open(struct pg_ctx *ctx)"
                             "\n{\n" + body + "}\nstatic enum", 1)
                    .replace("return in.len > 3", "if (!in.len)\n        return PG_STOP;\n"
                             "    return in.len > 3")
                    .replace(".recv = it_recv", ".open = it_open, .recv = it_recv")
                )
                self.assertEqual(
                    self.build("it.c").stderr, warning.format(line) if line else ""
                )

    def test_an_error_says_whose_file_it_is(self):
        self.write(handler("PG_RECORDS").replace('"it"', '"lines"'), "lines.c")
        self.build("lines.c")
        hidden = (
            'delivers a stream, in which the bounds between messages are lost; the built-in "lines" '
            "is hidden by ./lines.so: rename that file and its .name, and build it again"
        )
        for handlers, says in (
            ('"lines", "log"', f"lines (./lines.so) needs records, and tcp {hidden}"),
            ('{ "plugin": "lines", "colour": 1 }', "lines (./lines.so) has no key "),
            ('{ "plugin": "lines", "hint_s": 1 }', "lines (./lines.so) has no key "),
            ('{ "plugin": "lines", "late_ms": 1 }', "delete it for lines (./lines.so)"),
        ):
            self.write('{ "transports": ["tcp"], "handlers": [%s] }' % handlers, "my.json")
            self.assertIn(says, self.run_it("check", "my.json", status=2).stderr)

    def test_letters_of_any_language_line_up_in_the_list(self):
        self.write(handler().replace('"it"', '"Ação"'), "Ação.c")
        self.build("Ação.c")

        rows = self.run_it("plugins").stdout.splitlines()

        (row,) = [row for row in rows if "Ação" in row]
        self.assertEqual(row.index("needs any"), rows[0].index("data"))
        self.assertEqual(row.index("is a test"), rows[0].index("summary"))

    def test_a_transport(self):
        path = os.path.join(SOURCE, "plugins", "transport", "tcp.c")
        shutil.copy(path, self.folder)

        result = self.build("tcp.c")

        self.assertIn('the transport "tcp", a stream', result.stdout)
        self.assertEqual(
            self.advised_config(result),
            {"transports": ["tcp"], "handlers": ["echo"]},
        )

    def test_beside_the_source_from_another_folder(self):
        os.mkdir(self.path("a folder"))
        self.write(handler(), os.path.join("a folder", "it.c"))

        result = self.build("a folder/it.c")

        self.assertIn("a folder/my.json", result.stdout)
        self.assertEqual(os.listdir(self.folder), ["a folder"])
        self.assertEqual(
            sorted(os.listdir(self.path("a folder"))), ["it.c", "it.so"]
        )

    def test_options_for_the_compiler(self):
        self.write('#ifndef GIVEN\n#error "nothing"\n#endif\n' + handler())

        self.build("it.c", "-DGIVEN", "-lm")
        self.build("it.c", CC="cc -DGIVEN")

    def test_a_new_file_and_leaves_the_old_one_as_it_was(self):
        self.write(handler())
        self.build("it.c")
        with open(self.path("it.so"), "rb") as old:
            before = old.read()
            self.write(handler().replace("is a test", "is another"))

            self.build("it.c")

            self.assertNotEqual(
                os.fstat(old.fileno()).st_ino, os.stat(self.path("it.so")).st_ino
            )
            old.seek(0)
            self.assertEqual(old.read(), before)


class Refuses(BuildTest):
    def test_a_forgotten_verdict(self):
        verdict = 'return in.len > 3 ? pg_drop(ctx, "long") : PG_PASS;'

        self.refuses(
            handler().replace(verdict, "if (in.len > 3) return PG_PASS;"),
            "it.c:6",
            "non-void function",
        )

    def test_a_function_that_is_not_there(self):
        self.refuses(handler().replace("pg_drop", "pg_dorp"), "pg_dorp")

    def test_a_callback_with_other_parameters(self):
        self.refuses(
            handler().replace("ctx *ctx, struct", "ctx *ctx, int x, struct"),
            "incompatible",
        )

    def test_a_misspelt_symbol(self):
        result = self.refuses(
            handler().replace("pg_handler pg_handler", "pg_handler pg_handlr"),
            "pg_handler",
            "pg_handlr",
        )
        self.assertNotIn(".build-", result.stderr)

    def test_a_file_without_the_struct(self):
        self.refuses("int nothing;\n", "pg_handler")

    def test_another_name_than_the_file_has(self):
        self.refuses(handler().replace('"it"', '"that"'), '"that"', "it")

    def test_a_function_of_a_library_that_is_not_linked(self):
        self.refuses(
            "extern int elsewhere(void);\n"
            + handler().replace("in.len > 3", "elsewhere()"),
            "elsewhere",
        )

    def test_what_ends_the_process_that_loads_it(self):
        self.refuses(
            "#include <stdlib.h>\n__attribute__((constructor)) static void "
            "early(void)\n{ abort(); }\n" + handler(),
            "it.so",
            "Aborted",
        )

    def test_and_keeps_the_old_file(self):
        self.write(handler())
        self.build("it.c")
        with open(self.path("it.so"), "rb") as file:
            before = file.read()

        self.refuses(handler().replace("PG_PASS", "PG_PAS"), "PG_PAS")

        with open(self.path("it.so"), "rb") as file:
            self.assertEqual(file.read(), before)

    def test_a_compiler_that_is_not_there(self):
        self.refuses(handler(), '"no-such-cc"', "CC", CC="no-such-cc")


class Usage(BuildTest):
    def test_help(self):
        self.assertIn("FILE.c", self.build("--help").stdout)

    def test_wrong_arguments(self):
        self.write(handler())
        os.mkdir(self.path("folder.c"))
        cases = {
            (): "no file",
            ("missing.c",): "missing.c: No such file",
            ("it",): "FILE.c",
            ("it.cc",): "handlers and transports are C",
            ("it.cpp",): "handlers and transports are C",
            ("it.cxx",): "handlers and transports are C",
            ("it.C",): "handlers and transports are C",
            ("it.so",): "FILE.c",
            (".c",): "FILE.c",
            ("folder.c",): "no file",
            ("-O3", "it.c"): "the file comes first",
        }
        for arguments, word in cases.items():
            with self.subTest(arguments=arguments):
                result = self.build(*arguments, status=2)

                self.assertIn(word, result.stderr)
                self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    unittest.main()
