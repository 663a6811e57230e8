# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listeners as facts, and what a queue covers."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts.queues import arrivals, listeners
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.processes import Owners, Process
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener


def listener(port: int, backlog: t.Optional[int], inode: int, **connections: int) -> Listener:
    return Listener("inet", "0.0.0.0", port, 0, backlog, inode, None, 0, 0, None, connections)


@pytest.mark.parametrize(
    "rates, expected",
    [
        ({"PassiveOpens": 90.0, "ListenOverflows": 10.0}, 100.0),
        ({"PassiveOpens": 0.0, "ListenOverflows": 0.0}, 0.0),
        ({"PassiveOpens": 90.0, "ListenOverflows": None}, None),
        ({"PassiveOpens": 90.0}, None),
        (None, None),
    ],
)
def test_arrivals(rates: t.Optional[t.Dict[str, t.Optional[float]]], expected: t.Optional[float]) -> None:
    assert arrivals(rates) == expected


def test_what_a_queue_covers_at_least_and_its_share_of_what_came_in() -> None:
    found = [
        listener(443, 511, 1, ESTABLISHED=60, TIME_WAIT=30),
        listener(80, 100, 2, ESTABLISHED=10),
        listener(80, 100, 3, ESTABLISHED=10),
        listener(22, None, 4),
    ]
    rows = listeners(found, Owners({}, 0), {"PassiveOpens": 1000.0, "ListenOverflows": 0.0})
    assert [(row["port"], row["sharing"], row["share"], row["covers"]) for row in rows] == [
        (22, 1, 0.0, None),
        (80, 2, 0.1, 0.2),
        (80, 2, 0.1, 0.2),
        (443, 1, 0.9, 0.511),
    ]


@pytest.mark.parametrize("rates", [None, {"PassiveOpens": 0.0, "ListenOverflows": 0.0}])
def test_without_arrivals_there_is_nothing_to_cover(rates: t.Optional[t.Dict[str, t.Optional[float]]]) -> None:
    [row] = listeners([listener(80, 511, 1)], Owners({}, 0), rates)
    assert (row["covers"], row["share"]) == (None, None)


def test_processes_are_named_with_their_limit() -> None:
    owners = Owners({7: (Process(812, "nginx", "nginx.service", 1024, None, 9),)}, 0)
    [row] = listeners([listener(80, 511, 7)], owners, None)
    assert row["processes"] == [
        {"pid": 812, "name": "nginx", "unit": "nginx.service", "nofile": {"soft": 1024, "hard": None, "used": 9}}
    ]
