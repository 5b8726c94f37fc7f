# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of heaptop are made of."""

import argparse
import ctypes
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

MIB = 1 << 20


NOBODY = 65534


# Seconds; the guest is an emulation.
PATIENCE = 30


SETTINGS = Path("/sys/kernel/mm/heap_limit")


RLIMIT_HEAP = 16


UNLIMITED = (1 << 64) - 1


LIBC = ctypes.CDLL(None, use_errno=True)


OPTIONS = argparse.Namespace()


class Wrong(Exception):
    """What a test has found."""


class Skipped(Exception):
    """Why a test cannot be here."""


def equal(actual, expected, what="the value"):
    if actual != expected:
        raise Wrong(f"{what} is {actual!r}, not {expected!r}")


def true(condition, what):
    if not condition:
        raise Wrong(what)


def until(condition, what):
    """Waits for a condition, and returns its value."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Wrong(f"{what}: not within {PATIENCE} s")


def heaptop(*args, status=0, stderr="", **kwargs):
    """Its output, after it has ended as it should."""
    result = subprocess.run(
        [OPTIONS.program, *map(str, args)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        **kwargs,
    )
    if (result.returncode, result.stderr) != (status, stderr):
        raise Wrong(
            f"heaptop {' '.join(map(str, args))}: status {result.returncode}, not {status}; "
            f"stderr {result.stderr!r}, not {stderr!r}"
        )
    return result.stdout


def usage(*args, status=2):
    """A wrong command line."""
    result = subprocess.run([OPTIONS.program, *args], capture_output=True, text=True, check=False)
    equal((result.returncode, result.stdout), (status, ""), f"heaptop {' '.join(args)}")
    true(result.stderr.startswith("error: "), f"it says {result.stderr!r}")


# A process that does what it reads, a line of Python each.
CHILD = """
import ctypes, mmap, os, sys
held = []
def hold(size):
    try:
        held.append(mmap.mmap(-1, size))
    except OSError as error:
        return error.errno
def name(text):
    ctypes.CDLL(None).prctl(15, text, 0, 0, 0)
for line in sys.stdin:
    print(repr(eval(line)), flush=True)
"""


class Child:
    """A process under a limit, and in a cgroup from its beginning."""

    def __init__(self, soft=UNLIMITED, hard=UNLIMITED, cgroup=None, **kwargs):
        command = [sys.executable, "-c", CHILD]
        if cgroup:
            command = ["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', str(cgroup), *command]
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **kwargs,
        )
        self.pid = self.process.pid
        self.do("None")
        limits = (ctypes.c_ulong * 2)(soft, hard)
        true(LIBC.prlimit(self.pid, RLIMIT_HEAP, limits, None) == 0, "prlimit failed")

    def do(self, line):
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()

    def status(self):
        """/proc/PID/status: numbers, kB as bytes."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        values = re.findall(r"^(\w+):\t *(\d+)( kB)?$", text, re.M)
        return {name: int(value) * (1024 if unit else 1) for name, value, unit in values}

    def limits(self):
        return re.search(r"^Max heap size +(\S+) +(\S+)", Path(f"/proc/{self.pid}/limits").read_text(), re.M)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def setting(name, value):
    """A setting of the kernel, for a while."""
    path = SETTINGS / name
    before = path.read_text()
    path.write_text(value)
    try:
        yield
    finally:
        path.write_text((re.search(r"\[(\w+)\]", before) or [0, before])[1])


def bytes_of(size):
    """Of a size in the table."""
    number, unit = re.fullmatch(r"([0-9.]+)(B|[KMGTPE]i)", size).groups()
    return float(number) * 1024 ** "BKMGTPE".index(unit[0])


def row_of(table, pid):
    """The columns of a process, by their heads."""
    _, heads, *rows = table.splitlines()
    heads = heads.split()
    rows = [row.split(None, len(heads) - 1) for row in rows]
    return next(dict(zip(heads, row)) for row in rows if row[0] == str(pid))


def pids_of(table):
    return [int(line.split()[0]) for line in table.splitlines()[2:]]
