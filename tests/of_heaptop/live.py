# SPDX-License-Identifier: GPL-2.0-only
"""The live view and its keys."""

import re
import signal

from .base import MIB, NOBODY, OPTIONS, PATIENCE, Child, Wrong, equal, heaptop, true, until
from .screen import Screen


def live_without_terminal():
    """-d without a terminal is an error"""
    message = "heaptop: the live view, -d, needs a terminal: use -b without one\n"
    heaptop("-d", "1", status=1, stderr=message)
    with Screen(command=["sh", "-c", f"{OPTIONS.program} -d 1 </dev/null"]) as screen:
        equal(screen.process.wait(PATIENCE), 1, "the status")
        screen.read()
        equal(screen.raw, message.replace("\n", "\r\n"), "what it says")


def live_follows():
    """the live view follows, and q ends it"""
    with Child(64 * MIB) as child:
        with Screen("-d", "0.3", "-p", str(child.pid)) as screen:
            lines = screen.until(rf"^ *{child.pid} root .* 64Mi +unlimited +0 +0 +/ +python3$")
            true(lines[0].startswith("policy: "), f"the first line is {lines[0]!r}")
            true(re.match(r" *PID USER +USED +RESIDENT +RSS +PEAK ", lines[2]), f"the heads are {lines[2]!r}")
            child.do("hold(64 << 20)")
            screen.until(rf"^ *{child.pid} root .* 1 +0 +/ +python3$")
            screen.keys("q")
            screen.ended()


def live_keys():
    """the keys of the live view sort, scroll, filter and help"""
    with Child(64 * MIB) as small, Child() as large, Child(user=NOBODY) as other:
        large.do("hold(90 << 20), name(b'large')")
        small.do("name(b'small')")
        other.do("name(b'other')")
        with Screen("-d", "60", rows=5) as screen:
            for keys, pattern, row in (
                ("", "by share", " small$"),
                ("M", "by used", " large$"),
                ("N", "by pid", "^ *1 root"),
                ("<", "by refused", ""),
                ("P", "by share", " small$"),
                (">", "by used", " large$"),
                ("\x1b[B\x1b[B\x1b[B", "by used", "^(?!.* large$)"),
                ("\x1b[A\x1b[A", "by used", " large$"),
                ("\x1b[F", "by used", "^(?!.* large$)"),
                ("\x1b[5~\x1b[5~\x1b[H", "by used", " large$"),
                ("\x1b[6~", "by used", "^(?!.* large$)"),
                ("unobody\r", "user nobody; by used", " other$"),
                ("uno such\r", "user 'no such' does not exist", ""),
                ("u\r", ": all; by used", ""),
                ("/smxl\x7f\x7fall\r", "command small; by used", " small$"),
                ("/large\x1b", "command small", " small$"),
                ("/\r", ": all;", ""),
            ):
                screen.keys(keys)
                what = f"{pattern!r} and {row!r} after {keys!r}"
                try:
                    until(
                        lambda p=pattern, r=row: screen.has(p) and re.search(r, screen.lines()[3]),
                        what,
                    )
                except Wrong as wrong:
                    raise Wrong("\n".join([str(wrong), *screen.lines()])) from None
            for key in "h?":
                screen.keys(key)
                screen.until("space +look again")
                screen.keys("x")
                screen.until("PID USER")
            screen.keys("\x03")
            screen.ended()


def live_looks_on_space():
    """space looks again, at once"""
    with Child(64 * MIB) as child, Screen("-d", "3600", "-p", str(child.pid)) as screen:
        screen.until(r" 0 +0 +\S+ +python3$")
        child.do("hold(64 << 20)")
        screen.keys(" ")
        screen.until(r" 1 +0 +\S+ +python3$")
        screen.keys("q")
        screen.ended()


def live_resizes():
    """the live view takes the terminal's new size"""
    with Screen("-d", "3600") as screen:
        screen.until(" COMMAND$")
        screen.resize(10, 40)
        screen.until(r"^ *PID USER")
        until(lambda: len(max(screen.lines(), key=len)) == 40, "40 columns")
        screen.resize(30, 120)
        screen.until(" COMMAND$")
        screen.keys("q")
        screen.ended()


def live_signals():
    """signals leave the terminal as it was"""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        with Screen("-d", "3600") as screen:
            screen.until("PID USER")
            screen.process.send_signal(number)
            screen.ended()


def live_suspends():
    """Ctrl-Z gives the terminal back, and fg takes it again"""
    shell = ["bash", "-mc", f"{OPTIONS.program} -d 3600; stty -a; read -r; fg >/dev/null"]
    with Screen(command=shell) as screen:
        screen.until("PID USER")
        screen.keys("\x1a")
        until(lambda: screen.read() or " icanon " in screen.raw, "the shell")
        true("\x1b[?1049l" in screen.raw, "the screen is not left")
        screen.raw = ""
        screen.keys("\n")
        screen.until("PID USER")
        screen.keys("q")
        screen.ended()


def live_without_colour():
    """the live view has no colours"""
    with Screen("-d", "3600") as screen:
        screen.until("PID USER")
        screen.keys("q")
        screen.ended()
        colours = set(re.findall(r"\x1b\[([0-9;]*)m", screen.raw)) - {
            "0",
            "1",
            "7",
            "22",
            "27",
            "39",
            "49",
            "59",
            "",
        }
        colours -= {"39;49"}
        equal(colours, set(), "the attributes")


def live_reverses():
    """R turns the order round, c shows whole command lines"""
    with Child(64 * MIB) as small, Child(64 * MIB) as large:
        large.do("hold(50 << 20)")
        with Screen("-d", "60", "-p", f"{small.pid},{large.pid}") as screen:
            screen.until("by share;")
            equal(screen.lines()[3].split()[0], str(large.pid), "the first")
            screen.keys("R")
            screen.until("by share, reversed;")
            equal(screen.lines()[3].split()[0], str(small.pid), "the first, reversed")
            screen.keys("c")
            screen.until(r"python3 -c \\nimport")
            screen.keys("q")
            screen.ended()


def live_delay():
    """d, + and - change the delay while it runs"""
    with Child(64 * MIB) as child, Screen("-d", "3600", "-p", str(child.pid)) as screen:
        screen.until("every 3600 s;")
        screen.keys("-")
        screen.until("every 1800 s;")
        screen.keys("++")
        screen.until("every 7200 s;")
        screen.keys("dx\r")
        screen.until("^use a number of seconds, 0.1 or more$")
        screen.keys("d0.3\r")
        screen.until("every 0.3 s;")
        child.do("hold(64 << 20)")
        screen.until(r" 1 +0 +\S+ +python3$")
        screen.keys("q")
        screen.ended()


def live_details():
    """Enter shows all of the selected process, with its history"""
    with Child(64 * MIB) as child, Screen("-d", "0.3", "-p", str(child.pid)) as screen:
        screen.until("h is help")
        screen.keys("\r")
        screen.until("^select a line first")
        screen.keys("\x1b[B\r")
        screen.until(rf"^process +{child.pid}$")
        screen.until(r"^user +root \(0\)$")
        screen.until(r"^line +\S*python3 -c ")
        screen.until("^USED at each look, up to 64Mi$")
        child.do("hold(50 << 20)")
        # A step, from the little that Python needs to most of the limit.
        screen.until(r"▁.*[▄▅▆▇█]|^ +[▁▂▃▄▅▆▇█]")
        screen.until(r"^used +\d\dMi, 8\d\.\d % of SOFT$")
        screen.keys("\x1b")
        screen.until("h is help")
        screen.keys("q")
        screen.ended()


def live_changes_limits():
    """l changes the limits of the selected process, or says why it cannot"""
    with Child(64 * MIB) as child, Screen("-d", "60", "-p", str(child.pid)) as screen:
        screen.until("h is help")
        screen.keys("l")
        screen.until("^select a line first")
        screen.keys("\x1b[Bl")
        screen.until(f"^limits of {child.pid} ")
        # The cursor goes back, and what is typed goes in there.
        screen.keys("2Mi:1Gi\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D3\r")
        screen.until(r" 32Mi +1\.0Gi ")
        equal(child.limits().groups(), (str(32 * MIB), str(1024 * MIB)), "the limits")
        screen.keys("l2Gi:1Gi\r")
        screen.until("^cannot set the heap limit of process .*cannot exceed the hard limit")
        screen.keys("lx\r")
        screen.until("^invalid size 'x'")
        screen.keys("q")
        screen.ended()


def live_signals_processes():
    """x sends a signal to the selected process"""
    with Child(64 * MIB) as child, Child(64 * MIB) as other:
        with Screen("-d", "60", "-p", f"{child.pid},{other.pid}", "-s", "pid") as screen:
            screen.until("h is help")
            screen.keys("\x1b[Bxnosuch\r")
            screen.until("^'nosuch' is no signal")
            screen.keys("xusr1\r")
            until(lambda: child.process.poll() == -signal.SIGUSR1, "the end by SIGUSR1")
            screen.keys("\x1b[Hx\r")
            until(lambda: other.process.poll() == -signal.SIGTERM, "the end by SIGTERM")
            screen.keys("q")
            screen.ended()


TESTS = (
    live_without_terminal,
    live_follows,
    live_keys,
    live_reverses,
    live_delay,
    live_details,
    live_changes_limits,
    live_signals_processes,
    live_looks_on_space,
    live_resizes,
    live_signals,
    live_suspends,
    live_without_colour,
)
