# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Who holds a socket: processes, their systemd unit and their file limits, from /proc/PID.

INTERFACE
    owners(inodes, root="/proc") -> Owners
        .by_inode    {inode: (Process, ...)} by pid; an inode nobody visible holds is absent
        .unreadable  number of processes whose files we may not see (not root): the answer may lack owners
        .complete    whether all files could be looked at in time: if not, a socket may lack its owner
    nearest_to_nofile(share)   the processes that have more than this share of their limit open, the fullest first

A process that ends in the meantime is left out. Only links are read, nothing in /proc/PID/fd is opened.
"""

from __future__ import annotations

import itertools
import math
import os
import time
import typing as t
from dataclasses import dataclass

from . import cgroups, proc_pid
from .proc_pid import Limit

FIRST_FILES = 1024
_HANDFUL = 32


@dataclass(frozen=True)
class Process:
    """A process with a wanted socket; limits are numbers of files, None for unlimited or unknown."""

    pid: int
    name: str
    unit: t.Optional[str]
    nofile_soft: Limit
    nofile_hard: Limit
    nofile_used: int

    @property
    def nofile_utilization(self) -> float:
        """The share of the soft limit that is open; above 1 where the limit was lowered later."""
        return self.nofile_used / max(self.nofile_soft, 1) if self.nofile_soft is not None else 0.0


@dataclass(frozen=True)
class Owners:
    """The answer of :func:`owners`."""

    by_inode: t.Dict[int, t.Tuple[Process, ...]]
    unreadable: int
    complete: bool = True


def _process(root: str, pid: int, used: int) -> Process:
    soft, hard = proc_pid.nofile(pid, root)
    return Process(pid, proc_pid.name_of(pid, root), cgroups.unit_of(pid, root), soft, hard, used)


class _Files:
    """The open files of one process, which may be a million: they are walked, never listed as a whole."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def held(self, wanted: t.Mapping[str, int], start: int, stop: t.Optional[int]) -> t.Set[int]:
        """The wanted inodes among a range of the files in order of their numbers; OSError if it is gone."""
        held: t.Set[int] = set()
        with os.scandir(self._directory) as entries:
            for entry in itertools.islice(entries, start, stop):
                try:
                    inode = wanted.get(os.readlink(entry.path))
                except FileNotFoundError:
                    continue
                if inode is not None:
                    held.add(inode)
        return held

    def count(self) -> int:
        """How many there are; Linux 6.2 and later give it as the size of the directory."""
        size = os.stat(self._directory).st_size
        if size:
            return size
        with os.scandir(self._directory) as entries:
            return sum(1 for _entry in entries)


def nearest_to_nofile(share: float, root: str = "/proc", patience: float = 0.5) -> t.List[Process]:
    """The processes that have more than this share of their limit open, the fullest first.

    Those with a handful of files are left out: sandboxed programs forbid themselves to open any more. Before Linux 6.2
    files are counted one by one, for a limited number of seconds.
    """
    deadline = time.monotonic() + patience
    processes: t.List[Process] = []
    for pid in proc_pid.pids(root):
        if time.monotonic() > deadline:
            break
        try:
            used = _Files(f"{root}/{pid}/fd").count()
        except OSError:
            continue
        if used >= _HANDFUL and used > share * (proc_pid.nofile(pid, root)[0] or math.inf):
            processes.append(_process(root, pid, used))
    return sorted(processes, key=lambda process: (-process.nofile_utilization, process.pid))


def owners(inodes: t.Iterable[int], root: str = "/proc", patience: float = 0.5) -> Owners:
    """The processes that hold these sockets.

    A listener is opened before the connections to it, and its number is low, so only the first files of each process
    are examined. If that leaves a socket without an owner, all others are, for a limited number of seconds.
    """
    search = _Search(inodes, root)
    search.look(0, FIRST_FILES, deadline=None)
    complete = search.look(FIRST_FILES, None, deadline=time.monotonic() + patience) if search.wanted else True
    return search.answer(complete)


class _Search:
    def __init__(self, inodes: t.Iterable[int], root: str) -> None:
        self.wanted = {f"socket:[{inode}]": inode for inode in inodes if inode}
        self._root = root
        self._held: t.Dict[int, t.Set[int]] = {}
        self._unreadable = 0
        self._pids = proc_pid.pids(root) if self.wanted else []

    def look(self, start: int, stop: t.Optional[int], deadline: t.Optional[float]) -> bool:
        """Search these files of every process for what is still wanted; False if time ran out."""
        inodes: t.Set[int] = set()
        readable = []
        for pid in self._pids:
            if deadline is not None and time.monotonic() > deadline:
                return False
            try:
                held = _Files(f"{self._root}/{pid}/fd").held(self.wanted, start, stop)
            except PermissionError:
                self._unreadable += 1
                continue
            except (FileNotFoundError, ProcessLookupError):
                continue
            readable.append(pid)
            if held:
                self._held.setdefault(pid, set()).update(held)
                inodes |= held
        self._pids = readable
        self.wanted = {link: inode for link, inode in self.wanted.items() if inode not in inodes}
        return True

    def answer(self, complete: bool) -> Owners:
        by_inode: t.Dict[int, t.List[Process]] = {}
        for pid, held in sorted(self._held.items()):
            try:
                process = _process(self._root, pid, _Files(f"{self._root}/{pid}/fd").count())
            except OSError:
                continue
            for inode in held:
                by_inode.setdefault(inode, []).append(process)
        return Owners({inode: tuple(held) for inode, held in by_inode.items()}, self._unreadable, complete)
