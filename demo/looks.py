# SPDX-License-Identifier: GPL-2.0-only
"""How each scene is drawn, as SVG and as text."""

from dataclasses import dataclass

GREY, BLUE, RED = "#555555", "#0b62a8", "#c8321f"


@dataclass
class Look:
    """What is seen, by name: color and words of its line; words at its limit; the
    character that fills its part of the text, from below. Some are drawn one on the
    other in SVG too."""

    lines: dict
    limits: dict
    fills: dict
    fills_are: str
    stack: tuple = ()
    # Where the words of limits have room, as a part of the width.
    limits_at: float = 0.65


WORKERS = tuple(f"worker {number}" for number in (1, 2, 3, 4))
LOOKS = {
    "leak": Look(
        lines={
            "cgroup": (GREY, "the cgroup, memory.current"),
            "neighbour": (BLUE, "the neighbour, VmHeap"),
            "leaker": (RED, "the leaker, VmHeap"),
        },
        limits={"cgroup": "memory.max", "leaker": "RLIMIT_HEAP"},
        fills={"leaker": "#", "neighbour": ":"},
        fills_are="# the leaker's heap   : the neighbour's, on top",
    ),
    "job": Look(
        lines={
            "cgroup": (GREY, "the job, memory.current"),
            "sum": (RED, "its heap, memory.heap.current"),
            **{name: (BLUE, "each of its workers, VmHeap, one on the other") for name in WORKERS},
        },
        limits={"cgroup": "memory.max", "sum": "memory.heap.max"},
        fills={name: name[-1] for name in WORKERS},
        fills_are="1 to 4: each worker's heap, one on the other",
        stack=WORKERS,
        limits_at=0.2,
    ),
}
