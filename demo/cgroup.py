# SPDX-License-Identifier: GPL-2.0-only
"""A memory cgroup for a while, and what its files say."""

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path


def cgroup_root():
    """Where cgroup v2 is mounted; it is if it was not."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for _, where, kind, *_ in mounts:
        if kind == "cgroup2":
            return Path(where)
    root = tempfile.mkdtemp(prefix="cgroup-")
    subprocess.run(["mount", "-t", "cgroup2", "none", root], check=True)
    return Path(root)


@contextmanager
def memory_cgroup(limits):
    """One without swap, with limits in MiB by the name of their file."""
    root = cgroup_root()
    if "memory" not in (root / "cgroup.controllers").read_text().split():
        sys.exit(f"{Path(sys.argv[0]).name}: the kernel has no memory cgroups: set CONFIG_MEMCG=y")
    (root / "cgroup.subtree_control").write_text("+memory")
    cgroup = root / "demo"
    cgroup.mkdir()
    try:
        if (cgroup / "memory.swap.max").exists():
            (cgroup / "memory.swap.max").write_text("0")
        for name, mib in limits.items():
            (cgroup / name).write_text(f"{mib}M")
        yield cgroup
    finally:
        cgroup.rmdir()


def mebibytes(file):
    """What a file says, or None where the kernel has no such file."""
    return int(file.read_text()) / (1 << 20) if file.exists() else None


def events(file):
    """Counts by their names, none where the kernel has no such file."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: int(count) for name, count in map(str.split, lines)}
