#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""picture.py JSON SVG: draws what neighbours.py saw, as a file and as text.

Neither needs more than Python; the text is plain ASCII of 100 columns.
"""

import json
import sys
from pathlib import Path

import svg
import textchart


def title(seen):
    return f"A leaking service beside a well-behaved one, in a memory cgroup of {seen['memory_max']} MiB"


def heading(run):
    return f"with prlimit --heap={run['limit']}M for the leaker" if run["limit"] else "without a limit"


def sentence(name, service, requests):
    told = f"the {name} answered {service['answered']} of {requests} requests"
    if service["enomem"]:
        told += f": {service['enomem']['says']} after {service['enomem']['seconds']:.1f} s"
    if service["ended"]:
        told += f": the OOM killer took it after {service['ended']['seconds']:.1f} s"
    return told


def story(run):
    return [sentence(name, service, run["requests"]) for name, service in run["services"].items()]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    seen = json.loads(Path(sys.argv[1]).read_text())
    panels = [(heading(run), story(run), run) for run in seen["runs"]]
    Path(sys.argv[2]).write_text(svg.drawing(title(seen), seen, panels))
    print("\n".join(["", title(seen), "", *textchart.lines(seen, panels)]))


if __name__ == "__main__":
    main()
