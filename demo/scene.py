# SPDX-License-Identifier: GPL-2.0-only
"""Services in one memory cgroup, asked one after the other: what each holds, and how it fares.

A scene has two runs, without a limit and with it. What was seen is one line of
JSON, for picture.py.
"""

import json
import os
import sys
import time
from pathlib import Path

from cgroup import events, mebibytes, memory_cgroup
from service import Service

# Between two rounds, in seconds.
INTERVAL = 0.1


def measure(cgroup, services, rounds, delay):
    start = time.monotonic()
    for number in range(rounds):
        for place, service in enumerate(services.values()):
            if number >= place * delay:
                service.ask(round(time.monotonic() - start, 2))
        seconds = round(time.monotonic() - start, 2)
        yield {
            "seconds": seconds,
            "cgroup": mebibytes(cgroup / "memory.current"),
            "sum": mebibytes(cgroup / "memory.heap.current"),
            **{name: service.heap(seconds) for name, service in services.items()},
        }
        time.sleep(INTERVAL)


def run(limits, commands, rounds, delay=0):
    """What happens to commands in a cgroup with limits, each asked from DELAY rounds after the last on."""
    with memory_cgroup(limits) as cgroup:
        services = {name: Service(name, cgroup, command) for name, command in commands.items()}
        try:
            samples = list(measure(cgroup, services, rounds, delay))
        finally:
            for service in services.values():
                service.stop()
        return {
            "oom_kills": events(cgroup / "memory.events")["oom_kill"],
            "refused": events(cgroup / "memory.heap.events").get("max"),
            "services": {name: service.fate() for name, service in services.items()},
            "samples": samples,
        }


def problems(without, limited):
    """What is not as it should be in any scene."""
    ends = [service["ended"]["how"] for service in without["services"].values() if service["ended"]]
    if not without["oom_kills"]:
        yield "without the limit the OOM killer took nobody"
    if ends != ["SIGKILL"] * without["oom_kills"]:
        yield f"without the limit the OOM killer took {without['oom_kills']}, but they ended by {ends}"
    if limited["oom_kills"]:
        yield f"with the limit the OOM killer took {limited['oom_kills']}"
    for name, service in limited["services"].items():
        if service["answered"] < service["asked"]:
            yield f"with the limit {name} answered {service['answered']} of {service['asked']} requests"


def report(scene, title, runs, wrong):
    """A run has its heading and limits too, which are those of lines in the picture."""
    seen = {"scene": scene, "title": title, "kernel": os.uname().release, "runs": runs}
    print(f"samples of {scene}: {json.dumps(seen)}")
    if wrong:
        sys.exit(f"{Path(sys.argv[0]).name}: not what the limit is for: " + "; ".join(wrong))
