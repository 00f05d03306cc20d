"""`playground plugins`: what it says is what `check` does, and what the
documents say."""

import glob
import json
import os
import re
import subprocess
import unittest

from server import PLAYGROUND, SOURCE, TIMEOUT_S, run

CONFIGS = sorted(glob.glob(os.path.join(SOURCE, "config", "*.json")))

# What a schema can know, one of each: not who fits to whom, what is taken,
# what is there twice.
BROKEN = """
    bad-name bad-on-crash bool-as-text empty-transports entry-without-plugin
    handler-number handlers-no-list host-number limit-out-of-range limits-list
    list-at-top no-transports null-option option-of-another own-handlers-wrong
    plugin-path-number plugin-with-folder port-fraction port-too-large
    transport-as-handler transports-no-list unknown-handler unknown-limit
    unknown-option unknown-top-key workers-text workers-zero wrong-choice
""".split()

KINDS = {
    "object": lambda x: isinstance(x, dict),
    "array": lambda x: isinstance(x, list),
    "string": lambda x: isinstance(x, str),
    "boolean": lambda x: isinstance(x, bool),
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "number": lambda x: isinstance(x, (int, float)) and not isinstance(x, bool),
}

# Keys that say something to people only.
SILENT = {"$schema", "$defs", "description", "default"}

# As much of JSON Schema as ours uses: each key, and when a value fits to it.
RULES = {
    "type": lambda v, rule, top: KINDS[rule](v),
    "const": lambda v, rule, top: v == rule,
    "enum": lambda v, rule, top: v in rule,
    "minimum": lambda v, rule, top: not KINDS["number"](v) or v >= rule,
    "maximum": lambda v, rule, top: not KINDS["number"](v) or v <= rule,
    "maxLength": lambda v, rule, top: not isinstance(v, str) or len(v) <= rule,
    "pattern": lambda v, rule, top: not isinstance(v, str) or re.search(rule, v),
    "minItems": lambda v, rule, top: not isinstance(v, list) or len(v) >= rule,
    "maxItems": lambda v, rule, top: not isinstance(v, list) or len(v) <= rule,
    "items": lambda v, rule, top: not isinstance(v, list)
    or all(fits(x, rule, top) for x in v),
    "required": lambda v, rule, top: not isinstance(v, dict) or set(rule) <= set(v),
    "anyOf": lambda v, rule, top: any(fits(v, one, top) for one in rule),
    "$ref": lambda v, rule, top: fits(v, top["$defs"][rule.split("/")[-1]], top),
}
KEYS = {"properties", "patternProperties", "additionalProperties"}


def keys_fit(value, schema, top):
    for key, one in value.items():
        rules = [r for k, r in schema.get("properties", {}).items() if k == key]
        patterns = schema.get("patternProperties", {})
        rules += [r for k, r in patterns.items() if re.search(k, key)]
        if not rules and schema.get("additionalProperties") is False:
            return False
        if not all(fits(one, rule, top) for rule in rules):
            return False
    return True


def fits(value, schema, top):
    if isinstance(schema, bool):
        return schema
    unknown = set(schema) - set(RULES) - KEYS - SILENT
    assert not unknown, unknown
    if not all(RULES[k](value, schema[k], top) for k in schema if k in RULES):
        return False
    return not isinstance(value, dict) or keys_fit(value, schema, top)


def plugins(*arguments):
    done = run("plugins", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


class Listing(unittest.TestCase):
    def test_everybody_is_listed_in_columns(self):
        rows = plugins().splitlines()
        starts = [rows[0].index(word) for word in ("kind", "name", "data", "summary")]
        names = set()
        for row in rows[1:]:
            for start in starts[1:]:
                self.assertRegex(row[start - 1 : start + 1], r"^ \S$", row)
            names.add(row[starts[1] :].split()[0])
        self.assertEqual(names, {one["name"] for one in json.loads(plugins("--json"))})
        self.assertLessEqual({"tcp", "udp", "lines", "log", "chat-broadcast"}, names)

    def test_the_options_of_each_in_columns(self):
        for plugin in json.loads(plugins("--json")):
            text = plugins(plugin["name"])
            self.assertIn(plugin["summary"], text)
            if plugin["options"]:
                self.assert_table(text.splitlines(), plugin["options"])
            example = json.loads(text.splitlines()[-1])
            self.assertEqual(example["plugin"], plugin["name"])
            for option in plugin["options"]:
                self.assertEqual(example.get(option["name"]), option["default"])

    def assert_table(self, rows, options):
        at = next(i for i, row in enumerate(rows) if row.startswith("  option"))
        words = ("option", "type", "range", "default", "unit")
        starts = [rows[at].index(word) for word in words] + [None]
        for number, option in enumerate(options):
            row, help_row = rows[at + 1 + 2 * number : at + 3 + 2 * number]
            if len(json.dumps(option["default"])) <= len("default    "):
                self.assertLessEqual(len(row), 80)
            if not option.get("unit"):
                starts[4] = len(row)  # a long default has all the room
            cells = [row[a:b].strip() for a, b in zip(starts, starts[1:])]
            starts[4] = rows[at].index("unit")
            self.assertEqual(cells[0], option["name"])
            self.assertNotEqual(cells[1], "")
            if "max" in option:
                self.assertEqual(cells[2], f"{option['min']} to {option['max']}")
            self.assertEqual(cells[3], self.default_text(option, "none"))
            self.assertEqual(cells[4], option.get("unit", ""))
            self.assertEqual(help_row.strip(), option["help"])

    @staticmethod
    def default_text(option, none):
        return none if option["default"] is None else json.dumps(option["default"])

    def test_what_cannot_be_written_is_said(self):
        for command in (["plugins"], ["plugins", "--json"], ["check", CONFIGS[0]], ["--help"]):
            with open("/dev/full", "w", encoding="ascii") as full, self.subTest(command):
                done = subprocess.run(
                    [PLAYGROUND, *command],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=TIMEOUT_S,
                    check=False,
                )
                self.assertEqual(done.returncode, 1)
                self.assertEqual(
                    done.stderr,
                    "playground: not everything could be written to stdout: No space left on "
                    "device; write to another file\n",
                )

    def test_one_alone_as_json(self):
        (tcp,) = json.loads(plugins("--json", "tcp"))
        self.assertEqual((tcp["kind"], tcp["provides"]), ("transport", "stream"))

    def test_a_name_that_is_none(self):
        for how in ([], ["--json"], ["--schema"]):
            refused = run("plugins", *how, "chat-brodcast")
            self.assertEqual((refused.returncode, refused.stdout), (2, ""))
            self.assertIn('did you mean "chat-broadcast"?', refused.stderr)


class Schema(unittest.TestCase):
    def setUp(self):
        self.schema = json.loads(plugins("--schema"))

    def test_every_config_fits(self):
        for path in CONFIGS:
            with open(path, encoding="utf-8") as file:
                self.assertTrue(fits(json.load(file), self.schema, self.schema), path)

    def test_what_check_refuses_does_not_fit(self):
        for name in BROKEN:
            path = os.path.join(SOURCE, "tests", "fixtures", "configs", f"{name}.json")
            with open(path, encoding="utf-8") as file:
                self.assertFalse(fits(json.load(file), self.schema, self.schema), name)

    def test_that_of_one_plugin(self):
        schema = json.loads(plugins("--schema", "lines"))
        for value, expected in (
            ({"plugin": "lines"}, True),
            ({"plugin": "lines", "max_bytes": 10, "// why": "short"}, True),
            ({"plugin": "lines", "max_bytes": 0}, False),
            ({"plugin": "length"}, False),
            ({"plugin": "lines", "size": 2}, False),
        ):
            self.assertEqual(fits(value, schema, schema), expected, value)


def table_rows(text):
    """The cells of each row of each table, without quotes and emphasis."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def number(text):
    return text.replace(",", "")


class Documents(unittest.TestCase):
    """The tables in the documents say what the plugins say."""

    @staticmethod
    def read(*path):
        with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
            return list(table_rows(file.read()))

    def test_the_options_in_config(self):
        rows = self.read("config", "README.md")
        for plugin in json.loads(plugins("--json")):
            for option in plugin["options"]:
                row = self.row_of(rows, plugin["name"], option["name"])
                self.assertEqual(row[3], option.get("unit", ""), row)
                default = "" if option["default"] is None else json.dumps(option["default"])
                self.assertEqual(number(row[4]).strip("`"), default, row)

    def row_of(self, rows, plugin, key):
        found = [r for r in rows if plugin in r[0].split(", ") and r[1] == f"`{key}`"]
        self.assertEqual(len(found), 1, f"{key} of {plugin} in config/README.md")
        return found[0]

    def test_no_option_that_is_none(self):
        known = {
            (plugin["name"], f"`{option['name']}`")
            for plugin in json.loads(plugins("--json"))
            for option in plugin["options"]
        }
        for row in self.read("config", "README.md"):
            for plugin in row[0].split(", ") if len(row) == 6 else []:
                if plugin not in ("plugin", "---"):
                    self.assertIn((plugin, row[1]), known)

    def test_the_limits_in_config(self):
        schema = json.loads(plugins("--schema"))
        limits = schema["properties"]["limits"]["properties"]
        rows = {row[0].strip("`"): row for row in self.read("config", "README.md")}
        for name, limit in limits.items():
            self.assertIn(name, rows)
            unit = limit["description"].split("unit: ")[1]
            self.assertEqual(rows[name][1:3], [unit, f"{limit['default']:,}"])

    def test_the_plugins_in_the_readme(self):
        rows = {}
        for row in self.read("README.md"):
            rows.setdefault(row[0].strip("`"), row)
        for plugin in json.loads(plugins("--json")):
            self.assertIn(plugin["name"], rows)
            words = re.findall(r"`(\w+)`", rows[plugin["name"]][2])
            options = [option["name"] for option in plugin["options"]]
            self.assertEqual(words, options)


if __name__ == "__main__":
    unittest.main()
