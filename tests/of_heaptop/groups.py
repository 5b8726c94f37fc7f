# SPDX-License-Identifier: GPL-2.0-only
"""Units and cgroups, and sums over what processes have in common."""

import json
import os
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from .base import MIB, NOBODY, Child, bytes_of, equal, heaptop, row_of, true
from .openmetrics import parse_metrics
from .screen import Screen


@contextmanager
def unit(name, *children):
    """A cgroup below system.slice, with processes."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", directory], check=True)
        path = Path(directory, "system.slice", name)
        os.makedirs(path)
        try:
            for child in children:
                (path / "cgroup.procs").write_text(str(child.pid))
            yield
        finally:
            for child in children:
                Path(directory, "cgroup.procs").write_text(str(child.pid))
            path.rmdir()
            # As long as it is empty: others may have theirs in it.
            with suppress(OSError):
                path.parent.rmdir()
            subprocess.run(["umount", directory], check=True)


def fields_of(table, name):
    """The columns of a group, by their heads."""
    _, heads, *rows = table.splitlines()
    return next(dict(zip(heads.split(), row.split())) for row in rows if row.split()[-1] == name)


def units():
    """the unit or cgroup of each process is shown"""
    with Child(64 * MIB) as child, Child(64 * MIB) as other:
        equal(row_of(heaptop(), child.pid)["UNIT"], "/", "the root")
        with unit("test.service", child), unit("apart", other):
            table = heaptop()
            equal(row_of(table, child.pid)["UNIT"], "test.service", "the unit")
            equal(row_of(table, other.pid)["UNIT"], "/system.slice/apart", "a cgroup without a unit")
            (process,) = json.loads(heaptop("-j", "-p", child.pid))["processes"]
            found = (process["unit"], process["cgroup"])
            equal(found, ("test.service", "/system.slice/test.service"), "in JSON")


def sums():
    """--group-by sums over units, users and commands, in table and JSON"""
    with Child(64 * MIB) as one, Child(user=NOBODY) as two, unit("test.service", one, two):
        one.do("hold(20 << 20), hold(64 << 20), name(b'of-two')")
        two.do("hold(30 << 20), name(b'of-two')")
        both = f"{one.pid},{two.pid}"
        statuses = [one.status(), two.status()]
        for by, name in (("unit", "test.service"), ("command", "of-two"), ("user", "nobody")):
            mine = statuses[1:] if by == "user" else statuses
            row = fields_of(heaptop("--group-by", by, "-p", both), name)
            equal(row["PROCS"], str(len(mine)), f"the processes of a {by}")
            (group,) = [
                group for group in json.loads(heaptop("-jg", by, "-p", both))["groups"] if group[by] == name
            ]
            used = sum(status["VmHeap"] for status in mine)
            refused = sum(status["HeapRefused"] for status in mine)
            share = None if by == "user" else statuses[0]["VmHeap"] * 100 / (64 * MIB)
            found = (group["processes"], group["used_bytes"], group["refused"], group["share_percent"])
            equal(found, (len(mine), used, refused, share), f"the sums of a {by}")
            true(abs(bytes_of(row["USED"]) / used - 1) < 0.05, f"USED is {row['USED']} of {used}")


def metrics_of_units():
    """--openmetrics has sums of units, and of what else --group-by says"""
    with Child(64 * MIB) as one, Child(64 * MIB) as two, unit("test.service", one, two):
        one.do("hold(20 << 20)")
        text = heaptop("-m")
        true('pid="' not in text and "heap_limit_process_" not in text, "processes have labels")
        families = parse_metrics(text)
        labels = (("unit", "test.service"),)
        equal(families["heap_limit_unit_processes"]["samples"][labels], 2, "the processes")
        used = one.status()["VmHeap"] + two.status()["VmHeap"]
        equal(families["heap_limit_unit_used_bytes"]["samples"][labels], used, "the sum")
        families = parse_metrics(heaptop("-m", "--group-by", "user"))
        true((("user", "root"),) in families["heap_limit_user_used_bytes"]["samples"], "no user")


def live_groups():
    """the live view has groups, and looks into one"""
    with Child(64 * MIB) as child, Child() as other, unit("test.service", child, other):
        pids = f"{child.pid},{other.pid}"
        with Screen("-d", "60", "-p", pids) as screen:
            screen.until("^2 processes: pid")
            screen.keys("g")
            screen.until("^1 units: pid")
            screen.until(r"^ *2 .* test\.service$")
            screen.keys("\x1b[Bl")
            screen.until("^this is of a process")
            screen.keys("\r")
            screen.until(r"^2 processes: .*, unit test\.service;")
            screen.until(rf"^ *{child.pid} root .* test\.service +python3$")
            screen.keys("\x1b")
            screen.until("^1 units: pid [0-9,]*;")
            screen.keys("gg")
            screen.until("^1 commands: ")
            screen.until(r"^ *2 .* python3$")
            screen.keys("q")
            screen.ended()


TESTS = (units, sums, metrics_of_units, live_groups)
