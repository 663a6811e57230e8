# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A policy: rules as data, read and checked as a whole before any host is asked."""

from __future__ import annotations

import collections.abc
import math
import typing as t
from dataclasses import dataclass

from .clean import clean
from .errors import PolicyError, unknown
from .expressions import Expression, ExpressionError, parse

SEVERITIES = ("critical", "high", "medium", "low", "info")

# Fields that together make the verdict: a rule of one's own that has one of the first two replaces all of them.
_VERDICTS = ("that", "none")
_JUDGING = (*_VERDICTS, "when", "needs", "evidence")
_TEXTS = ("id", "title", "severity", "description", "remedy", "not_remedy")
_REQUIRED = ("id", "title", "severity", "remedy")
_THRESHOLD = ("default", "minimum", "maximum", "description")


@dataclass(frozen=True)
class Rule:
    """One thing to check; its texts are ``id title severity description remedy not_remedy``.

    ``that`` must be true of the facts, or ``none`` must find nothing, and what it finds is the evidence.  ``when`` says
    whether the rule applies, ``needs`` are facts without which there is no verdict, ``evidence`` picks what is shown.
    """

    texts: t.Mapping[str, str]
    expression: Expression
    finds_offenders: bool
    when: t.Optional[Expression] = None
    needs: t.Sequence[Expression] = ()
    evidence: t.Optional[Expression] = None

    @property
    def id(self) -> str:
        """Its name in the policy."""
        return self.texts["id"]

    @property
    def severity(self) -> str:
        """How bad it is when it fails."""
        return self.texts["severity"]


def combine(policies: t.Iterable[t.Any]) -> t.Dict[str, t.Any]:
    """Several policies as one.  A rule may stand in one of them only; a threshold of a later one counts."""
    combined: t.Dict[str, t.Any] = {"thresholds": {}, "rules": []}
    for policy in policies:
        combined["rules"] += _by_id(policy).values()
        if isinstance(policy, collections.abc.Mapping):
            combined["thresholds"].update(policy.get("thresholds") or {})
    return combined


def parse_policy(
    policy: t.Any,
    own: t.Any = (),
    exclude: t.Collection[str] = (),
    thresholds: t.Optional[t.Mapping[str, t.Any]] = None,
) -> t.List[Rule]:
    """The rules of the policy and one's own, without those excluded.

    A rule of one's own that has the id of another takes its place, or where it only has some fields, changes those.
    Raises PolicyError, and LibraryMissing.
    """
    rules = _by_id(policy)
    for rule_id, rule in _by_id(own).items():
        rules[rule_id] = _override(rules[rule_id], rule) if rule_id in rules else rule
    for name in exclude:
        if name not in rules:
            raise PolicyError(unknown("there is no rule to exclude called", name, rules))
    limits = _thresholds(policy, thresholds or {})
    return [_parse_rule(rule, limits) for rule_id, rule in rules.items() if rule_id not in exclude]


def _rules(policy: t.Any) -> t.Sequence[t.Any]:
    raw = policy.get("rules") if isinstance(policy, collections.abc.Mapping) else policy
    if not isinstance(raw, collections.abc.Sequence) or isinstance(raw, str):
        raise PolicyError("a policy is a list of rules, or a dictionary with such a list as 'rules'")
    return raw


def _by_id(policy: t.Any) -> t.Dict[str, t.Dict[str, t.Any]]:
    rules: t.Dict[str, t.Dict[str, t.Any]] = {}
    for number, rule in enumerate(_rules(policy), start=1):
        if not isinstance(rule, collections.abc.Mapping) or not rule.get("id"):
            raise PolicyError(f"rule number {number} is not a dictionary with an id")
        name = str(rule["id"])
        if name in rules:
            raise PolicyError(f"rule {name} stands twice in the policy")
        rules[name] = {**clean(rule), "id": name}
    return rules


def _override(old: t.Mapping[str, t.Any], new: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    judges = any(field in new for field in _VERDICTS)
    return {**{field: value for field, value in old.items() if not (judges and field in _JUDGING)}, **new}


def _thresholds(policy: t.Any, asked: t.Mapping[str, t.Any]) -> t.Dict[str, float]:
    raw = policy.get("thresholds") if isinstance(policy, collections.abc.Mapping) else None
    known = {str(name): _threshold(str(name), spec) for name, spec in (raw or {}).items()}
    for name in asked:
        if name not in known:
            raise PolicyError(unknown("there is no threshold", name, known))
    return {name: _within(name, spec, asked.get(name, spec["default"])) for name, spec in known.items()}


def _threshold(name: str, spec: t.Any) -> t.Mapping[str, t.Any]:
    if not isinstance(spec, collections.abc.Mapping) or "default" not in spec or set(spec) - set(_THRESHOLD):
        raise PolicyError(f"threshold {name} needs a default, and may have a minimum, a maximum and a description")
    return spec


def _within(name: str, spec: t.Mapping[str, t.Any], asked: t.Any) -> float:
    low, high = spec.get("minimum"), spec.get("maximum")
    try:
        # True is 1 in Python alone, and a text comes from a command line.
        number = float("nan") if isinstance(asked, bool) else float(asked)
    except (TypeError, ValueError):
        number = float("nan")
    if math.isnan(number) or (low is not None and number < low) or (high is not None and number > high):
        raise PolicyError(f"threshold {name} is {asked!r}, and must be {_range(low, high)}")
    return int(number) if number.is_integer() else number


def _range(low: t.Any, high: t.Any) -> str:
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"at least {low}" if low is not None else "a number" if high is None else f"at most {high}"


def _parse_rule(raw: t.Mapping[str, t.Any], thresholds: t.Mapping[str, float]) -> Rule:
    name = f"rule {raw['id']}"
    _check_fields(name, raw)
    needs = raw.get("needs", [])
    expression = raw["that"] if "that" in raw else raw["none"]
    try:
        return Rule(
            texts={field: str(raw.get(field, "")).strip() for field in _TEXTS},
            expression=parse(_text(name, expression), thresholds),
            finds_offenders="none" in raw,
            when=parse(_text(name, raw["when"]), thresholds) if "when" in raw else None,
            needs=[parse(_text(name, fact), thresholds) for fact in ([needs] if isinstance(needs, str) else needs)],
            evidence=parse(_text(name, raw["evidence"]), thresholds) if "evidence" in raw else None,
        )
    except ExpressionError as exc:
        raise PolicyError(f"{name}: {exc}") from exc


def _check_fields(name: str, raw: t.Mapping[str, t.Any]) -> None:
    missing = [field for field in _REQUIRED if not raw.get(field)]
    if missing:
        raise PolicyError(f"{name} lacks {', '.join(missing)}")
    for field in raw:
        if field not in (*_TEXTS, *_JUDGING):
            raise PolicyError(f"{name} has " + unknown("an unknown field", field, (*_TEXTS, *_JUDGING)))
    if sum(field in raw for field in _VERDICTS) != 1:
        raise PolicyError(f"{name} needs either 'that', which must be true, or 'none', which must find nothing")
    if raw["severity"] not in SEVERITIES:
        raise PolicyError(f"{name}: severity {raw['severity']!r} is none of {', '.join(SEVERITIES)}")


def _text(name: str, expression: t.Any) -> str:
    if not isinstance(expression, str) or not expression.strip():
        raise PolicyError(f"{name}: {expression!r} is no expression, which is a text")
    return expression.strip()
