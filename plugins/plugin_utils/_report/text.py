# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What several formats say in the same words."""

from __future__ import annotations

import typing as t

Report = t.Mapping[str, t.Any]
Host = t.Mapping[str, t.Any]
Result = t.Mapping[str, t.Any]

# Where the policies are that come with the collection: their names say all.
SHIPPED = "roles/tcp_audit/policies/"
OUTCOMES = {
    "unreachable": "unreachable",
    "failed": "facts could not be gathered",
    "no_python": "no Python",
    "missing": "not in this run",
}
# How counts of hosts are said.
_KINDS = {
    **{kind: kind for kind in ("failing", "passing", "undecided", "unreachable")},
    "failed": "whose facts could not be gathered",
    "no_python": "without Python",
    "missing": "not in this run",
    "incomplete": "with incomplete facts",
    "stale": "with stale facts",
}
# Statuses that somebody should look at, the worst first.
OPEN = ("fail", "error", "unknown")


def evidence_text(evidence: t.Any) -> str:
    """Evidence on one line for people: ``address 127.0.0.1, port 80; address ...``."""
    if evidence is None or evidence == []:
        return "none"
    if isinstance(evidence, bool):
        return str(evidence).lower()
    if isinstance(evidence, dict):
        return ", ".join(f"{name} {evidence_text(value)}" for name, value in evidence.items())
    if isinstance(evidence, list):
        return "; ".join(evidence_text(item) for item in evidence)
    return str(evidence)


def result_text(result: Result) -> str:
    """What a result has to say: its evidence, or why there is none, and who waives it until when."""
    said = [text for text in (result["message"], evidence_text(result["evidence"])) if text and text != "none"]
    waiver = result["waiver"]
    if waiver and result["status"] == "waived":
        said.append(f"waived by {waiver['owner']} until {waiver['expires']}: {waiver['reason']}")
    return "; ".join(said)


def outcome_text(host: Host) -> str:
    """Why a host was not judged."""
    word = OUTCOMES[host["outcome"]]
    return f"{word}: {host['message']}" if host["message"] else word


def stale_text(host: Host) -> str:
    """How old facts are that are too old."""
    return f"its facts are from {host['collected']}" if host["collected"] else "its facts are of unknown age"


def rules_by_id(report: Report) -> t.Mapping[str, t.Mapping[str, str]]:
    """The report's rules, by id."""
    return {rule["id"]: rule for rule in report["rules"]}


def plural(count: int, noun: str) -> str:
    """``1 host``, ``2 hosts``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def headline(report: Report) -> str:
    """The verdict and how many hosts there are of each kind, in one sentence."""
    hosts = report["summary"]["hosts"]
    counts = ", ".join(f"{hosts[kind]} {words}" for kind, words in _KINDS.items() if hosts[kind])
    return f"{report['summary']['verdict'].upper()}: {plural(hosts['total'], 'host')}" + (
        f", {counts}" if counts else ""
    )


def remediation_text(run: t.Mapping[str, t.Any]) -> str:
    """The run of a remediation and its verdict, in one sentence."""
    counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in run["states"].items())
    said = f"{run['verdict'].upper()}: run {run['run']}, {plural(run['fleet'], 'host')}"
    return said + (f", {counts}" if counts else "") + (f". {run['why']}" if run["why"] else "")


def batch_text(batch: t.Mapping[str, t.Any]) -> str:
    """The verdict on a batch and what was done then."""
    return ". ".join(filter(None, (batch["verdict"] or "not started", batch["why"], batch["done"])))


def not_tuned(run: t.Mapping[str, t.Any]) -> t.List[t.Mapping[str, t.Any]]:
    """The hosts of a remediation that it has not tuned, though it had to do with them."""
    return [host for host in run["hosts"] if host["state"] != "tuned"]


def provenance(report: Report) -> t.List[t.Tuple[str, str]]:
    """What every report says of itself."""
    policy, collection = report["policy"], report["collection"]
    own = [source for source in policy["source"].split(", ") if not source.startswith(SHIPPED)]
    said = [
        ("generated", report["generated"]),
        ("inventory", report["inventory"]),
        ("policy", policy["name"] + (f" ({', '.join(own)})" if own else "")),
        ("profile", report["profile"] or "none"),
        ("made by", f"{collection['name']} {collection['version']}"),
    ]
    if report["previous"]:
        said.append(("compared with", report["previous"]))
    if report["from_cache"]:
        said.append(("facts", "from the cache, no host was asked"))
    if report["check_mode"]:
        said.append(("mode", "check mode"))
    return said
