# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The rows of a rollback, in the form that all kinds of settings share. Pure."""

from __future__ import annotations

import typing as t

from .._boot.sysctl_d import BootValue
from .._plan import Plain
from .._record import entries
from .item import CHANGED, OURS, Item, short

Row = t.Dict[str, t.Any]
Boot = t.Mapping[str, BootValue]

# A file counts at the next start; the running kernel and processes do not know it.
_ON_DISK = (entries.FILE, entries.DIRECTORY)


def rows(items: t.Sequence[Item], now: t.Sequence[Plain], before: Boot, after: Boot) -> t.List[Row]:
    """One row per object; processes of a unit with the same outcome share one."""
    rows: t.List[Row] = []
    for item, value in zip(items, now):
        row = _row(item, value, before.get(item.name, BootValue()), after.get(item.name, BootValue()))
        if row not in rows:
            rows.append(row)
    return rows


def conflicts(items: t.Iterable[Item]) -> t.List[Row]:
    """The rows of what somebody else has changed; processes of a unit that are alike share one."""
    nowhere = (BootValue(), BootValue())
    rows: t.List[Row] = []
    for item in items:
        outcome = "it would be removed" if item.goal is None else f"{short(item.goal)} would be restored"
        row = _data(item, item.present, nowhere, "refused", f"{item.conflict}; {outcome}")
        if row not in rows:
            rows.append(row)
    return rows


def _row(item: Item, now: Plain, before: BootValue, after: BootValue) -> Row:
    status, reason = item.status, item.reason
    if item.state in (OURS, CHANGED):
        status = "changed" if now == item.goal else "limited"
        reason = reason if now == item.goal else "it could not be restored"
    return _data(item, now, (before, after), status, reason)


def _data(item: Item, now: Plain, boot: t.Tuple[BootValue, BootValue], status: str, reason: str) -> Row:
    before, after = boot
    on_disk = item.kind in _ON_DISK
    return {
        "kind": item.kind,
        "name": item.name,
        "want": None if item.goal is None else f"exactly {_words(item.goal)}",
        "runtime_before": None if on_disk else item.present,
        "runtime": None if on_disk else now,
        "boot_before": item.present if on_disk else before.value,
        "boot": now if on_disk else after.value,
        "source": item.name if on_disk else after.source,
        "status": status,
        "reason": reason,
    }


def _words(value: Plain) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def diff(rows: t.Iterable[Row]) -> t.Dict[str, str]:
    """What differs, in the form that ``--diff`` prints."""
    lines: t.Tuple[t.List[str], t.List[str]] = ([], [])
    for row in rows:
        for view in ("runtime", "boot"):
            if row[f"{view}_before"] != row[view]:
                for side, key in zip(lines, (f"{view}_before", view)):
                    side.append(f"{row['kind']} {row['name']}: {view} {row[key]}\n")
    return {
        "before_header": "rollback",
        "after_header": "rollback",
        "before": "".join(lines[0]),
        "after": "".join(lines[1]),
    }
