# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which connections match, and which of them go first."""

from __future__ import annotations

import struct
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_destroy import Identity
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.match import (
    IDLE_UNKNOWN,
    MATCHES,
    OTHER,
    Connection,
    choose,
    connection_of,
    verdict,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._reclaim.connections import (
    connection,
    message,
    request,
)

Given = t.Dict[str, t.Any]


def test_a_connection_is_read_whole() -> None:
    given = message(cookie=0x1122334455667788, expires=5)
    assert connection_of(given) == Connection(
        identity=Identity(2, given[4:52]),
        state="CLOSE_WAIT",
        family="inet",
        local=(bytes((10, 0, 0, 1)), 80),
        remote=(bytes((192, 0, 2, 7)), 40000),
        uid=33,
        inode=7,
        since_data=8000,
        since_traffic=7000,
        left=0,
    )
    assert connection_of(given).identity.cookie == struct.pack("=Q", 0x1122334455667788)
    assert connection_of(given).identity.remote_port == 40000


@pytest.mark.parametrize(
    "given, family, mapped, text",
    [
        ({}, "inet", False, 4),
        ({"local": "::ffff:10.0.0.1", "remote": "::ffff:192.0.2.7"}, "inet6", True, 4),
        ({"local": "2001:db8::1", "remote": "2001:db8::2"}, "inet6", False, 16),
    ],
)
def test_families(given: Given, family: str, mapped: bool, text: int) -> None:
    found = connection(**given)
    assert (found.family, found.mapped, len(found.local[0]), len(found.remote[0])) == (family, mapped, text, text)


@pytest.mark.parametrize("state, name", [(3, "SYN_RECV"), (12, "SYN_RECV"), (6, "TIME_WAIT"), (13, "13")])
def test_states_have_their_public_names(state: int, name: str) -> None:
    assert connection(state).state == name


@pytest.mark.parametrize(
    "given, data, traffic",
    [
        ({"idle": (1, 2, 3)}, 1, 1),
        ({"idle": (3, 2, 1)}, 2, 1),
        ({"idle": (5, 4, 9)}, 4, 4),
        ({"idle": (0, 1_000_000, 1_000_000)}, 0, 0),
        ({"idle": None}, None, None),
        ({"state": 2, "idle": (1_000_000, 1_000_000, 1_000_000)}, None, None),
    ],
)
def test_idleness(given: Given, data: t.Optional[int], traffic: t.Optional[int]) -> None:
    found = connection(**given)
    assert (found.idle("data"), found.idle("traffic")) == (data, traffic)


def test_information_that_is_cut_short_is_none() -> None:
    assert connection_of(message(idle=None) + struct.pack("=HH44x", 48, 2)).idle("data") is None


@pytest.mark.parametrize(
    "asked, given, expected",
    [
        ({}, {}, MATCHES),
        ({"state": ["CLOSE_WAIT", "LAST_ACK"]}, {"state": 9}, MATCHES),
        ({}, {"state": 1}, OTHER),
        ({}, {"state": 10}, OTHER),
        ({}, {"state": 13}, OTHER),
        ({"local_port": [80]}, {}, MATCHES),
        ({"local_port": [81, 80]}, {}, MATCHES),
        ({"local_port": [40000]}, {}, OTHER),
        ({"remote_port": [40000]}, {}, MATCHES),
        ({"remote_port": [80]}, {}, OTHER),
        ({"local_address": ["10.0.0.0/8"]}, {}, MATCHES),
        ({"local_address": ["192.0.2.7"]}, {}, OTHER),
        ({"remote_address": ["192.0.2.7"]}, {}, MATCHES),
        ({"remote_address": ["203.0.113.1", "192.0.2.0/24"]}, {}, MATCHES),
        ({"remote_address": ["192.0.2.7"], "remote_port": [1]}, {}, OTHER),
        ({"remote_address": ["192.0.2.7"]}, {"local": "::ffff:10.0.0.1", "remote": "::ffff:192.0.2.7"}, MATCHES),
        ({"remote_address": ["::/0"]}, {"local": "::ffff:10.0.0.1", "remote": "::ffff:192.0.2.7"}, OTHER),
        ({"idle": 7}, {}, MATCHES),
        ({"idle": 7.001}, {}, OTHER),
        ({"idle": 8, "idle_by": "data"}, {}, MATCHES),
        ({"idle": 8.001, "idle_by": "data"}, {}, OTHER),
        ({"idle": 1}, {"idle": None}, IDLE_UNKNOWN),
        ({"idle": 1, "local_port": [81]}, {"idle": None}, OTHER),
        ({"idle": 0}, {"idle": None}, MATCHES),
    ],
)
def test_matching(asked: Given, given: Given, expected: str) -> None:
    assert verdict(request(**asked), connection(**given)) == expected


IDLE = {seconds: connection(idle=(seconds * 1000,) * 3, cookie=seconds) for seconds in range(1, 11)}


@pytest.mark.parametrize(
    "keep, most, gone",
    [(0, 100, 10), (3, 100, 7), (10, 100, 0), (11, 100, 0), (0, 4, 4), (3, 4, 4), (8, 4, 2)],
)
def test_the_longest_idle_go_first(keep: int, most: int, gone: int) -> None:
    choice = choose([IDLE[seconds] for seconds in (3, 1, 10, 2, 8, 9, 4, 7, 5, 6)], request(keep=keep, max=most))
    assert choice.connections == [IDLE[seconds] for seconds in range(10, 10 - gone, -1)]
    assert (choice.total, choice.matched) == (10, {"CLOSE_WAIT": 10})


def test_the_order_is_by_the_measure_that_was_asked_for() -> None:
    one, other = (connection(idle=idle, cookie=idle[0]) for idle in ((9000, 9000, 1000), (5000, 5000, 5000)))
    assert choose([one, other], request(idle_by="data")).connections == [one, other]
    assert choose([one, other], request(idle_by="traffic")).connections == [other, one]


def test_of_time_wait_the_oldest_goes_first() -> None:
    old, new = (connection(6, idle=None, timer=3, expires=left, inode=0) for left in (1000, 59000))
    assert (old.left, new.left) == (1000, 59000)
    assert choose([new, old], request(state=["TIME_WAIT"], force=True, max=1)).connections == [old]


@pytest.mark.parametrize("idle", [(1204, 1200), (1200, 1204)])
def test_what_was_used_in_the_same_second_has_the_same_order_each_time(idle: t.Tuple[int, int]) -> None:
    found = [connection(idle=(idle[place],) * 3, ports=(80, 40000 + place)) for place in (1, 0)]
    [first] = choose(found, request(max=1), lambda: 77.9).connections
    assert first.remote[1] == 40000


def test_what_is_idle_for_nobody_knows_how_long_goes_last() -> None:
    unknown, known = connection(idle=None), connection(idle=(0, 0, 0))
    ending = connection(6, idle=None, timer=3, expires=9000)
    asked = request(state=["CLOSE_WAIT", "TIME_WAIT"], force=True)
    assert choose([unknown, ending, known], asked).connections == [known, ending, unknown]


def test_what_is_counted_apart_by_state() -> None:
    found = [connection(8), connection(8), connection(9, idle=None)]
    choice = choose(found, request(state=["CLOSE_WAIT", "LAST_ACK"], max=1))
    assert (choice.matched, choice.total, len(choice.connections)) == ({"CLOSE_WAIT": 2, "LAST_ACK": 1}, 3, 1)
