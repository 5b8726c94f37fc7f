# SPDX-License-Identifier: GPL-2.0-only
"""What the pages for people are made of: headings, links and commands."""

import re
from dataclasses import dataclass, field

from environment import CHECKOUT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
# How a block of commands is run, on the line before it.
HOW = re.compile(r"<!-- (?P<how>run|not run): (?P<words>[^\n]+?) -->\n\Z")


def pages():
    """All there are; a page begins with its license."""
    return sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")])


def prose(text):
    """A page without its code, which has no links, and comments; lines keep their numbers."""

    def blank(match):
        return "\n" * match[0].count("\n")

    text = FENCE.sub(blank, text)
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.S)
    return re.sub(r"^(    |\t).*$", "", text, flags=re.M)


def anchors(text):
    """What a link can point at, by the rules of GitHub."""
    seen = {}
    for heading in re.findall(r"^#+ +(.*?)[ #]*$", prose(text), re.M):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = seen[anchor] = seen.get(anchor, -1) + 1
        yield f"{anchor}-{number}" if number else anchor


@dataclass
class Link:
    line: int
    target: str


def links(text):
    """Of a page, pictures too."""
    text = re.sub(r"`[^`\n]+`", lambda match: "x" * len(match[0]), prose(text))
    for match in re.finditer(r"\[[^]]*\]\(([^)\s]+)\)", text):
        yield Link(text.count("\n", 0, match.start()) + 1, match[1])


def paths(text):
    """Names in code that are files of this checkout, by their first directory."""
    directories = r"(?:bench|config|demo|docs|heaptop|packaging|patches|scripts|src|tests)/"
    for match in re.finditer(rf"`({directories}[\w./*-]*)`", prose(text)):
        yield Link(text.count("\n", 0, match.start()) + 1, match[1])


@dataclass
class Command:
    """What is typed, and what is said to come of it."""

    text: str
    output: list = field(default_factory=list)


@dataclass
class Block:
    """Commands of a page, one after the other."""

    line: int
    how: str  # run, not run, or nothing
    words: str  # where and with what, or why not
    commands: list


def blocks(text):
    """Those that show a prompt."""
    for match in FENCE.finditer(text):
        if match[1] == "console":
            how = HOW.search(text, 0, match.start())
            line = text.count("\n", 0, match.start()) + 2
            yield Block(line, how and how["how"], how and how["words"], list(commands(match[2])))


def commands(block):
    """A here-document, or what is quoted, goes on without a prompt."""
    command = None
    for line in block.splitlines():
        if command and not finished(command.text):
            command.text += "\n" + line
        elif line[:2] in ("# ", "$ "):
            if command:
                yield command
            command = Command(line[2:])
        elif command:
            command.output.append(line)
    if command:
        yield command


def finished(text):
    heredoc = re.search(r"<<'?(\w+)'?", text)
    if heredoc:
        return text.endswith(f"\n{heredoc[1]}")
    quoted = re.sub(r'"[^"]*"', "", text) if text.count("'") == 0 else text
    return quoted.count("'") % 2 == 0
