# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a remediation in a report."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import remediation
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import AuditError
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate import record, survey

RUN = record.Record(
    run="remediate-1",
    started="2026-11-24T06:12:00Z",
    fleet=4,
    budget=1,
    hosts={
        host.name: host
        for host in (
            survey.Host("a", survey.TUNED, batch="canaries", run="r", changes=("sysctl x",)),
            survey.Host("b", survey.CONVERGED),
            survey.Host("c", survey.CONVERGED, "k is clamped"),
            survey.Host("d", survey.FAILED, "\x1b[2Jno room"),
        )
    },
    batches=(record.Batch("canaries", ("a",), ("b",), "pass", "no worse", {"overflow": {"batch": 0.0}}, "kept"),),
    verdict="fail",
    why="d",
)


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> Path:
    record.save(tmp_path, RUN)
    return record.path(tmp_path, RUN.run)


def test_what_remediate_writes_is_read(path: Path) -> None:
    found = remediation.read(path)
    assert (found["run"], found["verdict"], found["why"], found["finished"]) == ("remediate-1", "fail", "d", None)
    assert found["states"] == {"converged": 2, "failed": 1, "tuned": 1}
    assert found["batches"] == [
        {
            "name": "canaries",
            "hosts": ["a"],
            "controls": ["b"],
            "verdict": "pass",
            "why": "no worse",
            "numbers": {"overflow": {"batch": 0.0}},
            "done": "kept",
        }
    ]


def test_hosts_that_the_run_had_nothing_to_do_with_are_counted_alone(path: Path) -> None:
    assert remediation.read(path)["hosts"] == [
        {"name": "a", "state": "tuned", "why": "", "batch": "canaries"},
        {"name": "c", "state": "converged", "why": "k is clamped", "batch": None},
        {"name": "d", "state": "failed", "why": "\ufffd[2Jno room", "batch": None},
    ]


def test_a_record_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"cannot be read: .*No such file or directory: '.*gone\.json'"):
        remediation.read(tmp_path / "gone.json")


@pytest.mark.parametrize(
    "change, said",
    [
        ("nonsense", "is not the record of a remediation: Expecting value"),
        ([], "it is not an object"),
        ({"run": 5}, "'run' of it is int, not a text"),
        ({"fleet": True}, "'fleet' of it is bool, not a number"),
        ({"batches": None}, "'batches' of it is NoneType, not a list"),
        ({"batches": [5]}, r"batches\[0\] is not an object"),
        ({"batches": [{"name": "x"}]}, r"batches\[0\] has no 'hosts'"),
        (
            {"hosts": [{"name": "x", "state": "tuned", "why": "", "batch": 3}]},
            r"'batch' of hosts\[0\] is int, not a text",
        ),
        ({"verdict": "gone"}, None),
    ],
)
def test_what_is_no_record_is_named_with_the_reason(path: Path, change: t.Any, said: t.Optional[str]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    made = change if isinstance(change, str) else json.dumps({**data, **change} if isinstance(change, dict) else change)
    path.write_text(made, encoding="utf-8")
    if said is None:
        assert remediation.read(path)["verdict"] == "gone"
        return
    with pytest.raises(AuditError, match=said) as raised:
        remediation.read(path)
    assert str(path) in str(raised.value)


def test_a_record_nested_too_deep_is_an_error_and_no_crash(path: Path) -> None:
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(AuditError, match="is not the record"):
        remediation.read(path)
