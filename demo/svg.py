# SPDX-License-Identifier: GPL-2.0-only
"""Draws both runs as SVG, side by side: memory over time, and who was taken when."""

from xml.sax.saxutils import escape

WIDTH, HEIGHT = 1100, 520
PANEL_WIDTH, PANEL_HEIGHT = 480, 310
LEFTS = (50, 595)
TOP = 92
BOTTOM = TOP + PANEL_HEIGHT
LINES = {
    "cgroup": ("#555555", "the cgroup, memory.current"),
    "neighbour": ("#0b62a8", "the neighbour, VmHeap"),
    "leaker": ("#c8321f", "the leaker, VmHeap"),
}
LIMITS = {"cgroup": "memory.max", "leaker": "RLIMIT_HEAP"}


def written(attributes):
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())


def text(x, y, content, **attributes):
    return f'<text x="{x:.1f}" y="{y:.1f}"{written(attributes)}>{escape(content)}</text>'


def line(points, color, **attributes):
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" stroke="{color}"{written(attributes)}/>'


class Panel:
    """One run, and where its seconds and MiB are on the paper."""

    def __init__(self, left, run, end, high):
        self.left, self.run, self.end, self.high = left, run, end, high

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

    def curve(self, name):
        known = [(s["seconds"], s[name]) for s in self.run["samples"] if s[name] is not None]
        return [(self.x(seconds), self.y(mib)) for seconds, mib in known]

    def curves(self):
        for name, (color, _) in LINES.items():
            yield line(self.curve(name), color, stroke_width=2.5, stroke_linejoin="round")

    def limit(self, name, mib):
        color, right = LINES[name][0], self.left + PANEL_WIDTH
        y = self.y(mib)
        yield line([(self.left, y), (right, y)], color, stroke_width=1.5, stroke_dasharray="6 4")
        # Where there is room: little happens at two thirds of a run.
        x = self.left + 0.65 * PANEL_WIDTH
        yield text(x, y - 5, f"{LIMITS[name]} {mib} MiB", text_anchor="middle", fill=color)

    def height(self, name, seconds):
        """Where the curve is then, or was at last."""
        known = [s[name] for s in self.run["samples"] if s[name] is not None and s["seconds"] <= seconds]
        return self.y(known[-1] if known else 0)

    def sign(self, name, event, label):
        """What happened, at the top, and a line from there to the curve."""
        x = self.x(event["seconds"])
        y = self.height(name, event["seconds"])
        color = LINES[name][0]
        middle = min(max(x, self.left + 80), self.left + PANEL_WIDTH - 80)
        words = f"{label}, {event['seconds']:.1f} s"
        yield text(middle, TOP + 8, words, text_anchor="middle", font_weight="bold", fill=color)
        yield line([(x, TOP + 14), (x, y)], color, stroke_dasharray="2 3")
        return x, y, color

    def killed(self, name, event):
        x, y, color = yield from self.sign(name, event, f"{name} killed")
        for slope in (-7, 7):
            yield line([(x - 7, y - slope), (x + 7, y + slope)], color, stroke_width=3)

    def refused(self, name, event):
        x, y, color = yield from self.sign(name, event, event["says"])
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="white" stroke="{color}" stroke-width="2.5"/>'

    def events(self):
        for name, service in self.run["services"].items():
            if service["enomem"]:
                yield from self.refused(name, service["enomem"])
            if service["ended"]:
                yield from self.killed(name, service["ended"])


def legend():
    for i, (color, title) in enumerate(LINES.values()):
        x, y = LEFTS[0] + i * 240, 50
        yield line([(x, y - 4), (x + 26, y - 4)], color, stroke_width=2.5)
        yield text(x + 33, y, title)


def drawing(title, seen, panels):
    end = max(run["samples"][-1]["seconds"] for _, _, run in panels)
    parts = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFTS[0], 26, title, font_size=18, font_weight="bold"),
        *legend(),
    ]
    for left, (heading, story, run) in zip(LEFTS, panels):
        panel = Panel(left, run, end, seen["memory_max"] * 1.2)
        parts += [*panel.axes(), *panel.limit("cgroup", seen["memory_max"])]
        if run["limit"]:
            parts += panel.limit("leaker", run["limit"])
        parts += [*panel.curves(), *panel.events()]
        parts.append(text(left, TOP - 14, heading, font_size=15, font_weight="bold"))
        for i, sentence in enumerate(story):
            parts.append(text(left, BOTTOM + 58 + i * 18, sentence))
    parts.append(text(LEFTS[0], HEIGHT - 12, f"Linux {seen['kernel']}, heap policy commit", fill="#777777"))
    return "\n".join(parts + ["</svg>", ""])
