# SPDX-License-Identifier: GPL-2.0-only
"""What CPython and the malloc below it hold."""

import ctypes
import os
import re
import sys
import tempfile


class Mallinfo2(ctypes.Structure):
    """Of glibc; malloc holds arena + hblkhd."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def mallinfo():
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = Mallinfo2
    info = libc.mallinfo2()
    return info.arena + info.hblkhd


def arenas():
    """What the arenas of small objects take; CPython only prints it, to file 2."""
    with tempfile.TemporaryFile("w+") as out:
        stderr = os.dup(2)
        os.dup2(out.fileno(), 2)
        sys._debugmallocstats()  # pylint: disable=protected-access
        os.dup2(stderr, 2)
        out.seek(0)
        number, size = re.search(r"(\d+) arenas \* (\d+) bytes/arena", out.read()).groups()
    return int(number) * int(size)


def truth():
    return arenas() + mallinfo()


def leak(mib, block):
    """Keeps what block() returns, 1 MiB each time, until that is refused."""
    kept = []
    try:
        for got in range(1, mib + 1):
            kept.append(block())
            print("got", got, flush=True)
    except MemoryError:
        kept.clear()
        print("caught MemoryError", flush=True)
