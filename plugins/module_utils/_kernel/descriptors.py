# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Every descriptor under which a process holds one of some sockets, from /proc/PID/fd.

INTERFACE
    find(inodes, root="/proc") -> Held
        .by_inode    {inode: (Descriptor, ...)} by pid and number; a socket that nobody visible holds is absent
        .unreadable  number of processes whose files we may not see: the answer may lack some
    holds(descriptor, root="/proc")     whether it is the same process still, with the same socket under that number
    of_ancestors(pid, root="/proc")     the inodes of the sockets that a process and those it descends from hold

All open files are examined, one readlink each. Only what the kernel says about a process is believed: its start time
makes its pid unambiguous, and its control group, which it cannot choose, gives its unit.
"""

from __future__ import annotations

import contextlib
import os
import re
import typing as t
from dataclasses import dataclass

from . import proc_pid

_SOCKET = re.compile(r"socket:\[(\d+)\]\Z")


@dataclass(frozen=True)
class Descriptor:
    """A socket's number in a process; ``ticks`` is when that was started, as the kernel counts."""

    pid: int
    ticks: int
    number: int
    inode: int


@dataclass(frozen=True)
class Held:
    """The answer of :func:`find`."""

    by_inode: t.Mapping[int, t.Tuple[Descriptor, ...]]
    unreadable: int = 0


def find(inodes: t.Collection[int], root: str = "/proc") -> Held:
    """Who holds these sockets; nothing is examined if there are none."""
    by_inode: t.Dict[int, t.List[Descriptor]] = {}
    unreadable = 0
    wanted = frozenset(inodes) - {0}
    for pid in proc_pid.pids(root) if wanted else ():
        try:
            for descriptor in _held(pid, wanted, root):
                by_inode.setdefault(descriptor.inode, []).append(descriptor)
        except PermissionError:
            unreadable += 1
        except (FileNotFoundError, ProcessLookupError):
            continue
    return Held({inode: tuple(held) for inode, held in by_inode.items()}, unreadable)


def _held(pid: int, wanted: t.Container[int], root: str) -> t.Iterator[Descriptor]:
    stat = proc_pid.stat_of(pid, root)
    for number, inode in _sockets(pid, root):
        if inode in wanted and stat is not None:
            yield Descriptor(pid, stat.ticks, number, inode)


def _sockets(pid: int, root: str) -> t.Iterator[t.Tuple[int, int]]:
    """Number and inode of each socket that a process has open; OSError if it is not visible or gone."""
    with os.scandir(f"{root}/{pid}/fd") as entries:
        for entry in entries:
            inode = _inode(entry.path)
            if inode is not None:
                yield int(entry.name), inode


def _inode(path: str) -> t.Optional[int]:
    try:
        match = _SOCKET.match(os.readlink(path))
    except OSError:
        return None
    return int(match.group(1)) if match else None


def holds(descriptor: Descriptor, root: str = "/proc") -> bool:
    """Whether nothing about it has changed."""
    here = _inode(f"{root}/{descriptor.pid}/fd/{descriptor.number}") == descriptor.inode
    stat = proc_pid.stat_of(descriptor.pid, root)
    return here and stat is not None and stat.ticks == descriptor.ticks


def of_ancestors(pid: int, root: str = "/proc") -> t.FrozenSet[int]:
    """The sockets of a process and of all its ancestors, as far as they are visible.

    With Ansible over SSH, this includes its own connection.
    """
    inodes: t.Set[int] = set()
    while pid > 1:
        with contextlib.suppress(OSError):
            inodes.update(inode for _number, inode in _sockets(pid, root))
        stat = proc_pid.stat_of(pid, root)
        pid = stat.parent if stat else 0
    return frozenset(inodes)
