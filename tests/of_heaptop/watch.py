# SPDX-License-Identifier: GPL-2.0-only
"""Events as they happen."""

import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

from environment import CHECKOUT

from .base import MIB, NOBODY, OPTIONS, PATIENCE, SETTINGS
from .base import Child, Wrong, equal, heaptop, row_of, setting, true, until
from .groups import unit

INSTANCES = Path("/sys/kernel/tracing/instances")


class Watch:
    """heaptop --watch, which has begun."""

    def __init__(self, *args):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [OPTIONS.program, "--watch", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.instance = INSTANCES / f"heaptop-{self.process.pid}"
        # What was read, and is no whole line or one that nobody has asked for yet.
        self.text = b""
        until(self.enabled, "its instance")

    def enabled(self):
        if self.process.poll() is not None:
            raise Wrong(f"it ended: {self.process.stderr.read()}")
        try:
            return (self.instance / "events/heap_limit/enable").read_text() == "1\n"
        except FileNotFoundError:
            return False

    def event(self):
        """The next, as it was printed."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self.text:
            left = max(0, deadline - time.monotonic())
            true(select.select([self.process.stdout], [], [], left)[0], f"no event within {PATIENCE} s")
            text = os.read(self.process.stdout.fileno(), 1 << 16)
            true(text, "it ended")
            self.text += text
        line, _, self.text = self.text.partition(b"\n")
        return line.decode() + "\n"

    def ended(self, status=0, stderr=""):
        equal(self.process.wait(PATIENCE), status, "the status")
        equal(self.process.stderr.read(), stderr, "stderr")
        true(not self.instance.exists(), "its instance is still there")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def watch_sees():
    """--watch prints a refusal and a crossing as they happen"""
    with Child(64 * MIB) as child, Watch() as watch:
        true(re.match("TIME +EVENT +PID USER", watch.event()), "the heads")
        child.do("hold(64 << 20)")
        line = until_of(watch, child.pid)
        form = rf"refused +{child.pid} root +mmap +64Mi +\S+ +64Mi \w+ +/ +process +python3"
        true(re.fullmatch(rf"\d\d:\d\d:\d\d {form}\n", line), f"the line is {line!r}")
        child.do(f"hold((60 << 20) - {child.status()['VmHeap']})")
        line = until_of(watch, child.pid)
        true(re.match(rf"\d\d:\d\d:\d\d crossed +{child.pid} root +mmap ", line), f"the line is {line!r}")
        watch.process.send_signal(signal.SIGINT)
        watch.ended()


def until_of(watch, pid, form=" {} "):
    """The next line about a process."""
    return until(
        lambda: next((line for line in [watch.event()] if form.format(pid) in line), None), f"one of {pid}"
    )


def watch_json():
    """--watch --json prints an object a line, with exact bytes"""
    with Child(64 * MIB) as child, Watch("--json", "-p", child.pid, "-n", 1) as watch:
        used = child.status()["VmHeap"]
        child.do("hold(64 << 20)")
        event = json.loads(watch.event())
        watch.ended()
    true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", event.pop("time")), "the time")
    policy = re.search(r"\[(\w+)\]", (SETTINGS / "policy").read_text())[1]
    expected = {
        "event": "refused",
        "pid": child.pid,
        "uid": 0,
        "user": "root",
        "unit": "/",
        "command": "python3",
        "what": "mmap",
        "request_bytes": 64 * MIB,
        "resident_bytes": None,
        "soft_bytes": 64 * MIB,
        "max_bytes": None,
        "limit_cgroup": None,
        "limit_cgroup_id": None,
        "policy": policy,
    }
    # Python itself may ask for a little in between.
    true(used <= event.pop("used_bytes") < used + 2 * MIB, "the use")
    equal(event, expected, "the event")


def watch_audit():
    """--watch prints what audit mode lets pass, and the table counts it"""
    with Child(64 * MIB) as child, setting("mode", "audit"):
        with Watch("--json", "-p", child.pid) as watch:
            equal(child.do("hold(64 << 20)"), "None", "growth")
            kinds = {json.loads(watch.event())["event"]}
            if kinds == {"crossed"}:
                kinds.add(json.loads(watch.event())["event"])
            true("would_refuse" in kinds, f"the events are {kinds}")
        row = row_of(heaptop(), child.pid)
        equal((row["REFUSED"], row["WOULD-BE"]), ("0", "1"), "the row")
        true(float(row["%SOFT"]) > 100, "the share")
        true(heaptop().startswith("policy: ") and ", mode: audit, " in heaptop(), "the mode")


def watch_names():
    """--watch prints names that look like something else"""
    for raw in ("a\nb", "x pid=1 uid=2", "heap_refused: c", "\x1b[2J = \n\n"):
        with Child(64 * MIB) as child, Watch("--json", "-p", child.pid, "-n", 2) as watch:
            child.do(f"name({raw.encode()!r})")
            for _ in range(2):
                child.do("hold(64 << 20)")
                equal(json.loads(watch.event())["command"], raw, "the command")
            watch.ended()


def watch_filters():
    """--watch heeds -p, -u and -c, --count and --timeout"""
    with Child(64 * MIB) as child, Child(64 * MIB, user=NOBODY) as other:
        other.do("name(b'other')")
        for args in (["-p", other.pid], ["-u", "nobody"], ["-c", "other"]):
            with Watch("--json", *args, "-n", 2) as watch:
                for _ in range(3):
                    child.do("hold(64 << 20)")
                    other.do("hold(64 << 20)")
                watch.ended()
                pids = [json.loads(line)["pid"] for line in watch.process.stdout]
                equal(pids, [other.pid] * 2, f"{args}")
        heaptop("--watch", "--json", "-c", "no such", "-t", "0.2", status=124)
        heaptop("--watch", "--json", "-p", other.pid, "-n", "2", "-t", "0.2", status=124)
        with Watch("--json", "-p", other.pid, "-t", "3") as watch:
            other.do("hold(64 << 20)")
            watch.ended()


def watch_leaves_nothing():
    """--watch removes its instance, however it ends"""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        with Watch() as watch:
            watch.process.send_signal(number)
            watch.ended()
    with Watch() as watch:
        # The reader leaves before there is any event.
        watch.process.stdout.close()
        watch.ended(-signal.SIGPIPE)
        watch.process.stdout = open(os.devnull)  # pylint: disable=consider-using-with
    equal([path.name for path in INSTANCES.iterdir()], [], "the instances")


def two_watch():
    """two that watch see the same"""
    with Child(64 * MIB) as child:
        with Watch("--json", "-p", child.pid, "-n", 1) as one, Watch(
            "--json", "-p", child.pid, "-n", 1
        ) as two:
            child.do("hold(64 << 20)")
            equal(json.loads(one.event())["pid"], json.loads(two.event())["pid"], "the pid")
            one.ended()
            two.ended()


def watch_after_a_kill():
    """--watch takes the place of one with its pid that was killed"""
    # The shell's pid is the program's.
    command = f"mkdir {INSTANCES}/heaptop-$$ && exec {OPTIONS.program} --watch --json -t 0.2"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    equal((result.returncode, result.stderr), (124, ""), "the end")
    equal([path.name for path in INSTANCES.iterdir()], [], "the instances")


def watch_without_tracefs():
    """--watch says that tracefs is not mounted"""
    message = "heaptop: cannot trace: tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing\n"
    command = f"umount -l /sys/kernel/tracing; exec {OPTIONS.program} --watch"
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command], capture_output=True, text=True, check=False
    )
    equal((result.returncode, result.stdout, result.stderr), (1, "", message), "what it says")


def watch_times():
    """events have the kernel's time, however late they are read"""
    with Child(64 * MIB) as child, Watch("-j", "-p", child.pid, "-n", 1) as watch:
        watch.process.send_signal(signal.SIGSTOP)
        began = time.time()
        child.do("hold(64 << 20)")
        ended = time.time()
        time.sleep(2)
        watch.process.send_signal(signal.SIGCONT)
        told = datetime.fromisoformat(json.loads(watch.event())["time"]).timestamp()
        watch.ended()
    # The clocks are of one kernel; its tick may be between them.
    true(began - 0.05 <= told <= ended + 0.05, f"it says {told}, but it was from {began} to {ended}")


def watch_formats():
    """events are read by the formats of the kernel, on each CPU"""
    with Child(64 * MIB) as child, Watch("-j", "-p", child.pid, "-n", 3) as watch:
        asked = []
        for number, what in enumerate(("hold(64 << 20)", "hold(65 << 20)", "hold(66 << 20)")):
            os.sched_setaffinity(child.pid, {number % os.cpu_count()})
            child.do(what)
            asked.append((64 + number) * MIB)
        events = [json.loads(watch.event()) for _ in asked]
        watch.ended()
    equal([event["request_bytes"] for event in events], asked, "what was asked for")
    equal({event["what"] for event in events}, {"mmap"}, "by what")
    equal(sorted(event["time"] for event in events), [event["time"] for event in events], "the order")


def watch_units():
    """events have the unit of their process"""
    with Child(64 * MIB) as child, unit("test.service", child):
        with Watch("-j", "-p", child.pid, "-n", 1) as watch:
            child.do("hold(64 << 20)")
            equal(json.loads(watch.event())["unit"], "test.service", "the unit")
            watch.ended()


def service():
    """the service file is one, and what it starts prints refusals"""
    path = CHECKOUT / "heaptop/heaptop-watch.service"
    command = re.search(r"^ExecStart=(\S+) (.*)$", path.read_text(), re.M)
    equal(command[1], "heaptop", "the program")
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory, path.name)
        copy.write_text(path.read_text().replace(f"={command[1]} ", f"={OPTIONS.program} "))
        result = subprocess.run(
            ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False
        )
        problems = [line for line in result.stderr.splitlines() if path.name in line]
        equal((result.returncode, problems), (0, []), f"verify, {result.stderr!r}")
    with Child(64 * MIB) as child, Watch(*command[2].replace("--watch", "").split()) as watch:
        child.do("hold(64 << 20), name(b'gone')")
        event = json.loads(until_of(watch, child.pid, '"pid":{},'))
        equal((event["event"], event["user"], event["command"]), ("refused", "root", "python3"), "the event")


TESTS = (
    watch_sees,
    watch_json,
    watch_times,
    watch_formats,
    watch_units,
    watch_audit,
    watch_names,
    watch_filters,
    watch_leaves_nothing,
    two_watch,
    watch_after_a_kill,
    watch_without_tracefs,
    service,
)
