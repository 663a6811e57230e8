# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import judge, policy
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils.fleets import facts


def rule(**fields: t.Any) -> t.Dict[str, t.Any]:
    verdict = {} if {"that", "none"} & set(fields) else {"that": "uptime > `0`"}
    return {"id": "r", "title": "T", "severity": "high", "remedy": "do it", **verdict, **fields}


def result(found: t.Mapping[str, t.Any], **fields: t.Any) -> t.Dict[str, t.Any]:
    [only] = judge.judge(judge.bring(found), policy.parse_policy([rule(**fields)]))
    assert only.pop("id") == "r"
    return only


OFFENDER = [{"port": 80, "accept_queue": 9, "backlog": 10}, {"port": 81, "accept_queue": 9, "backlog": None}]
FULL = "listeners[?ratio(accept_queue, backlog) >= `0.8`].port"


@pytest.mark.parametrize(
    "found, fields, status, evidence",
    [
        ({}, {"that": "states.TIME_WAIT == `1669`", "evidence": "states.TIME_WAIT"}, "pass", 1669),
        ({}, {"that": "states.TIME_WAIT < `9`", "evidence": "states.LISTEN"}, "fail", 9),
        ({}, {"that": "states.TIME_WAIT < `9`"}, "fail", None),
        ({}, {"that": "states.TIME_WAIT < `9`", "evidence": "conntrack.count == `0`"}, "fail", False),
        ({"listeners": OFFENDER}, {"none": FULL}, "fail", [80]),
        ({"listeners": OFFENDER}, {"none": FULL, "evidence": "listeners[].port"}, "fail", [80, 81]),
        ({"listeners": []}, {"none": FULL}, "pass", None),
        ({"listeners": []}, {"none": FULL, "evidence": "uptime"}, "pass", 86400.17),
        ({"conntrack": None}, {"that": "conntrack == null"}, "pass", None),
        ({}, {"when": "uptime < `0`"}, "skip", None),
        ({"listeners": OFFENDER}, {"none": "listeners[?port == `81`].{b: backlog}"}, "fail", [{"b": None}]),
    ],
)
def test_verdicts(found: t.Any, fields: t.Dict[str, t.Any], status: str, evidence: t.Any) -> None:
    judged = result(facts(**found), **fields)
    assert (judged["status"], judged["evidence"]) == (status, evidence)
    assert (judged["message"] is None) == (status != "skip")


@pytest.mark.parametrize(
    "found, fields, said",
    [
        ({"rates": None}, {"that": "rates.ListenOverflows == `0`"}, "rates"),
        ({"rates": {}}, {"that": "rates.ListenOverflows == `0`"}, "rates.ListenOverflows"),
        ({"rates": None}, {"when": "rates.ListenOverflows > `0`"}, "rates"),
        ({"rates": None}, {"needs": ["uptime", "rates"]}, "rates"),
        ({"rates": None}, {"needs": "rates"}, "rates"),
        ({"listeners": OFFENDER[1:]}, {"none": FULL}, "listeners[].backlog"),
        ({"listeners": "?"}, {"none": FULL}, "listeners"),
        ({"uptime": "long"}, {}, "uptime"),
        ({"uptime": True}, {}, "uptime"),
        ({"uptime": float("nan")}, {}, "uptime"),
    ],
)
def test_a_missing_fact_is_neither_pass_nor_fail(found: t.Any, fields: t.Dict[str, t.Any], said: str) -> None:
    judged = result(facts(**found), **fields)
    assert judged == {"status": "unknown", "evidence": None, "message": f"not known: {said}"}


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"that": "uptime"}, "neither true nor false: uptime"),
        ({"that": "sum(kernel) > `1`"}, "sum"),
        ({"when": "sum(kernel)"}, "sum"),
        ({"evidence": "sum(kernel)"}, "sum"),
    ],
)
def test_a_rule_that_does_not_fit_is_an_error_of_that_rule_alone(fields: t.Dict[str, t.Any], said: str) -> None:
    rules = policy.parse_policy([rule(**fields), rule(id="fine")])
    broken, fine = judge.judge(judge.bring(facts()), rules)
    assert (broken["status"], fine["status"]) == ("error", "pass")
    assert said in broken["message"]


def test_without_any_facts_no_rule_passes_or_fails() -> None:
    rules = policy.parse_policy([rule(), rule(id="x", none=FULL), rule(id="y", none="peers")])
    assert {judged["status"] for judged in judge.judge(judge.bring({}), rules)} == {"unknown"}
