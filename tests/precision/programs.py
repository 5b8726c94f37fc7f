# SPDX-License-Identifier: GPL-2.0-only
"""The programs to measure, and how each says what it holds.

Each takes "hold MIB": it holds so much, prints "ready PID TRUTH", the bytes that
its allocator says it has of the kernel, and waits; and "leak MIB": it takes one
MiB after the other, prints "got N" and, where a refusal can be caught, "caught
WHAT". What it says else is its own message.
"""

from dataclasses import dataclass, field

HOLD = 64  # MiB
LEAK = 512  # MiB, where a leak ends that nothing has refused
THREADS = 16  # that hold; malloc leaks in all of them, the runtimes in the main one


@dataclass
class Program:
    name: str
    truth: str  # by what it says what it holds
    command: list  # without "hold MIB"
    arguments: list = field(default_factory=list)  # after it
    environment: dict = field(default_factory=dict)
    # mallinfo.so says what malloc holds beside what the program says.
    adds_malloc: bool = False
    # What makes it end in order under a limit: name, options, environment.
    setting: tuple = ()
    # Why the policy commit cannot be within 5 % of the truth, where it cannot.
    reason: str = ""

    def argv(self, how, mib):
        return self.command + [how, str(mib)] + self.arguments

    def with_setting(self):
        """Itself, with the setting that makes it orderly."""
        name, options, environment = self.setting  # pylint: disable=unbalanced-tuple-unpacking
        return Program(
            f"{self.name}, {name}",
            self.truth,
            self.command[:1] + options + self.command[1:],
            self.arguments,
            self.environment | environment,
        )


PRELOAD_MALLINFO = {"LD_PRELOAD": "/mnt/mallinfo.so"}


def malloc(name, truth, threads=THREADS, program="./malloc", reason="", **environment):
    return Program(name, truth, [program], [str(threads)], environment, reason=reason)


def java(name, collector, reason=""):
    options = [f"-XX:+Use{collector}GC", "-XX:NativeMemoryTracking=summary", "-cp", "."]
    settings = ["-Xms8m", "-Xmx100m"]
    setting = (" ".join(settings), settings, {})
    command = ["java", *options, "Hold"]
    return Program(
        name, "NMT + mallinfo2", command, environment=PRELOAD_MALLINFO, adds_malloc=True, setting=setting,
        reason=reason,
    )  # fmt: skip


MIMALLOC = {"LD_PRELOAD": "libmimalloc.so.3"}

PROGRAMS = [
    malloc("glibc malloc, 1 thread", "mallinfo2", 1),
    malloc("glibc malloc, 16 threads", "mallinfo2"),
    malloc(
        "musl malloc, 1 thread", "size of the blocks", 1, "./malloc-musl",
        reason="it cannot say what it holds; what it keeps around the blocks is not in the truth",
    ),
    malloc("jemalloc, 16 threads", "mapped + retained", LD_PRELOAD="libjemalloc.so.2"),
    malloc(
        "tcmalloc, 16 threads", "virtual address space used", LD_PRELOAD="libtcmalloc_minimal.so.4",
        reason="it takes 8 MiB at a time for its own data and says only what of that is in use",
    ),
    malloc(
        "mimalloc, 16 threads", "current_commit", **MIMALLOC,
        reason="its arena of 1 GiB is writable from the start; lazy, it ends by SIGSEGV when refused",
    ),
    malloc("mimalloc, lazy", "current_commit", **MIMALLOC, MIMALLOC_ARENA_EAGER_COMMIT="0"),
    Program("Rust std", "mallinfo2", ["./hold-rust"], [str(THREADS)]),
    Program(
        "Go", "Sys - HeapReleased", ["./hold-go"],
        reason="it maps 32 MiB writable, once, that it does not count until they are used",
    ),
    java("JDK Serial", "Serial"),
    java("JDK G1", "G1"),
    java("JDK ZGC", "Z", "its heap is a memfd, which is a file"),
    Program(
        "Node", "V8 heap + mallinfo2", ["node", "hold.js"], environment=PRELOAD_MALLINFO, adds_malloc=True,
        setting=("--max-old-space-size=100", ["--max-old-space-size=100"], {}),
    ),
    Program("CPython", "arenas + mallinfo2", ["python3", "hold.py"], [str(THREADS)]),
    Program(
        "NumPy with OpenBLAS", "arenas + mallinfo2", ["python3", "hold_numpy.py"],
        setting=("OPENBLAS_NUM_THREADS=1", [], {"OPENBLAS_NUM_THREADS": "1"}),
        reason="OpenBLAS maps large buffers for each thread at its start; OPENBLAS_NUM_THREADS=1 helps",
    ),
    Program(
        "Ruby", "GC pages + mallinfo2", ["ruby", "hold.rb"], [str(THREADS)],
        environment=PRELOAD_MALLINFO, adds_malloc=True,
        reason="it maps 404 MiB writable at its start, and less if that is refused",
    ),
    Program("PHP", "usage(true)", ["php", "hold.php"]),
    Program(
        "SBCL", "dynamic-usage", ["sbcl", "--script", "hold.lisp"],
        setting=("--dynamic-space-size 128MB", ["--dynamic-space-size", "128MB"], {}),
        reason="its spaces are writable from the start, 374 MiB and what --dynamic-space-size says, 1 GiB",
    ),
    Program(
        "Erlang", "erts_mmap + mallinfo2", ["erl", "-noshell", "-run", "hold", "main"],
        environment=PRELOAD_MALLINFO, adds_malloc=True,
    ),
    Program("PostgreSQL backend", "memory contexts", ["./postgres.sh"]),
    malloc(
        "C with AddressSanitizer", "__sanitizer_get_heap_size", 1, "./malloc-asan",
        # It cannot look for leaks under strace; NULL is what malloc may return.
        reason="the sanitizer's own 29 MiB are not in the truth",
        ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1",
    ),
]  # fmt: skip

SERIAL = ["java", "-XX:+UseSerialGC"]
HELLOS = {
    "Go": ["./hello-go"],
    "Java, Serial": [*SERIAL, "-cp", ".", "Hello"],
    "Java, Serial, -Xms8m -Xmx32m": [*SERIAL, "-Xms8m", "-Xmx32m", "-cp", ".", "Hello"],
    "C with AddressSanitizer": ["./hello-asan"],
}

# Debian packages whose versions the tables name.
PACKAGES = (
    "libc6 musl libjemalloc2 libtcmalloc-minimal4t64 libmimalloc3 rustc golang-1.24-go "
    "openjdk-21-jdk-headless nodejs python3.13 python3-numpy libopenblas0-pthread ruby3.3 "
    "php8.4-cli sbcl erlang-base postgresql-17 gcc-14"
).split()
