# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Whose process it is, from what only the kernel can say: a name, an argv or a path proves nothing.

INTERFACE
    look(pid) -> Identity or None
    Tie(names, main_pid)         judges processes for one server
        .master_of(pid, socket)  -> Identity of the server's master, None for a process that is not the server's
    still(identity)              -> whether it is the very same process, with the same program
    shares_our_root(pid)         -> whether paths mean the same to it

A server is a process that runs a program which only root may write, under the server's name, and that root has started:
its master is root's, or the main process of a unit, or root created its socket before it dropped privileges. The
workers are its children with the same program. If we are not root ourselves, we are as good as root.
"""

from __future__ import annotations

import functools
import os
import posixpath
import stat
import typing as t
from dataclasses import dataclass

from . import cgroups, proc_pid

_REPLACED = " (deleted)"  # what the kernel appends to the path of a program that has been removed

File = t.Tuple[int, int]  # device and inode


@dataclass(frozen=True)
class Identity:
    """What is known about a process.

    ``ticks``, its start, identifies it for good together with the pid; ``uids`` are real, effective and saved.
    ``program`` is the path of what it runs, as it sees it itself, and ``file`` that file, None if not visible to us;
    ``trusted`` means that nobody but root, or we, may write it. ``name`` is what it calls itself.
    """

    pid: int
    ticks: int
    parent: int
    name: str
    uids: t.Tuple[int, ...]
    unit: t.Optional[str]
    program: str = ""
    file: t.Optional[File] = None
    trusted: bool = False

    @property
    def ours(self) -> bool:
        """Whether root, or we, started it, and it has not changed its user since."""
        return bool(self.uids) and set(self.uids) <= trusted_uids()


def trusted_uids() -> t.FrozenSet[int]:
    """Root and we."""
    return frozenset((0, os.geteuid()))


def look(pid: int, root: str = "/proc") -> t.Optional[Identity]:
    """What is known about a process, None if it is gone."""
    started = proc_pid.stat_of(pid, root)
    if started is None:
        return None
    program, file, trusted = _program(f"{root}/{pid}/exe")
    identity = Identity(
        pid=pid,
        ticks=started.ticks,
        parent=started.parent,
        name=proc_pid.name_of(pid, root),
        uids=proc_pid.uids_of(pid, root),
        unit=cgroups.unit_of(pid, root),
        program=program,
        file=file,
        trusted=trusted,
    )
    again = proc_pid.stat_of(pid, root)
    return identity if again and again.ticks == identity.ticks else None


def _program(link: str) -> t.Tuple[str, t.Optional[File], bool]:
    """Path and file of a program, from the same look, and whether only root may write it."""
    try:
        descriptor = os.open(link, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return "", None, False
    try:
        status, path = os.fstat(descriptor), _link(f"/proc/self/fd/{descriptor}")
    except OSError:  # on a file system of a user's own (FUSE), which does not answer even root
        return "", None, False
    finally:
        os.close(descriptor)
    trusted = (
        stat.S_ISREG(status.st_mode)
        and status.st_uid in trusted_uids()
        and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    path = path[: -len(_REPLACED)] if path.endswith(_REPLACED) and not status.st_nlink else path
    return path, (status.st_dev, status.st_ino), trusted


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def still(one: Identity, root: str = "/proc") -> bool:
    """Whether the process exists, and has neither changed its user nor run another program since it was observed."""
    now = look(one.pid, root)
    return now is not None and (now.ticks, now.uids, now.file) == (one.ticks, one.uids, one.file)


class Tie:
    """Which processes are those of a server, whose programs have one of these names.

    It is for one observation: each process is examined once. ``main_pid`` gives the main process of a unit; it is
    called only if a master is not root's.
    """

    def __init__(
        self,
        names: t.Collection[str],
        main_pid: t.Callable[[t.Optional[str]], t.Optional[int]],
        find: t.Callable[[int], t.Optional[Identity]] = look,
    ) -> None:
        self._names = names
        self._main_pid = functools.lru_cache(maxsize=None)(main_pid)
        self._find = functools.lru_cache(maxsize=None)(find)

    def master_of(self, pid: int, socket_uid: t.Optional[int] = None) -> t.Optional[Identity]:
        """The master of the server that has this process, which holds a socket made by this user."""
        one = self._find(pid)
        while one is not None:
            parent = self._find(one.parent) if one.parent > 1 else None
            if parent is None or not _same_program(one, parent):
                return one if self._is_server(one, socket_uid) else None
            one = parent
        return None

    def answers_for(self, master: Identity) -> bool:
        """Whether a master's own word, such as its command line, is trusted: it is root's, or started by a unit."""
        return master.ours or (master.unit is not None and self._main_pid(master.unit) == master.pid)

    def _is_server(self, one: Identity, socket_uid: t.Optional[int]) -> bool:
        if not one.trusted or posixpath.basename(one.program) not in self._names:
            return False
        return socket_uid in trusted_uids() or self.answers_for(one)


def _same_program(one: Identity, parent: Identity) -> bool:
    """Whether a process is a child of its own kind. In a container the programs of workers may not be visible."""
    if parent.file is None:
        return False
    return one.file == parent.file if one.file else one.name == parent.name and not one.ours


def shares_our_root(pid: int) -> bool:
    """Whether paths mean to a process what they mean to us, as they do not in a container.

    Another mount namespace alone proves nothing, since systemd services may have one, and neither does another root
    directory, since a server may have entered it after reading its files. If unknown, it is taken to be ours.
    """
    try:
        theirs, ours = os.stat(f"/proc/{pid}/root/"), os.stat("/")
        same_mounts = os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
    except OSError:
        return True
    return same_mounts or (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)
