# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import csv
import io
import json
import typing as t
from xml.etree import ElementTree

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils import _report


def result(**fields: t.Any) -> t.Dict[str, t.Any]:
    base = {"id": "r1", "title": "T", "severity": "low", "status": "pass", "evidence": None, "remedy": "do it"}
    return {**base, **fields}


HOSTS = {
    "web2": [result(), result(id="r2", status="fail", severity="high", title="a | <b>", evidence={"x": 1})],
    "web1": [result(status="skip", evidence="no data"), result(id="r3", status="error", evidence="=bad")],
}


@pytest.fixture(name="fleet")
def fixture_fleet() -> _report.Fleet:
    return _report.parse_fleet(HOSTS)


def make(fleet: _report.Fleet, name: str) -> str:
    return _report.FORMATS[name](fleet, "Fleet <1>")


def test_hosts_are_sorted_and_the_worst_stands_first(fleet: _report.Fleet) -> None:
    assert [host.name for host in fleet] == ["web1", "web2"]
    assert [entry.status for entry in fleet[1].results] == ["fail", "pass"]
    assert _report.summary(fleet) == {"fail": 1, "error": 1, "pass": 1, "skip": 1}


def test_json(fleet: _report.Fleet) -> None:
    data = json.loads(make(fleet, "json"))
    assert data["summary"]["fail"] == 1
    assert data["hosts"]["web2"][0]["evidence"] == {"x": 1}


def test_csv_has_a_line_a_result_and_runs_no_formula(fleet: _report.Fleet) -> None:
    rows = list(csv.DictReader(io.StringIO(make(fleet, "csv"))))
    assert len(rows) == 4
    assert rows[0]["evidence"] == "'=bad"


def test_junit_counts_as_ci_systems_do(fleet: _report.Fleet) -> None:
    suites = ElementTree.fromstring(make(fleet, "junit"))
    web1, web2 = suites
    assert (web1.get("skipped"), web1.get("errors"), web2.get("failures"), web2.get("tests")) == ("1", "1", "1", "2")
    failure = web2.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "high"
    assert "do it" in str(failure.text)


def test_markdown_keeps_its_table_whole(fleet: _report.Fleet) -> None:
    text = make(fleet, "markdown")
    assert "| fail | high | a \\| <b> | x 1 | do it |" in text


def test_html_escapes_what_comes_from_outside(fleet: _report.Fleet) -> None:
    page = make(fleet, "html")
    assert "a | &lt;b&gt;" in page
    assert "<title>Fleet &lt;1&gt;</title>" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    "evidence, text",
    [
        (None, "none"),
        ([], "none"),
        ("no data", "no data"),
        (0.5, "0.5"),
        ({"per_second": 0.5, "boot": None}, "per_second 0.5, boot none"),
        ([{"port": 80}, {"port": 81}], "port 80; port 81"),
        ([[1, 2], "x"], "1; 2; x"),
    ],
)
def test_evidence_reads_like_a_sentence(evidence: t.Any, text: str) -> None:
    assert _report.evidence_text(evidence) == text


@pytest.mark.parametrize("name", list(_report.FORMATS))
def test_a_fleet_of_none_makes_a_report(name: str) -> None:
    assert make([], name)


@pytest.mark.parametrize("raw", [{"h": None}, {"h": [{"id": 1}]}, {"h": [result(status="odd")]}])
def test_what_are_no_results_is_refused_with_the_hosts_name(raw: t.Dict[str, t.Any]) -> None:
    with pytest.raises(_report.ReportError, match="h has"):
        _report.parse_fleet(raw)
