# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Judging one host's facts by the rules of a policy.  Pure."""

from __future__ import annotations

import typing as t

from .expressions import ExpressionError
from .policy import Rule
from .schema import facts as known_facts
from .unknown import Unknown, plain, truth

STATUSES = ("fail", "error", "unknown", "waived", "pass", "skip")

Facts = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]


def bring(facts: Facts) -> t.Dict[str, t.Any]:
    """Facts as Ansible has them in the form that rules are judged by; they must be a mapping."""
    found: t.Dict[str, t.Any] = known_facts().bring({"drift": None, "since_last": None, **facts})
    if "drift" in facts and facts["drift"] is None:
        # Asked for, and not to be had; where nobody asked, it is not there.
        found["drift"] = Unknown(["drift"])
    return found


def judge(facts: Facts, rules: t.Iterable[Rule]) -> t.List[Result]:
    """The result of every rule about :func:`brought <bring>` facts, in the policy's order.

    ``{"id", "status", "evidence", "message"}``: the message says why there is no verdict, null where there is one.
    """
    return [_judge(rule, facts) for rule in rules]


def _judge(rule: Rule, facts: Facts) -> Result:
    try:
        status, found = _verdict(rule, facts)
        evidence = rule.evidence.search(facts) if rule.evidence and status in ("pass", "fail") else found
    except ExpressionError as exc:
        return _result(rule, "error", message=str(exc))
    if isinstance(found, Unknown):
        return _result(rule, status, message=f"not known: {', '.join(sorted(found.facts))}")
    if status == "skip":
        return _result(rule, status, message="does not apply here")
    return _result(rule, status, evidence=None if evidence == [] else plain(evidence))


def _verdict(rule: Rule, facts: Facts) -> t.Tuple[str, t.Any]:
    """The status, and what was found: offenders, or which fact is missing."""
    applies = truth(rule.when.search(facts)) if rule.when else True
    if applies is False:
        return "skip", None
    missing = [found for found in (need.search(facts) for need in rule.needs) if isinstance(found, Unknown)]
    if applies is not True or missing:
        return "unknown", missing[0] if applies is True else applies
    found = rule.expression.search(facts)
    if rule.finds_offenders:
        offends = truth(found)
        return ("unknown", offends) if isinstance(offends, Unknown) else ("fail" if offends else "pass", found)
    if isinstance(found, Unknown):
        return "unknown", found
    if not isinstance(found, bool):
        raise ExpressionError(f"gives {plain(found)!r}, neither true nor false: {rule.expression.text}")
    return ("pass" if found else "fail"), None


def _result(rule: Rule, status: str, *, evidence: t.Any = None, message: t.Optional[str] = None) -> Result:
    return {"id": rule.id, "status": status, "evidence": evidence, "message": message}
