# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""SARIF 2.1.0, which code forges show as findings: what fails, what is waived, and which hosts were not judged."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import quote

from .text import Host, Report, Result, outcome_text, result_text, rules_by_id

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
# How forges rank findings, from 0 to 10.
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.5"}
_BASELINE = {"new": "new", "persisting": "unchanged", "fixed": "absent"}

_PROPERTIES = ("policy", "profile", "inventory", "check_mode", "from_cache")

Data = t.Dict[str, t.Any]


def render(report: Report) -> str:
    """A host is the location of a finding; those that were not judged are errors of the run."""
    unjudged = [host for host in report["hosts"] if host["outcome"] != "judged"]
    run = {
        "tool": {"driver": _driver(report)},
        "invocations": [
            {
                "executionSuccessful": not unjudged,
                "endTimeUtc": report["generated"],
                "toolExecutionNotifications": [_notification(host) for host in unjudged],
            }
        ],
        "automationDetails": {"id": f"tcp-audit/{report['inventory']}/"},
        "properties": {**{name: report[name] for name in _PROPERTIES}, **_remediation(report)},
        "results": list(_results(report)),
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _remediation(report: Report) -> Data:
    run = report.get("remediation")
    return {"remediation": {name: run[name] for name in ("run", "verdict", "why", "states")}} if run else {}


def _driver(report: Report) -> Data:
    collection = report["collection"]
    return {"name": collection["name"], "version": collection["version"], "rules": [_rule(r) for r in report["rules"]]}


def _rule(rule: t.Mapping[str, str]) -> Data:
    advice = " ".join(filter(None, (rule["remedy"], rule["not_remedy"] and f"Does not help: {rule['not_remedy']}")))
    return {
        "id": rule["id"],
        "shortDescription": {"text": rule["title"]},
        "fullDescription": {"text": rule["description"] or rule["title"]},
        "help": {"text": advice},
        "defaultConfiguration": {"level": _LEVELS[rule["severity"]]},
        "properties": {"severity": rule["severity"], "security-severity": _SCORES[rule["severity"]]},
    }


def _notification(host: Host) -> Data:
    return {"level": "error", "message": {"text": f"{host['name']}: {outcome_text(host)}"}, "locations": [_place(host)]}


def _results(report: Report) -> t.Iterator[Data]:
    indexes = {rule["id"]: index for index, rule in enumerate(report["rules"])}
    rules = rules_by_id(report)
    for host in report["hosts"]:
        for result in host["results"]:
            if result["status"] in ("fail", "waived") or result["history"] == "fixed":
                yield _result(host, result, rules[result["id"]], indexes[result["id"]])


def _result(host: Host, result: Result, rule: t.Mapping[str, str], index: int) -> Data:
    said = result_text(result) if result["status"] != "pass" else "mended since the report before"
    found: Data = {
        "ruleId": rule["id"],
        "ruleIndex": index,
        "level": _LEVELS[rule["severity"]],
        "message": {"text": f"{host['name']}: not so: {rule['title']}. {said}"},
        "locations": [_place(host)],
        "partialFingerprints": {"hostAndRule/v1": f"{host['name']}/{rule['id']}"},
    }
    if result["history"]:
        found["baselineState"] = _BASELINE[result["history"]]
    if result["status"] == "waived":
        waiver = result["waiver"]
        reason = f"{waiver['reason']} ({waiver['owner']}, until {waiver['expires']})"
        found["suppressions"] = [{"kind": "external", "justification": reason}]
    return found


def _place(host: Host) -> Data:
    # A forge wants a file and a line, and hosts are neither.
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": f"hosts/{quote(host['name'], safe='')}"},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{"name": host["name"], "kind": "resource"}],
    }
