# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import policy
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import PolicyError
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils._audit.test_judge import rule

LIMITS = {"full": {"default": 0.8, "minimum": 0, "maximum": 1}, "low": {"default": 1, "minimum": 1}}


def ids(rules: t.Iterable[policy.Rule]) -> t.List[str]:
    return [one.id for one in rules]


@pytest.mark.parametrize(
    "broken, said",
    [
        ("text", "list of rules"),
        ({}, "list of rules"),
        (None, "list of rules"),
        (["text"], "rule number 1"),
        ([{"title": "x"}], "rule number 1"),
        ([{"id": "x"}], "rule x lacks title, severity, remedy"),
        ([rule(title="")], "rule r lacks title"),
        ([rule(severity="grave")], "'grave' is none of critical, high"),
        ([rule(evidenc="x")], "rule r has an unknown field 'evidenc', did you mean evidence"),
        ([rule(that="uptime", none="peers")], "either 'that', which must be true, or 'none'"),
        ([{key: value for key, value in rule().items() if key != "that"}], "either 'that'"),
        ([rule(that=5)], "5 is no expression"),
        ([rule(that=" ")], "is no expression"),
        ([rule(when=True)], "True is no expression"),
        ([rule(needs=[1])], "1 is no expression"),
        ([rule(that="uptme > `1`")], "rule r: there is no fact 'uptme', did you mean 'uptime'"),
        ([rule(when="uptme")], "rule r: there is no fact 'uptme'"),
        ([rule(evidence="uptme")], "rule r: there is no fact 'uptme'"),
        ([rule(needs=["uptme"])], "rule r: there is no fact 'uptme'"),
        ([rule(), rule()], "rule r stands twice"),
        ({"rules": [], "thresholds": {"x": 1}}, "threshold x needs a default"),
        ({"rules": [], "thresholds": {"x": {"default": 1, "max": 2}}}, "threshold x needs a default"),
        ({"rules": [], "thresholds": {"x": {"default": 3, "maximum": 2}}}, "threshold x is 3, and must be at most 2"),
    ],
)
def test_a_wrong_policy_is_refused_by_name(broken: t.Any, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        policy.parse_policy(broken)


@pytest.mark.parametrize(
    "asked, said",
    [
        ({"ful": 0.5}, "no threshold 'ful', did you mean full"),
        ({"full": 1.1}, "threshold full is 1.1, and must be from 0 to 1"),
        ({"full": -0.1}, "from 0 to 1"),
        ({"low": 0}, "threshold low is 0, and must be at least 1"),
        ({"full": "much"}, "threshold full is 'much'"),
        ({"full": "nan"}, "'nan'"),
        ({"full": True}, "True"),
        ({"full": None}, "None"),
        ({"full": []}, r"\[\]"),
    ],
)
def test_a_threshold_out_of_range_is_named(asked: t.Any, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        policy.parse_policy({"rules": [], "thresholds": LIMITS}, thresholds=asked)


@pytest.mark.parametrize("asked, number", [({}, 0.8), ({"full": 0.5}, 0.5), ({"full": "0.5"}, 0.5), ({"full": 1}, 1)])
def test_thresholds_reach_the_rules(asked: t.Any, number: float) -> None:
    [only] = policy.parse_policy({"rules": [rule(that="$full")], "thresholds": LIMITS}, thresholds=asked)
    assert only.expression.search({}) == number


def test_a_rule_of_ones_own_takes_the_place_of_that_of_the_policy() -> None:
    shipped = [rule(id="a", none="peers", when="uptime", needs=["rates"], evidence="uptime"), rule(id="b")]
    own = [rule(id="c"), {"id": "a", "that": "uptime > `5`", "severity": "low"}]
    found = policy.parse_policy(shipped, own)
    assert ids(found) == ["a", "b", "c"]
    assert (found[0].severity, found[0].texts["title"], found[0].finds_offenders) == ("low", "T", False)
    assert (found[0].when, list(found[0].needs), found[0].evidence) == (None, [], None)


def test_a_rule_of_ones_own_may_change_a_field_alone() -> None:
    [found] = policy.parse_policy([rule(none="peers", when="uptime")], [{"id": "r", "severity": "info"}])
    assert (found.severity, found.finds_offenders, found.when is not None) == ("info", True, True)


def test_excluding_takes_rules_out_and_knows_their_names() -> None:
    assert ids(policy.parse_policy([rule(id="a"), rule(id="b")], exclude=["a"])) == ["b"]
    with pytest.raises(PolicyError, match="no rule to exclude called 'aa'"):
        policy.parse_policy([rule(id="a")], exclude=["aa"])


def test_policies_combine_and_their_rules_may_not_clash() -> None:
    one = {"rules": [rule(id="a")], "thresholds": LIMITS}
    two = {"rules": [rule(id="b")], "thresholds": {"full": {"default": 0.5}}}
    both = policy.combine([one, two, [rule(id="c", that="$full")]])
    found = policy.parse_policy(both)
    assert ids(found) == ["a", "b", "c"]
    assert found[2].expression.search({}) == 0.5
    with pytest.raises(PolicyError, match="twice"):
        policy.parse_policy(policy.combine([one, one]))


def test_texts_of_a_policy_are_clean() -> None:
    [found] = policy.parse_policy([rule(title="a\x1b[31mb\nc", remedy=" x ")])
    assert (found.texts["title"], found.texts["remedy"]) == ("a\ufffd[31mb c", "x")
