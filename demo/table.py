#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""table.py DIR: runs programs under limits and prints how each fares.

Runs in the guest, as root, with rlimit_heap.ko loaded; DIR has the compiled
programs. Every cell is what happened just now. Fails if the limit on the heap
did not do what it is for.
"""

import re
import signal
import subprocess
import sys
from pathlib import Path

POLICY = Path("/sys/kernel/mm/heap_limit/policy")
# The limit, and the policy that decides what is heap.
COLUMNS = [
    ("none", None),
    ("heap=64M", "commit"),
    ("heap=64M", "addr0"),
    ("data=64M", None),
    ("as=64M", None),
]
THREADS_PY = Path(__file__).with_name("threads.py")


def programs(directory):
    """Title and command of each program, and the policies under which it runs."""
    return [
        ("Python, 200 MiB bytearray", ["python3", "-c", "bytearray(200 << 20)"], set()),
        ("Python, 16 threads, 32 MiB", ["python3", THREADS_PY, "32"], {"commit"}),
        ("C, leaks up to 500 MiB", [f"{directory}/leak"], set()),
        ("C, 200 MiB of BSS", [f"{directory}/bss"], {"commit", "addr0"}),
        ("C, maps a 200 MiB file", [f"{directory}/mapfile"], {"commit", "addr0"}),
    ]


def fate(result):
    """One or two words on how a program ended."""
    if result.returncode < 0:
        return signal.Signals(-result.returncode).name
    if result.returncode == 0:
        return "runs"
    if error := re.search(r"^\w+Error\b", result.stderr, re.M):
        return error[0]
    if "Cannot allocate memory" in result.stderr:
        return "ENOMEM"
    if result.stdout.strip().endswith("MiB"):
        return "ENOMEM at " + result.stdout.strip()
    return f"does not start ({result.returncode})"


def run(limit, policy, command):
    if policy:
        POLICY.write_text(policy)
    prefix = [] if limit == "none" else ["prlimit", f"--{limit}"]
    return fate(subprocess.run(prefix + command, capture_output=True, text=True, check=False))


def heading(limit):
    return "no limit" if limit == "none" else "RLIMIT_" + limit.upper().replace("=", " ")


def print_row(cells):
    print("".join(f"{cell:<{width}}" for cell, width in zip(cells, [28] + 5 * [18])).rstrip())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    wrong = []
    print_row([""] + [heading(limit) for limit, _ in COLUMNS])
    print_row([""] + [policy or "" for _, policy in COLUMNS])
    for title, command, runs_under in programs(sys.argv[1]):
        cells = {column: run(*column, command) for column in COLUMNS}
        print_row([title] + list(cells.values()))
        for (limit, policy), cell in cells.items():
            if policy and (cell == "runs") != (policy in runs_under):
                wrong.append(f"{title} under {limit}, {policy}: {cell}")
    if wrong:
        sys.exit("table.py: not what the limit is for: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
