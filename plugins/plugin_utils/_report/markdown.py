# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Markdown for tickets and wikis: the verdict, the findings, and what fails on which host."""

from __future__ import annotations

import re
import typing as t

from .text import (
    OPEN,
    Host,
    Report,
    batch_text,
    headline,
    not_tuned,
    outcome_text,
    provenance,
    remediation_text,
    result_text,
    rules_by_id,
    stale_text,
)

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_SPECIAL = re.compile(r"[\\`*_{}\[\]()#!|~$]")


def render(report: Report) -> str:
    """What comes from hosts and policies makes no markup, link or mention."""
    findings = report["summary"]["findings"]
    lines = [
        "# TCP audit",
        "",
        f"**{_escape(headline(report))}**",
        "",
        *(f"* {name}: {_escape(value)}" for name, value in provenance(report)),
        *_remediation(report.get("remediation")),
        *_table("Findings", ("severity", "rule", "hosts"), [(f["severity"], f["title"], f["hosts"]) for f in findings]),
        *_table("Hosts not judged", ("host", "why"), [(h["name"], outcome_text(h)) for h in _unjudged(report)]),
        *_table("Hosts seen in part", ("host", "what is missing"), list(_incomplete(report))),
    ]
    for host in report["hosts"]:
        lines += _host(host, report)
    lines += _list("Hosts without findings", [host["name"] for host in report["hosts"] if _is_quiet(host)])
    return "\n".join(lines) + "\n"


def _remediation(run: t.Optional[t.Mapping[str, t.Any]]) -> t.List[str]:
    if not run:
        return []
    hosts = [(host["name"], host["state"].replace("_", " "), host["why"]) for host in not_tuned(run)]
    return [
        *("", "## Remediation", "", f"**{_escape(remediation_text(run))}**"),
        *_table("Batches", ("batch", "hosts", "what came of it"), [_batch(batch) for batch in run["batches"]]),
        *_table("Hosts not tuned", ("host", "state", "why"), hosts),
    ]


def _batch(batch: t.Mapping[str, t.Any]) -> t.Tuple[str, str, str]:
    return batch["name"], ", ".join(batch["hosts"]), batch_text(batch)


def _unjudged(report: Report) -> t.List[Host]:
    return [host for host in report["hosts"] if host["outcome"] != "judged"]


def _incomplete(report: Report) -> t.Iterator[t.Tuple[str, str]]:
    for host in report["hosts"]:
        for reason in host["limited"] or ():
            yield host["name"], reason
        if host["stale"]:
            yield host["name"], stale_text(host)


def _is_quiet(host: Host) -> bool:
    return host["outcome"] == "judged" and not _told(host)


def _told(host: Host) -> t.List[t.Mapping[str, t.Any]]:
    order = (*OPEN, "waived")
    told = [result for result in host["results"] if result["status"] in order]
    return sorted(told, key=lambda result: order.index(result["status"]))


def _host(host: Host, report: Report) -> t.List[str]:
    rules = rules_by_id(report)
    rows = [
        (
            result["status"],
            rules[result["id"]]["severity"],
            rules[result["id"]]["title"],
            result_text(result),
            rules[result["id"]]["remedy"] if result["status"] == "fail" else "",
        )
        for result in _told(host)
    ]
    return _table(host["name"], ("status", "severity", "rule", "what was found", "remedy"), rows)


def _table(title: str, head: t.Sequence[str], rows: t.Sequence[t.Sequence[t.Any]]) -> t.List[str]:
    if not rows:
        return []
    lines = [head, ["---"] * len(head), *([_escape(str(cell)) for cell in row] for row in rows)]
    return ["", f"## {_escape(title)}", "", *("| " + " | ".join(line) + " |" for line in lines)]


def _list(title: str, names: t.Sequence[str]) -> t.List[str]:
    return ["", f"## {title}", "", ", ".join(map(_escape, names))] if names else []


def _escape(text: str) -> str:
    entities = "".join(_ENTITIES.get(character, character) for character in text)
    # A # of an entity stays as it is.
    return re.sub(r"&\\#64;", "&#64;", _SPECIAL.sub(lambda match: f"\\{match[0]}", entities))
