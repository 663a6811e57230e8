# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which unit a process belongs to, which processes are in a control group, and their open file limits.

/proc/PID/cgroup is read, not /sys/fs/cgroup: it names the groups as systemd does, with cgroup v1, v2 or both, and in
containers too. A process that ends in the meantime is left out.
"""

from __future__ import annotations

import os
import posixpath
import re
import time
import typing as t
from dataclasses import dataclass

from .. import _files
from . import proc_pid
from .rlimits import INFINITY, Limits

_EXECUTOR = "systemd-executor"
_FORK_TO_EXEC = 2.0  # seconds from a fork to its exec: far more than it takes

# systemd's own hierarchy in cgroup v1, and the unified one of v2: it names its units in one of the two.
_HIERARCHIES = ("name=systemd", "")
# Not a template, such as getty@.service, which is not a unit.
_UNIT = re.compile(r"(?![^@]*@\.[a-z]+\Z)[A-Za-z0-9:_.\\-][A-Za-z0-9:_.\\@-]*\.(service|scope|socket|mount|swap)\Z")


@dataclass(frozen=True)
class Member:
    """A process in a control group.

    ``used`` is the number of files it has open, None if not visible. ``started`` is when it was started, in seconds
    since the epoch, and ``ticks`` the same as the kernel counts it: with the pid it identifies one process for good.
    ``below`` is the path of its own group below that one, empty if there is none.
    """

    pid: int
    name: str
    limits: Limits
    used: t.Optional[int]
    started: float
    ticks: int = 0
    below: str = ""


def runs(member: Member, root: str = "/proc") -> bool:
    """Whether this same process still exists, and not another one with its pid."""
    stat = proc_pid.stat_of(member.pid, root)
    return stat is not None and stat.ticks == member.ticks


def members(paths: t.Collection[str], root: str = "/proc") -> t.Dict[str, t.Tuple[Member, ...]]:
    """The processes in each of these control groups and in the groups below, by pid.

    Costs one small file per process of the host, and nothing without paths.
    """
    rows_by_path: t.Dict[str, t.List[Member]] = {path: [] for path in paths}
    for pid in proc_pid.pids(root) if rows_by_path else ():
        here = _paths(_files.text(f"{root}/{pid}/cgroup")).values()
        for path, rows in rows_by_path.items():
            below = next((group[len(path) :] for group in here if f"{group}/".startswith(f"{path}/")), None)
            member = None if below is None else _member(root, pid, below.lstrip("/"))
            if member:
                rows.append(member)
    return {path: tuple(rows) for path, rows in rows_by_path.items()}


def wait_for_programs(path: str, root: str = "/proc") -> None:
    """Wait briefly until no process of a control group is a fork of systemd that has not yet called exec.

    systemd reports a simple service as started before its program is, and sets limits last: until then they are
    systemd's own.
    """
    deadline = time.monotonic() + _FORK_TO_EXEC
    while any(_runs_systemd(root, member.pid) for member in members([path], root)[path]):
        if time.monotonic() > deadline:
            return
        time.sleep(0.01)


def _runs_systemd(root: str, pid: int) -> bool:
    """Whether it runs the program of process 1, or the one through which systemd 255 and later start all others."""
    systemd, program = (_program(root, one) for one in (1, pid))
    return bool(program) and program in (systemd, posixpath.join(posixpath.dirname(systemd), _EXECUTOR))


def _program(root: str, pid: int) -> str:
    """The path of what it runs, even if that program has been replaced; empty if it is gone."""
    try:
        return os.readlink(f"{root}/{pid}/exe").replace(" (deleted)", "")
    except OSError:
        return ""


def _paths(text: str) -> t.Dict[str, str]:
    """The paths in /proc/PID/cgroup that may be systemd's, by hierarchy."""
    rows = (line.split(":", 2) for line in text.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[1] in _HIERARCHIES}


def parse_unit(text: str, init_text: str = "") -> t.Optional[str]:
    """The system unit in /proc/PID/cgroup; ``init_text`` is /proc/1/cgroup, which tells where the units begin."""
    paths, init_paths = _paths(text), _paths(init_text)
    for hierarchy in _HIERARCHIES:
        path, systemd_root = paths.get(hierarchy, ""), _systemd_root(init_paths.get(hierarchy, ""))
        unit = _unit_in(path[len(systemd_root) :] if path.startswith(f"{systemd_root}/") else path)
        if unit:
            return unit
    return None


def unit_of(pid: int, root: str = "/proc") -> t.Optional[str]:
    """The system unit that a process belongs to: only root can move a process to another unit."""
    return parse_unit(_files.text(f"{root}/{pid}/cgroup"), _files.text(f"{root}/1/cgroup"))


def _systemd_root(init_path: str) -> str:
    """The cgroup below which systemd keeps its units, from that of process 1, as in systemd's cg_get_root_path().

    It is "" on a host, and a cgroup of the container engine in a container without a cgroup namespace.
    """
    scope = "/init.scope"
    return (init_path[: -len(scope)] if init_path.endswith(scope) else init_path).rstrip("/")


def _unit_in(path: str) -> t.Optional[str]:
    """What follows the slices in a path, as systemd's cg_path_get_unit() reads it.

    A unit may have cgroups of its own below, such as those of a user's manager or a container.
    """
    for part in path.split("/"):
        if part in ("", "..") or part.endswith(".slice"):
            continue
        name = part[1:] if part.startswith("_") else part
        return name if _UNIT.match(name) else None
    return None


def _member(root: str, pid: int, below: str) -> t.Optional[Member]:
    soft, hard = proc_pid.nofile(pid, root)
    stat = proc_pid.stat_of(pid, root)
    used: t.Optional[int] = None
    try:
        used = len(os.listdir(f"{root}/{pid}/fd"))
    except PermissionError:
        pass
    except OSError:
        return None
    if soft is None or stat is None:
        return None
    started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + stat.ticks / os.sysconf("SC_CLK_TCK")
    limits = Limits(soft, INFINITY if hard is None else hard)
    return Member(pid, proc_pid.name_of(pid, root), limits, used, started, stat.ticks, below)
