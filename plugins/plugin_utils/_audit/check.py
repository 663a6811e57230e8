# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What a parsed expression names, against what there is: a fact that is misspelt is found before any host is asked."""

from __future__ import annotations

import difflib
import typing as t

from .schema import ANY, Fact, List, Named, Plain, Record

Node = t.Dict[str, t.Any]

_NUMBER = Plain(type="number")
_FLAG = Plain(type="flag")
_TEXT = Plain(type="text")


class UnknownName(Exception):
    """The expression names what no fact is called."""


def check(node: Node, fact: Fact) -> Fact:
    """What kind of fact the expression gives when it is given this one.  Raises UnknownName."""
    return _CHECKS.get(node["type"], _any)(node, fact)


def _any(_node: Node, _fact: Fact) -> Fact:
    return ANY


def _field(node: Node, fact: Fact) -> Fact:
    name = node["value"]
    if name == "null":
        return ANY
    if isinstance(fact, Record):
        if name not in fact.fields:
            raise UnknownName(_unknown(name, fact.fields, fact))
        return fact.fields[name]
    if isinstance(fact, Named):
        if fact.keys and name not in fact.keys:
            raise UnknownName(_unknown(name, fact.keys, fact))
        return fact.item
    if isinstance(fact, (Plain, List)):
        kind = "a list" if isinstance(fact, List) else f"a {fact.type}"
        raise UnknownName(f"{fact.path or 'this'} is {kind} and has no {name!r}")
    return ANY


def _unknown(name: str, names: t.Iterable[str], fact: Fact) -> str:
    near = difflib.get_close_matches(name, names, 1)
    where = f"{fact.path} has no" if fact.path else "there is no fact"
    return f"{where} {name!r}" + (f", did you mean {near[0]!r}?" if near else "")


def _chain(node: Node, fact: Fact) -> Fact:
    for child in node["children"]:
        fact = check(child, fact)
    return fact


def _projection(node: Node, fact: Fact) -> Fact:
    base = check(node["children"][0], fact)
    item = base.item if isinstance(base, (List, Named)) else ANY
    for condition in node["children"][2:]:
        check(condition, item)
    return List(item=check(node["children"][1], item))


def _flatten(node: Node, fact: Fact) -> Fact:
    base = check(node["children"][0], fact)
    return List(item=base.item.item) if isinstance(base, List) and isinstance(base.item, List) else base


def _index(_node: Node, fact: Fact) -> Fact:
    return fact.item if isinstance(fact, List) else ANY


def _multi_select_dict(node: Node, fact: Fact) -> Fact:
    return Record(fields={child["value"]: check(child["children"][0], fact) for child in node["children"]})


def _multi_select_list(node: Node, fact: Fact) -> Fact:
    kinds = [check(child, fact) for child in node["children"]]
    return List(item=kinds[0] if all(kind == kinds[0] for kind in kinds) else ANY)


def _verdict(node: Node, fact: Fact) -> Fact:
    for child in node["children"]:
        check(child, fact)
    return _FLAG


def _either(node: Node, fact: Fact) -> Fact:
    first, second = (check(child, fact) for child in node["children"])
    return first if first == second else ANY


def _function(node: Node, fact: Fact) -> Fact:
    given: t.List[Fact] = []
    for child in node["children"]:
        if child["type"] == "expref":
            given.append(check(child["children"][0], _items(node, given, fact)))
        else:
            given.append(check(child, fact))
    return _RESULTS.get(node["value"], _constant(ANY))(given)


def _items(node: Node, given: t.Sequence[Fact], fact: Fact) -> Fact:
    """What ``&expression`` is given: the items of the list, which is the first argument, or the second of map()."""
    over = check(node["children"][1], fact) if node["value"] == "map" else given[0] if given else ANY
    return over.item if isinstance(over, List) else ANY


def _item(given: t.Sequence[Fact]) -> Fact:
    return given[0].item if given and isinstance(given[0], List) else ANY


def _same(given: t.Sequence[Fact]) -> Fact:
    return given[0] if given else ANY


def _entries(given: t.Sequence[Fact]) -> Fact:
    value = given[0].item if given and isinstance(given[0], Named) else ANY
    return List(item=Record(fields={"key": _TEXT, "value": value}))


def _constant(fact: Fact) -> t.Callable[[t.Sequence[Fact]], Fact]:
    return lambda _given: fact


def _values(given: t.Sequence[Fact]) -> Fact:
    return List(item=given[0].item) if given and isinstance(given[0], Named) else ANY


_NUMBERS = "abs avg ceil floor length sum to_number ratio product difference round"

# What functions give for the kinds of facts they are given; of others nothing is known.
_RESULTS: t.Mapping[str, t.Callable[[t.Sequence[Fact]], Fact]] = {
    **dict.fromkeys(_NUMBERS.split(), _constant(_NUMBER)),
    **dict.fromkeys(("contains", "starts_with", "ends_with"), _constant(_FLAG)),
    **dict.fromkeys(("max", "min", "max_by", "min_by"), _item),
    **dict.fromkeys(("sort", "sort_by", "reverse", "not_null"), _same),
    "entries": _entries,
    "keys": _constant(List(item=_TEXT)),
    "values": _values,
    "map": lambda given: List(item=given[0]) if given else ANY,
}

_CHECKS: t.Mapping[str, t.Callable[[Node, Fact], Fact]] = {
    "and_expression": _either,
    "comparator": _verdict,
    "current": lambda _node, fact: fact,
    "field": _field,
    "filter_projection": _projection,
    "flatten": _flatten,
    "function_expression": _function,
    "identity": lambda _node, fact: fact,
    "index": _index,
    "index_expression": _chain,
    "multi_select_dict": _multi_select_dict,
    "multi_select_list": _multi_select_list,
    "not_expression": _verdict,
    "or_expression": _either,
    "pipe": _chain,
    "projection": _projection,
    "slice": lambda _node, fact: fact,
    "subexpression": _chain,
    "value_projection": _projection,
}
