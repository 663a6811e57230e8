# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What nettune.tcp.listen_backlog returns, from rows and files before and after.  Pure."""

from __future__ import annotations

import typing as t

from .. import _plan
from . import queues
from .host import Files
from .plan import CLAMPED, EFFECTIVE, NOT_LISTENING, RESTART_REQUIRED, Row

OK, CHANGED = "ok", "changed"

_WHOLE = 65536  # bytes: of larger files only the part that differs is shown
_AROUND = 3  # lines


def result(
    rows: t.Sequence[Row], before: t.Mapping[str, bytes], after: Files, *, told: bool = False
) -> t.Dict[str, t.Any]:
    """The module's result, from files as they were, the main one first, and those that replace them.

    ``told`` says that systemd was told to reload its files, although none was edited.
    """
    return {
        "changed": bool(after) or told or any(row.backlog != row.backlog_before for row in rows),
        "listeners": [dict(vars(row)) for row in rows],
        "restart_required": any(row.status == RESTART_REQUIRED for row in rows),
        "files": sorted(after),
        "diff": diff(rows, before, after),
        "warnings": list(warnings(rows)) or list(_nowhere(rows, before)),
    }


def warnings(rows: t.Iterable[Row]) -> t.Iterator[str]:
    """What a person should know although the module has not failed."""
    for row in rows:
        if row.status not in (EFFECTIVE, NOT_LISTENING):
            yield f"{name_of(row)} is {row.status}: {row.reason}"
        if row.configured is None and row.backlog != row.backlog_before:
            yield f"{name_of(row)}: this server sets its own backlog again at its next start"


def _nowhere(rows: t.Sequence[Row], files: t.Iterable[str]) -> t.Iterator[str]:
    if not rows:
        yield f"{next(iter(files), 'the configuration')} configures no listener, so nothing was checked"


def diff(rows: t.Sequence[Row], before: t.Mapping[str, bytes], after: Files) -> t.List[t.Dict[str, str]]:
    """The edited files and the queues that changed, each in the form ``--diff`` prints."""
    differences = [_file(path, before.get(path, b""), content or b"") for path, content in sorted(after.items())]
    moved = [row for row in rows if row.backlog != row.backlog_before]
    if moved:
        differences.append(
            _difference(
                "kernel",
                "".join(f"{name_of(row)}: backlog {row.backlog_before}\n" for row in moved),
                "".join(f"{name_of(row)}: backlog {row.backlog}\n" for row in moved),
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
    """The length of the common prefix."""
    pairs = zip(one, other)
    return next((number for number, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def name_of(row: Row) -> str:
    """The endpoint for people."""
    return queues.name_of((row.family, row.address, row.port))


def row(one: Row, want: t.Optional[str]) -> _plan.Row:
    """The same in the form that all kinds of settings share."""
    moved = (one.backlog_before, one.configured_before) != (one.backlog, one.configured)
    words = {EFFECTIVE: CHANGED if moved else OK, CLAMPED: "clamped"}
    return _plan.Row(
        want=want,
        runtime_before=one.backlog_before,
        runtime=one.backlog,
        boot_before=one.configured_before,
        boot=one.configured,
        source=one.source,
        status=words.get(one.status, one.status),
        reason=one.reason,
    )
