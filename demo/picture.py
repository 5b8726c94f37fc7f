#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""picture.py JSON SVG: draws what neighbours.py or job.py saw, as a file and as text.

Neither needs more than Python; the text is plain ASCII of 100 columns.
"""

import json
import sys
from pathlib import Path

import svg
import textchart
from looks import LOOKS


def sentence(name, service):
    # A number makes it a name.
    who = name if name[-1].isdigit() else f"the {name}"
    told = f"{who} answered {service['answered']} of {service['asked']} requests"
    if service["enomem"]:
        told += f": {service['enomem']['says']} after {service['enomem']['seconds']:.1f} s"
    if service["ended"]:
        told += f": the OOM killer took it after {service['ended']['seconds']:.1f} s"
    return told


def story(run):
    return [sentence(name, service) for name, service in run["services"].items()]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    seen = json.loads(Path(sys.argv[1]).read_text())
    look, stories = LOOKS[seen["scene"]], [story(run) for run in seen["runs"]]
    Path(sys.argv[2]).write_text(svg.drawing(look, seen, stories))
    print("\n".join(["", seen["title"], "", *textchart.lines(look, seen, stories)]))


if __name__ == "__main__":
    main()
