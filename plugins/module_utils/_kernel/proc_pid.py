# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What the small files of /proc/PID say about the visible processes.

INTERFACE
    pids(), children_of(pid)   -> pids
    name_of(pid)               -> what it calls itself, which proves nothing; empty when it is gone
    stat_of(pid)               -> Stat or None;  uids_of(pid) -> real, effective, saved;  nofile(pid) -> (soft, hard)
    command_of(pid)            -> words
"""

from __future__ import annotations

import os
import re
import typing as t

from .. import _files

Limit = t.Optional[int]

_NOFILE = re.compile(r"^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)\s", re.MULTILINE)


class Stat(t.NamedTuple):
    """``ticks`` is when a process was started, in clock ticks since boot: with the pid it identifies one for good."""

    parent: int
    ticks: int


def pids(root: str = "/proc") -> t.List[int]:
    """The visible processes, in order."""
    return sorted(int(entry.name) for entry in os.scandir(root) if entry.name.isdigit())


def name_of(pid: int, root: str = "/proc") -> str:
    """The name that a process has given itself, empty if it is gone."""
    return _files.text(f"{root}/{pid}/comm").rstrip("\n")


def command_of(pid: int, root: str = "/proc") -> t.List[str]:
    """The words of a process's command line, empty if it is gone; it may write anything there."""
    try:
        with open(f"{root}/{pid}/cmdline", "rb") as handle:
            return [os.fsdecode(word) for word in handle.read().split(b"\0") if word]
    except OSError:
        return []


def parse_stat(text: str) -> t.Optional[Stat]:
    """/proc/PID/stat; None where the process has ended."""
    # The name, in brackets, may hold anything.
    fields = text.rpartition(")")[2].split()
    return Stat(int(fields[1]), int(fields[19])) if len(fields) > 19 and fields[0] not in ("Z", "X") else None


def stat_of(pid: int, root: str = "/proc") -> t.Optional[Stat]:
    """The parent of a process and its start, None if it is gone."""
    return parse_stat(_files.text(f"{root}/{pid}/stat"))


def children_of(pid: int) -> t.List[int]:
    """The children of a process, including adopted ones."""
    listed = f"/proc/{pid}/task/{pid}/children"  # of its first thread, which has all where there is no other
    if len(_names(f"/proc/{pid}/task")) == 1 and os.path.exists(listed):
        return [int(word) for word in _files.text(listed).split()]
    return [one for one in map(int, filter(str.isdigit, _names("/proc"))) if _parent(one) == pid]


def _names(directory: str) -> t.List[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _parent(pid: int) -> int:
    stat = stat_of(pid)
    return stat.parent if stat else 0


def parse_uids(status: str) -> t.Tuple[int, ...]:
    """The real, effective and saved uid in /proc/PID/status."""
    line = next((line for line in status.splitlines() if line.startswith("Uid:")), "")
    return tuple(map(int, line.split()[1:4]))


def uids_of(pid: int, root: str = "/proc") -> t.Tuple[int, ...]:
    """Whose process it is: real, effective and saved uid, nothing when it is gone."""
    return parse_uids(_files.text(f"{root}/{pid}/status"))


def parse_nofile(text: str) -> t.Tuple[Limit, Limit]:
    """Soft and hard open file limit in /proc/PID/limits, None for unlimited or unknown."""
    match = _NOFILE.search(text)
    if match is None:
        return None, None
    soft, hard = (None if word == "unlimited" else int(word) for word in match.groups())
    return soft, hard


def nofile(pid: int, root: str = "/proc") -> t.Tuple[Limit, Limit]:
    """Soft and hard open file limit of a process, which anyone may see."""
    return parse_nofile(_files.text(f"{root}/{pid}/limits"))
