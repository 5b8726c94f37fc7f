# SPDX-License-Identifier: GPL-2.0-only
"""Draws both runs as text, side by side: what each service holds, one on the other."""

WIDTH = 43  # of a panel, in columns
HEIGHT = 16  # in rows


def column_of(seconds, end):
    return min(WIDTH - 1, int(seconds / end * WIDTH))


def columns(run, end):
    """The last sample by each column's time, if the run has begun and goes on."""
    shown = {column_of(sample["seconds"], end): sample for sample in run["samples"]}
    for column in range(min(shown), max(shown)):
        shown.setdefault(column + 1, shown[column])
    return [shown.get(column) for column in range(WIDTH)]


def cell(sample, mib, fills):
    """One character: who holds that MiB, if they lie one on the other."""
    for name, fill in fills.items():
        mib -= sample[name] or 0 if sample else 0
        if mib < 0:
            return fill
    return " "


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


def chart(fills, top, end, runs):
    row_mib = top / HEIGHT
    shown = [columns(run, end) for run in runs]
    yield f"{top:5.0f} -" + "  -".join(marks(run, end).replace(" ", "-") for run in runs)
    for row in range(HEIGHT - 1, -1, -1):
        low = row * row_mib
        label = f"{low:5.0f}" if row and row % 4 == 0 else " " * 5
        cells = ("".join(cell(sample, low + row_mib / 2, fills) for sample in samples) for samples in shown)
        yield (f"{label} |" + "  |".join(cells)).rstrip()
    yield "    0 +" + "  +".join(["-" * WIDTH] * 2)
    yield "       " + "   ".join([time_axis(end)] * 2)


def lines(look, seen, stories):
    runs = seen["runs"]
    end = max(run["samples"][-1]["seconds"] for run in runs)
    yield "  MiB  " + "   ".join(f"{run['heading']:<{WIDTH}}" for run in runs).rstrip()
    yield from chart(look.fills, max(run["limits"]["cgroup"] for run in runs), end, runs)
    yield f"  {look.fills_are}   X killed   E first ENOMEM"
    for run, story in zip(runs, stories):
        yield f"{run['heading']}:"
        yield from (f"    {sentence}" for sentence in story)
