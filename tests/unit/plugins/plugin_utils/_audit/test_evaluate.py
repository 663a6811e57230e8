# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import jmespath
import pytest
from hypothesis import given, strategies
from jmespath import parser

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import evaluate
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.functions import Functions
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.unknown import (
    Map,
    Rows,
    Unknown,
    is_false,
    plain,
    truth,
)

GONE = Unknown(["gone"])
NULL = Unknown(["null"], null=True)

DATA: t.Dict[str, t.Any] = {
    "a": 1,
    "b": None,
    "gone": GONE,
    "none": NULL,
    "list": [{"n": 1, "m": 5}, {"n": 2, "m": NULL}, {"n": 3, "m": 7}],
    "ours": [{"n": NULL}, {"n": NULL}],
    "nested": [[1, 2], [3], GONE],
    "map": Map([("x", 1)], "map", Unknown(["map"])),
    "settings": Map([("x", {"value": 1})], "settings", None),
    "sure": [1, 2, 3],
}


def search(expression: str, data: t.Any = DATA) -> t.Any:
    tree: t.Any = parser.Parser().parse(expression).parsed
    return evaluate.compile_node(tree)(data)


@pytest.mark.parametrize(
    "expression, facts",
    [
        ("gone", {"gone"}),
        ("gone.deeper.still", {"gone"}),
        ("gone == `1`", {"gone"}),
        ("`1` != gone", {"gone"}),
        ("none > `1`", {"null"}),
        ("!gone", {"gone"}),
        ("gone && a", {"gone"}),
        ("a == `1` && gone", {"gone"}),
        ("gone || b", {"gone"}),
        ("gone || `7`", {"gone"}),
        ("gone == null", {"gone"}),
        ("gone != null", {"gone"}),
        ("gone[0]", {"gone"}),
        ("gone[0:1]", {"gone"}),
        ("gone[].x", {"gone"}),
        ("gone.*", {"gone"}),
        ("gone[?x]", {"gone"}),
        ("list[?m > `100`] | [0]", {"null"}),
        ("list[?m > `100`] == `[]`", {"null"}),
        ("length(list[?m > `5`])", {"null"}),
        ("sum(list[].m)", {"null"}),
        ("max_by(list, &m)", {"null"}),
        ("contains(list[].m, `100`)", {"null"}),
        ("ratio(none, `1`)", {"null"}),
        ("map.y", {"map.y"}),
        ('map."a.y"', {'map."a.y"'}),
        ("map.y == `1`", {"map.y"}),
        ("not_null(gone, a)", {"gone"}),
    ],
)
def test_what_depends_on_a_missing_fact_is_unknown_and_names_it(expression: str, facts: t.Set[str]) -> None:
    found = search(expression)
    assert isinstance(found, Unknown)
    assert found.facts == facts


@pytest.mark.parametrize(
    "expression, found",
    [
        ("a == `2` && gone", False),
        ("gone && a == `2`", False),
        ("a == `1` || gone", True),
        ("gone || a == `1`", True),
        ("none == null", True),
        ("null == none", True),
        ("none != null", False),
        ("none == `null`", True),
        ("b == null", True),
        ("map.y != null", False),
        ("map.x != null", True),
        ("none || `7`", 7),
        ("b || `7`", 7),
        ("not_null(none, a)", 1),
        ("settings.y == null", True),
        ("settings.y.value > `1`", False),
        ("list[?m > `6`].n", [3]),
        ("list[?n > `6`].n", []),
        ("length(list)", 3),
        ("length(ours)", 2),
        ("list[1].n", 2),
        ("list[7]", None),
        ("list[-1].n", 3),
        ("a.b", None),
        ("a[0]", None),
        ("a[0:1]", None),
        ("a[].b", None),
        ("a.*", None),
        ("a[?b]", None),
        ("b.{x: a}", None),
        ("b.[a]", None),
        ("`1` == `true`", False),
        ('`"x"` > `1`', False),
        ("sure[?@ > `1`]", [2, 3]),
        ("entries(settings)[].key", ["x"]),
    ],
)
def test_what_does_not_depend_on_it_is_told(expression: str, found: t.Any) -> None:
    assert search(expression) == found


@pytest.mark.parametrize(
    "expression, rows",
    [
        ("list[?m > `6`]", [{"n": 3, "m": 7}]),
        ("list[?m > `6`].n", [3]),
        ("list[?m > `6`][]", [{"n": 3, "m": 7}]),
        ("list[?m > `6`] | [0:5]", [{"n": 3, "m": 7}]),
        ("list[?m > `6`] | [?n > `5`]", []),
        ("[list[?m > `6`].n, sure][]", [3, 1, 2, 3]),
        ("nested[]", [1, 2, 3]),
    ],
)
def test_a_list_that_may_lack_rows_stays_so(expression: str, rows: t.List[t.Any]) -> None:
    found = search(expression)
    assert isinstance(found, Rows)
    assert found == rows


@pytest.mark.parametrize(
    "value, verdict",
    [
        (0, True),
        ("", False),
        ([], False),
        ({}, False),
        (None, False),
        (False, False),
        ([0], True),
        (Rows([1], frozenset("x")), True),
    ],
)
def test_truth_is_that_of_jmespath(value: t.Any, verdict: bool) -> None:
    assert truth(value) is verdict
    assert is_false(value) is not verdict


def test_an_empty_list_that_may_lack_rows_is_unknown() -> None:
    found = truth(Rows([], frozenset(["f"])))
    assert isinstance(found, Unknown)
    assert found.facts == {"f"}


def test_what_is_not_known_is_null_in_json() -> None:
    assert plain({"a": [GONE, {"b": NULL}], "c": 1}) == {"a": [None, {"b": None}], "c": 1}


_EXPRESSIONS = (
    "a",
    "a.b",
    "a[0]",
    "a[].b",
    "a[].b[]",
    "a[?b == `1`]",
    "a[?b > `1`].c",
    "a[?!b]",
    "a[?b && c]",
    "a[?b || c].{x: b, y: c}",
    "a.*",
    "a[1:3]",
    "a[::-1]",
    "a | [0]",
    "[a, b, c][]",
    "{x: a, y: b}",
    "a || b",
    "a && b",
    "!a",
    "a == b",
    "a != b",
    "type(a)",
    "not_null(a, b, c)",
    "to_string(a)",
    "entries({x: a})",
)

_VALUES = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers(-3, 3) | strategies.sampled_from(["", "x"]),
    lambda inner: (
        strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(expression=strategies.sampled_from(_EXPRESSIONS), data=_VALUES)
def test_where_all_facts_are_there_it_gives_what_jmespath_gives(expression: str, data: t.Any) -> None:
    expected = jmespath.search(expression, data, options=jmespath.Options(custom_functions=Functions()))
    found = search(expression, data)
    assert found == expected or _is_ordering(expression, expected, found)


def _is_ordering(expression: str, expected: t.Any, found: t.Any) -> bool:
    """Values that have no order: null in JMESPath, false here, which a filter takes for the same."""
    return expected is None and found is False and ">" in expression
