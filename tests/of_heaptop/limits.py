# SPDX-License-Identifier: GPL-2.0-only
"""Limits that run and set give."""

import subprocess
import sys
import tempfile
from pathlib import Path

from .base import MIB, NOBODY, OPTIONS, Child, equal, heaptop, row_of


def run_limits():
    """run gives a command the limits"""
    limits = (
        "import re; print(*re.search('heap size +(.*) +(.*) +b', open('/proc/self/limits').read()).groups())"
    )
    for heap, expected in (
        ("64M", f"{64 * MIB} {64 * MIB}"),
        ("64M:1G", f"{64 * MIB} {1024 * MIB}"),
        ("64M:", f"{64 * MIB} unlimited"),
        ("64MB", "64000000 64000000"),
        ("1.5GiB:unlimited", f"{1536 * MIB} unlimited"),
        ("unlimited", "unlimited unlimited"),
    ):
        output = heaptop("run", f"--heap={heap}", "--", sys.executable, "-c", limits)
        equal(" ".join(output.split()), expected, f"--heap={heap}")
    # ":HARD" below the soft limit, which is none.
    problem = f"the soft limit, unlimited, cannot exceed the hard limit, {MIB}"
    heaptop(
        "run", "--heap=:1M", "true", status=125, stderr=f"heaptop: cannot set the heap limit: {problem}\n"
    )


def run_ends():
    """run ends as the command does, or says why it cannot run"""
    equal(heaptop("run", "--heap=64M", "echo", "-n", "--help", "a b"), "--help a b", "the output")
    heaptop("run", "--heap=64M", "--", "sh", "-c", "exit 7", status=7)
    heaptop("run", "--heap=64M", "--", "sh", "-c", "kill -9 $$", status=-9)
    problem = "heaptop: cannot run {}: {}\n".format
    for heap in ("64M", "0"):
        heaptop(
            "run",
            f"--heap={heap}",
            "no-such",
            status=127,
            stderr=problem("no-such", "No such file or directory"),
        )
    heaptop(
        "run", "--heap=64M", "/etc/passwd", status=126, stderr=problem("/etc/passwd", "Permission denied")
    )
    result = subprocess.run(
        [OPTIONS.program, "run", "--heap=64M", sys.executable, "-c", "bytearray(200 << 20)"],
        capture_output=True,
        text=True,
        check=False,
    )
    equal((result.returncode, result.stderr.splitlines()[-1]), (1, "MemoryError"), "beyond the limit")


def set_limits():
    """set changes what it is told, of another process"""
    with Child() as child:
        for heap, expected in (
            ("64M:1G", (64 * MIB, 1024 * MIB)),
            ("32M:", (32 * MIB, 1024 * MIB)),
            (":512M", (32 * MIB, 512 * MIB)),
            ("1K", (1024, 1024)),
            ("unlimited", ("unlimited", "unlimited")),
        ):
            equal(heaptop("set", child.pid, f"--heap={heap}"), "", "the output")
            equal(child.limits().groups(), tuple(map(str, expected)), f"--heap={heap}")


def set_fails():
    """set says of which process it failed, and why"""
    problem = "heaptop: cannot set the heap limit of process {}: {}\n".format
    with Child(32 * MIB, 64 * MIB) as child, Child(hard=64 * MIB, soft=MIB, user=NOBODY) as own:
        too_much = f"the soft limit, {2 * MIB}, cannot exceed the hard limit, {MIB}"
        heaptop("set", child.pid, "--heap=2M:1M", status=1, stderr=problem(child.pid, too_much))
        denied = problem(child.pid, "Operation not permitted")
        heaptop("set", child.pid, "--heap=1M", status=1, stderr=denied, user=NOBODY)
        denied = problem(own.pid, "Operation not permitted")
        heaptop("set", own.pid, "--heap=128M", status=1, stderr=denied, user=NOBODY, group=NOBODY)
        equal(child.limits().groups(), (str(32 * MIB), str(64 * MIB)), "the limits")
    heaptop("set", child.pid, "--heap=1M", status=1, stderr=problem(child.pid, "No such process"))


def sizes_as_printed():
    """sizes are accepted as they are printed"""
    with Child() as child:
        heaptop("set", child.pid, "--heap=1.5Mi:1.0Gi")
        row = row_of(heaptop("-p", child.pid), child.pid)
        equal((row["SOFT"], row["HARD"]), ("1.5Mi", "1.0Gi"), "the row")
        heaptop("s", child.pid, "-H", f"{row['HARD']}:")
        equal(child.limits()[1], str(1024 * MIB), "the soft limit")
        heaptop("set", child.pid, "--heap=1000B")
        equal(row_of(heaptop("-p", child.pid), child.pid)["SOFT"], "1000B", "bytes")
    equal(heaptop("r", "-H64Mi", "echo", "-n", "a"), "a", "run")


def only_prlimit():
    """run and set need nothing but prlimit(2)"""
    with tempfile.TemporaryDirectory() as root, Child() as child:
        program = Path(root, "heaptop")
        program.write_bytes(Path(OPTIONS.heaptop).read_bytes())
        program.chmod(0o755)

        def there(*args):
            command = ["chroot", root, "/heaptop", *map(str, args)]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        result = there("run", "--heap=64Mi", "--", "/heaptop", "--version")
        equal((result.returncode, result.stdout[:8]), (0, "heaptop "), f"run says {result.stderr!r}")
        equal(there("set", child.pid, "--heap=64Mi").stderr, "", "what set says")
        equal(child.limits()[1], str(64 * MIB), "the limit")


TESTS = (run_limits, run_ends, set_limits, set_fails, sizes_as_printed, only_prlimit)
