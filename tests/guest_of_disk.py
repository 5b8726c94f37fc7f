# SPDX-License-Identifier: GPL-2.0-only
"""A machine in QEMU that boots from a disk, with systemd, and a shell to speak to it.

The shell is a service of the guest, at a virtio port, for which there is no terminal
and no login; scripts/boot and scripts/vm have no such disk.
"""

import re
import socket
import subprocess
import time
from pathlib import Path

# A unit of the image.
SERVICE = r"""[Unit]
Description=Shell of the tests
DefaultDependencies=no
After=systemd-remount-fs.service systemd-udevd.service
Conflicts=shutdown.target
[Service]
ExecStart=/bin/bash -c 'until [ -e /dev/virtio-ports/shell ]; do sleep 0.1; done; exec bash <>/dev/virtio-ports/shell >&0 2>&0'
Restart=always
Environment=LC_ALL=C.UTF-8 HOME=/root
WorkingDirectory=/root
[Install]
WantedBy=sysinit.target
"""
MARK = "@@status"


class Guest:
    """Boots at once; to be used with "with", which ends it."""

    # Seconds until the shell answers, under emulation on a busy machine.
    PATIENCE = 600

    def __init__(self, directory, version, *parameters):
        self.directory = Path(directory)
        self.disk = self.directory / "disk.ext4"
        self.console = self.directory / "console"
        port = self.directory / "shell"
        port.unlink(missing_ok=True)
        kvm = re.search(r"\b(svm|vmx)\b", Path("/proc/cpuinfo").read_text())
        boot = self.files_to_boot(version)
        words = ["root=/dev/vda", "rw", "console=ttyS0", "panic=-1", "oops=panic", *parameters]
        self.qemu = subprocess.Popen(  # pylint: disable=consider-using-with
            ["timeout", "--foreground", "--kill-after=5", "3600", "qemu-system-x86_64", "-M", "q35"]
            + (["-accel", "kvm", "-cpu", "host"] if kvm else ["-accel", "tcg", "-cpu", "max"])
            + ["-smp", "2", "-m", "2G", "-nodefaults", "-display", "none", "-no-reboot"]
            + ["-kernel", boot[0], "-initrd", boot[1]]
            + ["-append", " ".join(words), "-serial", f"file:{self.console}"]
            + ["-drive", f"file={self.disk},format=raw,if=virtio,cache=unsafe"]
            + ["-device", "virtio-serial", "-chardev", f"socket,id=shell,path={port},server=on,wait=off"]
            + ["-device", "virtserialport,chardev=shell,name=shell"],
            stdin=subprocess.DEVNULL,
        )
        while not port.exists() and self.qemu.poll() is None:
            time.sleep(0.1)
        self.shell = socket.socket(socket.AF_UNIX)
        self.shell.connect(str(port))
        self.run("true", self.PATIENCE)

    def files_to_boot(self, version):
        """As a boot loader finds them on the disk."""
        for name in (names := (f"vmlinuz-{version}", f"initrd.img-{version}")):
            dump = f"dump /boot/{name} {self.directory}/{name}"
            subprocess.run(["debugfs", "-R", dump, self.disk], check=True, stderr=subprocess.DEVNULL)
        return [self.directory / name for name in names]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.qemu.poll() is None:
            self.qemu.terminate()
            self.qemu.wait()
        self.shell.close()

    def run(self, command, patience=300):
        """What a command says, and its status, or the console if it does not end."""
        self.shell.sendall(
            f"{{ {command}\n}} </dev/null 2>&1; status=$?; echo; echo {MARK} $status\n".encode()
        )
        self.shell.settimeout(patience)
        said = ""
        try:
            while not (end := re.search(rf"\n{MARK} (\d+)\n", said)):
                data = self.shell.recv(65536)
                if not data:
                    break
                said += data.decode(errors="replace").replace("\r\n", "\n")
        except TimeoutError:
            end = None
        if not end:
            console = self.console.read_text(errors="replace").splitlines()[-40:]
            return "\n".join([said, f"no answer to {command!r}; the console:", *console]), -1
        return said[: end.start()].strip(), int(end[1])

    def power_off(self):
        """As an administrator does, and its status is QEMU's."""
        self.shell.sendall(b"systemctl poweroff\n")
        return self.qemu.wait(300)
