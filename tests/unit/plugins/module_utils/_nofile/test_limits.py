# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import INFINITY, Limits
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.limits import Ceiling, parse_directive, parse_limit


# What systemd 257 had after it read a drop-in with this value over LimitNOFILE=100:200; None where it kept that.
@pytest.mark.parametrize(
    "text, expected",
    [
        ("300", Limits(300, 300)),
        ("300:400", Limits(300, 400)),
        ("300: 400", Limits(300, 400)),
        ("300 :400", None),
        ("300 : 400", None),
        ("", None),
        ("300:", None),
        (":300", None),
        ("400:300", None),
        ("infinity", Limits(INFINITY, INFINITY)),
        ("1024:infinity", Limits(1024, INFINITY)),
        ("0x10:0x20", Limits(16, 32)),
        ("010", Limits(8, 8)),
        ("0b101", Limits(5, 5)),
        ("0o17", Limits(15, 15)),
        ("0", Limits(0, 0)),
        ("+5", Limits(5, 5)),
        ("-1", None),
        ("09", None),
        ("1K", None),
        ('"300"', None),
        ("300 # all", None),
        ("18446744073709551614", Limits(2**64 - 2, 2**64 - 2)),
        ("18446744073709551615", None),
        ("0o", None),
        ("0x", None),
        ("0b", None),
        ("0o8", None),
        ("0o0x7", None),
        ("0O17", Limits(15, 15)),
        ("0B101", Limits(5, 5)),
        ("0o+7", Limits(7, 7)),
        ("0o 7", Limits(7, 7)),
        ("0b-1", None),
        ("0b-0", Limits(0, 0)),
        ("0x+1", None),
        ("00b1", None),
        ("-0", Limits(0, 0)),
        ("-0x0:5", Limits(0, 5)),
        ("-0x1", None),
        ("- 0", None),
        ("--0", None),
        ("5: 0o7", Limits(5, 7)),
        ("\v5", Limits(5, 5)),
        ("5\f", None),
        ("\u00a05", None),
        ("\u0665", None),
        ("100:201:", Limits(100, 201)),
        ("100::201", None),
        ("100:201:300", None),
        ("100:201::", None),
        ("5:infinity:", Limits(5, INFINITY)),
        ("5:5", Limits(5, 5)),
        (":", None),
    ],
)
def test_parse_directive(text: str, expected: t.Optional[Limits]) -> None:
    assert parse_directive(text) == expected


DEFAULT = Limits(1024, 524288)


@pytest.mark.parametrize(
    "raw, current, expected",
    [
        (65536, DEFAULT, Limits(65536, 65536)),
        ("65536", DEFAULT, Limits(65536, 65536)),
        ({"at_least": 65536}, DEFAULT, Limits(65536, 524288)),
        ({"at_least": 65536}, Limits(100000, 100000), Limits(100000, 100000)),
        ({"at_least": 600000}, DEFAULT, Limits(600000, 600000)),
        ({"at_most": 4096}, Limits(8192, 524288), Limits(4096, 4096)),
        ({"soft": 1024, "hard": {"at_least": 600000}}, Limits(2048, 4096), Limits(1024, 600000)),
        ({"soft": {"at_least": 65536}}, DEFAULT, Limits(65536, 524288)),
        ({"soft": {"at_least": 65536}}, Limits(1024, 4096), Limits(65536, 65536)),
        ({"hard": 512}, DEFAULT, Limits(512, 512)),
        ({"hard": {"at_least": 4096}}, Limits(1024, 1024), Limits(1024, 4096)),
        ({"soft": {"at_least": 1000}, "hard": {"at_most": 5000}}, Limits(8000, 9000), Limits(5000, 5000)),
        ({"soft": {"exactly": 8000}, "hard": {"at_least": 5000}}, Limits(1024, 1024), Limits(8000, 8000)),
    ],
)
def test_target(raw: t.Any, current: Limits, expected: Limits) -> None:
    want = parse_limit(raw)
    assert want.target(current) == expected
    assert want.satisfied_by(expected)
    assert want.satisfied_by(current) is (current == expected)


@pytest.mark.parametrize(
    "raw, text",
    [
        (65536, "exactly 65536"),
        ({"at_least": 65536}, "at least 65536"),
        ({"soft": 1024, "hard": {"at_least": 4096}}, "soft exactly 1024, hard at least 4096"),
        ({"hard": 4096}, "hard exactly 4096"),
    ],
)
def test_in_words(raw: t.Any, text: str) -> None:
    assert str(parse_limit(raw)) == text


@pytest.mark.parametrize(
    "raw, message",
    [
        (True, "limit: True is a boolean"),
        (None, "limit: None is neither"),
        ({}, "limit: one of exactly"),
        (0, "limit: a number of files is needed"),
        (-5, "limit: a number of files is needed"),
        ("many", "limit: a number of files is needed"),
        ([1, 2], "limit: a number of files is needed"),
        ({"covers": [1, 2]}, "limit: a number of files is needed"),
        ("infinity", "limit: infinity is impossible"),
        ({"hard": "infinity"}, "limit.hard: infinity is impossible"),
        ({"soft": 1, "at_least": 2}, "limit: one of exactly"),
        ({"soft": {"more": 1}}, "limit.soft: one of exactly"),
        ({"soft": 2000, "hard": 1000}, "the soft limit 2000 would exceed the hard limit 1000"),
        ({"soft": {"at_least": 2000}, "hard": {"at_most": 1000}}, "the soft limit 2000 would exceed"),
    ],
)
def test_refused(raw: t.Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse_limit(raw)


@pytest.mark.parametrize(
    "raw, expected",
    [
        (65536, 65536),
        ({"at_least": 65536}, 65536),
        ({"at_most": 65536}, 0),
        ({"soft": {"at_least": 5}, "hard": {"at_least": 9}}, 9),
        ({"soft": 5}, 5),
    ],
)
def test_floor(raw: t.Any, expected: int) -> None:
    assert parse_limit(raw).floor() == expected


HOST = Ceiling(nr_open=1048576, manager_hard=1048576, manager_may_raise=True)
CONTAINER = Ceiling(nr_open=1048576, manager_hard=20000, manager_may_raise=False)


# In the container these are what systemd 247, 252 and 257 gave to nginx.
@pytest.mark.parametrize(
    "ceiling, declared, effective",
    [
        (HOST, DEFAULT, DEFAULT),
        (HOST, Limits(1048576, 1048576), Limits(1048576, 1048576)),
        (HOST, Limits(2000000, 2000000), Limits(1048576, 1048576)),
        (HOST, Limits(1024, INFINITY), Limits(1024, 1048576)),
        (Ceiling(2000000, 1048576, True), Limits(1500000, 1500000), Limits(1500000, 1500000)),
        (CONTAINER, DEFAULT, Limits(1024, 20000)),
        (CONTAINER, Limits(INFINITY, INFINITY), Limits(20000, 20000)),
        (CONTAINER, Limits(65536, 65536), Limits(20000, 20000)),
        (CONTAINER, Limits(1000, 2000), Limits(1000, 2000)),
    ],
)
def test_what_systemd_gives(ceiling: Ceiling, declared: Limits, effective: Limits) -> None:
    assert ceiling.effective(declared) == effective


NUMBER = st.integers(min_value=1, max_value=3_000_000)
RELATION = st.one_of(
    NUMBER, st.builds(lambda word, number: {word: number}, st.sampled_from(["exactly", "at_least", "at_most"]), NUMBER)
)
WANT = st.one_of(
    RELATION,
    st.fixed_dictionaries({"soft": RELATION}, optional={"hard": RELATION}),
    st.fixed_dictionaries({"hard": RELATION}),
)
CURRENT = st.tuples(NUMBER, NUMBER).map(lambda pair: Limits(min(pair), max(pair)))


@given(WANT, CURRENT)
def test_what_was_accepted_can_always_be_had(raw: t.Any, current: Limits) -> None:
    try:
        want = parse_limit(raw)
    except BadRequest:
        return
    target = want.target(current)
    assert target.soft <= target.hard
    assert want.satisfied_by(target)
    assert want.target(target) == target
    assert want.satisfied_by(current) is (target == current)
    assert parse_directive(str(target)) == target
