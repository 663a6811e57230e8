# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From counted sockets to peers, clients and SYN queues."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts.census import (
    Census,
    Client,
    ListenerIndex,
    Peer,
    all_states,
    census,
)
from ansible_collections.nettune.tcp.plugins.module_utils._facts.tally import Tally
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import (
    STATES,
    Listener,
    address_bytes,
    address_text,
    family_name,
    mapped,
    plain,
)

ESTABLISHED, SYN_RECV, TIME_WAIT, CLOSE_WAIT, NEW_SYN_RECV = 1, 3, 6, 8, 12
Sockets = t.Sequence[t.Tuple[int, str, int, str, int]]


def listener(address: str, port: int, *, v6only: t.Optional[bool] = None) -> Listener:
    return Listener(family_name(address_bytes(address)), address, port, 0, 128, 1, v6only, 0)


def counted(sockets: Sockets, listeners: t.Sequence[Listener] = (), top: int = 10) -> Census:
    tally = Tally(entry.port for entry in listeners)
    for state, local, local_port, remote, remote_port in sockets:
        tally.add_row((state, address_bytes(local), local_port, address_bytes(remote), remote_port))
    return census(tally, listeners, top)


def test_nothing() -> None:
    assert counted([]) == Census(dict.fromkeys(STATES, 0), {"inbound": 0, "outbound": 0}, (), (), ())


def test_both_numbers_of_syn_recv_are_one_state() -> None:
    assert all_states({SYN_RECV: 2, NEW_SYN_RECV: 3})["SYN_RECV"] == 5
    assert list(all_states({})) == list(STATES)


def test_directions() -> None:
    found = counted(
        [
            (TIME_WAIT, "10.0.0.1", 80, "192.0.2.1", 40001),
            (TIME_WAIT, "10.0.0.1", 80, "192.0.2.1", 40002),
            (ESTABLISHED, "10.0.0.1", 80, "192.0.2.1", 40003),
            (ESTABLISHED, "10.0.0.1", 80, "192.0.2.2", 40001),
            (TIME_WAIT, "10.0.0.1", 50001, "198.51.100.1", 3306),
        ],
        [listener("0.0.0.0", 80)],
    )
    assert found.time_wait == {"inbound": 2, "outbound": 1}
    assert (found.states["TIME_WAIT"], found.states["ESTABLISHED"], found.states["LISTEN"]) == (3, 2, 1)
    assert found.clients == (
        Client("192.0.2.1", 80, 3, {"ESTABLISHED": 1, "TIME_WAIT": 2}),
        Client("192.0.2.2", 80, 1, {"ESTABLISHED": 1}),
    )
    assert found.peers == (Peer("198.51.100.1", 3306, 1, {"TIME_WAIT": 1}, "10.0.0.1", 1, 1),)


def test_ports_are_a_pool_per_local_address() -> None:
    sockets = [(TIME_WAIT, "10.0.0.1", 50000 + number, "198.51.100.1", 3306) for number in range(3)]
    sockets += [(ESTABLISHED, "10.0.0.2", 50000 + number, "198.51.100.1", 3306) for number in range(5)]
    [peer] = counted(sockets).peers
    assert peer == Peer("198.51.100.1", 3306, 8, {"ESTABLISHED": 5, "TIME_WAIT": 3}, "10.0.0.2", 5)


def test_what_of_the_fullest_pool_is_in_time_wait() -> None:
    sockets = [(TIME_WAIT, "10.0.0.1", 50000 + number, "198.51.100.1", 3306) for number in range(3)]
    sockets += [(ESTABLISHED, "10.0.0.1", 50010 + number, "198.51.100.1", 3306) for number in range(2)]
    sockets += [(TIME_WAIT, "10.0.0.2", 50000 + number, "198.51.100.1", 3306) for number in range(4)]
    [peer] = counted(sockets).peers
    assert (peer.local_address, peer.local_ports_used, peer.local_ports_in_time_wait) == ("10.0.0.1", 5, 3)


def test_connections_are_those_of_the_port() -> None:
    sockets = [(ESTABLISHED, "10.0.0.1", 80, "192.0.2.1", 9), (ESTABLISHED, "::1", 80, "::1", 9)]
    sockets += [(CLOSE_WAIT, "10.0.0.1", 80, "192.0.2.2", 9), (ESTABLISHED, "10.0.0.1", 50000, "192.0.2.2", 80)]
    found = counted(sockets, [listener("0.0.0.0", 80), listener("::", 80), listener("0.0.0.0", 22)])
    of_80 = {"ESTABLISHED": 2, "CLOSE_WAIT": 1}
    assert [entry.connections for entry in found.listeners] == [of_80, of_80, {}]


def test_clients_are_counted_per_port_and_the_busiest_come_first() -> None:
    sockets = [
        (CLOSE_WAIT, "::1", port, "2001:db8::9", number)
        for port, count in ((80, 2), (443, 3), (22, 1))
        for number in range(count)
    ]
    found = counted(sockets, [listener("::", port) for port in (22, 80, 443)], top=2)
    assert found.clients == (
        Client("2001:db8::9", 443, 3, {"CLOSE_WAIT": 3}),
        Client("2001:db8::9", 80, 2, {"CLOSE_WAIT": 2}),
    )


def test_alike_rows_come_in_a_stable_order() -> None:
    sockets = [(ESTABLISHED, "10.0.0.1", 80, f"192.0.2.{number}", 40000) for number in (9, 3, 7, 1)]
    listeners = [listener("0.0.0.0", 80)]
    expected = ["192.0.2.1", "192.0.2.3", "192.0.2.7"]
    for order in (sockets, sockets[::-1]):
        assert [client.address for client in counted(order, listeners, top=3).clients] == expected


@pytest.mark.parametrize("top", [0, 1])
def test_top(top: int) -> None:
    found = counted([(ESTABLISHED, "10.0.0.1", 50000, "192.0.2.1", 80), (ESTABLISHED, "::1", 9, "::1", 443)], top=top)
    assert len(found.peers) == top
    assert found.states["ESTABLISHED"] == 2


@pytest.mark.parametrize(
    "listeners, local, queues",
    [
        pytest.param([("0.0.0.0", 80, None)], "10.0.0.1", [1], id="wildcard"),
        pytest.param([("10.0.0.1", 80, None)], "10.0.0.1", [1], id="exact"),
        pytest.param([("0.0.0.0", 80, None), ("10.0.0.1", 80, None)], "10.0.0.1", [0, 1], id="exact-wins"),
        pytest.param([("10.0.0.2", 80, None)], "10.0.0.1", [0], id="other-address"),
        pytest.param([("0.0.0.0", 81, None)], "10.0.0.1", [0], id="other-port"),
        pytest.param([("::", 80, False)], "10.0.0.1", [1], id="dual-stack"),
        pytest.param([("::", 80, True)], "10.0.0.1", [0], id="v6only"),
        pytest.param([("::", 80, None)], "10.0.0.1", [1], id="dual-stack-perhaps"),
        pytest.param([("::", 80, True), ("0.0.0.0", 80, None)], "10.0.0.1", [0, 1], id="one-for-each-family"),
        pytest.param([("::", 80, None), ("0.0.0.0", 80, None)], "10.0.0.1", [0, 1], id="own-family-wins"),
        pytest.param([("::ffff:10.0.0.1", 80, False)], "10.0.0.1", [1], id="mapped-listener"),
        pytest.param([("0.0.0.0", 80, None)], "2001:db8::1", [0], id="v6-does-not-reach-v4"),
        pytest.param([("::", 80, False)], "2001:db8::1", [1], id="v6"),
        pytest.param([("0.0.0.0", 80, None)] * 3, "10.0.0.1", [1, 1, 1], id="reuseport-shares"),
    ],
)
def test_syn_queues(
    listeners: t.Sequence[t.Tuple[str, int, t.Optional[bool]]], local: str, queues: t.Sequence[int]
) -> None:
    known = [listener(address, port, v6only=v6only) for address, port, v6only in listeners]
    remote = "192.0.2.1" if ":" not in local else "2001:db8::2"
    for state in (SYN_RECV, NEW_SYN_RECV):
        found = counted([(state, local, 80, remote, 40000), (ESTABLISHED, local, 80, remote, 40001)], known)
        assert [entry.syn_recv for entry in found.listeners] == queues


def test_endpoint() -> None:
    assert ListenerIndex.endpoint(listener("::ffff:10.0.0.1", 80)) == (b"\n\0\0\1", 80)


@pytest.mark.parametrize("text", ["10.0.0.1", "2001:db8::1", "::", "0.0.0.0"])
def test_addresses(text: str) -> None:
    assert address_text(address_bytes(text)) == text
    assert plain(address_bytes(text)) == address_bytes(text)
    assert plain(mapped(address_bytes(text))) == address_bytes(text)
