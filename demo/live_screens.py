#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""live_screens.py: shows heaptop's live view some services; prints what is seen, as JSON.

In the guest, as root, with heaptop in the PATH. The services are Python, and their
heaps, limits and refusals are real.
"""

import json
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "tests"))

# pylint: disable=wrong-import-position
from of_heaptop.base import MIB, NOBODY, OPTIONS, UNLIMITED, Child
from of_heaptop.groups import unit
from of_heaptop.screen import Screen

ROWS, COLUMNS = 25, 112
# Unit, name, soft limit and heap in MiB, more that is refused, user.
SERVICES = (
    ("api.service", "api", 64, 40, 0, 0),
    ("api.service", "api-worker", 64, 22, 0, 0),
    ("cache.service", "cache", 96, 88, 32, 0),
    ("report.service", "report", 256, 120, 0, NOBODY),
    ("session-1.scope", "notebook", 512, 150, 0, NOBODY),
)


def start(stack, name, limit, heap, more, user):
    child = stack.enter_context(Child(limit * MIB, UNLIMITED, user=user))
    child.do(f"name({name.encode()!r}), hold({heap * MIB})")
    child.do("any(held[0].__setitem__(at, 1) for at in range(0, len(held[0]), 4096))")
    if more:
        child.do(f"hold({more * MIB})")
    return child


def requests(child):
    """As a service that answers: its heap grows, and falls again."""
    for size in (1, 2, 3, 4, 5, 3, 1, 4, 6, 8, 6, 3, 2, 5, 9, 14, 8, 4, 2, 6) * 2:
        child.do(f"hold({size << 20})")
        time.sleep(0.3)
        child.do("held.pop().close()")


def main():
    OPTIONS.program = shutil.which("heaptop")
    screens = []
    with ExitStack() as stack:
        units = {}
        for name, *service in SERVICES:
            units.setdefault(name, []).append(start(stack, *service))
        for name, children in units.items():
            stack.enter_context(unit(name, *children))
        with Screen("-l", "-d", "0.3", rows=ROWS, columns=COLUMNS) as screen:
            screen.until("h is help")
            screen.keys("\x1b[B\x1b[B")
            requests(units["api.service"][0])
            screens.append(screen.cells())
            screen.keys("\r")
            screen.until("^process ")
            screens.append(screen.cells())
            screen.keys("qq")
            screen.ended()
    print(json.dumps(screens))


if __name__ == "__main__":
    main()
