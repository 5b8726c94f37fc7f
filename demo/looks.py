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
}
