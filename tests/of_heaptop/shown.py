# SPDX-License-Identifier: GPL-2.0-only
"""What is printed of processes, and of which."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .base import CHILD, MIB, NOBODY, OPTIONS, PATIENCE, SETTINGS
from .base import Child, bytes_of, equal, heaptop, pids_of, row_of, true
from .openmetrics import parse_metrics
from .screen import Screen


def table_has_what_proc_has():
    """the table has what /proc has"""
    with Child(64 * MIB, 128 * MIB) as child:
        child.do("hold(20 << 20), hold(4 << 20), held.pop().close(), hold(64 << 20)")
        before = child.status()
        row = row_of(heaptop(), child.pid)
        status = child.status()
    expected = {"USER": "root", "SOFT": "64Mi", "HARD": "128Mi", "REFUSED": "1", "WOULD-BE": "0"}
    equal({name: row[name] for name in expected}, expected, "the row")
    equal(row["COMMAND"], "python3", "the command")
    equal(row["%SOFT"], f"{status['VmHeap'] / (64 * MIB) * 100:.1f}", "the share")
    for name, field in (
        ("USED", "VmHeap"),
        ("RESIDENT", "VmHeapResident"),
        ("PEAK", "VmHeapPeak"),
        ("RSS", "VmRSS"),
    ):
        # What is there can change by itself: huge pages are made of it.
        least, most = sorted((before[field], status[field]))
        true(0.95 * least < bytes_of(row[name]) < 1.05 * most, f"{name} is {row[name]} of {least} to {most}")
    true(status["VmHeapPeak"] - status["VmHeap"] >= 4 * MIB, "peak and use are the same")


def table_is_aligned():
    """columns are aligned, the line above has policy, mode and totals"""
    with Child(64 * MIB):
        summary, heads, *rows = heaptop().splitlines()
    true(
        re.fullmatch(r"policy: \w+, mode: (enforce|audit), refused: \d+, would-be: \d+", summary),
        f"the first line is {summary!r}",
    )
    vmstat = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    true(
        summary.endswith(f"refused: {vmstat['heap_refused']}, would-be: {vmstat['heap_would_refuse']}"),
        summary,
    )
    ends = [match.end() for match in re.finditer(r"\S+", heads)]
    for row in rows:
        for number, (end, match) in enumerate(zip(ends, re.finditer(r"\S+", row))):
            # USER, UNIT and COMMAND begin together, the others end together.
            true(number in (1, 11, 12) or match.end() == end, f"this is not below its head:\n{heads}\n{row}")


def json_equals_proc():
    """--json equals /proc, to the byte"""
    with Child(64 * MIB) as child, Child() as free:
        child.do("hold(20 << 20), hold(4 << 20), held.pop().close(), hold(64 << 20)")
        output = json.loads(heaptop("--json", "-p", f"{child.pid},{free.pid}"))
        status = child.status()
    first, second = output["processes"]
    expected = {
        "pid": child.pid,
        "uid": 0,
        "user": "root",
        "command": "python3",
        "arguments": [sys.executable, "-c", CHILD],
        "unit": "/",
        "cgroup": "/",
        "used_bytes": status["VmHeap"],
        "resident_bytes": status["VmHeapResident"],
        "rss_bytes": status["VmRSS"],
        "peak_bytes": status["VmHeapPeak"],
        "share_percent": status["VmHeap"] * 100 / (64 * MIB),
        "soft_bytes": 64 * MIB,
        "hard_bytes": "unlimited",
        "refused": status["HeapRefused"],
        "would_refuse": status["HeapWouldRefuse"],
    }
    equal(first, expected, "the object")
    equal(status["HeapRefused"], 1, "what was refused")
    equal((second["soft_bytes"], second["share_percent"]), ("unlimited", None), "no limit")
    chosen = {name: re.search(r"\[(\w+)\]", (SETTINGS / name).read_text())[1] for name in ("policy", "mode")}
    equal({name: output[name] for name in chosen}, chosen, "the settings")


def all_processes():
    """every process is there that has memory of its own"""

    def with_heap():
        pids = set()
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if "\nVmHeap:" in (directory / "status").read_text():
                    pids.add(int(directory.name))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return pids

    before = with_heap()
    shown = {process["pid"] for process in json.loads(heaptop("--json"))["processes"]}
    lasting = before & with_heap()
    true(len(lasting) > 2 and lasting <= shown, f"{lasting - shown} are missing")


def filters():
    """-p, -u, -c and -l select; nothing selected is status 1"""
    with Child(64 * MIB) as child, Child(user=NOBODY) as other:
        child.do("name(b'hungry cat')")
        equal(pids_of(heaptop("-p", child.pid)), [child.pid], "-p")
        equal(pids_of(heaptop("-u", NOBODY)), [other.pid], "-u by number")
        equal(pids_of(heaptop("-u", "nobody")), [other.pid], "-u by name")
        equal(pids_of(heaptop("-c", "gry c")), [child.pid], "-c")
        equal(pids_of(heaptop("-l")), [child.pid], "-l")
        equal(pids_of(heaptop("-l", "-u", "nobody", status=1)), [], "both")
        equal(json.loads(heaptop("--json", "-c", "no such", status=1))["processes"], [], "none")
        equal(parse_metrics(heaptop("--openmetrics", "-c", "no such")).keys() > set(), True, "no metrics")
    heaptop("-u", "no such", status=1, stderr="heaptop: user 'no such' does not exist\n")
    heaptop("-p", child.pid, status=1)


def order():
    """-s sorts"""
    with Child(64 * MIB) as small, Child(640 * MIB) as large, Child() as free:
        small.do("hold(30 << 20), hold(64 << 20)")
        large.do("hold(80 << 20), hold(80 << 20), held.pop().close()")
        free.do("hold(120 << 20)")
        pids = ",".join(str(child.pid) for child in (free, large, small))
        for key, expected in (
            ("share", [small, large, free]),
            ("used", [free, large, small]),
            ("peak", [large, free, small]),
            ("refused", [small, free, large]),
            ("pid", [small, large, free]),
        ):
            equal(pids_of(heaptop("-s", key, "-p", pids)), [child.pid for child in expected], key)
        equal(pids_of(heaptop("-p", pids))[0], small.pid, "the first by default")


def names():
    """names with spaces, newlines and escape characters stay in their place"""
    raw = 'a b\n\x1b[2J="\\é'
    with Child(64 * MIB) as child:
        child.do(f"name({raw.encode()!r})")
        table = heaptop()
        equal(row_of(table, child.pid)["COMMAND"], 'a b\\n\\u{1b}[2J="\\\\é', "in the table")
        true("\x1b" not in table, "an escape character gets out")
        (process,) = json.loads(heaptop("--json", "-p", child.pid))["processes"]
        equal(process["command"], raw, "in JSON")
        samples = parse_metrics(heaptop("-m", "--by", "process", "-p", child.pid))[
            "heap_limit_process_used_bytes"
        ]
        equal([dict(labels)["command"] for labels in samples["samples"]], [raw], "in OpenMetrics")
        with Screen("-d", "9", "-p", str(child.pid)) as screen:
            screen.until(r'a b\\n\\u\{1b\}\[2J="\\\\é$')
            screen.keys("q")
            screen.ended()


def vanishing():
    """processes that come and go are no problem"""
    script = "for i in 1 2 3 4 5 6 7 8 9; do (while :; do (:); done) & done; wait"
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as busy:
        try:
            for _ in range(40):
                heaptop()
        finally:
            os.killpg(busy.pid, signal.SIGKILL)


def width():
    """to a terminal, lines are cut at its width; to a pipe, they are not"""
    with Screen("-c", "python3", columns=30) as screen:
        equal(screen.process.wait(PATIENCE), 0, "the status")
        screen.read()
        lines = screen.raw.split("\r\n")
        true(len(lines) > 2 and max(map(len, lines)) == 30, f"the lines are {lines}")
    true(max(map(len, heaptop("-c", "python3").splitlines())) > 60, "a pipe has a width")


def reader_leaves():
    """a reader that leaves ends it silently"""
    for args in ([], ["--json"], ["--openmetrics"]):
        read, write = os.pipe()
        os.close(read)
        result = subprocess.run([OPTIONS.program, *args], stdout=write, stderr=subprocess.PIPE, check=False)
        os.close(write)
        equal((result.returncode, result.stderr), (-signal.SIGPIPE, b""), "the end")


def full_disk():
    """output that cannot be written is an error"""
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [OPTIONS.program], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    expected = (1, "heaptop: cannot write the output: No space left on device\n")
    equal((result.returncode, result.stderr), expected, "the end")


def unprivileged():
    """an ordinary user sees all of the table, and is told why not to watch"""
    with Child(64 * MIB) as child:
        row = row_of(heaptop(user=NOBODY, group=NOBODY), child.pid)
        equal((row["SOFT"], row["USER"]), ("64Mi", "root"), "the row")
    message = "heaptop: cannot trace: only root can: Permission denied\n"
    heaptop("--watch", status=1, stderr=message, user=NOBODY, group=NOBODY)


def whole_command_lines():
    """-f shows and selects by whole command lines, JSON has the arguments"""
    with Child(64 * MIB) as child:
        row = row_of(heaptop("-f", "-p", child.pid), child.pid)
        true(row["COMMAND"].startswith(f"{sys.executable} -c \\nimport ctypes"), row["COMMAND"])
        (process,) = json.loads(heaptop("-j", "-p", child.pid))["processes"]
        equal(process["arguments"], [sys.executable, "-c", CHILD], "the arguments")
        equal(pids_of(heaptop("-f", "-c", "held.append", "-p", child.pid)), [child.pid], "-f -c")
        heaptop("-c", "held.append", "-p", child.pid, status=1)


def reverse():
    """-r turns the order round"""
    with Child(64 * MIB) as small, Child(640 * MIB) as large:
        small.do("hold(30 << 20)")
        large.do("hold(80 << 20)")
        pids = f"{small.pid},{large.pid}"
        for key in ("share", "used", "rss", "peak", "refused", "pid"):
            forth = pids_of(heaptop("-s", key, "-p", pids))
            equal(pids_of(heaptop("-s", key, "-r", "-p", pids)), forth[::-1], key)


def batch():
    """-b prints again and again, -n times, every -d seconds"""
    with Child(64 * MIB) as child:
        began = time.monotonic()
        tables = heaptop("-b", "-n", 3, "-d", 0.5, "-p", child.pid).split("\n\n")
        true(time.monotonic() - began >= 1, "it did not wait")
        equal([pids_of(table) for table in tables], [[child.pid]] * 3, "the tables")
        lines = heaptop("-bjn2", "-d", 0.1, "-p", child.pid).splitlines()
        pids = [[process["pid"] for process in json.loads(line)["processes"]] for line in lines]
        equal(pids, [[child.pid]] * 2, "the objects")
        command = [OPTIONS.program, "-b", "-d", "0.1", "-p", str(child.pid)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as endless:
            heads = [line for line in (endless.stdout.readline() for _ in range(12)) if "USED" in line]
            endless.terminate()
        equal(len(heads), 3, "tables without -n")


def names_of_users():
    """users have all the names that name services know"""
    with tempfile.TemporaryDirectory() as directory, Child(user=NOBODY + 1) as child:
        os.chmod(directory, 0o755)
        source = Path(__file__).with_name("nss.c")
        library = Path(directory, "libnss_heaptop.so.2")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        Path(directory, "nsswitch.conf").write_text("passwd: files heaptop\n")
        passwd = Path("/etc/passwd").read_text() + "toor:x:0:0::/:/bin/sh\n"
        Path(directory, "passwd").write_text(passwd)
        script = """
            mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf
            mount --bind "$0/passwd" /etc/passwd
            shift
            LD_LIBRARY_PATH=$0 exec "$@"
        """

        def there(*args):
            command = ["unshare", "--mount", "sh", "-ec", script, directory, "--", OPTIONS.program]
            return subprocess.check_output([*command, *map(str, args)], text=True)

        # Of /etc/passwd there is none for this number.
        equal(row_of(heaptop("-p", child.pid), child.pid)["USER"], str(NOBODY + 1), "without it")
        equal(row_of(there("-p", child.pid), child.pid)["USER"], "far-away", "the name")
        equal(pids_of(there("-u", "far-away")), [child.pid], "-u by that name")
        true(os.getpid() in pids_of(there("-u", "toor")), "-u by a second name")


TESTS = (
    table_has_what_proc_has,
    table_is_aligned,
    json_equals_proc,
    all_processes,
    filters,
    order,
    reverse,
    names,
    names_of_users,
    whole_command_lines,
    batch,
    vanishing,
    width,
    reader_leaves,
    full_disk,
    unprivileged,
)
