#!/usr/bin/env python3
"""check-floors.py SOURCE BUILD: no floor of the house reaches into a higher one.

The order of the folders is the block "```floors" of core/README.md and of
tools/README.md, highest first; those on one line are neighbours that know
nothing of each other, and behind a colon stands all that one may see. Files
that no floor names stand above all of them.
Includes are read from the sources, calls from the object files: nm(1) tells who
defines what another folder's object leaves undefined. Says for each reach
upward which file reaches for what, and for files of different folders that call
each other in a circle which they are; the exit status is 1 then."""

import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
PARTS = {"core": "core/CMakeFiles/pg_core.dir",
         "tools": "tools/CMakeFiles/pg_tools.dir"}
LEAST_SYMBOLS = 200  # fewer than that were read: this script is broken


def words(text):
    return text.replace(",", " ").split()


class House:
    """The floors of core/ or of tools/."""

    def __init__(self, root):
        self.root = root
        self.floors = {}  # folder -> how high, 1 is the lowest
        self.seen = {}  # folder -> beginnings of all paths it may see
        lines = self.lines()
        for number, line in enumerate(lines):
            folders, _, seen = line.split("  ")[0].partition(":")
            for folder in words(folders):
                if not (root / folder).exists():
                    sys.exit(f"{root}/README.md: there is no {folder}")
                self.floors[folder] = len(lines) - number
                if seen:
                    self.seen[folder] = tuple(words(seen))

    def lines(self):
        text = (self.root / "README.md").read_text(encoding="utf-8")
        block = re.search(r"^```floors\n(.+?)^```", text, re.MULTILINE | re.DOTALL)
        if not block:
            sys.exit(f"{self.root}/README.md: no block ```floors")
        return block[1].splitlines()

    def folder(self, path):
        """The folder with a floor that holds a file; the innermost counts. None:
        it stands on the roof."""
        places = [path, *map(str, pathlib.PurePath(path).parents)]
        return next((place for place in places if place in self.floors), None)

    def is_upward(self, user, used):
        """Whether a file may not reach for another: it is on a higher floor, or
        in another room of the same one, or nothing that its floor may see."""
        floor, target = self.folder(user), self.folder(used)
        if floor is None or floor == target:
            return False
        if floor in self.seen:
            return not used.startswith(self.seen[floor])
        return target is None or self.floors[target] >= self.floors[floor]

    def name(self, path):
        return self.folder(path) or "the roof"

    def sources(self):
        files = [*self.root.rglob("*.c"), *self.root.rglob("*.h")]
        return sorted(str(f.relative_to(self.root)) for f in files
                      if not str(f.relative_to(self.root)).startswith(
                          ("include/", "bench/")))


# ---- includes ----------------------------------------------------------------


def upward_includes(house):
    for path in house.sources():
        text = (house.root / path).read_text(encoding="utf-8")
        for included in INCLUDE.findall(text):
            if (house.root / included).exists() and house.is_upward(path, included):
                yield f'{path}: includes "{included}", {house.name(included)}'


# ---- calls -------------------------------------------------------------------


def symbols(objects):
    """({symbol: file that defines it}, {file: symbols it leaves undefined})."""
    paths = sorted(str(path.relative_to(objects)) for path in objects.rglob("*.o"))
    defined, wanted = {}, {path[: -len(".o")]: set() for path in paths}
    lines = subprocess.run(["nm", "-g", "-A", *paths], check=True, text=True,
                           cwd=objects, stdout=subprocess.PIPE).stdout.splitlines()
    for path, _, symbol in (line.partition(":") for line in lines):
        kind, name = symbol.split()[-2:]
        if kind == "U":
            wanted[path[: -len(".o")]].add(name)
        else:
            defined[name] = path[: -len(".o")]
    return defined, wanted


def calls(house, objects):
    """(file, file, symbol): the first uses what the second defines."""
    defined, wanted = symbols(objects)
    present = set(house.sources())
    missing = {p for p in present if p.endswith(".c")} - set(wanted)
    for path in sorted(missing - {"playground.c"}):
        sys.exit(f"{path}: has not been built; build everything first")
    if len(defined) < LEAST_SYMBOLS:
        sys.exit(f"{objects}: only {len(defined)} symbols: mend this script")
    return [(user, defined[symbol], symbol)
            for user, undefined in wanted.items() if user in present
            for symbol in sorted(undefined)
            if symbol in defined and defined[symbol] in present]


def upward_calls(house, uses):
    for user, used, symbol in uses:
        if house.is_upward(user, used):
            yield f"{user}: uses {symbol} of {used}, {house.name(used)}"


def reachable(graph, start):
    seen, todo = set(), [start]
    while todo:
        for file in graph.get(todo.pop(), ()):
            if file not in seen:
                seen.add(file)
                todo.append(file)
    return seen


def circles(house, uses):
    """Files of several folders each of which comes back to itself by calls."""
    graph = {}
    for user, used, _ in uses:
        if user != used:
            graph.setdefault(user, set()).add(used)
    below = {file: reachable(graph, file) for file in graph}
    done = set()
    for file in sorted(graph):
        circle = {other for other in below[file] if file in below.get(other, ())}
        if file in circle and file not in done:
            done |= circle
            if len({house.folder(other) for other in circle}) > 1:
                yield "a circle of calls: " + ", ".join(sorted(circle))


# ---- both --------------------------------------------------------------------


def check(source, build, part):
    house = House(source / part)
    uses = calls(house, build / PARTS[part])
    found = [*upward_includes(house), *upward_calls(house, uses),
             *circles(house, uses)]
    for line in found:
        print(f"{part}/{line}" if not line.startswith("a circle") else line)
    return len(found)


def main():
    source, build = map(pathlib.Path, sys.argv[1:3])
    parts = sys.argv[3:] or PARTS
    count = sum(check(source, build, part) for part in parts)
    if count:
        print(f"{count} reaches upward; move what is needed to the floor that "
              "needs it, or below")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
