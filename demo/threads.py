# SPDX-License-Identifier: GPL-2.0-only
"""threads.py MIB: holds MIB in small objects, shared out among 16 threads."""

import os
import sys
import threading

THREADS = 16
OBJECT = 1000  # bytes

all_hold = threading.Barrier(THREADS)


def hold(count):
    objects = [bytes(OBJECT) for _ in range(count)]
    all_hold.wait()
    return objects


def give_up(failure):
    """The other threads would wait for ever."""
    print(failure.exc_type.__name__, file=sys.stderr, flush=True)
    os._exit(1)


def main():
    threading.excepthook = give_up
    count = (int(sys.argv[1]) << 20) // OBJECT // THREADS
    threads = [threading.Thread(target=hold, args=[count], daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
