# SPDX-License-Identifier: GPL-2.0-only
"""A program in a cgroup that answers each line with a line, and how it fares."""

import re
import select
import signal
import subprocess
import sys
from pathlib import Path

# A guest without KVM on a busy machine may stall for a while, in seconds.
DEADLINE = 10


class Service:
    def __init__(self, name, cgroup, command):
        self.name = name
        enter = 'echo $$ >"$0"/cgroup.procs && exec "$@"'
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["sh", "-c", enter, cgroup, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.asked = self.answered = 0
        self.ended = None
        self.enomem = None

    def ask(self, seconds):
        self.asked += 1
        try:
            self.process.stdin.write(b"\n")
        except BrokenPipeError:
            pass
        if not select.select([self.process.stdout], [], [], DEADLINE)[0]:
            sys.exit(f"{Path(sys.argv[0]).name}: {self.name} did not answer within {DEADLINE} s")
        answer = self.process.stdout.readline().decode().strip()
        if not answer:
            self.process.wait(DEADLINE)
        self.answered += answer == "ok" or answer.startswith("ENOMEM")
        if answer.startswith("ENOMEM") and not self.enomem:
            self.enomem = {"seconds": seconds, "says": answer}

    def heap(self, seconds):
        """What it holds, in MiB, or None when it has ended."""
        if self.process.poll() is not None:
            self.ended = self.ended or {"seconds": seconds, "how": self.how()}
            return None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^VmHeap:\s+(\d+) kB", status, re.M)
        return found and int(found[1]) / 1024

    def how(self):
        status = self.process.returncode
        return signal.Signals(-status).name if status < 0 else f"status {status}"

    def stop(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def fate(self):
        return {"asked": self.asked, "answered": self.answered, "ended": self.ended, "enomem": self.enomem}
