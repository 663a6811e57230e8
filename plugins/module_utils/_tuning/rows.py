# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Rows of one form, and one vocabulary, for all kinds of settings. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import asdict

from .. import _plan

SYSCTL, FILE_LIMIT, BACKLOG = "sysctl", "file_limit", "backlog"
STATUSES = (
    "ok",
    "changed",
    "skipped",
    "refused",
    "overridden",
    "read_only",
    "clamped",
    "stale",
    "limited",
    "restart_required",
    "not_listening",
)

Data = t.Dict[str, t.Any]


def as_data(kind: str, name: str, row: _plan.Row) -> Data:
    """A row as the module returns it."""
    return {"kind": kind, "name": name, **asdict(row)}


def summary(rows: t.Iterable[Data]) -> t.Dict[str, int]:
    """How many rows have each status; all statuses are present."""
    counted = Counter(row["status"] for row in rows)
    return {status: counted[status] for status in STATUSES}


def diffs(results: t.Iterable[Data]) -> t.List[t.Dict[str, str]]:
    """What differs, of all kinds, in the form that ``--diff`` prints."""
    diffs: t.List[t.Dict[str, str]] = []
    for result in results:
        one = result["diff"]
        diffs += one if isinstance(one, list) else [one]
    return [one for one in diffs if one["before"] != one["after"]]
