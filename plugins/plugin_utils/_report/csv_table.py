# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Comma-separated values: a line for each host and rule, each setting that drifted, each host not judged or tuned."""

from __future__ import annotations

import csv
import io
import itertools
import typing as t

from .text import Host, Report, evidence_text, not_tuned, outcome_text, result_text, rules_by_id, stale_text

_COLUMNS = ("host", "kind", "id", "status", "severity", "title", "said", "history", "since", "remedy", "generated")
# A spreadsheet runs what begins like a formula, also behind blanks; it takes fullwidth signs for the others.
_FORMULA = tuple("=+-@|%\uff1d\uff0b\uff0d\uff20")


def render(report: Report) -> str:
    """Every cell is quoted; one that a spreadsheet would run has an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    rules = rules_by_id(report)
    rows = ({"host": host["name"], **row} for host in report["hosts"] for row in _rows(host, rules))
    for row in itertools.chain(rows, _remediation(report.get("remediation"))):
        cells = {"generated": report["generated"], **row}
        writer.writerow([_cell(str(cells.get(column) or "")) for column in _COLUMNS])
    return out.getvalue()


def _remediation(run: t.Optional[t.Mapping[str, t.Any]]) -> t.List[t.Dict[str, t.Any]]:
    hosts = not_tuned(run) if run else []
    return [
        {"host": host["name"], "kind": "remediation", "id": host["batch"], "status": host["state"], "said": host["why"]}
        for host in hosts
    ]


def _rows(host: Host, rules: t.Mapping[str, t.Mapping[str, str]]) -> t.Iterator[t.Dict[str, t.Any]]:
    if host["outcome"] != "judged":
        yield {"kind": "host", "status": host["outcome"], "said": outcome_text(host)}
    for reason in host["limited"] or ():
        yield {"kind": "host", "status": "incomplete", "said": reason}
    if host["stale"]:
        yield {"kind": "host", "status": "stale", "said": stale_text(host)}
    for result in host["results"]:
        rule = rules[result["id"]]
        yield {**rule, **result, "kind": "rule", "said": result_text(result)}
    for row in host["drift"]:
        said = {
            name: row[name]
            for name in ("want", "runtime", "boot", "source", "owner", "reason")
            if row[name] not in (None, "")
        }
        yield {**row, "kind": row["kind"], "id": row["name"], "said": evidence_text(said)}


def _cell(text: str) -> str:
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
