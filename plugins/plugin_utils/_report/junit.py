# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""JUnit's XML: hosts are suites and rules are tests, for CI systems.  As Jenkins' schema has it."""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from .text import Host, Report, Result, outcome_text, provenance, result_text, rules_by_id, stale_text

_TAGS = {"fail": "failure", "error": "error", "unknown": "skipped", "waived": "skipped", "skip": "skipped"}
_COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(report: Report) -> str:
    """A host that was not judged is a suite with one error; what is unknown or waived is skipped, and says so."""
    rules = rules_by_id(report)
    root = ElementTree.Element("testsuites", name=f"TCP audit of {report['inventory']}")
    for host in report["hosts"]:
        suite = ElementTree.SubElement(root, "testsuite", name=host["name"], timestamp=report["generated"].rstrip("Z"))
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in [*provenance(report), *_limits(host)]:
            ElementTree.SubElement(properties, "property", name=name, value=value)
        _cases(suite, host, rules)
        _count(suite)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _limits(host: Host) -> t.List[t.Tuple[str, str]]:
    said = [("not seen", reason) for reason in host["limited"] or ()]
    if host["stale"]:
        said.append(("stale", stale_text(host)))
    return said


def _cases(suite: ElementTree.Element, host: Host, rules: t.Mapping[str, t.Mapping[str, str]]) -> None:
    if host["outcome"] != "judged":
        case = ElementTree.SubElement(suite, "testcase", classname=host["name"], name="host: it can be judged")
        ElementTree.SubElement(case, "error", type=host["outcome"], message=outcome_text(host))
    for result in host["results"]:
        rule = rules[result["id"]]
        case = ElementTree.SubElement(
            suite, "testcase", classname=host["name"], name=f"{result['id']}: {rule['title']}"
        )
        _outcome(case, result, rule)


def _outcome(case: ElementTree.Element, result: Result, rule: t.Mapping[str, str]) -> None:
    tag = _TAGS.get(result["status"])
    if tag is None:
        return
    said = result_text(result)
    if tag == "skipped":
        ElementTree.SubElement(case, tag, message=f"{result['status']}: {said}" if said else result["status"])
        return
    outcome = ElementTree.SubElement(case, tag, type=rule["severity"], message=said)
    advice = (f"Remedy: {rule['remedy']}", rule["not_remedy"] and f"Does not help: {rule['not_remedy']}")
    outcome.text = "\n".join(filter(None, (said, *advice)))


def _count(suite: ElementTree.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, tag in _COUNTS.items():
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
