# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What nettune.tcp.listen_backlog returns, from rows and files before and after.  Pure."""

from __future__ import annotations

import typing as t

from .host import Files
from .plan import EFFECTIVE, NOT_LISTENING, RESTART_REQUIRED, Row

_WHOLE = 65536  # bytes: of larger files only the part that differs is shown
_AROUND = 3  # lines


def result(rows: t.Sequence[Row], before: t.Mapping[str, bytes], after: Files) -> t.Dict[str, t.Any]:
    """The module's result, from files as they were, the main one first, and those that replace them."""
    return {
        "changed": bool(after) or any(row.backlog != row.backlog_before for row in rows),
        "listeners": [dict(vars(row)) for row in rows],
        "restart_required": any(row.status == RESTART_REQUIRED for row in rows),
        "files": sorted(after),
        "diff": diff(rows, before, after),
        "warnings": list(warnings(rows)) or list(_nowhere(rows, before)),
    }


def warnings(rows: t.Iterable[Row]) -> t.Iterator[str]:
    """What a person should know though the module has not failed."""
    for row in rows:
        if row.status not in (EFFECTIVE, NOT_LISTENING):
            yield f"{_name(row)} is {row.status}: {row.reason}"
        if row.configured is None and row.backlog != row.backlog_before:
            yield f"{_name(row)}: the next start of this server brings its own backlog back"


def _nowhere(rows: t.Sequence[Row], files: t.Iterable[str]) -> t.Iterator[str]:
    if not rows:
        yield f"{next(iter(files), 'the configuration')} configures no listener, so nothing was looked at"


def diff(rows: t.Sequence[Row], before: t.Mapping[str, bytes], after: Files) -> t.List[t.Dict[str, str]]:
    """The edited files and the queues that changed, each in the form ``--diff`` prints."""
    differences = [_file(path, before.get(path, b""), content or b"") for path, content in sorted(after.items())]
    moved = [row for row in rows if row.backlog != row.backlog_before]
    if moved:
        differences.append(
            _difference(
                "kernel",
                "".join(f"{_name(row)}: backlog {row.backlog_before}\n" for row in moved),
                "".join(f"{_name(row)}: backlog {row.backlog}\n" for row in moved),
            )
        )
    return differences


def _difference(header: str, before: str, after: str) -> t.Dict[str, str]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _file(path: str, before: bytes, after: bytes) -> t.Dict[str, str]:
    old, new = (text.decode("utf-8", "replace").splitlines(keepends=True) for text in (before, after))
    if len(before) > _WHOLE:
        start = max(_common(old, new) - _AROUND, 0)
        rest = max(_common(old[start:][::-1], new[start:][::-1]) - _AROUND, 0)
        old, new = old[start : len(old) - rest], new[start : len(new) - rest]
    return _difference(path, "".join(old), "".join(new))


def _common(one: t.Sequence[str], other: t.Sequence[str]) -> int:
    """How many items both begin with alike."""
    pairs = zip(one, other)
    return next((number for number, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _name(row: Row) -> str:
    if row.family == "unix":
        return row.address
    return f"[{row.address}]:{row.port}" if row.family == "inet6" else f"{row.address}:{row.port}"
