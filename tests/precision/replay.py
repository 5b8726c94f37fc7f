# SPDX-License-Identifier: GPL-2.0-only
"""What a policy should count for a program, from the calls that it made.

Replays a trace of strace -f -X raw over a model of each process' mappings, by the
rules of the policies as docs/policies.md has them. It shares nothing with the module:
where both come to the same number of pages, each confirms the other. What strace
does not see is left out, as no policy counts it: the mappings that exec and the
kernel itself make.
"""

import re
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, replace

PAGE = 4096
PROT_WRITE = 0x2
MAP_SHARED = 0x1  # in MAP_SHARED_VALIDATE as well
MAP_FIXED = 0x10
MAP_ANONYMOUS = 0x20
MAP_GROWSDOWN = 0x100
MAP_NORESERVE = 0x4000
MAP_STACK = 0x20000
MAP_HUGETLB = 0x40000
MAP_FIXED_NOREPLACE = 0x100000
MREMAP_DONTUNMAP = 0x4
MADV_DONTFORK, MADV_DOFORK = 10, 11
CLONE_VM = 0x100

# The calls to trace.
CALLS = ("brk", "mmap", "munmap", "mprotect", "pkey_mprotect", "mremap", "madvise")
CLONES = ("clone", "clone3", "fork", "vfork")
EXECS = ("execve", "execveat")


def page_align(address):
    return -(-address // PAGE) * PAGE


@dataclass
class Area:
    """A mapping, or a part of one."""

    start: int
    end: int
    writable: bool
    anonymous: bool
    shared: bool = False
    stack: bool = False
    dontfork: bool = False
    heap: bool = False

    def continues_in(self, other):
        return self.end == other.start and replace(self, start=other.start, end=other.end) == other


def addr0_new(area, address, flags, replaced):
    """Anonymous memory at no address. Huge pages are a file's."""
    del replaced
    fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)
    return area.anonymous and not flags & MAP_HUGETLB and not fixed and address < PAGE


def commit_new(area, address, flags, replaced):
    """Private anonymous memory that is writable from the start."""
    del address
    if not (area.anonymous and area.writable) or area.stack or area.shared:
        return False
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
        shadow = flags & MAP_NORESERVE
        return not shadow and not is_bss(area, replaced)
    return True


def is_bss(area, replaced):
    """A library's: all that it replaces is a private mapping of a file."""
    covered = sum(r.end - r.start for r in replaced if not r.anonymous and not r.shared)
    return covered == area.end - area.start


def addr0_writable(area):
    return area.heap


def commit_writable(area):
    """Sticky; what was not writable so far is counted when it becomes so."""
    fresh = area.anonymous and not area.stack and not area.shared and not area.writable
    return area.heap or fresh


# What a new mapping is, and what it is once mprotect has made it writable.
POLICIES = {
    "addr0": (addr0_new, addr0_writable),
    "commit": (commit_new, commit_writable),
    # What is charged is the same.
    "resident": (commit_new, commit_writable),
}


class Mm:
    """An address space: areas that do not overlap, and the break."""

    def __init__(self, policy):
        self.policy = policy
        self.is_heap, self.is_heap_once_writable = POLICIES[policy]
        self.areas = []  # by their start
        self.brk = None
        self.unmapping = {}  # by thread: ranges of munmap that have not returned

    def heap_pages(self):
        return sum(a.end - a.start for a in self.areas if a.heap) // PAGE

    def cut(self, start, end):
        """The areas in a range, split at its ends."""
        first = bisect_right(self.areas, start, key=lambda area: area.end)
        last = bisect_left(self.areas, end, lo=first, key=lambda area: area.start)
        parts = []
        for area in self.areas[first:last]:
            ends = sorted({area.start, *(x for x in (start, end) if area.start < x < area.end), area.end})
            parts += [replace(area, start=low, end=high) for low, high in zip(ends, ends[1:])]
        self.areas[first:last] = parts
        return [part for part in parts if start <= part.start and part.end <= end]

    def unmap(self, start, end):
        gone = self.cut(start, end)
        if gone:
            first = bisect_left(self.areas, gone[0].start, key=lambda area: area.start)
            del self.areas[first : first + len(gone)]
        return gone

    def place(self, area):
        """A new area, in the place of what was there."""
        replaced = self.unmap(area.start, area.end)
        insort(self.areas, area, key=lambda area: area.start)
        return replaced

    def merge(self, start, end):
        """Neighbours that are alike, as there are allocators that grow by single pages."""
        first = max(bisect_right(self.areas, start, key=lambda area: area.end) - 1, 0)
        last = bisect_left(self.areas, end + 1, lo=first, key=lambda area: area.start)
        merged = []
        for area in self.areas[first:last]:
            if merged and merged[-1].continues_in(area):
                merged[-1].end = area.end
            else:
                merged.append(area)
        self.areas[first:last] = merged

    def fork(self):
        """What a child gets: no copy of shared memory, so it is not charged for it."""
        child = Mm(self.policy)
        child.brk = self.brk
        for area in self.areas:
            if not area.dontfork:
                child.areas.append(replace(area, heap=area.heap and not area.shared))
        return child

    def settle(self, start, end):
        """Memory that is handed out anew was unmapped, if munmap has not returned yet."""
        for thread, (low, high) in list(self.unmapping.items()):
            if low < end and start < high:
                self.unmap(low, high)
                self.unmapping[thread] = (0, 0)

    # The calls, after they have succeeded.

    def call_brk(self, result, *_):
        if self.brk is not None and result > self.brk:
            start, end = page_align(self.brk), page_align(result)
            if start < end:
                self.place(Area(start, end, writable=True, anonymous=True, heap=True))
        elif self.brk is not None:
            self.unmap(page_align(result), page_align(self.brk))
        self.brk = result

    def call_mmap(self, result, address, length, prot, flags, *_):
        area = Area(
            result,
            result + page_align(length),
            writable=bool(prot & PROT_WRITE),
            anonymous=bool(flags & MAP_ANONYMOUS),
            shared=bool(flags & MAP_SHARED),
            stack=bool(flags & (MAP_STACK | MAP_GROWSDOWN)),
        )
        self.settle(area.start, area.end)
        replaced = self.place(area)
        area.heap = self.is_heap(area, address, flags, replaced)

    def call_munmap(self, _result, address, length):
        self.unmap(address, address + page_align(length))

    def call_mprotect(self, _result, address, length, prot, *_):
        for area in self.cut(address, address + page_align(length)):
            if prot & PROT_WRITE:
                area.heap = self.is_heap_once_writable(area)
            area.writable = bool(prot & PROT_WRITE)
        self.merge(address, address + page_align(length))

    call_pkey_mprotect = call_mprotect

    def call_mremap(self, result, address, old, new, flags, *_):
        """What moves keeps what it is."""
        old, new = page_align(old), page_align(new)
        moved = self.cut(address, address + max(old, PAGE))
        if old and not flags & MREMAP_DONTUNMAP:
            self.unmap(address, address + old)
        self.settle(result, result + new)
        if moved:
            self.place(replace(moved[0], start=result, end=result + new))

    def call_madvise(self, _result, address, length, advice):
        if advice in (MADV_DONTFORK, MADV_DOFORK):
            for area in self.cut(address, address + page_align(length)):
                area.dontfork = advice == MADV_DONTFORK


LINE = re.compile(
    r"(\d+)\s+(?:(\w+)\((.*?)|<\.\.\. (\w+) resumed>(.*?))(?: <unfinished \.\.\.>|\)\s+= (\S+).*)$"
)


def number(word):
    return 0 if word == "NULL" else int(word, 0)


class Replay:
    """All processes of a trace."""

    def __init__(self, policy):
        self.policy = policy
        self.mms = {}  # by thread
        self.started = {}  # by thread: the arguments of the call it is in
        self.unclaimed = []  # threads in a clone whose child has not been seen

    def feed(self, line):
        match = LINE.match(line)
        if not match:
            return
        thread, name, arguments, resumed, _, result = match.groups()
        thread = int(thread)
        if thread not in self.mms:
            self.appear(thread)
        if name:
            self.begin(thread, name, arguments)
        if result:
            self.end(thread, name or resumed, result)

    def appear(self, thread):
        """A child may be seen before its parent's clone returns."""
        if not self.mms:
            self.mms[thread] = Mm(self.policy)
        elif self.unclaimed:
            self.clone(self.unclaimed.pop(0), thread)
        else:
            raise ValueError(f"nobody has made task {thread}")

    def begin(self, thread, name, arguments):
        self.started[thread] = (name, arguments)
        if name in CLONES:
            self.unclaimed.append(thread)
        elif name == "munmap":
            start, length = map(number, arguments.split(", "))
            self.mms[thread].unmapping[thread] = (start, start + page_align(length))

    def clone(self, parent, child):
        name, arguments = self.started[parent]
        flags = re.search(r"flags=(0x[0-9a-f]+|0)", arguments)
        shares = name == "vfork" or flags and int(flags[1], 16) & CLONE_VM
        self.mms[child] = self.mms[parent] if shares else self.mms[parent].fork()

    def end(self, thread, name, result):
        mm = self.mms[thread]
        unmapping = mm.unmapping.pop(thread, None)
        if name in CLONES and thread in self.unclaimed:
            self.unclaimed.remove(thread)
            if not result.startswith("-"):
                self.clone(thread, int(result))
        if name in EXECS and result == "0":
            self.mms[thread] = Mm(self.policy)
        if name in CALLS and not result.startswith("-") and unmapping != (0, 0):
            arguments = self.started[thread][1].split(", ")
            getattr(mm, f"call_{name}")(number(result), *map(number, arguments))


def heap_pages(lines, policy, process):
    """The pages that a policy counts for a process at the end of a trace."""
    processes = Replay(policy)
    for line in lines:
        processes.feed(line)
    return processes.mms[process].heap_pages()
