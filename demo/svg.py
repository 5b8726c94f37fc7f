# SPDX-License-Identifier: GPL-2.0-only
"""Draws both runs as SVG, side by side: memory over time, and who was taken when."""

from xml.sax.saxutils import escape

WIDTH = 1100
PANEL_WIDTH, PANEL_HEIGHT = 480, 310
LEFTS = (50, 595)
TOP = 92
BOTTOM = TOP + PANEL_HEIGHT
# Of the words on what happened, at most.
SIGN_WIDTH = 175


def written(attributes):
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())


def text(x, y, content, **attributes):
    return f'<text x="{x:.1f}" y="{y:.1f}"{written(attributes)}>{escape(content)}</text>'


def joined(points):
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def line(points, color, **attributes):
    return f'<polyline points="{joined(points)}" fill="none" stroke="{color}"{written(attributes)}/>'


def area(points, color, **attributes):
    return f'<polygon points="{joined(points)}" fill="{color}"{written(attributes)}/>'


class Panel:
    """One run, and where its seconds and MiB are on the paper."""

    def __init__(self, look, left, run, end, high):
        self.look, self.left, self.run, self.end, self.high = look, left, run, end, high

    def x(self, seconds):
        return self.left + seconds / self.end * PANEL_WIDTH

    def y(self, mib):
        return BOTTOM - mib / self.high * PANEL_HEIGHT

    def axes(self):
        right = self.left + PANEL_WIDTH
        for mib in range(0, int(self.high) + 1, 16):
            y = self.y(mib)
            yield line([(self.left, y), (right, y)], "#e4e4e4")
            yield text(self.left - 6, y + 4, str(mib), text_anchor="end")
        for seconds in range(0, int(self.end) + 1, 1 + int(self.end / 15)):
            yield line([(self.x(seconds), BOTTOM), (self.x(seconds), BOTTOM + 4)], "#333333")
            yield text(self.x(seconds), BOTTOM + 18, str(seconds), text_anchor="middle")
        yield line([(self.left, TOP), (self.left, BOTTOM), (right, BOTTOM)], "#333333")
        yield text(self.left - 6, TOP + 4, "MiB", text_anchor="end")
        yield text(right, BOTTOM + 34, "seconds", text_anchor="end")

    def known(self, name):
        """Samples that have it; in a stack one that is gone is one of nothing."""
        return [s for s in self.run["samples"] if s[name] is not None or name in self.look.stack]

    def level(self, name, sample):
        """How high it is then, in MiB, which in a stack is on those below."""
        stack = self.look.stack
        below = stack[: stack.index(name)] if name in stack else ()
        return sum(sample[each] or 0 for each in (*below, name))

    def curve(self, name):
        return [(self.x(s["seconds"]), self.y(self.level(name, s))) for s in self.known(name)]

    def areas(self):
        lower = [(self.x(sample["seconds"]), BOTTOM) for sample in self.run["samples"]]
        for number, name in enumerate(self.look.stack):
            upper = self.curve(name)
            yield area(upper + lower[::-1], self.look.lines[name][0], fill_opacity=(0.5, 0.25)[number % 2])
            # Where all are there and have some height.
            (x, high), (_, low) = upper[len(upper) // 2], lower[len(lower) // 2]
            yield text(x, (high + low) / 2 + 5, self.look.fills[name], text_anchor="middle")
            lower = upper

    def curves(self):
        for name, (color, _) in self.look.lines.items():
            if name not in self.look.stack:
                yield line(self.curve(name), color, stroke_width=2.5, stroke_linejoin="round")

    def limit(self, name, mib):
        color, right = self.look.lines[name][0], self.left + PANEL_WIDTH
        y = self.y(mib)
        yield line([(self.left, y), (right, y)], color, stroke_width=1.5, stroke_dasharray="6 4")
        x = self.left + self.look.limits_at * PANEL_WIDTH
        yield text(x, y - 5, f"{self.look.limits[name]} {mib} MiB", text_anchor="middle", fill=color)

    def height(self, name, seconds):
        """Where the curve is then, or was at last."""
        there = [s for s in self.run["samples"] if s[name] is not None and s["seconds"] <= seconds]
        return self.y(self.level(name, there[-1]) if there else 0)

    def point(self, name, event):
        return self.x(event["seconds"]), self.height(name, event["seconds"])

    def signs(self, events):
        """What happened, at the top, and a line from there to the curve."""
        before = []
        for name, event, label in sorted(events, key=lambda sign: sign[1]["seconds"]):
            x, y = self.point(name, event)
            color = self.look.lines[name][0]
            middle = min(max(x, self.left + 80), self.left + PANEL_WIDTH - 80)
            # Below what is in its way.
            top = TOP + 8 + 16 * sum(middle - other < SIGN_WIDTH for other in before)
            before.append(middle)
            words = f"{label}, {event['seconds']:.1f} s"
            yield text(middle, top, words, text_anchor="middle", font_weight="bold", fill=color)
            yield line([(x, top + 6), (x, y)], color, stroke_dasharray="2 3")

    def killed(self, name, event):
        x, y = self.point(name, event)
        for slope in (-7, 7):
            yield line([(x - 7, y - slope), (x + 7, y + slope)], self.look.lines[name][0], stroke_width=3)

    def refused(self, name, event):
        (x, y), color = self.point(name, event), self.look.lines[name][0]
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="white" stroke="{color}" stroke-width="2.5"/>'

    def those(self, event):
        """Names, and when and how it happened to them."""
        return [(name, service[event]) for name, service in self.run["services"].items() if service[event]]

    def events(self):
        killed, refused = self.those("ended"), self.those("enomem")
        signs = [(name, event, f"{name} killed") for name, event in killed]
        if refused:
            name, event = min(refused, key=lambda one: one[1]["seconds"])
            signs.append((name, event, event["says"] if len(refused) == 1 else "first ENOMEM"))
        yield from self.signs(signs)
        for each in killed:
            yield from self.killed(*each)
        for each in refused:
            yield from self.refused(*each)


def legend(look):
    for i, (title, color) in enumerate({title: color for color, title in look.lines.values()}.items()):
        x, y = LEFTS[0] + i * 260, 50
        yield line([(x, y - 4), (x + 26, y - 4)], color, stroke_width=2.5)
        yield text(x + 33, y, title)


def column(panel, story):
    """A run, with its heading above and its story below."""
    yield from panel.axes()
    for name, mib in panel.run["limits"].items():
        yield from panel.limit(name, mib)
    yield from panel.areas()
    yield from panel.curves()
    yield from panel.events()
    yield text(panel.left, TOP - 14, panel.run["heading"], font_size=15, font_weight="bold")
    for i, sentence in enumerate(story):
        yield text(panel.left, BOTTOM + 58 + i * 18, sentence)


def drawing(look, seen, stories):
    runs = seen["runs"]
    end = max(run["samples"][-1]["seconds"] for run in runs)
    high = max(run["limits"]["cgroup"] for run in runs) * 1.2
    height = BOTTOM + 82 + 18 * max(map(len, stories))
    parts = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(LEFTS[0], 26, seen["title"], font_size=18, font_weight="bold"),
        *legend(look),
    ]
    for left, run, story in zip(LEFTS, runs, stories):
        parts += column(Panel(look, left, run, end, high), story)
    parts.append(text(LEFTS[0], height - 12, f"Linux {seen['kernel']}, heap policy commit", fill="#777777"))
    return "\n".join(parts + ["</svg>", ""])
