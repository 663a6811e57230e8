# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which processes are in a control group, and their limits of open files, from /proc/PID.

/proc/PID/cgroup is asked, not /sys/fs/cgroup: it names the groups as systemd does, with cgroup v1, v2 or both side by
side, in containers too.  A process that ends meanwhile is left out.
"""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass

from .. import _files
from . import proc_pid
from .processes import parse_nofile
from .rlimits import INFINITY, Limits

# systemd's own hierarchy in cgroup v1, and the unified one of v2: it names its units in one of the two.
_HIERARCHIES = ("name=systemd", "")


@dataclass(frozen=True)
class Member:
    """A process in a control group.

    ``used`` is the number of files it has open, None where we may not know.  ``started`` is when it was started, in
    seconds since the epoch, and ``ticks`` the same as the kernel counts it: with the pid it names one process for ever.
    ``below`` is the path of its own group below that one, empty where there is none.
    """

    pid: int
    name: str
    limits: Limits
    used: t.Optional[int]
    started: float
    ticks: int = 0
    below: str = ""


def runs(member: Member, root: str = "/proc") -> bool:
    """Whether this very process is still there, and not another one that got its pid."""
    return parse_started(_files.text(f"{root}/{member.pid}/stat")) == member.ticks


def members(paths: t.Collection[str], root: str = "/proc") -> t.Dict[str, t.Tuple[Member, ...]]:
    """The processes in each of these control groups and in the groups below, by pid.

    Costs one small file per process of the host, and nothing without paths.
    """
    found: t.Dict[str, t.List[Member]] = {path: [] for path in paths}
    for pid in proc_pid.pids(root) if found else ():
        here = parse_cgroup(_files.text(f"{root}/{pid}/cgroup"))
        for path, rows in found.items():
            below = next((group[len(path) :] for group in here if f"{group}/".startswith(f"{path}/")), None)
            member = None if below is None else _member(root, pid, below.lstrip("/"))
            if member:
                rows.append(member)
    return {path: tuple(rows) for path, rows in found.items()}


def parse_cgroup(text: str) -> t.List[str]:
    """The paths in /proc/PID/cgroup that may be systemd's."""
    rows = (line.split(":", 2) for line in text.splitlines())
    return [row[2] for row in rows if len(row) == 3 and row[1] in _HIERARCHIES]


def parse_started(stat: str) -> t.Optional[int]:
    """When a process was started, in clock ticks since the boot, from /proc/PID/stat; None where it has ended."""
    # The name, in parentheses, may hold anything.
    fields = stat.rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] not in ("Z", "X") else None


def _member(root: str, pid: int, below: str) -> t.Optional[Member]:
    soft, hard = parse_nofile(_files.text(f"{root}/{pid}/limits"))
    ticks = parse_started(_files.text(f"{root}/{pid}/stat"))
    used: t.Optional[int] = None
    try:
        used = len(os.listdir(f"{root}/{pid}/fd"))
    except PermissionError:
        pass
    except OSError:
        return None
    if soft is None or ticks is None:
        return None
    started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
    limits = Limits(soft, INFINITY if hard is None else hard)
    return Member(pid, proc_pid.name_of(pid, root), limits, used, started, ticks, below)
