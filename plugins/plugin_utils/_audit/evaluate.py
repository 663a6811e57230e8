# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""JMESPath in three values: true, false, and unknown for want of a fact.

The library parses.  The tree becomes a function here, once a rule, and that is called for each host.  Where all facts
are there it gives what JMESPath gives.  Where one is not, the answer is Unknown unless it does not depend on that fact:
``false && unknown`` is false, and a list with one offender is not empty, whatever the others are.
"""

from __future__ import annotations

import contextlib
import operator
import typing as t

from .functions import Functions
from .unknown import Map, Rows, Unknown, is_false, truth, unsure

with contextlib.suppress(ImportError):  # expressions.py says so to whoever asks for a rule
    from jmespath import exceptions

Node = t.Dict[str, t.Any]
Evaluate = t.Callable[[t.Any], t.Any]

_RUNTIME = Functions()


def compile_node(node: Node) -> Evaluate:
    """The function from facts to what the parsed expression finds in them; it raises JMESPathError."""
    return _COMPILERS[node["type"]](node)


def _children(node: Node) -> t.List[Evaluate]:
    return [compile_node(child) for child in node["children"]]


def _current(_node: Node) -> Evaluate:
    return lambda value: value


def _literal(node: Node) -> Evaluate:
    literal = node["value"]
    return lambda _value: literal


def _field(node: Node) -> Evaluate:
    name = node["value"]

    def evaluate(value: t.Any) -> t.Any:
        if isinstance(value, Map):
            return value[name]
        if isinstance(value, dict):
            return value.get(name)
        return value if isinstance(value, Unknown) else None

    return evaluate


def _index(node: Node) -> Evaluate:
    index = node["value"]

    def evaluate(value: t.Any) -> t.Any:
        if not isinstance(value, list):
            return value if isinstance(value, Unknown) else None
        if -len(value) <= index < len(value):
            return value[index]
        return Unknown(value.unsure) if isinstance(value, Rows) else None

    return evaluate


def _slice(node: Node) -> Evaluate:
    wanted = slice(*node["children"])

    def evaluate(value: t.Any) -> t.Any:
        if not isinstance(value, list):
            return value if isinstance(value, Unknown) else None
        return _rows(value[wanted], unsure(value))

    return evaluate


def _chain(node: Node) -> Evaluate:
    steps = _children(node)

    def evaluate(value: t.Any) -> t.Any:
        for step in steps:
            value = step(value)
        return value

    return evaluate


def _rows(rows: t.List[t.Any], doubts: t.AbstractSet[str]) -> t.List[t.Any]:
    return Rows(rows, frozenset(doubts)) if doubts else rows


def _projection(node: Node) -> Evaluate:
    base, each = _children(node)

    def evaluate(value: t.Any) -> t.Any:
        found = base(value)
        if not isinstance(found, list):
            return found if isinstance(found, Unknown) else None
        return _rows([item for item in map(each, found) if item is not None], unsure(found))

    return evaluate


def _value_projection(node: Node) -> Evaluate:
    base, each = _children(node)

    def evaluate(value: t.Any) -> t.Any:
        found = base(value)
        if not isinstance(found, dict):
            return found if isinstance(found, Unknown) else None
        return [item for item in map(each, found.values()) if item is not None]

    return evaluate


def _filter_projection(node: Node) -> Evaluate:
    base, each, condition = _children(node)

    def evaluate(value: t.Any) -> t.Any:
        found = base(value)
        if not isinstance(found, list):
            return found if isinstance(found, Unknown) else None
        rows, doubts = [], set(unsure(found))
        for item in found:
            verdict = truth(condition(item))
            if isinstance(verdict, Unknown):
                doubts |= verdict.facts
            elif verdict:
                rows.append(each(item))
        return _rows([row for row in rows if row is not None], doubts)

    return evaluate


def _flatten(node: Node) -> Evaluate:
    [base] = _children(node)

    def evaluate(value: t.Any) -> t.Any:
        found = base(value)
        if not isinstance(found, list):
            return found if isinstance(found, Unknown) else None
        rows, doubts = [], set(unsure(found))
        for item in found:
            doubts |= item.facts if isinstance(item, Unknown) else unsure(item)
            rows += item if isinstance(item, list) else [] if isinstance(item, Unknown) else [item]
        return _rows(rows, doubts)

    return evaluate


def _multi_select_dict(node: Node) -> Evaluate:
    parts = [(child["value"], compile_node(child["children"][0])) for child in node["children"]]

    def evaluate(value: t.Any) -> t.Any:
        return None if value is None else {name: part(value) for name, part in parts}

    return evaluate


def _multi_select_list(node: Node) -> Evaluate:
    parts = _children(node)
    return lambda value: None if value is None else [part(value) for part in parts]


def _not(node: Node) -> Evaluate:
    [operand] = _children(node)

    def evaluate(value: t.Any) -> t.Any:
        found = truth(operand(value))
        return found if isinstance(found, Unknown) else not found

    return evaluate


def _and(node: Node) -> Evaluate:
    left, right = _children(node)

    def evaluate(value: t.Any) -> t.Any:
        first = left(value)
        known = truth(first)
        if known is False:
            return first
        second = right(value)
        # Whatever the unknown one is, with a false one it makes false.
        return known if isinstance(known, Unknown) and not is_false(second) else second

    return evaluate


def _or(node: Node) -> Evaluate:
    left, right = _children(node)

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


def _comparator(node: Node) -> Evaluate:
    left, right = node["children"]
    for one, other in ((left, right), (right, left)):
        if is_null(other) and node["value"] in ("eq", "ne"):
            return _null_test(compile_node(one), wanted=node["value"] == "eq")
    return _comparison(compile_node(left), compile_node(right), _COMPARE[node["value"]])


def is_null(node: Node) -> bool:
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
        doubts = _doubts((one, other))
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


class _Doubt(Exception):
    """An expression that a function calls for each item found something unknown."""


class _Expression:
    """What a function gets for ``&expression``; the library knows it by the name of its class."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.expression = evaluate

    def visit(self, evaluate: Evaluate, value: t.Any) -> t.Any:
        found = evaluate(value)
        doubts = _doubts([found])
        if doubts:
            raise _Doubt(doubts)
        return _as_library(found)


def _expref(node: Node) -> Evaluate:
    expression = _Expression(compile_node(node["children"][0]))
    return lambda _value: expression


def _function(node: Node) -> Evaluate:
    name = node["value"]
    arguments = _children(node)
    if name not in Functions.FUNCTION_TABLE:
        raise exceptions.UnknownFunctionError(f"there is no function {name}()")

    def evaluate(value: t.Any) -> t.Any:
        given = [argument(value) for argument in arguments]
        if name == "not_null":
            given = [None if isinstance(one, Unknown) and one.null else one for one in given]
        doubts = _doubts(given, deep=name not in _COUNTING)
        if doubts:
            return Unknown(doubts)
        try:
            return _RUNTIME.call_function(name, [_as_library(one) for one in given])
        except _Doubt as doubt:
            return Unknown(doubt.args[0])

    return evaluate


# Functions to which it does not matter what the items are.
_COUNTING = frozenset({"length", "entries", "keys", "values", "reverse", "map"})


def _doubts(values: t.Iterable[t.Any], *, deep: bool = True) -> t.Set[str]:
    doubts: t.Set[str] = set()
    for value in values:
        if isinstance(value, Unknown):
            doubts |= value.facts
        elif isinstance(value, list):
            doubts |= unsure(value)
            if deep:
                doubts.update(*(item.facts for item in value if isinstance(item, Unknown)))
    return doubts


def _as_library(value: t.Any) -> t.Any:
    """Of a type that the library knows: it compares the names of types."""
    if isinstance(value, Rows):
        return list(value)
    return dict(value) if isinstance(value, Map) else value


_COMPILERS: t.Mapping[str, t.Callable[[Node], Evaluate]] = {
    "and_expression": _and,
    "comparator": _comparator,
    "current": _current,
    "expref": _expref,
    "field": _field,
    "filter_projection": _filter_projection,
    "flatten": _flatten,
    "function_expression": _function,
    "identity": _current,
    "index": _index,
    "index_expression": _chain,
    "literal": _literal,
    "multi_select_dict": _multi_select_dict,
    "multi_select_list": _multi_select_list,
    "not_expression": _not,
    "or_expression": _or,
    "pipe": _chain,
    "projection": _projection,
    "slice": _slice,
    "subexpression": _chain,
    "value_projection": _value_projection,
}
