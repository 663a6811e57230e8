# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""From settings before and after to what a module returns: rows, changed, diff."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

Plain = t.Union[None, int, str, t.List[int]]


@dataclass(frozen=True)
class View:
    """A setting as it is: in the running kernel or process, and as the next boot or service start gives it."""

    runtime: Plain
    boot: Plain


@dataclass(frozen=True)
class Row:
    """The result for one setting; ``status`` is the verdict and ``reason`` its explanation, empty if simply ok."""

    want: t.Optional[str]
    runtime_before: Plain
    runtime: Plain
    boot_before: Plain
    boot: Plain
    source: t.Optional[str]
    status: str
    reason: str


def rows_as_data(rows: t.Mapping[str, Row]) -> t.Dict[str, t.Dict[str, t.Any]]:
    """Rows as plain dictionaries, by name."""
    return {name: asdict(row) for name, row in sorted(rows.items())}


def diff(rows: t.Mapping[str, Row], header: str) -> t.Dict[str, str]:
    """Before and after of the settings that differ, runtime and boot apart, in the form that ``--diff`` prints."""
    before: t.List[str] = []
    after: t.List[str] = []
    for name, row in sorted(rows.items()):
        old, new = View(row.runtime_before, row.boot_before), View(row.runtime, row.boot)
        if old != new:
            before.append(_line(name, old))
            after.append(_line(name, new))
    return {
        "before_header": header,
        "after_header": header,
        "before": "".join(before),
        "after": "".join(after),
    }


def _line(name: str, view: View) -> str:
    return f"{name}: runtime {_text(view.runtime)}, boot {_text(view.boot)}\n"


def _text(value: Plain) -> str:
    if value is None:
        return "unset"
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return str(value)
