# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils import _policy

FACTS = {
    "states": {"TIME_WAIT": 9},
    "rates": None,
    "listeners": [{"port": 80, "accept_queue": 9, "backlog": 10}, {"port": 81, "accept_queue": 1, "backlog": None}],
    "sysctls": {"net.core.somaxconn": {"runtime": 4096}},
}


def rule(**fields: t.Any) -> t.Dict[str, t.Any]:
    return {"id": "r", "title": "T", "severity": "high", "remedy": "do it", "expect": "`true`", **fields}


@pytest.mark.parametrize(
    "fields, status, evidence",
    [
        ({"expect": "states.TIME_WAIT == `9`", "show": "states.TIME_WAIT"}, "pass", 9),
        ({"expect": "states.TIME_WAIT < `9`", "show": "states"}, "fail", {"TIME_WAIT": 9}),
        ({"expect": 'sysctls."net.core.somaxconn".runtime >= `4096`'}, "pass", None),
        ({"expect": "rates.ListenOverflows < `1`"}, "skip", "the facts do not tell: rates.ListenOverflows < `1`"),
        ({"when": "rates"}, "skip", "does not apply: rates"),
        ({"expect": "listeners[?ratio(accept_queue, backlog) >= `0.8`] == `[]`"}, "fail", None),
        ({"expect": "length(entries(sysctls)[?value.runtime == `4096`].key) == `1`"}, "pass", None),
    ],
)
def test_verdicts(fields: t.Dict[str, t.Any], status: str, evidence: t.Any) -> None:
    [result] = _policy.judge(FACTS, [rule(**fields)])
    assert (result["status"], result["evidence"]) == (status, evidence)
    assert result["remedy"] == "do it"


@pytest.mark.parametrize("fields", [{"expect": "states["}, {"expect": "`3`"}, {"expect": "nothing(@)"}, {"show": "]"}])
def test_a_broken_rule_is_an_error_of_that_rule_alone(fields: t.Dict[str, t.Any]) -> None:
    results = _policy.judge(FACTS, [rule(**fields), rule(id="fine")])
    assert [result["status"] for result in results] == ["error", "pass"]
    assert results[0]["evidence"]


@pytest.mark.parametrize(
    "policy, said",
    [
        ("text", "list of rules"),
        ({}, "list of rules"),
        (["text"], "rule number 1"),
        ([{"id": "x"}], "rule x lacks title, severity, expect, remedy"),
        ([rule(severity="grave")], "grave"),
        ([rule(expct="x")], "unknown fields: expct"),
        ([rule(), rule()], "twice"),
    ],
)
def test_a_wrong_policy_is_refused_by_name(policy: t.Any, said: str) -> None:
    with pytest.raises(_policy.PolicyError, match=said):
        _policy.parse_policy(policy)
