# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What the guards need to know about the host, looked up only for keys that are about to change."""

from __future__ import annotations

import os
import re
import typing as t

from .. import _want
from .._boot import systemd
from .._errors import NettuneError
from .._kernel import listeners, proc_pid, proc_sys
from . import guards
from .catalog import value_of

_RELEASE = re.compile(r"([0-9]+)\.([0-9]+)")
_SHOW_LIMITS = ("show", "--property=Id,LimitNOFILE", "*.service")


def gather(changing: t.Container[str]) -> guards.Context:
    """The context for changes of these keys."""
    return guards.Context(
        kernel=release(os.uname().release),
        running=dict(_running(changing)),
        listening=_listening() if guards.RANGE in changing or guards.RESERVED in changing else frozenset(),
        most_files=_most_files() if guards.NR_OPEN in changing else None,
        open_files=_open_files() if guards.FILE_MAX in changing else 0,
    )


def release(text: str) -> t.Tuple[int, int]:
    """``6.1.0-35-amd64`` as (6, 1)."""
    match = _RELEASE.match(text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _running(changing: t.Container[str]) -> t.Iterator[t.Tuple[str, _want.Value]]:
    for group in guards.RELATED:
        if any(key in changing for key in group):
            for key in group:
                text = proc_sys.read(key)
                if text is not None:
                    yield key, value_of(key, text)


def _listening() -> t.FrozenSet[int]:
    return frozenset(listener.port for listener in listeners.any_way())


def _open_files() -> int:
    return int((proc_sys.read("fs.file-nr") or "0").split()[0])


def _most_files() -> t.Optional[guards.Holder]:
    holders = list(_of_processes()) + list(parse_units(_unit_limits()))
    return max(holders, key=lambda holder: holder.limit, default=None)


def _of_processes(root: str = "/proc") -> t.Iterator[guards.Holder]:
    for pid in proc_pid.pids(root):
        _soft, hard = proc_pid.nofile(pid, root)
        if hard is not None:
            yield guards.Holder(hard, f"process {pid} ({proc_pid.name_of(pid, root)})")


def parse_units(shown: str) -> t.Iterator[guards.Holder]:
    """The hard limits in what ``systemctl show`` prints: blocks of ``Id=`` and ``LimitNOFILE=``."""
    for block in shown.split("\n\n"):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        limit = properties.get("LimitNOFILE", "")
        # "infinity" is whatever fs.nr_open allows.
        if limit.isdigit():
            yield guards.Holder(int(limit), properties.get("Id", "a unit"))


def _unit_limits() -> str:
    try:
        return systemd.systemctl(_SHOW_LIMITS)
    except NettuneError:  # no systemd here: the processes suffice
        return ""
