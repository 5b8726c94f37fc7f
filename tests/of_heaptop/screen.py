# SPDX-License-Identifier: GPL-2.0-only
"""heaptop in a terminal, and what is seen there."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios

from .base import OPTIONS, PATIENCE, Wrong, equal, true, until


class Screen:
    """heaptop in a terminal, and what is seen there."""

    def __init__(self, *args, command=(), rows=24, columns=120):
        self.rows, self.columns = rows, columns
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self.process = subprocess.Popen(
            command or [OPTIONS.program, *args],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            preexec_fn=self.control,
        )

    def control(self):
        """In the child: it is its controlling terminal."""
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def resize(self, rows, columns):
        """What is seen from now on is in the new size."""
        self.rows, self.columns, self.raw = rows, columns, ""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0.1)[0]:
            try:
                self.raw += os.read(self.master, 1 << 16).decode()
            except OSError:
                return

    def keys(self, keys):
        os.write(self.master, keys.encode())

    def lines(self):
        return ["".join(character for character, _ in row).rstrip() for row in self.cells()]

    def cells(self):
        """The screen, of all that was written since it was last cleared: characters, and
        whether they are bold and reversed."""
        self.read()
        cells = [[(" ", "")] * self.columns for _ in range(self.rows)]
        row = column = 0
        style = ""
        text = self.raw.rpartition("\x1b[2J")[2]
        for escape, final, character in re.findall(r"\x1b\[([0-9;?]*)([A-Za-z])|([^\x1b])", text):
            if final == "H":
                row, column = (int(part or 1) - 1 for part in (escape.split(";") + [""])[:2])
            elif final == "m":
                style = styled(style, escape)
            elif character and row < self.rows and column < self.columns:
                cells[row][column] = (character, style)
                column += 1
        return cells

    def until(self, pattern):
        """The screen, once a line has the pattern."""
        try:
            return until(lambda: self.has(pattern), f"{pattern!r} on the screen")
        except Wrong as wrong:
            raise Wrong("\n".join([str(wrong), *self.lines()])) from None

    def has(self, pattern):
        lines = self.lines()
        return any(re.search(pattern, line) for line in lines) and lines

    def ended(self, status=0):
        """It has ended, and left the terminal as it was."""
        try:
            equal(self.process.wait(PATIENCE), status, "the status")
        except subprocess.TimeoutExpired:
            raise Wrong("it did not end") from None
        self.read()
        equal(termios.tcgetattr(self.slave), self.before, "the terminal's mode")
        true(self.raw.rstrip().endswith("\x1b[?1049l"), f"the screen is not left: {self.raw[-40:]!r}")
        true(self.raw.rfind("\x1b[?25h") > self.raw.rfind("\x1b[?25l"), "the cursor is hidden")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def styled(style, codes):
    """b: bold, r: reversed."""
    for code in codes.split(";"):
        if code in ("", "0"):
            style = ""
        elif code in ("1", "7"):
            style += {"1": "b", "7": "r"}[code]
        elif code in ("22", "27"):
            style = style.replace({"22": "b", "27": "r"}[code], "")
    return style
