# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import guards
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.guards import Change, Context, Holder, refusal
from ansible_collections.nettune.tcp.plugins.module_utils._want import Value

BUCKETS, RANGE, RESERVED = guards.CONNTRACK_BUCKETS, guards.RANGE, guards.RESERVED


def spoke(reason: t.Optional[str], said: t.Optional[str]) -> bool:
    """Whether the guard said what was expected of it, or nothing where nothing was."""
    return reason is None if said is None else reason is not None and said in reason


@pytest.mark.parametrize(
    "key, before, after, said",
    [
        ("net.ipv4.tcp_tw_recycle", (0,), (1,), "NAT"),
        ("net.ipv4.tcp_tw_recycle", (1,), (0,), None),
        ("net.ipv4.tcp_timestamps", (1,), (0,), "PAWS"),
        ("net.ipv4.tcp_timestamps", (1,), (2,), None),
        ("net.ipv4.tcp_timestamps", (0,), (0,), None),
        ("net.ipv4.tcp_abort_on_overflow", (0,), (1,), "burst"),
        ("net.ipv4.tcp_abort_on_overflow", (1,), (0,), None),
        ("net.ipv4.tcp_syncookies", (1,), (2,), "tests"),
        ("net.ipv4.tcp_syncookies", (1,), (0,), "drops SYNs"),
        ("net.ipv4.tcp_syncookies", (0,), (1,), None),
        ("net.core.somaxconn", (4096,), (1024,), "4096 to 1024"),
        ("net.core.somaxconn", (4096,), (8192,), None),
        ("net.core.somaxconn", None, (1024,), None),
        ("net.ipv4.tcp_max_tw_buckets", (131072,), (5000,), "131072 to 5000"),
        ("fs.file-max", (9223372036854775807,), (1048576,), "9223372036854775807"),
        ("net.core.somaxconn", (4096,), (4095,), "4096 to 4095"),
        ("net.core.somaxconn", (4096,), ("4k",), None),
        ("net.core.somaxconn", ("many",), (128,), None),
        ("net.core.somaxconn", (4096, 1), (128,), None),
        ("net.core.somaxconn", (4096,), (4097, 1), None),
        ("net.ipv4.tcp_rmem", (4096, 131072, 33554432), (4096, 131072, 33554433), None),
        ("net.ipv4.tcp_rmem", (4096, 131072, 33554432), (4097, 131072, 33554431), "lower"),
        ("net.ipv4.tcp_rmem", None, (4096, 4096, 4096), None),
        ("net.ipv4.tcp_rmem", (4096, 131072, 33554432), (4096, 87380, 33554432), "lower"),
        ("net.ipv4.tcp_rmem", (4096, 131072, 33554432), (4096, 33554433, 33554432), "decrease"),
        ("net.ipv4.tcp_wmem", (4096, 16384, 4194304), (0, 16384, 4194304), "no sense"),
        ("net.ipv4.tcp_fin_timeout", (60,), (0,), "no sense"),
        ("net.ipv4.tcp_fin_timeout", (60,), (30,), None),
        ("net.ipv4.tcp_fin_timeout", (60,), (1,), None),
        ("net.ipv4.tcp_fin_timeout", (60,), ("soon",), None),
        ("net.ipv4.tcp_fin_timeout", (60,), (60,), None),
        ("net.ipv4.tcp_timestamps", (1,), (3,), "PAWS"),
        ("net.ipv4.tcp_timestamps", (2,), (1,), None),
        ("net.ipv4.tcp_tw_recycle", None, (1,), "NAT"),
        ("net.ipv4.ip_local_port_range", (32768, 60999), (32768,), None),
        ("net.ipv4.ip_local_port_range", (32768, 60999), ("32768", 60999), None),
        ("net.ipv4.ip_local_port_range", (32768, 60999), (32768, "60999"), None),
        ("net.ipv4.tcp_max_orphans", (131072,), (-1,), "no sense"),
        ("net.ipv4.tcp_congestion_control", ("cubic",), ("bbr",), None),
        ("net.ipv4.tcp_tw_reuse", (2,), (1,), None),
        ("net.ipv4.ip_local_port_range", (32768, 60999), (1024, 65000), "even"),
        ("net.ipv4.ip_local_port_range", (32768, 60999), (1025, 64999), "odd"),
        ("net.ipv4.ip_local_port_range", (32768, 60999), (15000, 60999), None),
        ("vm.swappiness", (60,), (1,), None),
    ],
)
def test_harm_is_refused_with_the_reason(key: str, before: Value, after: Value, said: t.Optional[str]) -> None:
    assert spoke(refusal(Change(key, before, after)), said)


def test_the_rows_of_the_table_are_joined_and_none_is_there_twice() -> None:
    one, other = (lambda _change, _context, said=said: said for said in ("one", "other"))
    assert guards._table({"a": (one,), "b": (one,)}, {"a": (other,)}) == {"a": (one, other), "b": (one,)}
    for rows in ([{"a": (one, one)}], [{"a": (one,)}, {"a": (other, one)}]):
        with pytest.raises(ValueError, match="a has a guard twice"):
            guards._table(*rows)


@pytest.mark.parametrize(
    "key, count", [(guards.FILE_MAX, 2), (guards.CONNTRACK_MAX, 2), ("net.ipv4.tcp_rmem", 2), (guards.RANGE, 2)]
)
def test_a_key_of_several_tables_has_the_guards_of_all(key: str, count: int) -> None:
    assert len(guards.GUARDS[key]) == count


def test_every_guard_of_its_own_has_a_case() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    constants = {value: f"guards.{name}" for name, value in vars(guards).items() if isinstance(value, str)}
    assert [key for key in guards._OF_ONE_KEY if f'"{key}"' not in text and constants.get(key, key) not in text] == []


def test_what_another_file_gives_at_boot_is_named() -> None:
    change = Change("net.core.somaxconn", (65535,), (8192,), "/etc/sysctl.d/50-x.conf:7")
    assert spoke(refusal(change), "from 65535 that /etc/sysctl.d/50-x.conf:7 sets for the next boot to 8192")


@pytest.mark.parametrize(
    "kernel, timestamps, after, said",
    [
        ((5, 10), 1, 1, None),
        ((5, 10), 0, 1, "no effect while net.ipv4.tcp_timestamps is 0"),
        ((5, 10), 0, 2, None),
        ((4, 19), 1, 2, None),
        ((4, 18), 1, 2, "every destination"),
        ((3, 10), 1, 2, "every destination"),
    ],
)
def test_reuse_needs_timestamps_and_2_a_new_kernel(
    kernel: t.Tuple[int, int], timestamps: int, after: int, said: t.Optional[str]
) -> None:
    change = Change(guards.TW_REUSE, (0,), (after,))
    running = Context(kernel=kernel, running={guards.TIMESTAMPS: (timestamps,)})
    planned = Context(kernel=kernel, running={guards.TIMESTAMPS: (1,)}, planned={guards.TIMESTAMPS: (timestamps,)})
    assert spoke(refusal(change, running), said)
    assert spoke(refusal(change, planned), said)


@pytest.mark.parametrize(
    "running_reserved, planned, said",
    [
        pytest.param((), {RANGE: (15000, 60999)}, "15672,18000-18001", id="swallowed"),
        pytest.param((15672,), {RANGE: (15000, 60999)}, "18000-18001", id="some are reserved"),
        pytest.param((15672, 18000, 18001), {RANGE: (15000, 60999)}, None, id="all are reserved"),
        pytest.param(
            (), {RANGE: (15000, 60999), RESERVED: (15672, 18000, 18001)}, None, id="to be reserved in the same run"
        ),
        pytest.param((), {RANGE: (20000, 60999)}, None, id="narrow enough, and 40000 was in it before"),
    ],
)
def test_a_range_must_not_swallow_listeners(
    running_reserved: Value, planned: t.Dict[str, Value], said: t.Optional[str]
) -> None:
    context = Context(
        running={RANGE: (32768, 60999), RESERVED: running_reserved},
        planned=planned,
        listening=frozenset({22, 443, 15672, 18000, 18001, 40000}),
    )
    assert spoke(refusal(Change(RANGE, (32768, 60999), planned[RANGE]), context), said)


@pytest.mark.parametrize(
    "was, planned, port, said",
    [
        ((2000, 2999), (1000, 3999), 1000, "1000"),
        ((2000, 2999), (1000, 3999), 999, None),
        ((2000, 2999), (1000, 3999), 3999, "3999"),
        ((2000, 2999), (1000, 3999), 4000, None),
        ((2000, 2999), (1000, 3999), 2000, None),
        ((2000, 2999), (1000, 3999), 1999, "1999"),
        ((2000, 2999), (1000, 3999), 2999, None),
        ((2000, 2999), (1000, 3999), 3000, "3000"),
        (None, (1, 2), 1, "1"),
        (None, (1, 2), 2, "2"),
    ],
)
def test_the_ends_of_a_range_belong_to_it(
    was: t.Optional[Value], planned: Value, port: int, said: t.Optional[str]
) -> None:
    context = Context(
        running={} if was is None else {RANGE: was}, planned={RANGE: planned}, listening=frozenset({port})
    )
    assert spoke(refusal(Change(RANGE, was, planned), context), said)


def test_a_range_of_which_nothing_is_known_swallows_nothing() -> None:
    change = Change(RESERVED, (1,), ())
    assert refusal(change, Context(listening=frozenset({0, 1}), planned={RESERVED: ()})) is None


def test_a_listener_in_the_range_must_stay_reserved() -> None:
    change = Change(RESERVED, (40000, 40001), (40001,))
    context = Context(
        running={RANGE: (32768, 60999), RESERVED: change.before or ()},
        planned={RESERVED: change.after},
        listening=frozenset({40000}),
    )
    assert spoke(refusal(change, context), "listen on 40000")


@pytest.mark.parametrize(
    "before, after, said",
    [
        (1048576, 524287, "nginx.service has a limit of 524288"),
        (1048576, 524288, "lower a capacity"),
        (1048576, 2097152, None),
        # a unit asks for more than there was before: raising helps
        (400000, 500000, None),
    ],
)
def test_nr_open_stays_above_the_limits_in_use(before: int, after: int, said: t.Optional[str]) -> None:
    context = Context(most_files=Holder(524288, "nginx.service"))
    assert spoke(refusal(Change(guards.NR_OPEN, (before,), (after,)), context), said)


def test_where_nothing_is_known_of_the_value_before_it_may_get_smaller() -> None:
    context = Context(most_files=Holder(5, "x"), open_files=5)
    assert spoke(refusal(Change(guards.NR_OPEN, None, (4,)), context), "what asks for more than 4 could not")
    assert spoke(refusal(Change(guards.FILE_MAX, None, (4,)), context), "5 files are open")
    for key in (guards.NR_OPEN, guards.FILE_MAX):
        assert refusal(Change(key, None, (5,)), context) is None
        assert refusal(Change(key, (3,), (4,)), context) is None
        assert refusal(Change(key, (4,), (4,)), context) is None


def test_file_max_stays_above_what_is_open() -> None:
    change = Change(guards.FILE_MAX, (1000000,), (5000,))
    assert spoke(refusal(change, Context(open_files=6000)), "6000 files are open")
    assert spoke(refusal(change, Context(open_files=4000)), "lower a capacity")


@pytest.mark.parametrize(
    "key, before, after, other, said",
    [
        (guards.CONNTRACK_MAX, 262144, 2097152, 262144, None),
        (guards.CONNTRACK_MAX, 262144, 2097153, 262144, "at least 262145"),
        (guards.CONNTRACK_MAX, 262144, 2097153, None, None),
        (guards.CONNTRACK_MAX, 2097154, 2097153, 262144, "lower a capacity"),
        (guards.CONNTRACK_MAX, 0, 9, 1, "9 connections in 1 buckets make long chains; set"),
        (BUCKETS, 1, 2, 17, None),
        (BUCKETS, 2, 1, 8, "lower a capacity"),
        (BUCKETS, 65536, 131072, 2097152, None),
        (BUCKETS, 262144, 131072, 2097152, "131072 buckets"),
    ],
)
def test_conntrack_needs_buckets(
    key: str, before: int, after: int, other: t.Optional[int], said: t.Optional[str]
) -> None:
    counterpart = BUCKETS if key == guards.CONNTRACK_MAX else guards.CONNTRACK_MAX
    running: t.Dict[str, Value] = {} if other is None else {counterpart: (other,)}
    context = Context(running=running, planned={key: (after,)})
    assert spoke(refusal(Change(key, (before,), (after,)), context), said)
