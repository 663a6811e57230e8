# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import history

THEN, NOW = "2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z"
EARLIER = "2026-11-01T12:00:00Z"


def former(status: str = "fail", since: t.Optional[str] = None, **host: t.Any) -> history.History:
    results = [{"id": "r", "status": status, "since": since}]
    return history.History({"generated": THEN, "hosts": [{"name": "h", "results": results, **host}]})


@pytest.mark.parametrize(
    "before, status, marked, since",
    [
        (former("pass"), "fail", "new", NOW),
        (former("fail"), "fail", "persisting", THEN),
        (former("fail", EARLIER), "fail", "persisting", EARLIER),
        (former("waived", EARLIER), "fail", "persisting", EARLIER),
        (former("fail", EARLIER), "waived", "persisting", EARLIER),
        (former("fail"), "pass", "fixed", None),
        (former("pass"), "pass", None, None),
        (former("unknown"), "fail", None, NOW),
        (former("fail"), "unknown", None, None),
        (former("skip"), "fail", None, NOW),
        (history.History(), "fail", None, NOW),
        (history.History(), "pass", None, None),
        (former(name="other"), "fail", None, NOW),
    ],
)
def test_a_result_is_marked_by_what_was_there_before(
    before: history.History, status: str, marked: t.Optional[str], since: t.Optional[str]
) -> None:
    result = {"id": "r", "status": status, "history": None}
    before.mark("h", result, NOW)
    assert (result["history"], result["since"]) == (marked, since)


OLD: t.Dict[str, t.Any] = {"boot_id": "b", "uptime_s": 100.0, "counters": {"A": 10, "B": 5, "C": None, "D": 7}}
FACTS = {"boot_id": "b", "uptime": 160.0, "counters": {"A": 70, "B": 5, "C": 3, "D": 2, "E": 1}}


def test_counters_grow_since_the_former_report() -> None:
    found = former(**OLD).since_last("h", FACTS)
    assert found == {"seconds": 60.0, "counters": {"A": 60, "B": 0}, "rates": {"A": 1.0, "B": 0.0}}


@pytest.mark.parametrize(
    "old, facts",
    [
        ({**OLD, "boot_id": "other"}, FACTS),
        (OLD, {**FACTS, "boot_id": "other"}),
        (OLD, {**FACTS, "uptime": 100.0}),
        (OLD, {**FACTS, "uptime": 99.0}),
        (OLD, {**FACTS, "uptime": "?"}),
        (OLD, {"boot_id": "b", "uptime": 160.0}),
        ({"boot_id": "b", "uptime_s": 1.0}, FACTS),
    ],
)
def test_what_does_not_compare_has_not_grown(old: t.Any, facts: t.Any) -> None:
    assert former(**old).since_last("h", facts) is None


def test_a_host_that_is_new_has_no_history() -> None:
    assert former(**OLD).since_last("new", FACTS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "5",
        '{"schema": 2, "hosts": []}',
        '{"schema": 1, "hosts": [5]}',
        '{"schema": 1, "hosts": 5}',
    ],
)
def test_a_file_that_is_no_report_makes_no_history(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    assert history.read(path).generated is None


def test_a_report_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    assert history.read(path).generated is None
    path.write_text(json.dumps({"schema": 1, "generated": THEN, "hosts": []}), encoding="utf-8")
    assert history.read(path).generated == THEN
