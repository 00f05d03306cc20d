"""A terminal for tests: a program on a pty, and what its screen shows.

The screen knows what a VT100 knows and our programs use; anything else is an
error, so that nothing odd reaches a terminal unnoticed.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from server import TIMEOUT_S


def _width(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """Rows of characters; the right half of a wide one is ""."""

    def __init__(self, columns, rows):
        self.columns, self.height = columns, rows
        self.cells = [self._blank() for _ in range(rows)]
        self.x = self.y = 0
        self.rest = ""

    def _blank(self):
        return [" "] * self.columns

    def rows(self):
        """The rows as text, without the empty ones at the end."""
        rows = ["".join(cells).rstrip() for cells in self.cells]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def resize(self, columns):
        """Does not wrap anew: what is too long is cut, as by a VT100."""
        self.columns = columns
        for row, cells in enumerate(self.cells):
            self.cells[row] = (cells + self._blank())[:columns]
        self.x = min(self.x, columns - 1)

    def feed(self, text):
        text, self.rest = self.rest + text, ""
        at = 0
        while at < len(text):
            if text[at] == "\033":
                match = re.compile(r"\033\[([0-9;?]*)([A-Za-z])").match(text, at)
                if not match and len(text) - at < 12:
                    self.rest = text[at:]
                    return
                assert match, f"unknown sequence {text[at:at + 12]!r}"
                self._sequence(match[1], match[2])
                at = match.end()
            else:
                self._character(text[at])
                at += 1

    def _line_feed(self):
        if self.y + 1 < self.height:
            self.y += 1
        else:
            self.cells = self.cells[1:] + [self._blank()]

    def _character(self, c):
        if c == "\r":
            self.x = 0
        elif c == "\n":
            self._line_feed()
        elif c == "\b":
            self.x = max(min(self.x, self.columns - 1) - 1, 0)
        elif c in "\a\0":  # \0: padding, as terminals once needed
            pass
        else:
            assert c >= " " and not 0x7F <= ord(c) < 0xA0, f"control {c!r}"
            self._put(c, _width(c))

    def _put(self, c, width):
        if width and self.x + width > self.columns:
            self.x = 0
            self._line_feed()
        row = self.cells[self.y]
        if width == 0:
            row[self.x - 1] += c
            return
        row[self.x] = c
        if width == 2:
            row[self.x + 1] = ""
        self.x += width

    def _sequence(self, numbers, letter):
        number = int(numbers) if numbers.isdigit() else 0
        count = max(number, 1)
        row = self.cells[self.y]
        if letter == "A":
            self.y = max(self.y - count, 0)
        elif letter == "B":
            self.y = min(self.y + count, self.height - 1)
        elif letter == "C":
            self.x = min(self.x + count, self.columns - 1)
        elif letter == "D":
            self.x = max(min(self.x, self.columns - 1) - count, 0)
        elif letter == "J" and number == 0:
            row[self.x :] = [" "] * (self.columns - self.x)
            for below in range(self.y + 1, self.height):
                self.cells[below] = self._blank()
        elif letter == "K" and number == 0:
            row[self.x :] = [" "] * (self.columns - self.x)
        else:
            assert letter == "m", f"unknown sequence {numbers}{letter}"


class Terminal:
    """A program with a terminal of its own as stdin, stdout and stderr."""

    def __init__(self, *command, columns=80, rows=24, **environment):
        self.master, self.slave = pty.openpty()
        self.screen = Screen(columns, rows)
        self.bytes = b""
        self._decoded = 0
        self._set_size()
        self.mode = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            command,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "TERM": "vt100", "LC_ALL": "C.UTF-8", **environment},
            preexec_fn=self._take_terminal,
        )

    @staticmethod
    def _take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _set_size(self):
        size = struct.pack("HHHH", self.screen.height, self.screen.columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def resize(self, columns):
        self.screen.resize(columns)
        self._set_size()

    def type(self, text):
        os.write(self.master, text.encode())

    def _read(self):
        """Takes what the program writes. False: nothing within 50 ms."""
        if not select.select([self.master], [], [], 0.05)[0]:
            return False
        self.bytes += os.read(self.master, 1 << 16)
        text = self.bytes[self._decoded :].decode("utf-8", "ignore")
        self._decoded += len(text.encode())
        self.screen.feed(text)
        return True

    def wait(self, is_there, what):
        """Until `is_there(self)`, which is asked after each change."""
        limit = time.monotonic() + TIMEOUT_S
        while not is_there(self):
            self._read()
            if time.monotonic() > limit:
                raise AssertionError(
                    f"not in {TIMEOUT_S} s: {what}; the screen:\n"
                    + "\n".join(self.screen.rows())
                    + f"\nits bytes: {self.bytes[-400:]!r}"
                )

    def wait_rows(self, *expected):
        """Until the last rows of the screen are these."""
        wanted = list(expected)
        self.wait(lambda t: t.screen.rows()[-len(wanted) :] == wanted, wanted)

    def wait_cursor(self, x):
        self.wait(lambda t: t.screen.x == x, f"cursor in column {x}")

    def wait_text(self, text):
        self.wait(lambda t: text in "".join(t.screen.rows()), text)

    def end(self):
        """The exit status, once the program has ended and all is on the
        screen."""
        limit = time.monotonic() + TIMEOUT_S
        has_ended = False
        while self._read() or not has_ended:
            has_ended = self.process.poll() is not None
            assert time.monotonic() < limit, "the program does not end"
        return self.process.returncode

    def has_its_mode(self):
        """Is the terminal as it was before the program came?"""
        return termios.tcgetattr(self.slave) == self.mode

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
