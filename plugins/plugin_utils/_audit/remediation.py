# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The record of a remediation, as the report shows it: what became of every batch, and of which hosts."""

from __future__ import annotations

import collections.abc
import json
import typing as t
from collections import Counter
from pathlib import Path

from .._remediate import survey
from .clean import clean
from .errors import AuditError

Data = t.Dict[str, t.Any]

_TEXT, _NUMBER, _LIST, _OBJECT = (str,), (int,), (list,), (dict,)
_OPTIONAL = (str, type(None))
_JSON: t.Mapping[type, str] = {str: "a text", int: "a number", list: "a list", dict: "an object"}

# What the report takes of the record, with the types of JSON that are right.
_RUN: t.Mapping[str, t.Tuple[type, ...]] = {
    **dict.fromkeys(("run", "started", "verdict", "why"), _TEXT),
    "finished": _OPTIONAL,
    **dict.fromkeys(("fleet", "budget"), _NUMBER),
}
_LISTS = dict.fromkeys(("batches", "hosts"), _LIST)
_BATCH = {
    "name": _TEXT,
    **dict.fromkeys(("hosts", "controls"), _LIST),
    **dict.fromkeys(("verdict", "why"), _TEXT),
    "numbers": _OBJECT,
    "done": _TEXT,
}
_HOST = {**dict.fromkeys(("name", "state", "why"), _TEXT), "batch": _OPTIONAL}


def read(path: Path) -> Data:
    """The ``remediation`` of a report.  Raises AuditError, which names the file and what is wrong with it."""
    try:
        return _report(json.loads(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise AuditError(f"the record of the remediation cannot be read: {exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise AuditError(f"{path} is not the record of a remediation: {exc}") from exc


def _report(record: t.Any) -> Data:
    run = _taken(record, {**_RUN, **_LISTS}, "it")
    hosts = [_taken(host, _HOST, f"hosts[{number}]") for number, host in enumerate(run.pop("hosts"))]
    batches = [_batch(batch, f"batches[{number}]") for number, batch in enumerate(run.pop("batches"))]
    states = Counter(host["state"] for host in hosts)
    return {
        **run,
        "states": dict(sorted(states.items())),
        "batches": batches,
        # One that was as wanted before the run had nothing to do with it.
        "hosts": [host for host in hosts if host["state"] != survey.CONVERGED or host["why"]],
    }


def _batch(raw: t.Any, where: str) -> Data:
    batch = _taken(raw, _BATCH, where)
    return {**batch, **{name: list(map(str, batch[name])) for name in ("hosts", "controls")}}


def _taken(raw: t.Any, fields: t.Mapping[str, t.Tuple[type, ...]], where: str) -> Data:
    if not isinstance(raw, collections.abc.Mapping):
        raise ValueError(f"{where} is not an object")
    for name, types in fields.items():
        if name not in raw:
            raise ValueError(f"{where} has no {name!r}")
        if not isinstance(raw[name], types) or isinstance(raw[name], bool):
            raise ValueError(f"{name!r} of {where} is {type(raw[name]).__name__}, not {_JSON[types[0]]}")
    return {name: clean(raw[name]) for name in fields}
