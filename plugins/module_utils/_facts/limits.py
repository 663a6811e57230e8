# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""How much of the host's own limits is used: open files, of the host and of its processes, and tracked connections."""

from __future__ import annotations

import typing as t

from .._kernel import proc_sys
from .._kernel.processes import Process, nearest_to_nofile

_CONNTRACK = "net.netfilter.nf_conntrack"
NEAR = 0.5  # of its limit; a process further below it is not worth a row

Facts = t.Dict[str, t.Any]


def files() -> Facts:
    """Open files of the host, and the processes near their limit."""
    allocated, _unused, maximum = (int(word) for word in (proc_sys.read("fs.file-nr") or "0 0 0").split())
    return {"allocated": allocated, "max": maximum, "nr_open": _number("fs.nr_open")}


def process_files(top: int) -> t.List[Facts]:
    """The processes that use more than half of their open file limit, the fullest first."""
    return [
        {**process_fact(process), "utilization": round(process.nofile_utilization, 4)}
        for process in nearest_to_nofile(NEAR)[:top]
    ]


def process_fact(process: Process) -> Facts:
    """A process as facts name it."""
    nofile = {"soft": process.nofile_soft, "hard": process.nofile_hard, "used": process.nofile_used}
    return {"pid": process.pid, "name": process.name, "unit": process.unit, "nofile": nofile}


def conntrack() -> t.Optional[Facts]:
    """Entries of the connection tracking table; None if the module is not loaded."""
    count = _number(f"{_CONNTRACK}_count")
    if count is None:
        return None
    return {"count": count, "max": _number(f"{_CONNTRACK}_max"), "buckets": _number(f"{_CONNTRACK}_buckets")}


def _number(key: str) -> t.Optional[int]:
    text = proc_sys.read(key)
    return None if text is None else int(text)
