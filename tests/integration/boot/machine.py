# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real systemd-sysctl and the real ``sysctl --system``, let loose on trees of files and on a network of their own.

Standard library only and Python 3.8: this also runs in the containers of the distributions.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import typing as t

from trees import DIRECTORIES, SYSCTL_CONF, Entry

SYSTEMD = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
PROCPS = ("/usr/sbin/sysctl", "/sbin/sysctl", "/usr/bin/sysctl")

_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 1 << 18
_MNT_DETACH = 2
_SIOCBRADDBR = 0x89A0
_SIOCBRDELBR = 0x89A1

_LIBC = ctypes.CDLL(None, use_errno=True)


class Machine:
    """A view of this system in which the files below ``root`` decide, and whose network sysctls nobody else sees."""

    def __init__(self, root: str, keys: t.Mapping[str, str]) -> None:
        self.root = root
        # Canonical dotted name to path below /proc/sys.
        self._keys = keys
        self._systemd = _first_that_exists(SYSTEMD)
        self._procps = _first_that_exists(PROCPS)

    def boot(self) -> str:
        """Run systemd-sysctl as the boot does; its complaints."""
        return self._run([self._systemd])

    def by_hand(self) -> str:
        """Run ``sysctl --system``; its complaints."""
        return self._run([self._procps, "--system"])

    def lay_out(self, entries: t.Iterable[Entry]) -> None:
        """Replace all files that either tool reads."""
        for directory in directories():
            _empty(self.root + directory)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.root + SYSCTL_CONF)
        for entry in entries:
            path = os.fsencode(self.root + entry.path)
            if entry.kind == "link":
                os.symlink(entry.data, path)
            elif entry.kind == "directory":
                os.mkdir(path)
            else:
                with open(path, "wb") as stream:
                    stream.write(entry.data)

    def set(self, values: t.Mapping[str, str]) -> None:
        for key, value in values.items():
            with open("/proc/sys/" + self._keys[key], "w") as stream:
                stream.write(value)

    def values(self) -> dict[str, str]:
        found = {}
        for key, path in self._keys.items():
            with open("/proc/sys/" + path) as stream:
                found[key] = " ".join(stream.read().split())
        return found

    def _run(self, command: list[str]) -> str:
        # Without a terminal, systemd would log to the journal of the host.
        environment = {"LC_ALL": "C.UTF-8", "SYSTEMD_LOG_TARGET": "console", "SYSTEMD_LOG_LEVEL": "warning"}
        root = self.root
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=(lambda: os.chroot(root)) if root else None,
            check=False,
        )
        return done.stderr.decode("utf-8", "replace")


def directories() -> tuple[str, ...]:
    """The directories that the tools read here: /lib only where /usr is split and it is there already."""
    split = os.path.isdir("/lib/sysctl.d") and not os.path.islink("/lib")
    return (*DIRECTORIES, "/lib/sysctl.d") if split else DIRECTORIES


@contextlib.contextmanager
def private_root() -> t.Iterator[str]:
    """Own network and mount namespaces for the rest of this process; the root in which directories can be replaced."""
    _check(_LIBC.unshare(_CLONE_NEWNS | _CLONE_NEWNET), "unshare")
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    with tempfile.TemporaryDirectory(prefix="nettune-boot-") as root:
        _mount("/", root, "", _MS_BIND | _MS_REC)
        for directory in ("/etc", "/run", "/usr/local/lib", *directories()[3:]):
            _mount("none", root + directory, "tmpfs", 0)
        # Without it, programs look for their libraries in more places, and take longer.
        with contextlib.suppress(FileNotFoundError):
            shutil.copy("/etc/ld.so.cache", root + "/etc")
        for directory in directories():
            os.makedirs(root + directory, exist_ok=True)
        try:
            yield root
        finally:
            _check(_LIBC.umount2(os.fsencode(root), _MNT_DETACH), "umount")


@contextlib.contextmanager
def own_root() -> t.Iterator[str]:
    """The root of this container itself, put back afterwards; for containers that may not make namespaces."""
    places = directories()
    saved = [path for path in (*places, SYSCTL_CONF) if os.path.lexists(path)]
    # Moved by copying: overlayfs does not rename directories of lower layers.
    for path in saved:
        shutil.move(path, path + ".saved")
    for directory in places:
        os.makedirs(directory)
    try:
        yield ""
    finally:
        for directory in places:
            shutil.rmtree(directory)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SYSCTL_CONF)
        for path in saved:
            shutil.move(path + ".saved", path)


@contextlib.contextmanager
def interface(name: str) -> t.Iterator[bool]:
    """Make a bridge without ports, which needs no program; whether this kernel has bridges."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            fcntl.ioctl(control, _SIOCBRADDBR, name.encode() + b"\0")
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.ioctl(control, _SIOCBRDELBR, name.encode() + b"\0")


def _empty(directory: str) -> None:
    for entry in list(os.scandir(directory)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _first_that_exists(paths: t.Sequence[str]) -> str:
    for path in paths:
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f"none of {', '.join(paths)} is installed")


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    result = _LIBC.mount(source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), None)
    _check(result, "mount " + target)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
