#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""terminal_svg.py JSON SVG: draws screens of a terminal, one below the other.

A screen is a list of rows, a row one of cells, a cell a character and its style: "b" is
bold, "r" reversed.
"""

import json
import sys
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 8, 15.5
MARGIN = 12
PAPER, INK = "#1c1f26", "#d8dee9"


def run_of(x, y, text, style):
    """Characters of one style."""
    paper, ink = (INK, PAPER) if "r" in style else (PAPER, INK)
    if "r" in style:
        yield f'<rect x="{x}" y="{y}" width="{WIDTH * len(text)}" height="{HEIGHT}" fill="{paper}"/>'
    text = text.rstrip()
    if text:
        weight = ' font-weight="bold"' if "b" in style else ""
        # Whatever the font, a character is as wide as another.
        yield (
            f'<text x="{x}" y="{y + 12}" fill="{ink}"{weight} textLength="{WIDTH * len(text)}"'
            f' lengthAdjust="spacingAndGlyphs" xml:space="preserve">{escape(text)}</text>'
        )


def screen(rows, top):
    width, height = WIDTH * len(rows[0]) + 2 * MARGIN, HEIGHT * len(rows) + 2 * MARGIN
    yield f'<rect y="{top}" width="{width}" height="{height}" rx="6" fill="{PAPER}"/>'
    for number, row in enumerate(rows):
        x, y = MARGIN, top + MARGIN + number * HEIGHT
        for style, cells in groupby(row, key=lambda cell: "".join(sorted(set(cell[1])))):
            text = "".join(character for character, _ in cells)
            yield from run_of(x, y, text, style)
            x += WIDTH * len(text)


def without_empty_end(rows):
    while all(cell == [" ", ""] for cell in rows[-1]):
        rows = rows[:-1]
    return rows


def drawing(screens):
    tops, height = [], 0
    for rows in screens:
        tops.append(height)
        height += HEIGHT * len(rows) + 3 * MARGIN
    height -= MARGIN
    width = WIDTH * len(screens[0][0]) + 2 * MARGIN
    parts = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="DejaVu Sans Mono, Menlo, monospace" font-size="13.3">',
    ]
    for rows, top in zip(screens, tops):
        parts += screen(rows, top)
    return "\n".join(parts + ["</svg>", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    screens = json.loads(Path(sys.argv[1]).read_text().splitlines()[-1])
    screens = [without_empty_end(rows) for rows in screens]
    Path(sys.argv[2]).write_text(drawing(screens))


if __name__ == "__main__":
    main()
