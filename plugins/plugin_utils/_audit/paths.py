# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The ways through facts that expressions take: names, indexes, projections, and what they make of what they find.

Here, and in the files for conditions and calls, a function takes a node of the tree and the functions that its children
have become, and makes one of them.
"""

from __future__ import annotations

import typing as t

from .unknown import Map, Rows, Unknown, truth, unsure

Node = t.Mapping[str, t.Any]
Evaluate = t.Callable[[t.Any], t.Any]
Children = t.Sequence[Evaluate]


def current(_node: Node, _children: Children) -> Evaluate:
    return lambda value: value


def literal(node: Node, _children: Children) -> Evaluate:
    literal = node["value"]
    return lambda _value: literal


def field(node: Node, _children: Children) -> Evaluate:
    name = node["value"]

    def evaluate(value: t.Any) -> t.Any:
        if isinstance(value, Map):
            return value[name]
        if isinstance(value, dict):
            return value.get(name)
        return value if isinstance(value, Unknown) else None

    return evaluate


def index(node: Node, _children: Children) -> Evaluate:
    index = node["value"]

    def evaluate(value: t.Any) -> t.Any:
        if not isinstance(value, list):
            return value if isinstance(value, Unknown) else None
        if -len(value) <= index < len(value):
            return value[index]
        return Unknown(value.unsure) if isinstance(value, Rows) else None

    return evaluate


def cut(node: Node, _children: Children) -> Evaluate:
    wanted = slice(*node["children"])

    def evaluate(value: t.Any) -> t.Any:
        if not isinstance(value, list):
            return value if isinstance(value, Unknown) else None
        return _rows(value[wanted], unsure(value))

    return evaluate


def chain(_node: Node, children: Children) -> Evaluate:

    def evaluate(value: t.Any) -> t.Any:
        for step in children:
            value = step(value)
        return value

    return evaluate


def _rows(rows: t.List[t.Any], doubts: t.AbstractSet[str]) -> t.List[t.Any]:
    return Rows(rows, frozenset(doubts)) if doubts else rows


def projection(_node: Node, children: Children) -> Evaluate:
    base, each = children

    def evaluate(value: t.Any) -> t.Any:
        found = base(value)
        if not isinstance(found, list):
            return found if isinstance(found, Unknown) else None
        return _rows([item for item in map(each, found) if item is not None], unsure(found))

    return evaluate


def value_projection(_node: Node, children: Children) -> Evaluate:
    base, each = children

    def evaluate(value: t.Any) -> t.Any:
        found = base(value)
        if not isinstance(found, dict):
            return found if isinstance(found, Unknown) else None
        return [item for item in map(each, found.values()) if item is not None]

    return evaluate


def filter_projection(_node: Node, children: Children) -> Evaluate:
    base, each, condition = children

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


def flatten(_node: Node, children: Children) -> Evaluate:
    [base] = children

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


def multi_select_dict(node: Node, children: Children) -> Evaluate:
    parts = [(pair["value"], part) for pair, part in zip(node["children"], children)]

    def evaluate(value: t.Any) -> t.Any:
        return None if value is None else {name: part(value) for name, part in parts}

    return evaluate


def multi_select_list(_node: Node, children: Children) -> Evaluate:
    return lambda value: None if value is None else [part(value) for part in children]
