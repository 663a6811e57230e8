# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every rule of every policy that is shipped, over facts on which it passes, fails, and cannot tell."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import judge, policy
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils.fleets import ROOT, facts

POLICIES = {path.stem: path for path in sorted((ROOT / "roles/tcp_audit/policies").glob("*.yml"))}
TABLES = ROOT / "tests/unit/roles/tcp_audit/tables"
GONE = "(gone)"

Cases = t.Mapping[str, t.Any]


def load(path: t.Any) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RULES = {name: {rule.id: rule for rule in policy.parse_policy(load(path))} for name, path in POLICIES.items()}
TABLE: t.Mapping[str, t.Mapping[str, Cases]] = {
    name: load(TABLES / f"{name}.yml") if (TABLES / f"{name}.yml").exists() else {} for name in POLICIES
}
ROWS = [
    pytest.param(name, rule, status, case, id=f"{rule}-{status}-{number}")
    for name, rules in TABLE.items()
    for rule, cases in rules.items()
    for status, found in cases.items()
    for number, case in enumerate(found if isinstance(found, list) else [found])
]


def merged(old: t.Any, new: t.Any) -> t.Any:
    """The old with what the new one names."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return _without_gone(new)
    kept = {name: value for name, value in old.items() if new.get(name) != GONE}
    return {**kept, **{name: merged(old.get(name), value) for name, value in new.items() if value != GONE}}


def _without_gone(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _without_gone(item) for name, item in value.items() if item != GONE}
    return [_without_gone(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", POLICIES)
def test_every_rule_has_a_table_and_every_table_a_rule(name: str) -> None:
    assert set(TABLE[name]) == set(RULES[name])


@pytest.mark.parametrize("name", POLICIES)
def test_every_table_has_facts_that_pass_that_fail_and_that_do_not_tell(name: str) -> None:
    assert {rule: cases for rule, cases in TABLE[name].items() if not {"pass", "fail", "unknown"} <= set(cases)} == {}


@pytest.mark.parametrize("name, rule, status, case", ROWS)
def test_a_rule_judges_as_its_table_says(name: str, rule: str, status: str, case: t.Any) -> None:
    [result] = judge.judge(judge.bring(merged(facts(), case)), [RULES[name][rule]])
    assert (result["status"], result["message"]) == (status, result["message"]), result
    if status == "fail":
        assert result["evidence"] is not None


@pytest.mark.parametrize("name", POLICIES)
def test_a_rule_says_what_helps_and_sums_up_in_a_sentence(name: str) -> None:
    for rule in RULES[name].values():
        assert rule.texts["remedy"].endswith("."), rule.id
        assert not rule.texts["title"].endswith("."), rule.id
        assert rule.texts["title"][0].isupper() or rule.texts["title"].split()[0] in ("nginx", "lighttpd"), rule.id


@pytest.mark.parametrize("name", POLICIES)
def test_without_facts_nothing_passes_or_fails(name: str) -> None:
    results = judge.judge(judge.bring({}), list(RULES[name].values()))
    assert {result["id"]: result["status"] for result in results if result["status"] in ("pass", "fail", "error")} == {}


@pytest.mark.parametrize("name", POLICIES)
def test_sound_facts_fail_no_rule(name: str) -> None:
    results = judge.judge(judge.bring(facts()), list(RULES[name].values()))
    assert {result["id"]: result["status"] for result in results if result["status"] not in ("pass", "skip")} == {}
