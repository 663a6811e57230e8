# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What is true of facts, false, or unknown for want of one."""

from __future__ import annotations

import operator
import typing as t

from .paths import Children, Evaluate, Node
from .unknown import Unknown, doubts_of, is_false, truth


def negation(_node: Node, children: Children) -> Evaluate:
    [operand] = children

    def evaluate(value: t.Any) -> t.Any:
        found = truth(operand(value))
        return found if isinstance(found, Unknown) else not found

    return evaluate


def conjunction(_node: Node, children: Children) -> Evaluate:
    left, right = children

    def evaluate(value: t.Any) -> t.Any:
        first = left(value)
        known = truth(first)
        if known is False:
            return first
        second = right(value)
        # Whatever the unknown one is, with a false one it makes false.
        return known if isinstance(known, Unknown) and not is_false(second) else second

    return evaluate


def disjunction(_node: Node, children: Children) -> Evaluate:
    left, right = children

    def evaluate(value: t.Any) -> t.Any:
        first = left(value)
        known = truth(first)
        if known is True:
            return first
        second = right(value)
        if not isinstance(known, Unknown) or second is True:
            return second
        # A fact that is there and null may have a substitute: backlog || `0`.
        return second if known.null and truth(second) is True else known

    return evaluate


def comparator(node: Node, children: Children) -> Evaluate:
    left, right = children
    for operand, other in zip(children, reversed(node["children"])):
        if _is_null(other) and node["value"] in ("eq", "ne"):
            return _null_test(operand, wanted=node["value"] == "eq")
    return _comparison(left, right, _COMPARE[node["value"]])


def _is_null(node: Node) -> bool:
    """Whether it is written as null: in JMESPath a name like any other, which no fact has, or the literal `null`."""
    return node["value"] == "null" if node["type"] == "field" else node["type"] == "literal" and node["value"] is None


def _null_test(operand: Evaluate, *, wanted: bool) -> Evaluate:
    def evaluate(value: t.Any) -> t.Any:
        found = operand(value)
        if isinstance(found, Unknown):
            return wanted if found.null else found
        return (found is None) is wanted

    return evaluate


def _comparison(left: Evaluate, right: Evaluate, compare: t.Callable[[t.Any, t.Any], bool]) -> Evaluate:
    def evaluate(value: t.Any) -> t.Any:
        one, other = left(value), right(value)
        doubts = doubts_of((one, other))
        return Unknown(doubts) if doubts else compare(one, other)

    return evaluate


def _equal(one: t.Any, other: t.Any) -> bool:
    # 1 and true are equal in Python alone.
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _ordering(compare: t.Callable[[t.Any, t.Any], t.Any]) -> t.Callable[[t.Any, t.Any], bool]:
    def ordered(one: t.Any, other: t.Any) -> bool:
        return _is_number(one) and _is_number(other) and bool(compare(one, other))

    return ordered


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_COMPARE: t.Mapping[str, t.Callable[[t.Any, t.Any], bool]] = {
    "eq": _equal,
    "ne": lambda one, other: not _equal(one, other),
    "lt": _ordering(operator.lt),
    "lte": _ordering(operator.le),
    "gt": _ordering(operator.gt),
    "gte": _ordering(operator.ge),
}
