# SPDX-License-Identifier: GPL-2.0-only
"""Limits of cgroups: run --job, --cgroups, and whose limit an event is of."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .base import MIB, NOBODY, OPTIONS, PATIENCE
from .base import Child, Skipped, bytes_of, equal, heaptop, setting, true, until
from .openmetrics import parse_metrics
from .screen import Screen
from .watch import Watch, until_of

CGROUPS = Path("/sys/fs/cgroup")
FILES = "memory.heap."


def has_limit():
    """Do cgroups of this kernel have a limit?"""
    with cgroup("heaptop.test.probe") as path:
        return (path / f"{FILES}max").exists()


def need_limit():
    if not has_limit():
        raise Skipped(f"cgroups of this kernel have no {FILES}max")


@contextmanager
def cgroup(name, **files):
    """A cgroup, and its files as they are to be."""
    path = CGROUPS / name
    try:
        (CGROUPS / "cgroup.subtree_control").write_text("+memory")
        path.mkdir()
    except OSError as error:
        raise Skipped(f"this machine has no memory controller of cgroup v2: {error}") from error
    try:
        for file, value in files.items():
            (path / f"{FILES}{file}").write_text(str(value))
        yield path
    finally:
        for below in sorted(path.rglob("*/"), reverse=True):
            below.rmdir()
        until(lambda: "populated 0" in (path / "cgroup.events").read_text(), "an empty cgroup")
        path.rmdir()


@contextmanager
def member(path, *args, **kwargs):
    """A process in a cgroup, of whose heap all is charged to it."""
    command = f"echo $$ >{path}/cgroup.procs; exec {shlex.join(map(str, [OPTIONS.program, *args]))}"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(["sh", "-ec", command], text=True, **pipes, **kwargs) as process:
        yield process


def there(path, *args):
    """heaptop in a cgroup: its status, and what it says."""
    with member(path, *args) as process:
        out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def jobs_of(path=CGROUPS):
    """The cgroups that heaptop has made."""
    return sorted(below.name for below in path.glob("heaptop-*"))


def python(*lines):
    """A command."""
    return [sys.executable, "-c", "\n".join(lines)]


HOLD = (
    "import mmap, os, time",
    "def hold(mib):",
    "    try:",
    "        return mmap.mmap(-1, mib << 20)",
    "    except OSError as error:",
    "        print(os.strerror(error.errno), flush=True)",
)


def job_limits():
    """run --job limits all processes of a command together, and one of them alone"""
    need_limit()
    alone = (*HOLD, "a = hold(40)")
    both = (*alone, "import subprocess, sys", "subprocess.run([sys.executable, '-c', sys.argv[1]])")
    both = [*python(*both), "\n".join(alone)]
    said = "Cannot allocate memory\n"
    equal(heaptop("run", "--job=64M", "--", *both), said, "two of 40 MiB below 64")
    equal(heaptop("run", "--job=128M", "--", *both), "", "two of 40 MiB below 128")
    equal(heaptop("run", "--job=64M", "--heap=32M", *python(*alone)), said, "its own limit")
    equal(heaptop("run", "--job=32M", "--heap=64M", *python(*alone)), said, "that of the job")
    equal(heaptop("run", "--job=unlimited", *python(*alone)), "", "no limit")
    output = heaptop("run", "--job=64M", "--heap=1.5Mi:1Gi", "grep", "heap", "/proc/self/limits")
    equal(output.split()[3:5], [str(3 * MIB // 2), str(1024 * MIB)], "the limits of the process")


def job_file():
    """run --job writes its limit as memory.heap.max takes it"""
    need_limit()
    script = f"cat {CGROUPS}$(cut -d: -f3 /proc/self/cgroup)/{FILES}max"
    for limit, expected in (("64M", 64 * MIB), ("1.5Gi", 1536 * MIB), ("unlimited", "max")):
        equal(heaptop("run", f"-J{limit}", "--", "sh", "-c", script), f"{expected}\n", f"--job={limit}")
    # Nothing starts that needs a heap.
    said = "heaptop: cannot run no-such: No such file or directory\n"
    heaptop("run", "--job=0", "no-such", status=127, stderr=said)


def job_ends():
    """run --job ends as the command does, or says why it cannot run"""
    need_limit()
    run = ("run", "--job=64M", "--")
    equal(heaptop(*run, "echo", "-n", "--help", "a b"), "--help a b", "the output")
    heaptop(*run, "sh", "-c", "exit 7", status=7)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
        heaptop(*run, "sh", "-c", f"kill -{int(number)} $$", status=-number)
    problem = "heaptop: cannot run {}: {}\n".format
    heaptop(*run, "no-such", status=127, stderr=problem("no-such", "No such file or directory"))
    heaptop(*run, "/etc/passwd", status=126, stderr=problem("/etc/passwd", "Permission denied"))
    beyond = f"the soft limit, {2 * MIB}, cannot exceed the hard limit, {MIB}"
    said = f"heaptop: cannot set the heap limit: {beyond}\n"
    heaptop("run", "--job=64M", "--heap=2M:1M", "true", status=125, stderr=said)
    equal(jobs_of(), [], "what is left")


def job_is_over():
    """a job ends with its command: what it left is killed, and its cgroup is gone"""
    need_limit()
    with tempfile.NamedTemporaryFile("r") as pid:
        heaptop("run", "--job=64M", "--", "sh", "-c", f"setsid sleep 600 & echo $! >{pid.name}")
        left = int(pid.read())
    equal(jobs_of(), [], "what is left")
    true(not Path(f"/proc/{left}/exe").exists(), "what it started runs on")


def job_signals():
    """run --job passes signals on, once, and none that it ignores"""
    need_limit()
    script = (
        "import os, signal, sys, time",
        "seen = []",
        "for number in map(int, sys.argv[1:]):",
        "    signal.signal(number, lambda number, _: seen.append(number))",
        "print('ready', flush=True)",
        "while signal.SIGTERM not in seen: time.sleep(0.1)",
        "time.sleep(0.5)",
        "print(*seen)",
    )
    numbers = [1, 2, 3, 10, 12, 14, 15]
    command = [OPTIONS.program, "run", "--job=64M", "--", *python(*script), *map(str, numbers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        equal(process.stdout.readline(), "ready\n", "the command")
        for number in numbers:
            process.send_signal(number)
        said = sorted(map(int, process.stdout.read().split()))
    equal((process.returncode, said), (0, numbers), "what it saw")
    show = "import signal; print(signal.getsignal(signal.SIGHUP).name)"
    output = subprocess.check_output(["nohup", *command[:4], *python(show)], text=True)
    equal(output, "SIG_IGN\n", "below nohup")


def job_in_a_terminal():
    """Ctrl-C reaches the command once, and it has the terminal"""
    need_limit()
    script = (
        "import signal, sys, time",
        "seen = []",
        "signal.signal(signal.SIGINT, lambda number, _: seen.append(number))",
        "print('said', input(), flush=True)",
        "while not seen: time.sleep(0.1)",
        "time.sleep(0.5)",
        "print('interrupted', len(seen), flush=True)",
    )
    command = [OPTIONS.program, "run", "--job=64M", "--", *python(*script)]
    with Screen(command=command) as screen:
        screen.keys("hello\r")
        until(lambda: screen.read() or "said hello" in screen.raw, "the answer")
        screen.keys("\x03")
        until(lambda: screen.read() or "interrupted 1" in screen.raw, "the signal, once")
        equal(screen.process.wait(PATIENCE), 0, "the status")


def job_after_a_kill():
    """a job whose heaptop was killed goes on, and its cgroup is removed when it is empty"""
    need_limit()
    command = [OPTIONS.program, "run", "--job=64M", "--", "sleep", "600"]
    with subprocess.Popen(command) as process:
        path = CGROUPS / f"heaptop-{process.pid}"
        pids = until(lambda: path.exists() and (path / "cgroup.procs").read_text().split(), "a job")
        # Another one leaves it alone.
        heaptop("run", "--job=64M", "true")
        equal(jobs_of(), [path.name], "beside it")
        process.kill()
    heaptop("run", "--job=64M", "true")
    equal((path / "cgroup.procs").read_text().split(), pids, "what is in it")
    # With its pid, one is made beside it.
    command = f"mkdir {CGROUPS}/heaptop-$$; echo {pids[0]} >{CGROUPS}/heaptop-$$/cgroup.procs; "
    command += f"exec {OPTIONS.program} run --job=64M -- cut -d- -f2- /proc/self/cgroup"
    with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, text=True) as process:
        equal(process.stdout.read(), f"{process.pid}-2\n", "its name")
    os.kill(int(pids[0]), signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pids[0]}/exe").exists(), "the end of the job")
    heaptop("run", "--job=64M", "true")
    equal(jobs_of(), [], "what is left")


def job_in_a_job():
    """jobs in jobs, many at once, are below each other, and leave all as it was"""
    need_limit()
    inner = f"{OPTIONS.program} run --job=16M -- cat /proc/self/cgroup"
    script = f"cat /proc/self/cgroup; {' & '.join([inner] * 8)} & wait; {inner}"
    with cgroup("heaptop.test") as path:
        status, out, err = there(path, "run", "--job=64M", "--", "sh", "-c", script)
        equal((status, err), (0, ""), "the end")
        outer, *below = out.splitlines()
        true(re.fullmatch(r"0::/heaptop\.test/heaptop-\d+", outer), f"it is in {outer}")
        equal(len(below), 9, "the jobs in it")
        for line in below:
            true(re.fullmatch(rf"{outer}/heaptop-\d+", line), f"{line} is not below {outer}")
        equal(len(set(below)), 9, "their names")
        equal([*path.rglob("*/")], [], "what is left")
        equal((path / "cgroup.subtree_control").read_text(), "", "its controllers")


def job_beside_others():
    """processes that are in the way come back when the job is over"""
    need_limit()
    with cgroup("heaptop.test") as path, Child() as child:
        (path / "cgroup.procs").write_text(str(child.pid))
        with member(path, "run", "--job=64M", "--", "cat") as process:
            where = Path(f"/proc/{child.pid}/cgroup")
            until(lambda: where.read_text() == "0::/heaptop.test/heaptop-rest\n", "room for the job")
            process.communicate("", timeout=PATIENCE)
        equal(where.read_text(), "0::/heaptop.test\n", "where it is")
        equal([*path.rglob("*/")], [], "what is left")


def job_of_a_user():
    """run --job divides a unit of a user's systemd, which says of none that it may"""
    need_limit()
    with cgroup("user@7.service") as path:
        (path / "cgroup.subtree_control").write_text("+memory")
        scope = path / "heaptop.scope"
        scope.mkdir()
        equal(there(scope, "run", "--job=64M", "true")[0], 125, "not the user's")
        os.setxattr(path, "user.delegate", b"1")
        equal(there(scope, "run", "--job=64M", "true"), (0, "", ""), "the user's")


def job_nowhere():
    """run --job says in one line where it may make no cgroup, and leaves none"""
    said = "heaptop: cannot limit a job: {}\n".format
    own = "start heaptop by systemd-run --scope -p Delegate=yes, --user if not root"

    def fails(stderr, **kwargs):
        heaptop("run", "--job=64M", "true", status=125, stderr=said(stderr), **kwargs)

    denied = f"{CGROUPS}/cgroup.threads: Permission denied: {own}"
    with cgroup("heaptop.test.service") as path:
        fails(denied, user=NOBODY, group=NOBODY)
        status = there(path, "run", "--job=64M", "true")
        refused = said(f"cgroup /heaptop.test.service is not delegated: {own}")
        equal(status, (125, "", refused), "below systemd")
        if has_limit():
            os.setxattr(path, "user.delegate", b"1")
            equal(there(path, "run", "--job=64M", "true"), (0, "", ""), "delegated")
        (path / "below").mkdir()
        status = there(path / "below", "run", "--job=64M", "true")
        refused = said(f"the memory controller is not delegated to cgroup /heaptop.test.service/below: {own}")
        equal(status, (125, "", refused), "without the controller")
    command = f"umount -l {CGROUPS}; exec {OPTIONS.program} run --job=64M true"
    command = ["unshare", "--mount", "sh", "-c", command]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    unmounted = "no cgroup v2 is mounted: boot with cgroup_no_v1=all, mount -t cgroup2 cgroup2 /sys/fs/cgroup"
    equal((result.returncode, result.stderr), (125, said(unmounted)), "without cgroups")
    equal(jobs_of(), [], "what is left")


def job_without_the_files():
    """run --job and --cgroups say that the kernel has no limits of cgroups"""
    with cgroup("heaptop.test"):
        if has_limit():
            raise Skipped(f"this kernel has {FILES}max")
        boot = "boot a kernel with the rlimit-heap patches and CONFIG_MEMCG_HEAP"
        with subprocess.Popen(
            [OPTIONS.program, "run", "--job=64M", "true"], stderr=subprocess.PIPE, text=True
        ) as process:
            said = process.stderr.read()
        lacks = f"no memory.heap.max in {CGROUPS}/heaptop-{process.pid}: {boot}"
        equal((process.wait(), said), (125, f"heaptop: cannot limit a job: {lacks}\n"), "run --job")
        equal(jobs_of(), [], "what is left")
        lacks = f"no memory.heap.max in {CGROUPS}/heaptop.test: {boot}"
        heaptop("--cgroups", status=1, stderr=f"heaptop: cannot show cgroups: {lacks}\n")


def job_report():
    """--report says what the job used at most, and who was refused by which limit"""
    need_limit()
    # Python itself asks again, or for little: so many times at the least.
    script = (*HOLD, "a = hold(40)", "for i in range(3): hold(30)", "hold(300)")
    command = [OPTIONS.program, "run", "--job=64M", "--heap=200M", "--report", "--", *python(*script)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    equal(result.returncode, 0, "the status")
    summary, *who = result.stderr.splitlines()
    form = r"heaptop: the job used (\S+) at most, its limit of 64Mi refused growth (\d+) times"
    match = re.fullmatch(form, summary)
    true(match, f"it says {summary!r}")
    true(40 * MIB <= bytes_of(match[1]) <= 64 * MIB, f"the peak is {match[1]}")
    true(int(match[2]) >= 3, f"it was refused {match[2]} times")
    for form in (
        rf"refused {match[2]} times: python3 \(\d+\), by the limit of the job",
        r"refused .*, by its own limit",
    ):
        true(any(re.fullmatch(f"heaptop: {form}", line) for line in who), f"{form!r} is not in {who}")
    with setting("mode", "audit"):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    true("refused growth 0 times, audit mode let growth pass " in result.stderr, result.stderr)
    true(re.search(r"^heaptop: let pass .*by the limit of the job$", result.stderr, re.M), result.stderr)


def files_of(path):
    """What its files say."""

    def number(file):
        return int((path / f"{FILES}{file}").read_text())

    events = dict(line.split() for line in (path / f"{FILES}events").read_text().splitlines())
    return {
        "used_bytes": number("current"),
        "peak_bytes": number("peak"),
        "max_bytes": number("max"),
        "refused": int(events["max"]),
        "would_refuse": int(events["would_refuse"]),
    }


@contextmanager
def limited(name="heaptop.test", limit=64 * MIB):
    """A cgroup with a limit, and with a process that was refused by it."""
    with cgroup(name, max=limit) as path:
        with Child(cgroup=path) as child:
            child.do("hold(20 << 20), hold(64 << 20)")
            yield path, child


def table_of_cgroups():
    """--cgroups shows what the files of cgroups say, in table, JSON and OpenMetrics"""
    need_limit()
    with limited() as (path, child):
        (row,) = [
            job for job in json.loads(heaptop("--cgroups", "-j"))["cgroups"] if job["path"] == "/heaptop.test"
        ]
        files = files_of(path)
        resident = row.pop("resident_bytes")
        true(0 < resident < files["used_bytes"], f"resident is {resident}")
        share = files["used_bytes"] * 100 / (64 * MIB)
        expected = {"path": "/heaptop.test", "processes": 1, "share_percent": share} | files
        equal(row, expected, "the object")
        true(files["refused"] == 1, f"it was refused {files['refused']} times")
        table = heaptop("--cgroups", "-l", "-p", child.pid).splitlines()
        heads = "PROCS USED RESIDENT PEAK %MAX MAX REFUSED WOULD-BE PATH"
        equal(table[1].split(), heads.split(), "the heads")
        columns = table[2].split()
        equal((columns[0], *columns[5:]), ("1", "64Mi", "1", "0", "/heaptop.test"), "the row")
        true(abs(bytes_of(columns[1]) / files["used_bytes"] - 1) < 0.05, f"USED is {columns[1]}")
        families = parse_metrics(heaptop("--cgroups", "-m", "-c", "heaptop.test"))
        labels = (("cgroup", "/heaptop.test"),)
        for name, value in (
            ("used_bytes", files["used_bytes"]),
            ("peak_bytes", files["peak_bytes"]),
            ("max_bytes", 64 * MIB),
            ("refused", 1),
            ("processes", 1),
        ):
            equal(families[f"heap_limit_cgroup_{name}"]["samples"], {labels: value}, name)
        true(labels in families["heap_limit_cgroup_resident_bytes"]["samples"], "resident is no metric")
        heaptop("--cgroups", "-c", "no such", status=1)


def live_cgroups():
    """the live view has cgroups, and looks into one"""
    need_limit()
    with limited() as (_, child), Screen("--cgroups", "-l", "-d", "60") as screen:
        screen.until("^1 cgroups: limited; by share")
        screen.until(r"^ *1 .* 64Mi +1 +0 /heaptop\.test$")
        screen.keys("\x1b[B\r")
        screen.until(r"^1 processes: cgroup /heaptop\.test;")
        screen.until(rf"^ *{child.pid} root .* python3$")
        screen.keys("\x1b")
        screen.until("^1 cgroups: limited;")
        screen.keys("C")
        screen.until("^0 processes: limited;")
        screen.keys("C")
        screen.until("^1 cgroups: limited;")
        screen.keys("q")
        screen.ended()


def live_without_cgroups():
    """C says why there are no cgroups, and the live view goes on"""
    command = f"umount -l {CGROUPS}; exec {OPTIONS.program} -d 60"
    with Screen(command=["unshare", "--mount", "sh", "-c", command]) as screen:
        screen.until("h is help")
        screen.keys("C")
        screen.until("^cannot show cgroups: no cgroup v2 is mounted: ")
        screen.keys(" ")
        screen.until("processes: all;")
        screen.keys("q")
        screen.ended()


def watch_cgroups():
    """--watch says whose limit it was: a cgroup's path, and its id when it is gone"""
    need_limit()
    with limited() as (path, child):
        with Watch("-j", "-p", child.pid, "-n", 1) as watch:
            child.do("hold(64 << 20)")
            event = json.loads(watch.event())
            watch.ended()
        expected = {
            "soft_bytes": None,
            "max_bytes": 64 * MIB,
            "limit_cgroup": "/heaptop.test",
            "limit_cgroup_id": path.stat().st_ino,
        }
        equal({name: event[name] for name in expected}, expected, "whose limit it was")
    with Watch() as watch:
        with limited() as (path, child):
            true(" /heaptop.test python3\n" in until_of(watch, child.pid), "its path is not there")
        watch.process.send_signal(signal.SIGSTOP)
        with limited() as (path, child):
            number, pid = path.stat().st_ino, child.pid
        watch.process.send_signal(signal.SIGCONT)
        line = until_of(watch, pid)
        true(f" {number} " in line, f"the id, {number}, is not in {line!r}")


TESTS = (
    job_limits,
    job_file,
    job_ends,
    job_is_over,
    job_signals,
    job_in_a_terminal,
    job_after_a_kill,
    job_in_a_job,
    job_beside_others,
    job_of_a_user,
    job_nowhere,
    job_without_the_files,
    job_report,
    table_of_cgroups,
    live_cgroups,
    live_without_cgroups,
    watch_cgroups,
)
