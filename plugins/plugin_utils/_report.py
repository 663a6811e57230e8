# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One document about a fleet: the same results as a page, a table, a CI report or data."""

from __future__ import annotations

import csv
import io
import json
import typing as t
from collections import Counter
from dataclasses import asdict, dataclass
from xml.etree import ElementTree

from . import _report_html
from ._policy import SEVERITIES, Result

STATUSES = ("fail", "error", "pass", "skip")
_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}
_STATUS_RANK = {status: rank for rank, status in enumerate(STATUSES)}


class ReportError(Exception):
    """What was handed over are not audit results; the message names the host."""


@dataclass(frozen=True)
class Host:
    """One host's results, worst first."""

    name: str
    results: t.Sequence[Result]

    def count(self, status: str) -> int:
        """How many of its rules ended so."""
        return sum(result.status == status for result in self.results)


Fleet = t.Sequence[Host]


def parse_fleet(raw: t.Mapping[str, t.Any]) -> Fleet:
    """Hosts sorted by name, from result lists by host.  Raises ReportError."""
    return [Host(name, _parse_results(name, results)) for name, results in sorted(raw.items())]


def _parse_results(host: str, raw: t.Any) -> t.List[Result]:
    try:
        results = [Result(**result) for result in raw]
    except TypeError as exc:
        raise ReportError(f"{host} has no list of audit results: {exc}") from exc
    unknown = {result.status for result in results} - set(STATUSES)
    if unknown:
        raise ReportError(f"{host} has results with unknown status {', '.join(sorted(unknown))}")
    return sorted(results, key=lambda result: (_STATUS_RANK[result.status], _SEVERITY_RANK.get(result.severity, 99)))


def summary(fleet: Fleet) -> t.Dict[str, int]:
    """How many results there are of each status."""
    counts = Counter(result.status for host in fleet for result in host.results)
    return {status: counts[status] for status in STATUSES}


def evidence_text(evidence: t.Any) -> str:
    """Evidence on one line for people: ``address 127.0.0.1, port 80; address ...``."""
    if evidence is None or evidence == []:
        return "none"
    if isinstance(evidence, dict):
        return ", ".join(f"{name} {evidence_text(value)}" for name, value in evidence.items())
    if isinstance(evidence, list):
        return "; ".join(evidence_text(item) for item in evidence)
    return str(evidence)


def _html(fleet: Fleet, title: str) -> str:
    return _report_html.render(title=title, fleet=fleet, summary=summary(fleet), evidence_text=evidence_text)


def _markdown(fleet: Fleet, title: str) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in summary(fleet).items())
    lines = [f"# {title}", "", f"{len(fleet)} hosts: {counts}."]
    for host in fleet:
        lines += [
            "",
            f"## {host.name}",
            "",
            "| status | severity | rule | evidence | remedy |",
            "|---|---|---|---|---|",
        ]
        for result in host.results:
            remedy = result.remedy if result.status == "fail" else ""
            cells = (result.status, result.severity, result.title, evidence_text(result.evidence), remedy)
            lines.append("| " + " | ".join(_markdown_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _markdown_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _csv(fleet: Fleet, _title: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("host", "id", "status", "severity", "title", "evidence", "remedy"))
    for host in fleet:
        for result in host.results:
            cells = (result.id, result.status, result.severity, result.title)
            row = (host.name, *cells, evidence_text(result.evidence), result.remedy)
            writer.writerow([_csv_cell(cell) for cell in row])
    return out.getvalue()


def _csv_cell(text: str) -> str:
    # A spreadsheet runs what begins like a formula, and evidence comes from the hosts.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _junit(fleet: Fleet, title: str) -> str:
    root = ElementTree.Element("testsuites", name=title)
    for host in fleet:
        counts = {"failures": "fail", "errors": "error", "skipped": "skip"}
        attributes = {name: str(host.count(status)) for name, status in counts.items()}
        suite = ElementTree.SubElement(root, "testsuite", attributes, name=host.name, tests=str(len(host.results)))
        for result in host.results:
            case = ElementTree.SubElement(suite, "testcase", classname=host.name, name=f"{result.id}: {result.title}")
            _junit_outcome(case, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


_JUNIT_OUTCOMES = {"fail": "failure", "error": "error", "skip": "skipped"}


def _junit_outcome(case: ElementTree.Element, result: Result) -> None:
    tag = _JUNIT_OUTCOMES.get(result.status)
    if tag is None:
        return
    evidence = evidence_text(result.evidence)
    outcome = ElementTree.SubElement(case, tag, message=evidence)
    if result.status == "fail":
        outcome.set("type", result.severity)
        outcome.text = f"{evidence}\n{result.remedy}"


def _json(fleet: Fleet, title: str) -> str:
    hosts = {host.name: [asdict(result) for result in host.results] for host in fleet}
    return json.dumps({"title": title, "summary": summary(fleet), "hosts": hosts}, indent=2) + "\n"


FORMATS: t.Mapping[str, t.Callable[[Fleet, str], str]] = {
    "html": _html,
    "markdown": _markdown,
    "csv": _csv,
    "junit": _junit,
    "json": _json,
}
