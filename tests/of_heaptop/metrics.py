# SPDX-License-Identifier: GPL-2.0-only
"""Metrics of each process."""

from .base import MIB, Child, equal, heaptop, true
from .openmetrics import parse_metrics


def openmetrics_equals_proc():
    """--openmetrics equals /proc, and is what collectors take"""
    with Child(64 * MIB) as child:
        child.do("hold(20 << 20), hold(64 << 20)")
        families = parse_metrics(heaptop("--openmetrics", "--group-by", "process", "-p", child.pid))
        status = child.status()
    labels = (("pid", str(child.pid)), ("user", "root"), ("unit", "/"), ("command", "python3"))
    values = {name: family["samples"].get(labels) for name, family in families.items()}
    expected = {
        "heap_limit_process_used_bytes": status["VmHeap"],
        "heap_limit_process_resident_bytes": status["VmHeapResident"],
        "heap_limit_process_rss_bytes": status["VmRSS"],
        "heap_limit_process_peak_bytes": status["VmHeapPeak"],
        "heap_limit_process_soft_bytes": 64 * MIB,
        "heap_limit_process_hard_bytes": float("inf"),
        "heap_limit_process_refused": 1,
        "heap_limit_process_would_refuse": 0,
    }
    equal({name: values[name] for name in expected}, expected, "the values")
    true(families["heap_limit_refused"]["samples"][()] >= 1, "the total")
    equal(families["heap_limit_process_used_bytes"]["UNIT"], "bytes", "the unit")
    (setting_labels,) = families["heap_limit_policy_info"]["samples"]
    equal([name for name, _ in setting_labels], ["policy", "mode"], "the settings")


TESTS = (openmetrics_equals_proc,)
