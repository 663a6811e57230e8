# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._want import (
    Value,
    parse_value,
    parse_want,
    plain,
    render,
)

NUMBERS = st.lists(st.integers(min_value=-(2**63), max_value=2**63), min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    "raw, value",
    [
        (65535, (65535,)),
        ("65535", (65535,)),
        ("32768\t60999", (32768, 60999)),
        ([1024, "65535"], (1024, 65535)),
        ("cubic", ("cubic",)),
        ("-1", (-1,)),
        ("", ()),
        ("030", (24,)),
        ("0x20", (32,)),
        ("-010 0X1f", (-8, 31)),
        ("08 1k 0b1", ("08", "1k", "0b1")),
        ("5\u00a0", ("5\u00a0",)),
        ("\u0665", ("\u0665",)),
        (" \t5\t ", (5,)),
    ],
)
def test_values_are_read_from_yaml_and_from_the_kernel(raw: t.Any, value: Value) -> None:
    assert parse_value(raw) == value


@pytest.mark.parametrize("text", ["8002,8000,8001", "8000-8002", "8000 8001-8002", ["8000-8001", 8002]])
def test_a_set_of_ports_is_one_value_however_it_is_spelled(text: t.Any) -> None:
    value = parse_value(text, ports=True)
    assert value == (8000, 8001, 8002)
    assert render(value, ports=True) == "8000-8002"


@pytest.mark.parametrize(
    "raw, said",
    [
        (True, "boolean"),
        ([1, False], "boolean"),
        ("1\n2", "line break"),
        ("1\x00", "control character"),
        (1.5, "neither"),
        (None, "neither"),
        ({"exactly": {"exactly": 1}}, "neither"),
        ({"at_leest": 1}, "at_leest"),
        ({"at_least": 1, "at_most": 2}, "at_least, at_most"),
        ({}, "nothing"),
        ({"at_least": "cubic"}, "cubic"),
        ({"at_least": ""}, "needs a number"),
        ({"covers": 5}, "range"),
        ({"covers": [9, 1]}, "range"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(raw: t.Any, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse_want(raw)


@pytest.mark.parametrize("raw", ["70000", "9-1", "80,x", "-80", {"at_least": 80}])
def test_what_is_no_set_of_ports_is_refused(raw: t.Any) -> None:
    with pytest.raises(BadRequest):
        parse_want(raw, ports=True)


@pytest.mark.parametrize(
    "raw, current, target",
    [
        (4096, (128,), (4096,)),
        (4096, (65535,), (4096,)),
        ({"exactly": 4096}, (65535,), (4096,)),
        ({"at_least": 65535}, (1000000,), (1000000,)),
        ({"at_least": 65535}, (128,), (65535,)),
        ({"at_least": [4096, 131072, 16777216]}, (8192, 87380, 33554432), (8192, 131072, 33554432)),
        ({"at_most": 30}, (60,), (30,)),
        ({"at_most": 30}, (15,), (15,)),
        ({"covers": [15000, 60999]}, (32768, 60000), (15000, 60999)),
        ({"covers": [40000, 50000]}, (32768, 60999), (32768, 60999)),
    ],
)
def test_the_target_is_the_nearest_value_that_is_wanted(raw: t.Any, current: Value, target: Value) -> None:
    want = parse_want(raw)
    assert want.target(current) == target
    assert want.satisfied_by(current) == (current == target)
    assert want.satisfied_by(target)


@pytest.mark.parametrize(
    "raw, value",
    [
        ("0042", "0042"),
        (42, "42"),
        (" |/usr/bin/x  %P %u\t", "|/usr/bin/x  %P %u"),
        (["reno", "bbr"], "reno bbr"),
        ("", ""),
    ],
)
def test_a_text_is_taken_as_it_is(raw: t.Any, value: str) -> None:
    assert parse_value(raw, text=True) == (value,)
    assert render(parse_value(raw, text=True)) == value
    for want in (parse_want(raw, text=True), parse_want({"exactly": raw}, text=True)):
        assert want.target(("anything at all",)) == want.value == (value,)


@pytest.mark.parametrize("raw", [True, "1\n2", {"at_least": "5"}, {"covers": "5 6"}])
def test_what_makes_no_sense_for_a_text_is_refused(raw: t.Any) -> None:
    with pytest.raises(BadRequest):
        parse_want(raw, text=True)


@pytest.mark.parametrize("current", [("reno", "bbr"), ("reno",), ()])
def test_a_text_may_have_another_number_of_words(current: Value) -> None:
    assert parse_want("reno cubic bbr").target(current) == ("reno", "cubic", "bbr")


def test_ports_are_added_to_those_that_are_reserved_already() -> None:
    want = parse_want({"covers": "8080,9000"}, ports=True)
    assert want.target((22, 9000)) == (22, 8080, 9000)
    assert str(want) == "covers 8080,9000"


@pytest.mark.parametrize(
    "raw, current, said",
    [
        (1, (4096, 131072, 6291456), "3 numbers"),
        ("cubic", (1,), "a number"),
        ({"at_least": 1}, ("cubic",), "cubic"),
    ],
)
def test_what_cannot_be_compared_is_named(raw: t.Any, current: Value, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse_want(raw).satisfied_by(current)


@given(NUMBERS, NUMBERS, st.sampled_from(["exactly", "at_least", "at_most"]))
def test_a_target_is_satisfied_and_stays_what_it_is(wanted: Value, current: Value, relation: str) -> None:
    current = (current * 4)[: len(wanted)]
    want = parse_want({relation: list(wanted)})
    target = want.target(current)
    assert want.satisfied_by(target)
    assert want.target(target, current) == target


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for ports in (False, True):
        try:
            value = parse_value(text, ports=ports)
        except BadRequest:
            continue
        assert parse_value(render(value, ports=ports), ports=ports) == value


@pytest.mark.parametrize("text, data", [("4096", 4096), ("1 2", [1, 2]), ("bbr", "bbr"), ("", "")])
def test_result_data_is_numbers_where_it_can_be(text: str, data: t.Any) -> None:
    assert plain(parse_value(text)) == data
