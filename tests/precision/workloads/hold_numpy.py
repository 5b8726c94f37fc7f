# SPDX-License-Identifier: GPL-2.0-only
"""hold_numpy.py hold|leak MIB: arrays of NumPy, which are malloc's; beside them OpenBLAS."""

import os
import sys
import time

import cpython
import numpy


def block():
    """1 MiB, written to."""
    return numpy.ones(1 << 17)


def main():
    how, mib = sys.argv[1], int(sys.argv[2])
    if how == "leak":
        cpython.leak(mib, block)
        return
    kept = [block() for _ in range(mib)]
    print("ready", os.getpid(), cpython.truth(), flush=True)
    time.sleep(3600)
    kept.clear()


main()
