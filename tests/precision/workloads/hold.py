# SPDX-License-Identifier: GPL-2.0-only
"""hold.py hold|leak MIB THREADS: lists of bytes, in CPython's arenas and malloc's."""

import os
import sys
import threading
import time

import cpython


def blocks(share):
    """Half in small objects, half in ones that are too large for CPython's arenas."""
    kept, total = [], 0
    while total < share:
        for size in (100,) * 20 + (2000,):
            kept.append(bytes(size))
            total += size
    return kept


def hold(share, threads):
    held = threading.Barrier(threads + 1)

    def one():
        kept = blocks(share)
        held.wait()
        time.sleep(3600)
        kept.clear()

    for _ in range(threads):
        threading.Thread(target=one, daemon=True).start()
    held.wait()
    print("ready", os.getpid(), cpython.truth(), flush=True)
    time.sleep(3600)


def main():
    how, mib, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if how == "leak":
        cpython.leak(mib, lambda: b"x" * (1 << 20))
    else:
        hold((mib << 20) // threads, threads)


main()
