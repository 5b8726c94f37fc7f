# SPDX-License-Identifier: GPL-2.0-only
"""The program itself, where it runs and what it says there."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

from .base import MIB, OPTIONS, Child, equal, heaptop, row_of, true, usage
from .openmetrics import parse_metrics

NO_PATCH = (
    "heaptop: this kernel has no RLIMIT_HEAP (no VmHeap in /proc/self/status): "
    "boot one with the rlimit-heap patches\n"
)


def wrong_lines():
    """a wrong command line is status 2"""
    for line in (
        "--bogus",
        "--json --openmetrics",
        "-d 1 --json",
        "-d 0",
        "--count 1",
        "-b --watch",
        "--group-by pid",
        "set 0 --heap=1M",
        "set x --heap=1M",
        "set --heap=1M",
        "-p x",
        "-s size",
        "--cgroups -s rss",
        "--cgroups --watch",
        "--cgroups --group-by unit",
    ):
        usage(*line.split())
    # As env(1) has it: 2 may be the status of the command.
    for line in (
        "run true",
        "run --heap=1M",
        "run --heap=1X true",
        "r --heap=2M:1M:3M true",
        "run --heap=: true",
        "run --job=1X true",
        "run --job=-1 true",
        "run --job=1.5 true",
        "run --job=1M:2M true",
        "run --heap=1M --report true",
    ):
        usage(*line.split(), status=125)


def is_static():
    """the program runs in a root with nothing else"""
    with tempfile.TemporaryDirectory() as root:
        Path(root, "heaptop").write_bytes(Path(OPTIONS.heaptop).read_bytes())
        Path(root, "heaptop").chmod(0o755)
        result = subprocess.run(
            ["chroot", root, "/heaptop", "--version"], capture_output=True, text=True, check=False
        )
        true(re.fullmatch(r"heaptop \d+\.\d+\.\d+\n", result.stdout), f"{result.stdout}{result.stderr}")
        # /proc is missing there, too.
        result = subprocess.run(["chroot", root, "/heaptop"], capture_output=True, text=True, check=False)
        message = "heaptop: cannot read /proc/self/status: No such file or directory\n"
        equal((result.returncode, result.stderr), (1, message), "the message")


def documents():
    """the help, the man page and the completions have every option"""
    options = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", heaptop("--help"), re.M)) - {"--help", "--version"}
    true({"--watch", "--openmetrics", "--delay"} <= options, f"the options are {options}")
    beside = Path(OPTIONS.heaptop).parent
    man = (beside / "heaptop.1").read_text().replace("\\-", "-")
    for name, text in (("heaptop.1", man), ("heaptop.bash", (beside / "heaptop.bash").read_text())):
        equal({option for option in options if option not in text}, set(), f"what {name} lacks")
    script = f"""
        source {beside}/heaptop.bash
        COMP_WORDS=(heaptop --op) COMP_CWORD=1
        _heaptop heaptop --op heaptop
        echo "${{COMPREPLY[@]}}"
    """
    equal(subprocess.check_output(["bash", "-c", script], text=True), "--openmetrics\n", "the completion")


def without_the_patch():
    """without the patch it says so, whatever it is to do"""
    for line in ("", "--json", "--openmetrics", "--watch", "-d 1", "-b", "--cgroups"):
        equal(heaptop(*line.split(), status=1, stderr=NO_PATCH), "", "stdout")
    problem = "this kernel has no RLIMIT_HEAP: boot one with the rlimit-heap patches\n"
    said = f"heaptop: cannot set the heap limit: {problem}"
    heaptop("run", "--heap=1M", "true", status=125, stderr=said)
    said = f"heaptop: cannot set the heap limit of process 1: {problem}"
    heaptop("set", "1", "--heap=1M", status=1, stderr=said)
    result = subprocess.run(
        [OPTIONS.program, "run", "--job=1M", "true"], capture_output=True, text=True, check=False
    )
    true(re.fullmatch("heaptop: cannot limit a job: .*\n", result.stderr), f"it says {result.stderr!r}")
    equal(result.returncode, 125, "the status of run --job")


def no_policy():
    """without a policy it works, and says that nothing is limited"""
    module = re.search(r"rlimit_heap\.ko=(\S+)", Path("/proc/cmdline").read_text())[1]
    with Child(64 * MIB) as child:
        subprocess.run(["rmmod", "rlimit_heap"], check=True)
        try:
            table = heaptop()
            true(table.startswith("policy: none (nothing is limited), mode: none, refused: "), table[:80])
            equal(row_of(table, child.pid)["SOFT"], "64Mi", "the limit")
            equal(json.loads(heaptop("--json"))["policy"], None, "the policy")
            families = parse_metrics(heaptop("--openmetrics"))
            (labels,) = families["heap_limit_policy_info"]["samples"]
            equal(dict(labels), {"policy": "none", "mode": "none"}, "the settings")
            note = "heaptop: no heap policy is loaded, nothing is limited until one is\n"
            heaptop("--watch", "--json", "-t", "0.2", status=124, stderr=note)
        finally:
            subprocess.run(["insmod", module], check=True)


ANYWHERE = (wrong_lines, is_static, documents)
UNPATCHED = (without_the_patch,)
TESTS = (no_policy,)
