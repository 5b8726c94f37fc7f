# SPDX-License-Identifier: GPL-2.0-only
"""Draws both runs as text, side by side: what each service holds, one on the other."""

WIDTH = 43  # of a panel, in columns
HEIGHT = 16  # in rows
LEAKER, NEIGHBOUR = "#", ":"


def column_of(seconds, end):
    return min(WIDTH - 1, int(seconds / end * WIDTH))


def columns(run, end):
    """The last sample by each column's time, if the run has begun and goes on."""
    shown = {column_of(sample["seconds"], end): sample for sample in run["samples"]}
    for column in range(min(shown), max(shown)):
        shown.setdefault(column + 1, shown[column])
    return [shown.get(column) for column in range(WIDTH)]


def cell(sample, mib):
    """One character: who holds that MiB, the first one being the leaker's."""
    leaker, neighbour = (sample[name] or 0 if sample else 0 for name in ("leaker", "neighbour"))
    if mib < leaker:
        return LEAKER
    return NEIGHBOUR if mib < leaker + neighbour else " "


def marks(run, end):
    """X where somebody was killed, E at the first ENOMEM; a row above the chart."""
    row = [" "] * WIDTH
    for service in run["services"].values():
        for event, mark in (("ended", "X"), ("enomem", "E")):
            if service[event]:
                row[column_of(service[event]["seconds"], end)] = mark
    return "".join(row)


def time_axis(end):
    row = ""
    for seconds in range(0, int(end), 1 + int(end / 6)):
        row = f"{row:<{column_of(seconds, end)}}{seconds}"
    return f"{row:<{WIDTH - 2}} s"


def chart(top, end, runs):
    row_mib = top / HEIGHT
    shown = [columns(run, end) for run in runs]
    yield f"{top:5.0f} -" + "  -".join(marks(run, end).replace(" ", "-") for run in runs)
    for row in range(HEIGHT - 1, -1, -1):
        low = row * row_mib
        label = f"{low:5.0f}" if row and row % 4 == 0 else " " * 5
        cells = ("".join(cell(sample, low + row_mib / 2) for sample in samples) for samples in shown)
        yield (f"{label} |" + "  |".join(cells)).rstrip()
    yield "    0 +" + "  +".join(["-" * WIDTH] * 2)
    yield "       " + "   ".join([time_axis(end)] * 2)


def lines(seen, panels):
    runs = [run for _, _, run in panels]
    end = max(run["samples"][-1]["seconds"] for run in runs)
    yield "  MiB  " + "   ".join(f"{heading:<{WIDTH}}" for heading, _, _ in panels).rstrip()
    yield from chart(seen["memory_max"], end, runs)
    yield f"  {LEAKER} the leaker's heap   {NEIGHBOUR} the neighbour's, on top   X killed   E first ENOMEM"
    for heading, story, _ in panels:
        yield f"{heading}:"
        yield from (f"    {sentence}" for sentence in story)
