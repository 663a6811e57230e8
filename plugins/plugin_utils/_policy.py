# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Judging facts by a policy: rules are data, their conditions are JMESPath over the facts."""

from __future__ import annotations

import collections.abc
import typing as t
from dataclasses import asdict, dataclass

from ._expressions import ExpressionError, search

SEVERITIES = ("critical", "high", "medium", "low", "info")


class PolicyError(Exception):
    """The policy itself is wrong; the message names the rule and the field."""


@dataclass(frozen=True)
class Rule:
    """One thing to check.

    ``expect`` must be true of the facts; ``when`` says whether the rule applies; ``show`` picks the evidence.
    """

    id: str
    title: str
    severity: str
    expect: str
    remedy: str
    when: t.Optional[str] = None
    show: t.Optional[str] = None


@dataclass(frozen=True)
class Result:
    """The verdict of one rule about one host."""

    id: str
    title: str
    severity: str
    status: str
    evidence: t.Any
    remedy: str


_FIELDS = {"id", "title", "severity", "expect", "remedy", "when", "show"}
_REQUIRED = ("id", "title", "severity", "expect", "remedy")


def parse_policy(policy: t.Any) -> t.List[Rule]:
    """Rules from YAML data, a list of them or a dictionary that has one under ``rules``.  Raises PolicyError."""
    raw = policy.get("rules") if isinstance(policy, collections.abc.Mapping) else policy
    if not isinstance(raw, collections.abc.Sequence) or isinstance(raw, str):
        raise PolicyError("a policy is a list of rules, or a dictionary with such a list as 'rules'")
    rules = [_parse_rule(number, rule) for number, rule in enumerate(raw, start=1)]
    seen: t.Set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise PolicyError(f"rule {rule.id} stands twice in the policy")
        seen.add(rule.id)
    return rules


def _parse_rule(number: int, raw: t.Any) -> Rule:
    if not isinstance(raw, collections.abc.Mapping):
        raise PolicyError(f"rule number {number} is not a dictionary")
    name = f"rule {raw.get('id', f'number {number}')}"
    missing = [field for field in _REQUIRED if not raw.get(field)]
    if missing:
        raise PolicyError(f"{name} lacks {', '.join(missing)}")
    unknown = sorted(set(raw) - _FIELDS)
    if unknown:
        raise PolicyError(f"{name} has unknown fields: {', '.join(unknown)}")
    if raw["severity"] not in SEVERITIES:
        raise PolicyError(f"{name}: severity {raw['severity']!r} is none of {', '.join(SEVERITIES)}")
    return Rule(**{field: str(value).strip() for field, value in raw.items()})


def judge(facts: t.Mapping[str, t.Any], policy: t.Any) -> t.List[t.Dict[str, t.Any]]:
    """Every rule's result, in the policy's order."""
    data = unwrap(facts)
    return [asdict(_judge_rule(rule, data)) for rule in parse_policy(policy)]


def _judge_rule(rule: Rule, facts: t.Any) -> Result:
    try:
        if rule.when and not search(rule.when, facts):
            return _result(rule, "skip", f"does not apply: {rule.when}")
        outcome = search(rule.expect, facts)
        evidence = search(rule.show, facts) if rule.show else None
    except ExpressionError as exc:
        return _result(rule, "error", str(exc))
    if outcome is None:
        return _result(rule, "skip", f"the facts do not tell: {rule.expect}")
    if not isinstance(outcome, bool):
        return _result(rule, "error", f"expect must be true or false, but gives {outcome!r}")
    return _result(rule, "pass" if outcome else "fail", evidence)


def _result(rule: Rule, status: str, evidence: t.Any) -> Result:
    return Result(rule.id, rule.title, rule.severity, status, evidence, rule.remedy)


def unwrap(value: t.Any) -> t.Any:
    """A plain copy of what Ansible's templating hands over: JMESPath knows only Python's own types by name."""
    if isinstance(value, collections.abc.Mapping):
        return {str(key): unwrap(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, collections.abc.Sequence):
        return [unwrap(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)
