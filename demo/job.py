#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""job.py DIR: a job of several workers, each below its own limit, in a memory cgroup.

Runs in the guest, as root, with rlimit_heap.ko loaded; DIR has the compiled
programs. The job runs twice: with memory.max only, and with memory.heap.max
besides. Prints what was seen as one line, "samples of job: JSON", for picture.py.
Fails if the OOM killer did nothing the first time, or if the second time anybody
was worse off than by an ENOMEM that is due to memory.heap.max.
"""

import sys

import scene
from cgroup import memory_cgroup
from policy import policy

# In MiB: the cgroup, what of it may be heap, and the limit of each worker, which
# takes one with each request.
MEMORY_MAX = 64
HEAP_MAX = 56
LIMIT = 32
WORKERS = [f"worker {number}" for number in (1, 2, 3, 4)]
# A worker is asked from this many rounds after the one before it on.
DELAY = 4
ROUNDS = 36
TITLE = f"A job of four workers, each with prlimit --heap={LIMIT}M, in one memory cgroup"


def has_job_limit():
    with memory_cgroup({}) as cgroup:
        return (cgroup / "memory.heap.max").exists()


def run(directory, limits):
    command = ["prlimit", f"--heap={LIMIT}M", f"{directory}/leaker"]
    return {
        "heading": " and ".join(f"{name}={mib}M" for name, mib in limits.items()),
        "limits": dict(zip(("cgroup", "sum"), limits.values())),
        **scene.run(limits, {name: command for name in WORKERS}, ROUNDS, DELAY),
    }


def most(run_, name):
    return max(sample[name] or 0 for sample in run_["samples"])


def problems(without, limited):
    """What is not as it should be."""
    yield from scene.problems(without, limited)
    told = [name for name in WORKERS if limited["services"][name]["enomem"]]
    if not told:
        yield "with the limit nobody got ENOMEM"
    if limited["refused"] < len(told):
        yield f"{len(told)} workers got ENOMEM, but memory.heap.max refused {limited['refused']} times"
    if most(limited, "sum") > HEAP_MAX:
        yield f"with the limit the job came to {most(limited, 'sum'):.1f} MiB"
    for name in WORKERS:
        if most(limited, name) + 1 >= LIMIT:
            yield f"{name} came to its own limit"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not has_job_limit():
        print("job.py: this kernel has no limit for a job, memory.heap.max: not shown")
        return
    only = {"memory.max": MEMORY_MAX}
    with policy("commit"):
        runs = [run(sys.argv[1], limits) for limits in (only, {**only, "memory.heap.max": HEAP_MAX})]
    scene.report("job", TITLE, runs, list(problems(*runs)))


if __name__ == "__main__":
    main()
