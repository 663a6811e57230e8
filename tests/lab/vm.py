# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot a throwaway virtual machine of a suite, with the suite's own kernel, and run a command or a shell on it.

    python3 -m tests.lab.vm SUITE [COMMAND ...]

To be called as root in the root of the checkout. What the machine writes is gone when it ends, and it ends with this
program, however that ends. It is reached by SSH over a port of 127.0.0.1 and reaches nothing itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import image
from .disk import KEY, Disk, disk

BOOT_LIMIT = 600  # seconds; an emulated processor needs 20, or several times that on a busy machine
COMMAND_LIMIT = 300
BANNER_LIMIT = 10
BOOT_ID = "/proc/sys/kernel/random/boot_id"
SSH_CONFIG = """\
Host vm
  HostName 127.0.0.1
  Port {port}
  User root
  IdentityFile {key}
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  ConnectTimeout 60
  ServerAliveInterval 10
  ServerAliveCountMax 6
  ControlMaster auto
  ControlPath {directory}/ssh
  ControlPersist 600
"""


@dataclass(frozen=True)
class Accelerator:
    """A way to run the machine, and within how many seconds its kernel must have said something."""

    name: str
    processor: str
    limit: float


ACCELERATORS = (
    Accelerator("kvm", "max", 10),
    # An older processor has less to emulate, such as no fifth level of page tables. Emulating cmpxchg16b, QEMU 7.2
    # spoils the flags, and Linux panics where it has used that since 6.5: in kmalloc().
    Accelerator("tcg,thread=multi", "Nehalem,-cx16", 120),
)


class VmFailed(Exception):
    """The machine did not start, did not answer in time, or a command on it failed."""


@dataclass(frozen=True)
class VM:
    """A running machine; ``directory`` is its scratch directory on this side."""

    directory: Path
    port: int

    @property
    def ssh_config(self) -> Path:
        """Describes the way to the host ``vm``, for ssh -F."""
        return self.directory / "ssh_config"

    @property
    def console(self) -> Path:
        """All that the machine has written to its serial port."""
        return self.directory / "console"

    def run(self, *command: str, given: str = "", limit: float = COMMAND_LIMIT) -> str:
        """What the command writes to its standard output, run as root with ``given`` as its standard input."""
        try:
            done = self.ssh(*command, input=given, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired as late:
            raise VmFailed(f"{shlex.join(command)}: no end after {limit:.0f} s") from late
        if done.returncode:
            raise VmFailed(f"{shlex.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return str(done.stdout)

    def ssh(self, *command: str, options: t.Sequence[str] = (), **how: t.Any) -> subprocess.CompletedProcess[t.Any]:
        """Run ssh with the arguments of subprocess.run."""
        return subprocess.run(["ssh", "-F", self.ssh_config, *options, "vm", shlex.join(command)], check=False, **how)

    def reboot(self) -> None:
        """Reboot, and wait until systemd has started everything."""
        before = self.run("cat", BOOT_ID)
        # The connection breaks sooner or later, or simply goes silent.
        with contextlib.suppress(VmFailed):
            self.run("systemctl", "reboot", limit=60)
        subprocess.run(["ssh", "-F", self.ssh_config, "-O", "exit", "vm"], capture_output=True, check=False)
        self.wait_until_booted(before)

    def wait_until_booted(self, before: str = "") -> None:
        """Wait for a boot with another id than ``before``, and until systemd has started everything."""
        deadline = time.monotonic() + BOOT_LIMIT
        while not (self._answers() and self._boot_id() not in ("", before)):
            if time.monotonic() > deadline:
                raise VmFailed(f"no answer after {BOOT_LIMIT} s; the end of its console:\n{_tail(self.console)}")
            time.sleep(1)
        # Its exit status tells whether a unit failed, and the next command tells which.
        self.ssh("systemctl", "is-system-running", "--wait", capture_output=True, timeout=BOOT_LIMIT)
        failed = self.run("systemctl", "--failed", "--no-legend", "--plain")
        if failed:
            raise VmFailed(f"units have failed: {failed}")

    def _answers(self) -> bool:
        """Whether its SSH server says something: trying that costs the machine less than logging in."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), BANNER_LIMIT) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def _boot_id(self) -> str:
        try:
            return self.run("cat", BOOT_ID, limit=60)
        except VmFailed:
            return ""


@contextlib.contextmanager
def running(suite: str) -> t.Iterator[VM]:
    """A machine of the suite, booted; killed in the end."""
    parts = disk(suite)
    with tempfile.TemporaryDirectory(prefix="nettune-vm-") as directory:
        vm = VM(Path(directory), _free_port())
        vm.ssh_config.write_text(SSH_CONFIG.format(port=vm.port, key=KEY, directory=directory), encoding="utf-8")
        process = _start(vm, parts)
        try:
            vm.wait_until_booted()
            yield vm
        finally:
            process.kill()
            process.wait()


def _start(vm: VM, parts: Disk) -> subprocess.Popen[bytes]:
    """Start the machine the fastest way that works here: /dev/kvm may be there and its guests hang."""
    for way in ACCELERATORS:
        if way.name == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            continue
        vm.console.write_bytes(b"")
        with (vm.directory / "qemu.log").open("wb") as log:
            process = subprocess.Popen(_qemu(vm, parts, way), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + way.limit
        while process.poll() is None and time.monotonic() < deadline:
            if vm.console.stat().st_size:
                return process
            time.sleep(0.2)
        process.kill()
        process.wait()
    raise VmFailed(f"QEMU could not start: {_tail(vm.directory / 'qemu.log')}")


def _qemu(vm: VM, parts: Disk, way: Accelerator) -> list[str]:
    """The command; setpriv lets the kernel kill the machine when this process is no more, for whatever reason."""
    return [
        *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"),
        # One processor: with two that are emulated, Linux 7.2 was seen to panic over an int3 while code was patched.
        *("-accel", way.name, "-cpu", way.processor, "-smp", "1", "-m", "1G", "-machine", "q35"),
        *("-nodefaults", "-display", "none", "-serial", f"file:{vm.console}", "-device", "virtio-rng-pci"),
        *("-kernel", str(parts.kernel), "-initrd", str(parts.initrd)),
        *("-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0"),
        *("-drive", f"file={parts.root},format=raw,if=virtio,snapshot=on,cache=unsafe"),
        *("-nic", f"user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:{vm.port}-:22"),
    ]


def _free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


def main() -> int:
    """Boot, run the command that was given, and exit as it did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    suites = image.read_recipe()["suites"]
    parser.add_argument("suite", metavar="SUITE", choices=suites, help=" ".join(suites))
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="a shell, if there is none")
    arguments = parser.parse_args()
    with running(arguments.suite) as vm:
        print(f"From elsewhere: ssh -F {vm.ssh_config} vm", file=sys.stderr)
        command = arguments.command or ["bash", "-l"]
        return vm.ssh(*command, options=["-t"] if sys.stdin.isatty() else []).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (VmFailed, subprocess.CalledProcessError) as error:
        sys.exit(f"vm.py: {error}")
