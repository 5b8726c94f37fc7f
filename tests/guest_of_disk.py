# SPDX-License-Identifier: GPL-2.0-only
"""A machine in QEMU that boots from a disk, with systemd, and a shell to speak to it.

The shell is a service of the guest, at a virtio port, for which there is no terminal
and no login; scripts/boot and scripts/vm have no such disk.
"""

import re
import shutil
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
ExecStart=/bin/bash -c 'until [ -e /dev/virtio-ports/shell ]; do sleep 0.1; done; exec <>/dev/virtio-ports/shell >&0 2>&0; echo @@ready; exec bash'
Restart=always
Environment=LC_ALL=C.UTF-8 HOME=/root
WorkingDirectory=/root
[Install]
WantedBy=sysinit.target
"""

# Of a firmware that knows the keys of others, as machines are sold.
FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
SETTINGS = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")


def kernel(directory, version, *parameters):
    """Boots a kernel of the disk, without a boot loader: words for QEMU."""
    names = (f"vmlinuz-{version}", f"initrd.img-{version}")
    for name in names:
        dump(directory, f"/boot/{name}", Path(directory, name))
    words = ["root=/dev/vda", "rw", "console=ttyS0", "panic=-1", "oops=panic", *parameters]
    return ["-M", "q35", "-kernel", names[0], "-initrd", names[1], "-append", " ".join(words)]


def secure_boot(directory, key=None):
    """Boots the boot loader of the disk, by Secure Boot; the machine's owner trusts @key."""
    settings = Path(directory, "settings")
    shutil.copy(SETTINGS, settings)
    if key:
        owner = "605dab50-e046-4300-abb6-3dd810dd8b23"  # of shim
        subprocess.run(
            ["virt-fw-vars", "--inplace", settings, "--add-mok", owner, key],
            check=True,
            stderr=subprocess.DEVNULL,
        )
    return (
        ["-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"]
        + ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={FIRMWARE}"]
        + ["-drive", f"if=pflash,unit=1,format=raw,file={settings}"]
    )


def dump(directory, path, to):
    """Copies a file of the disk, which debugfs does not fail without."""
    disk = Path(directory, "disk.ext4")
    to.unlink(missing_ok=True)
    subprocess.run(["debugfs", "-R", f"dump {path} {to}", disk], check=True, stderr=subprocess.DEVNULL)
    if not to.exists():
        raise FileNotFoundError(f"there is no {path} on {disk}")


class Guest:
    """Is started at once; to be used with "with", which waits for its shell, and ends it."""

    # Seconds until the shell answers, under emulation on a busy machine.
    PATIENCE = 600

    def __init__(self, directory, boot):
        self.directory = Path(directory)
        self.console = self.directory / "console"
        self.commands = 0
        port = self.directory / "shell"
        port.unlink(missing_ok=True)
        kvm = re.search(r"\b(svm|vmx)\b", Path("/proc/cpuinfo").read_text())
        self.qemu = subprocess.Popen(  # pylint: disable=consider-using-with
            ["timeout", "--foreground", "--kill-after=5", "3600", "qemu-system-x86_64", *boot]
            + (["-accel", "kvm", "-cpu", "host"] if kvm else ["-accel", "tcg", "-cpu", "max"])
            + ["-smp", "2", "-m", "2G", "-nodefaults", "-display", "none", "-no-reboot"]
            + ["-serial", f"file:{self.console}"]
            + self.drive("disk.ext4")
            + self.drive("esp")
            + ["-device", "virtio-serial", "-chardev", f"socket,id=shell,path={port},server=on,wait=off"]
            + ["-device", "virtserialport,chardev=shell,name=shell"],
            cwd=directory,
            stdin=subprocess.DEVNULL,
        )
        while not port.exists() and self.qemu.poll() is None:
            time.sleep(0.1)
        self.shell = socket.socket(socket.AF_UNIX)
        self.shell.connect(str(port))

    def drive(self, name):
        return ["-drive", f"file={self.directory / name},format=raw,if=virtio,cache=unsafe"]

    def __enter__(self):
        """What is sent before the shell is there, a firmware takes for itself."""
        self.hear("@@ready\n", self.PATIENCE)
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        if self.qemu.poll() is None:
            self.qemu.terminate()
            self.qemu.wait()
        self.shell.close()

    def shows(self, message):
        """Waits until the console does; what is there, if it does not."""
        for _ in range(self.PATIENCE):
            console = self.console.read_text(errors="replace")
            if message in console:
                return ""
            time.sleep(1)
        return f"no {message!r} on the console:\n{console[-2000:]}"

    def run(self, command, patience=300):
        """What a command says, and its status, or the console if it does not end."""
        self.commands += 1
        mark = f"@@status {self.commands}"
        try:
            self.shell.sendall(
                f"{{ {command}\n}} </dev/null 2>&1; status=$?; echo; echo {mark} $status\n".encode()
            )
        except OSError:  # it is gone
            pass
        said, end = self.hear(rf"\n{mark} (\d+)\n", patience)
        if not end:
            console = self.console.read_text(errors="replace").splitlines()[-40:]
            return "\n".join([said, f"no answer to {command!r}; the console:", *console]), -1
        return said[: end.start()].strip(), int(end[1])

    def hear(self, pattern, patience):
        """What the shell says until there is the pattern, and its match, if it is there in time."""
        self.shell.settimeout(patience)
        said = ""
        end = None
        try:
            while not (end := re.search(pattern, said)) and (data := self.shell.recv(65536)):
                said += data.decode(errors="replace").replace("\r\n", "\n")
        except OSError:
            pass
        return said, end

    def power_off(self):
        """As an administrator does; what is wrong, if it does not go off."""
        self.run("systemctl poweroff --no-block")
        try:
            self.qemu.wait(300)
        except subprocess.TimeoutExpired:
            return self.console.read_text(errors="replace")[-2000:]
        return ""
