# SPDX-License-Identifier: GPL-2.0-only
"""Tests of replay.py with traces written by hand: python3 -m unittest."""

import unittest

from replay import Replay, heap_pages

EXEC = '1 execve("/bin/x", ["x"], 0x7ffe /* 1 vars */) = 0'
RESERVE = "1 mmap(NULL, 65536, 0, 0x22, -1, 0) = 0x10000"


def pages(*lines, process=1):
    """(addr0, commit)"""
    return tuple(heap_pages([EXEC, *lines], policy, process) for policy in ("addr0", "commit"))


class Calls(unittest.TestCase):
    def test_break(self):
        start = "1 brk(NULL) = 0x1001"
        self.assertEqual(pages(start, "1 brk(0x4000) = 0x4000"), (2, 2))
        self.assertEqual(pages(start, "1 brk(0x4000) = 0x4000", "1 brk(0x2001) = 0x2001"), (1, 1))
        self.assertEqual(pages(start, "1 brk(0x4000) = 0x1001"), (0, 0))

    def test_anonymous(self):
        self.assertEqual(pages("1 mmap(NULL, 4097, 0x3, 0x22, -1, 0) = 0x10000"), (2, 2))
        self.assertEqual(pages("1 mmap(0x10000, 4096, 0x3, 0x22, -1, 0) = 0x10000"), (0, 1))
        self.assertEqual(pages("1 mmap(0x800, 4096, 0x3, 0x22, -1, 0) = 0x10000"), (1, 1))
        self.assertEqual(pages("1 mmap(NULL, 4096, 0x3, 0x2, 3, 0) = 0x10000"), (0, 0))
        self.assertEqual(pages("1 mmap(NULL, 4096, 0x3, 0x22, -1, 0) = -1 ENOMEM (Cannot allocate)"), (0, 0))

    def test_reservation(self):
        self.assertEqual(pages(RESERVE), (16, 0))
        self.assertEqual(pages(RESERVE, "1 mprotect(0x12000, 8192, 0x3) = 0"), (16, 2))
        self.assertEqual(pages(RESERVE, "1 mmap(0x12000, 8192, 0x3, 0x32, -1, 0) = 0x12000"), (14, 2))
        # A replaced reservation is given back; what was committed stays over PROT_NONE.
        committed = [RESERVE, "1 mprotect(0x12000, 8192, 0x3) = 0"]
        self.assertEqual(pages(*committed, "1 mprotect(0x12000, 4096, 0) = 0"), (16, 2))
        self.assertEqual(pages(*committed, "1 mmap(0x12000, 4096, 0, 0x32, -1, 0) = 0x12000"), (15, 1))
        self.assertEqual(pages(*committed, "1 munmap(0x10000, 12288) = 0"), (13, 1))

    def test_commit_in_steps(self):
        steps = [f"1 mprotect({0x10000 + i * 0x1000:#x}, 4096, 0x3) = 0" for i in range(4)]
        self.assertEqual(pages(RESERVE, *steps), (16, 4))
        replay = Replay("commit")
        for line in [EXEC, RESERVE, *steps]:
            replay.feed(line)
        self.assertEqual(len(replay.mms[1].areas), 2)

    def test_shared_memory(self):
        reserved = "1 mmap(NULL, 16384, 0, 0x21, -1, 0) = 0x20000"
        self.assertEqual(pages(reserved, "1 mprotect(0x20000, 16384, 0x3) = 0"), (4, 0))

    def test_stack(self):
        stack = "1 mmap(NULL, 65536, 0, 0x20022, -1, 0) = 0x10000"
        self.assertEqual(pages(stack, "1 mprotect(0x11000, 61440, 0x3) = 0"), (16, 0))

    def test_shadow(self):
        self.assertEqual(pages("1 mmap(0x10000, 65536, 0x3, 0x4032, -1, 0) = 0x10000"), (0, 0))
        self.assertEqual(pages("1 mmap(NULL, 65536, 0x3, 0x4022, -1, 0) = 0x10000"), (16, 16))

    def test_bss(self):
        library = "1 mmap(NULL, 8192, 0x5, 0x802, 3, 0) = 0x10000"
        self.assertEqual(pages(library, "1 mmap(0x11000, 4096, 0x3, 0x32, -1, 0) = 0x11000"), (0, 0))
        self.assertEqual(pages(library, "1 mmap(0x11000, 8192, 0x3, 0x32, -1, 0) = 0x11000"), (0, 2))

    def test_mremap(self):
        heap = "1 mmap(NULL, 8192, 0x3, 0x22, -1, 0) = 0x10000"
        moved = "1 mremap(0x10000, 8192, 16384, 0x1) = 0x20000"
        self.assertEqual(pages(heap, moved), (4, 4))
        self.assertEqual(pages(heap, "1 mremap(0x10000, 8192, 4096, 0) = 0x10000"), (1, 1))
        self.assertEqual(pages(heap, "1 mremap(0x10000, 8192, 8192, 0x5) = 0x20000"), (4, 4))
        self.assertEqual(pages(RESERVE, "1 mremap(0x10000, 65536, 131072, 0x1) = 0x20000"), (32, 0))


class Processes(unittest.TestCase):
    heap = "1 mmap(NULL, 8192, 0x3, 0x22, -1, 0) = 0x10000"
    shared = "1 mmap(NULL, 16384, 0x3, 0x21, -1, 0) = 0x20000"
    fork = "1 clone(child_stack=NULL, flags=0x1200000|17, child_tidptr=0x7f) = 2"
    thread = "1 clone3({flags=0x3d0f00, child_tid=0x7f} => {parent_tid=[2]}, 88) = 2"
    unmap = "2 munmap(0x10000, 4096) = 0"

    def test_fork(self):
        self.assertEqual(pages(self.heap, self.fork, self.unmap), (2, 2))
        self.assertEqual(pages(self.heap, self.fork, self.unmap, process=2), (1, 1))
        self.assertEqual(pages(self.heap, "1 madvise(0x10000, 4096, 0xa) = 0", self.fork, process=2), (1, 1))

    def test_shared_is_the_parents(self):
        self.assertEqual(pages(self.shared, self.fork), (4, 0))
        self.assertEqual(pages(self.shared, self.fork, process=2), (0, 0))

    def test_thread(self):
        self.assertEqual(pages(self.heap, self.thread, self.unmap), (1, 1))

    def test_exec(self):
        self.assertEqual(pages(self.heap, EXEC), (0, 0))
        self.assertEqual(pages(self.heap, self.thread, EXEC.replace("1", "2", 1)), (2, 2))

    def test_child_is_seen_first(self):
        lines = [
            self.heap,
            "1 clone3({flags=0x3d0f00, child_tid=0x7f} <unfinished ...>",
            self.unmap,
            "1 <... clone3 resumed> => {parent_tid=[2]}, 88) = 2",
        ]
        self.assertEqual(pages(*lines), (1, 1))

    def test_handed_out_before_munmap_returns(self):
        lines = [
            self.heap,
            self.thread,
            "2 munmap(0x10000, 8192 <unfinished ...>",
            "1 mmap(NULL, 4096, 0x3, 0x22, -1, 0) = 0x10000",
            "2 <... munmap resumed>)             = 0",
        ]
        self.assertEqual(pages(*lines), (1, 1))


if __name__ == "__main__":
    unittest.main()
