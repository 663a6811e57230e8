# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counting by planes of bytes against counting one by one."""

from __future__ import annotations

import socket
import typing as t
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._facts.census import census
from ansible_collections.nettune.tcp.plugins.module_utils._facts.tally import (
    INBOUND,
    Tally,
    count_states,
    make_key,
    port_tables,
    split_key,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import HEAD_FAMILY
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Row, plain
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.netlink_messages import Socket

FAMILIES = {
    "v4": ["10.0.0.1", "127.0.0.1", "0.0.0.0", "255.255.255.255"],
    "mapped": ["::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:0.0.0.0"],
    "v6": ["::1", "2001:db8::1", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
}
PORTS = [0, 22, 80, 443, 255, 256, 8080, 33000, 40000, 65535]


def _sockets(family: str) -> st.SearchStrategy[Socket]:
    return st.builds(
        Socket,
        state=st.integers(1, 12).filter(lambda state: state != 10),
        local=st.sampled_from(FAMILIES[family]),
        local_port=st.sampled_from(PORTS) | st.integers(0, 65535),
        remote=st.sampled_from(FAMILIES[family]),
        remote_port=st.sampled_from(PORTS),
        timer=st.sampled_from([0, 3]),
    )


sockets = st.lists(st.sampled_from(sorted(FAMILIES)).flatmap(_sockets), min_size=1, max_size=30)


def head(entry: Socket) -> bytes:
    return bytes(HEAD_FAMILY) + entry.payload()[:40]


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def row(entry: Socket) -> Row:
    return (
        entry.state,
        plain(packed(entry.local)),
        entry.local_port,
        plain(packed(entry.remote)),
        entry.remote_port,
    )


@given(sockets, st.sets(st.sampled_from(PORTS)))
@settings(max_examples=300)
def test_planes_count_like_rows(chosen: t.List[Socket], ports: t.Set[int]) -> None:
    by_planes, by_rows = Tally(ports), Tally(ports)
    by_planes.add_heads([head(entry) for entry in chosen])
    for entry in chosen:
        by_rows.add_row(row(entry))
    assert by_planes.flows == by_rows.flows
    assert by_planes.half_open == by_rows.half_open
    assert by_planes.of_ports() == by_rows.of_ports()
    assert census(by_planes, [], 100) == census(by_rows, [], 100)


@given(sockets)
def test_count_states(chosen: t.List[Socket]) -> None:
    states: t.Counter[int] = Counter()
    minis = count_states([head(entry) for entry in chosen], states)
    assert states == Counter(entry.state for entry in chosen)
    assert minis == sum(entry.state == 5 and entry.timer == 3 for entry in chosen)


@given(st.sets(st.integers(0, 65535), max_size=40))
@settings(max_examples=50)
def test_port_tables_know_exactly_their_ports(ports: t.Set[int]) -> None:
    tables = port_tables(ports)
    near = {(port + step) & 0xFFFF for port in ports for step in (-256, -1, 0, 1, 256)} | {0, 65535}
    mixed = {high & 0xFF00 | low & 0xFF for high in ports for low in ports}
    for port in near | mixed:
        assert any(high[port >> 8] & low[port & 0xFF] for high, low in tables) == (port in ports)


def test_port_tables_are_one_pair_for_eight_upper_bytes() -> None:
    assert [len(port_tables(range(0, count * 256, 256))) for count in (0, 1, 8, 9, 256)] == [0, 1, 1, 2, 32]


@pytest.mark.parametrize("remote", ["192.0.2.1", "2001:db8::7"])
@pytest.mark.parametrize("flow", [1, 6 | INBOUND])
def test_keys(remote: str, flow: int) -> None:
    address = packed(remote)
    local = b"" if flow & INBOUND else address[::-1]
    assert split_key(make_key(flow, 443, address, local)) == (flow, 443, address, local)


def test_memory_is_bounded_and_the_busy_stand_out() -> None:
    tally = Tally([80], most=1000)
    busy = packed("198.51.100.1")
    for number in range(50_000):
        tally.add_row((6, b"\n\0\0\1", 80, (0x0B000000 + number).to_bytes(4, "big"), 40000))
        if number % 50 == 0:
            tally.add_row((6, b"\n\0\0\1", 80, busy, number & 0xFFFF))
        assert len(tally.groups) <= 1000
    counted = tally.groups[make_key(6 | INBOUND, 80, busy)]
    assert 0 < tally.missing < 200
    assert 1000 - tally.missing <= counted <= 1000
    assert tally.flows == {6 | INBOUND: 51_000}
    assert tally.of_ports() == {80: {6: 51_000}}


def test_below_the_bound_everything_is_exact() -> None:
    tally = Tally([80], most=1000)
    for number in range(5000):
        tally.add_row((6, b"\n\0\0\1", 80, (0x0B000000 + number % 1000).to_bytes(4, "big"), 40000))
    assert tally.missing == 0
    assert set(tally.groups.values()) == {5}


@given(st.lists(st.integers(0, 60), max_size=400))
def test_no_count_is_too_high_or_too_low_by_more_than_missing(numbers: t.List[int]) -> None:
    tally = Tally([80], most=8)
    for number in numbers:
        tally.add_row((1, b"\n\0\0\1", 80, bytes((192, 0, 2, number)), 40000))
    for number, count in Counter(numbers).items():
        kept = tally.groups[make_key(1 | INBOUND, 80, bytes((192, 0, 2, number)))]
        assert count - tally.missing <= kept <= count
