# SPDX-License-Identifier: GPL-2.0-only
"""Metrics as collectors take them."""

import re

from .base import equal, true

LABEL = r'(\w+)="((?:[^"\\\n]|\\[\\"n])*)"'


def parse_metrics(text):
    """Families of OpenMetrics, as node_exporter's textfile collector takes them, too."""
    families, current = {}, None
    lines = text.split("\n")
    equal(lines[-2:], ["# EOF", ""], "the end")
    for line in lines[:-2]:
        if match := re.fullmatch(r"# HELP (heap_limit_\w+) (\S.*)", line):
            current = match[1]
            true(current not in families, f"{current} comes twice")
            families[current] = {"samples": {}}
        elif match := re.fullmatch(r"# (TYPE|UNIT) (\w+) (\w+)", line):
            equal(match[2], current, "the family")
            families[current][match[1]] = match[3]
        else:
            match = re.fullmatch(rf"(\w+)(?:\{{((?:{LABEL},?)*)\}})? (\S+)", line)
            true(match, f"this is no sample: {line!r}")
            family = families[current]
            true(family["TYPE"] in ("counter", "gauge"), f"{current} is {family['TYPE']}")
            suffix = {"counter": "_total", "gauge": ""}[family["TYPE"]]
            equal(match[1], current + suffix, "the name")
            labels = tuple((name, unescape(value)) for name, value in re.findall(LABEL, match[2] or ""))
            true(labels not in family["samples"], f"{line!r} comes twice")
            family["samples"][labels] = float(match[5])
    return families


def unescape(value):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), value)
