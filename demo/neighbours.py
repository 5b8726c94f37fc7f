#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""neighbours.py DIR: a service that leaks and one that does not share a memory cgroup.

Runs in the guest, as root, with rlimit_heap.ko loaded; DIR has the compiled
programs. They run twice, the second time with RLIMIT_HEAP for the one that leaks.
Prints what was seen as one line, "samples: JSON", for picture.py. Fails if the
OOM killer did nothing without the limit, or if with it anybody was worse off than
by an ENOMEM for the one that leaks.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/sys/kernel/mm/heap_limit/policy")
# In MiB: the cgroup, what the neighbour holds of it, and the limit of the leaker,
# which takes one with each request.
MEMORY_MAX = 64
NEIGHBOUR = 36
LIMIT = 16
# To each of the two, one after the other, in seconds.
REQUESTS = 70
INTERVAL = 0.1
# A guest without KVM on a busy machine may stall for a while.
DEADLINE = 10


class Service:
    """A program in the cgroup that answers each line with a line."""

    def __init__(self, name, cgroup, command):
        self.name = name
        enter = 'echo $$ >"$0"/cgroup.procs && exec "$@"'
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["sh", "-c", enter, cgroup, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.answered = 0
        self.ended = None
        self.enomem = None

    def ask(self, seconds):
        try:
            self.process.stdin.write(b"\n")
        except BrokenPipeError:
            pass
        if not select.select([self.process.stdout], [], [], DEADLINE)[0]:
            sys.exit(f"neighbours.py: the {self.name} did not answer within {DEADLINE} s")
        answer = self.process.stdout.readline().decode().strip()
        if not answer:
            self.process.wait(DEADLINE)
        self.answered += answer == "ok" or answer.startswith("ENOMEM")
        if answer.startswith("ENOMEM") and not self.enomem:
            self.enomem = {"seconds": seconds, "says": answer}

    def heap(self, seconds):
        """What it holds, in MiB, or None when it has ended."""
        if self.process.poll() is not None:
            self.ended = self.ended or {"seconds": seconds, "how": self.how()}
            return None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^VmHeap:\s+(\d+) kB", status, re.M)
        return found and int(found[1]) / 1024

    def how(self):
        status = self.process.returncode
        return signal.Signals(-status).name if status < 0 else f"status {status}"

    def stop(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def fate(self):
        return {"answered": self.answered, "ended": self.ended, "enomem": self.enomem}


def cgroup_root():
    """Where cgroup v2 is mounted; it is if it was not."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for _, where, kind, *_ in mounts:
        if kind == "cgroup2":
            return Path(where)
    root = tempfile.mkdtemp(prefix="cgroup-")
    subprocess.run(["mount", "-t", "cgroup2", "none", root], check=True)
    return Path(root)


@contextmanager
def memory_cgroup(mib):
    root = cgroup_root()
    if "memory" not in (root / "cgroup.controllers").read_text().split():
        sys.exit("neighbours.py: the kernel has no memory cgroups: set CONFIG_MEMCG=y")
    (root / "cgroup.subtree_control").write_text("+memory")
    cgroup = root / "neighbours"
    cgroup.mkdir()
    (cgroup / "memory.max").write_text(f"{mib}M")
    if (cgroup / "memory.swap.max").exists():
        (cgroup / "memory.swap.max").write_text("0")
    try:
        yield cgroup
    finally:
        cgroup.rmdir()


@contextmanager
def policy(name):
    before = re.search(r"\[(\w+)\]", POLICY.read_text())[1]
    POLICY.write_text(name)
    try:
        yield
    finally:
        POLICY.write_text(before)


def oom_kills(cgroup):
    return int(re.search(r"^oom_kill (\d+)$", (cgroup / "memory.events").read_text(), re.M)[1])


def run(directory, limit):
    """What happens to the two, with a limit in MiB for the one that leaks, or None."""
    prefix = ["prlimit", f"--heap={limit}M"] if limit else []
    commands = {
        "neighbour": [f"{directory}/neighbour", str(NEIGHBOUR)],
        "leaker": [*prefix, f"{directory}/leaker"],
    }
    with memory_cgroup(MEMORY_MAX) as cgroup:
        services = {name: Service(name, cgroup, command) for name, command in commands.items()}
        try:
            samples = list(measure(cgroup, services))
        finally:
            for service in services.values():
                service.stop()
        return {
            "limit": limit,
            "requests": REQUESTS,
            "oom_kills": oom_kills(cgroup),
            "services": {name: service.fate() for name, service in services.items()},
            "samples": samples,
        }


def measure(cgroup, services):
    start = time.monotonic()
    for _ in range(REQUESTS):
        for service in services.values():
            service.ask(round(time.monotonic() - start, 2))
        seconds = round(time.monotonic() - start, 2)
        total = int((cgroup / "memory.current").read_text()) / (1 << 20)
        heaps = {name: service.heap(seconds) for name, service in services.items()}
        yield {"seconds": seconds, "cgroup": total, **heaps}
        time.sleep(INTERVAL)


def problems(without, limited):
    """What is not as it should be."""
    ends = [service["ended"]["how"] for service in without["services"].values() if service["ended"]]
    if not without["oom_kills"]:
        yield "without a limit the OOM killer took nobody"
    if ends != ["SIGKILL"] * without["oom_kills"]:
        yield f"without a limit the OOM killer took {without['oom_kills']}, but they ended by {ends}"
    if limited["oom_kills"]:
        yield f"with the limit the OOM killer took {limited['oom_kills']}"
    for name, service in limited["services"].items():
        if service["answered"] < REQUESTS:
            yield f"with the limit the {name} answered {service['answered']} of {REQUESTS} requests"
    if not limited["services"]["leaker"]["enomem"]:
        yield "with the limit the leaker got no ENOMEM"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with policy("commit"):
        runs = [run(sys.argv[1], limit) for limit in (None, LIMIT)]
    print("samples: " + json.dumps({"kernel": os.uname().release, "memory_max": MEMORY_MAX, "runs": runs}))
    if wrong := list(problems(*runs)):
        sys.exit("neighbours.py: not what the limit is for: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
