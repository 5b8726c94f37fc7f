#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""table.py DIR: runs programs under limits and prints how each fares.

Runs in the guest, as root, with rlimit_heap.ko loaded; DIR has the compiled
workloads. Every cell is what happened just now. Fails if the limit on the heap
did not do what it is for.
"""

import signal
import subprocess
import sys

LIMITS = ["none", "heap=64M", "heap=256M", "data=64M", "as=64M"]
BYTEARRAY = "bytearray(200 << 20)"


def programs(workloads):
    """Title and command of each program, and the limits on the heap it runs under."""
    return [
        ("Python, 200 MiB bytearray", ["python3", "-c", BYTEARRAY], {"heap=256M"}),
        ("C, leaks up to 500 MiB", [f"{workloads}/leak"], set()),
        ("C, 200 MiB of BSS", [f"{workloads}/bss"], {"heap=64M", "heap=256M"}),
        ("C, maps a 200 MiB file", [f"{workloads}/mapfile"], {"heap=64M", "heap=256M"}),
    ]


def fate(result):
    """One or two words on how a program ended."""
    if result.returncode < 0:
        return signal.Signals(-result.returncode).name
    if result.returncode == 0:
        return "runs"
    if "MemoryError" in result.stderr:
        return "MemoryError"
    if "Cannot allocate memory" in result.stderr:
        return "ENOMEM"
    if result.stdout.strip().endswith("MiB"):
        return "ENOMEM at " + result.stdout.strip()
    return f"does not start ({result.returncode})"


def run(limit, command):
    prefix = [] if limit == "none" else ["prlimit", f"--{limit}"]
    return fate(
        subprocess.run(prefix + command, capture_output=True, text=True, check=False)
    )


def heading(limit):
    return "no limit" if limit == "none" else "RLIMIT_" + limit.upper().replace("=", " ")


def print_row(cells):
    print("".join(f"{cell:<{width}}" for cell, width in zip(cells, [27] + 5 * [18])).rstrip())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    wrong = []
    print_row([""] + [heading(limit) for limit in LIMITS])
    for title, command, runs_under in programs(sys.argv[1]):
        cells = {limit: run(limit, command) for limit in LIMITS}
        print_row([title] + list(cells.values()))
        for limit in ("heap=64M", "heap=256M"):
            if (cells[limit] == "runs") != (limit in runs_under):
                wrong.append(f"{title} under {limit}: {cells[limit]}")
    if wrong:
        sys.exit("table.py: not what the limit is for: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
