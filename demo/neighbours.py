#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""neighbours.py DIR: a service that leaks and one that does not share a memory cgroup.

Runs in the guest, as root, with rlimit_heap.ko loaded; DIR has the compiled
programs. They run twice, the second time with RLIMIT_HEAP for the one that leaks.
Prints what was seen as one line, "samples of leak: JSON", for picture.py. Fails if
the OOM killer did nothing without the limit, or if with it anybody was worse off
than by an ENOMEM for the one that leaks.
"""

import sys

import scene
from policy import policy

# In MiB: the cgroup, what the neighbour holds of it, and the limit of the leaker,
# which takes one with each request.
MEMORY_MAX = 64
NEIGHBOUR = 36
LIMIT = 16
# To each of the two.
REQUESTS = 70
TITLE = f"A leaking service beside a well-behaved one, in a memory cgroup of {MEMORY_MAX} MiB"


def run(directory, limit):
    """With a limit in MiB for the one that leaks, or None."""
    prlimit = ["prlimit", f"--heap={limit}M"] if limit else []
    commands = {
        "neighbour": [f"{directory}/neighbour", str(NEIGHBOUR)],
        "leaker": [*prlimit, f"{directory}/leaker"],
    }
    return {
        "heading": f"with {' '.join(prlimit)} for the leaker" if limit else "without a limit",
        "limits": {"cgroup": MEMORY_MAX, **({"leaker": limit} if limit else {})},
        **scene.run({"memory.max": MEMORY_MAX}, commands, REQUESTS),
    }


def problems(without, limited):
    """What is not as it should be."""
    yield from scene.problems(without, limited)
    if not limited["services"]["leaker"]["enomem"]:
        yield "with the limit the leaker got no ENOMEM"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with policy("commit"):
        runs = [run(sys.argv[1], limit) for limit in (None, LIMIT)]
    scene.report("leak", TITLE, runs, list(problems(*runs)))


if __name__ == "__main__":
    main()
