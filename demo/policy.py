# SPDX-License-Identifier: GPL-2.0-only
"""The policy that says what is heap, chosen for a while."""

import re
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/sys/kernel/mm/heap_limit/policy")


@contextmanager
def policy(name):
    before = re.search(r"\[(\w+)\]", POLICY.read_text())[1]
    POLICY.write_text(name)
    try:
        yield
    finally:
        POLICY.write_text(before)
