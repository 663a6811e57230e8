# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listeners as facts, and what a queue covers."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts.queues import accept_queues, arrivals, listeners
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


@pytest.mark.parametrize(
    "sockets, rows",
    [
        ([], []),
        ([(443, 3, 511, None), (80, 0, 128, None)], [(80, 0, 128, {}), (443, 3, 511, {})]),
        # The fullest of a group, of two that are as full the longest, and any where no limit is known.
        ([(80, 3, 511, None), (80, 2, 100, None), (80, 1, 511, None)], [(80, 2, 100, {"sockets": 3})]),
        ([(80, 1, None, None), (80, 2, None, None)], [(80, 2, None, {"sockets": 2})]),
        # Sockets of different devices are no group.
        ([(80, 1, 128, "eth0"), (80, 1, 128, None)], [(80, 1, 128, {"device": "eth0"}), (80, 1, 128, {})]),
    ],
)
def test_accept_queues(
    sockets: t.List[t.Tuple[int, int, t.Optional[int], t.Optional[str]]],
    rows: t.List[t.Tuple[int, int, t.Optional[int], t.Dict[str, t.Any]]],
) -> None:
    found = [
        Listener("inet", "0.0.0.0", port, queue, backlog, 1, None, 0, device=device)
        for port, queue, backlog, device in sockets
    ]
    assert accept_queues(found) == [
        {"address": "0.0.0.0", "port": port, "accept_queue": queue, "backlog": backlog, **more}
        for port, queue, backlog, more in rows
    ]


def worker(pid: int, used: int, *, name: str = "nginx", soft: t.Optional[int] = 1024) -> Process:
    return Process(pid, name, f"{name}.service", soft, None, used)


def row_of(process: Process, **more: int) -> t.Dict[str, t.Any]:
    nofile = {"soft": process.nofile_soft, "hard": None, "used": process.nofile_used}
    return {"pid": process.pid, "name": process.name, "unit": process.unit, "nofile": nofile, **more}


WORKERS = [worker(pid, used) for pid, used in enumerate((9, 20, 700, 9, 11), 812)]


@pytest.mark.parametrize(
    "processes, rows",
    [
        ([], []),
        ([worker(812, 9)], [row_of(worker(812, 9))]),
        ([worker(812, 9), worker(813, 700)], [row_of(worker(812, 9)), row_of(worker(813, 700))]),
        (WORKERS[:4], list(map(row_of, WORKERS[:4]))),
        # Of very many that are alike the one that is closest to its limit.
        (WORKERS, [row_of(WORKERS[2], count=5)]),
        (
            [worker(811, 9, soft=None), *WORKERS, worker(900, 5, name="systemd")],
            [row_of(worker(811, 9, soft=None)), row_of(WORKERS[2], count=5), row_of(worker(900, 5, name="systemd"))],
        ),
    ],
)
def test_very_many_workers_are_one_row(processes: t.List[Process], rows: t.List[t.Dict[str, t.Any]]) -> None:
    [row] = listeners([listener(80, 511, 7)], Owners({7: tuple(processes)}, 0), None)
    assert row["processes"] == rows


def test_a_hundred_listeners_of_many_workers_take_no_more_than_those_of_one() -> None:
    found = [listener(port, 4096, port) for port in range(8000, 8100)]
    one = listeners(found, Owners({port.inode: (worker(812, 9),) for port in found}, 0), None)
    many = listeners(found, Owners({port.inode: tuple(worker(pid, 9) for pid in range(16)) for port in found}, 0), None)
    assert len(json.dumps(one)) < 37_000
    assert len(json.dumps(many)) < 38_000
