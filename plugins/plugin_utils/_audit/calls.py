# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Calls of functions, which are the library's and ours, and give something unknown for something unknown."""

from __future__ import annotations

import contextlib
import typing as t

from .functions import Functions
from .paths import Children, Evaluate, Node
from .unknown import Map, Rows, Unknown, doubts_of

with contextlib.suppress(ImportError):  # expressions.py says so to whoever asks for a rule
    from jmespath import exceptions

_RUNTIME = Functions()


class _Doubt(Exception):
    """An expression that a function calls for each item found something unknown."""


class _Expression:
    """What a function gets for ``&expression``; the library knows it by the name of its class."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.expression = evaluate

    def visit(self, evaluate: Evaluate, value: t.Any) -> t.Any:
        found = evaluate(value)
        doubts = doubts_of([found])
        if doubts:
            raise _Doubt(doubts)
        return _as_library(found)


def expression(_node: Node, children: Children) -> Evaluate:
    called = _Expression(children[0])
    return lambda _value: called


def function(node: Node, children: Children) -> Evaluate:
    name = node["value"]
    if name not in Functions.FUNCTION_TABLE:
        raise exceptions.UnknownFunctionError(f"there is no function {name}()")

    def evaluate(value: t.Any) -> t.Any:
        given = [argument(value) for argument in children]
        if name == "not_null":
            given = [None if isinstance(one, Unknown) and one.null else one for one in given]
        doubts = doubts_of(given, deep=name not in _COUNTING)
        if doubts:
            return Unknown(doubts)
        try:
            return _RUNTIME.call_function(name, [_as_library(one) for one in given])
        except _Doubt as doubt:
            return Unknown(doubt.args[0])

    return evaluate


# Functions to which it does not matter what the items are.
_COUNTING = frozenset({"length", "entries", "keys", "values", "reverse", "map"})


def _as_library(value: t.Any) -> t.Any:
    """Of a type that the library knows: it compares the names of types."""
    if isinstance(value, Rows):
        return list(value)
    return dict(value) if isinstance(value, Map) else value
