# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A host's part in the run, from what its check-mode tuning returned. Pure."""

from __future__ import annotations

import collections.abc
import re
import typing as t
from dataclasses import dataclass

# What a host is: unusable, left alone for a reason, about to be tuned, or its outcome.
UNREACHABLE, FAILED, ROLLED_BACK, UNCONFIRMED = "unreachable", "failed", "rolled_back", "unconfirmed"
CONVERGED, CONTESTED, COOLING, LEFT = "converged", "contested", "cooling", "left"
DRIFTED, TUNED = "drifted", "tuned"

BAD = (UNREACHABLE, FAILED, ROLLED_BACK, UNCONFIRMED)
UNTOUCHED = (CONVERGED, CONTESTED, COOLING, LEFT, DRIFTED)

Result = t.Mapping[str, t.Any]
Row = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Host:
    """One host, its state, the reason for that, and what would be changed on it, in words."""

    name: str
    state: str
    why: str = ""
    changes: t.Tuple[str, ...] = ()
    batch: t.Optional[str] = None
    run: t.Optional[str] = None


def classify(name: str, result: t.Any, cooldown: int) -> Host:
    """From the host's registered result; ``cooldown`` in seconds."""
    bad = trouble(result)
    if bad:
        return Host(name, *bad)
    rows: t.Sequence[Row] = result.get("settings", ())
    drifted = tuple(_change(row) for row in rows if row.get("status") == "changed")
    contested = [f"{row['name']}: {_reason(row)}" for row in rows if row.get("status") == "overridden"]
    short = [f"{row['name']} is {row['status']}: {_reason(row)}" for row in rows if row.get("status") in _NOT_OURS]
    if contested:
        return Host(name, CONTESTED, "; ".join(contested), drifted)
    if not drifted:
        return Host(name, CONVERGED, "; ".join(short))
    latest = result.get("latest_run") or {}
    ago = latest.get("seconds_ago")
    if ago is not None and ago < cooldown:
        return Host(name, COOLING, f"run {latest.get('id')} was {ago} of {cooldown} seconds ago", drifted)
    return Host(name, DRIFTED, "; ".join(short), drifted)


# What is not as wanted, and would not be after a run either.
_NOT_OURS = ("read_only", "clamped", "stale", "limited", "restart_required")


def trouble(result: t.Any) -> t.Optional[t.Tuple[str, str]]:
    """The state and the reason of a host whose task failed, None otherwise."""
    if not isinstance(result, collections.abc.Mapping) or result.get("skipped"):
        return FAILED, "it took no part: it had failed before, or was never contacted"
    if result.get("unreachable"):
        return UNREACHABLE, said(result)
    if result.get("failed"):
        return FAILED, said(result)
    return None


def said(result: Result) -> str:
    """What a task says about its failure, on one line to be quoted in another, without the prefix that Ansible adds."""
    texts = (result.get(field) for field in ("msg", "module_stderr", "stderr"))
    text = " ".join(next((str(text) for text in texts if text), "no reason was given").split())
    return _PREFIX.sub("", text).rstrip(".")


def said_by_command(result: Result) -> str:
    """The same for a program, whose own last line says more than its exit status; at most so many characters of it."""
    printed = (str(result.get(field) or "").strip() for field in ("stderr", "stdout"))
    last = next((" ".join(text.rpartition("\n")[2].split()).rstrip(".") for text in printed if text), "")
    if "rc" not in result or not last:
        return said(result)
    return f"{said(result)} {result['rc']}: {last[:_LONGEST]}{'...' if len(last) > _LONGEST else ''}"


_LONGEST = 200
_PREFIX = re.compile(r"\A(?:(?:Task|Action|Module) failed: )+")


def _reason(row: Row) -> str:
    return str(row.get("reason") or row.get("source") or "no reason was given")


def _change(row: Row) -> str:
    parts = [
        f"{view} {_text(row.get(f'{view}_before'))} -> {_text(row.get(view))}"
        for view in ("runtime", "boot")
        if row.get(f"{view}_before") != row.get(view)
    ]
    return f"{row.get('kind')} {row.get('name')}: {', '.join(parts) or 'as wanted, to be written down'}"


def _text(value: t.Any) -> str:
    if value is None:
        return "unset"
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
