# SPDX-License-Identifier: GPL-2.0-only
"""Counts tests and prints them: what tests/run and what it runs have in common."""

import re
import subprocess

from environment import CHECKOUT


class Total:
    """What has been counted so far."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, name, passed, failed, skipped=0, which=()):
        """Tests of the program @name, of which those failed that @which names, if it can."""
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.failures += [f"failed: {name}: {test}" for test in which] or [f"failed: {name}"]

    def test(self, name, problem):
        """One test; @problem is what is wrong, or nothing."""
        print(f"[{'FAILED' if problem else 'PASSED'}] {name}", flush=True)
        if problem:
            print(problem.rstrip())
        self.add(name, not problem, bool(problem))

    def skip(self, name, reason):
        print(f"[SKIPPED] {name}: {reason}")
        self.add(name, 0, 0, 1)

    def add_from(self, name, output):
        """The tests of a program whose @output ends with a total."""
        counts = r"^(?:\d+ tests run, )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?"
        match = re.search(counts, output, re.M)
        if match and int(match[1]) + int(match[2]):
            failures = re.findall(r"^failed: (.*)$", output, re.M)
            self.add(name, int(match[1]), int(match[2]), int(match[3] or 0), which=failures)
        else:
            self.test(name, "it did not run to its end, see above")

    def __str__(self):
        """What failed, as a log may be cut to its end, and the total as its last line."""
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        return "\n".join([*self.failures, counts])


def stage(title):
    print(f"\n== {title}", flush=True)


def run(command, **kwargs):
    """Runs a command in the checkout; its output is text, with stderr in it."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=kwargs.pop("cwd", CHECKOUT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=kwargs.pop("stderr", subprocess.STDOUT),
        text=True,
        errors="replace",
        check=False,
        **kwargs,
    )


def output_if(wrong, result):
    """What to show of a command that went wrong: never nothing, that would pass."""
    return wrong and (result.stdout or f"exit status {result.returncode}, no output")


def problem_of(command, **kwargs):
    """The output of a command that should succeed, if it does not."""
    result = run(command, **kwargs)
    return output_if(result.returncode, result)
