# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The listeners as facts: their queues, their owners, and how long a stall of the application they cover. Pure.

The kernel counts arrivals per network namespace, not per listener. So what a queue covers is given as a lower bound: as
if all arrivals had come to it.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import asdict

from .._kernel.processes import Owners, Process
from .._kernel.tcp_socket import Listener
from .limits import process_fact

Facts = t.Dict[str, t.Any]
_Rates = t.Mapping[str, t.Optional[float]]
_Endpoint = t.Tuple[int, str, str]
_Group = t.Tuple[int, str, str, t.Optional[str]]

FEW = 4  # workers that are listed one by one; a play carries its facts along, and 64 of them would outweigh the rest


def listeners(sockets: t.Sequence[Listener], owners: Owners, rates: t.Optional[_Rates]) -> t.List[Facts]:
    """One row per listening socket, by port, family and address."""
    sharing = Counter(map(_group, sockets))
    came_in = sum(_connections(listener) for listener in {listener.port: listener for listener in sockets}.values())
    arriving = arrivals(rates)
    return [
        {
            **asdict(listener),
            "sharing": sharing[_group(listener)],
            "share": round(_connections(listener) / came_in, 4) if came_in else None,
            "covers": covers(listener, sharing[_group(listener)], arriving),
            "processes": workers(owners.by_inode.get(listener.inode, ())),
        }
        for listener in sorted(sockets, key=_endpoint)
    ]


def accept_queues(sockets: t.Iterable[Listener]) -> t.List[Facts]:
    """One short row per endpoint: for an SO_REUSEPORT group the fullest queue, and how many sockets there are."""
    groups: t.Dict[_Group, t.List[Listener]] = {}
    for listener in sorted(sockets, key=_endpoint):
        groups.setdefault(_group(listener), []).append(listener)
    return [_accept_queue(group) for group in groups.values()]


def _accept_queue(group: t.Sequence[Listener]) -> Facts:
    fullest = max(group, key=lambda listener: (listener.accept_queue / (listener.backlog or 1), listener.accept_queue))
    row = {name: getattr(fullest, name) for name in ("address", "port", "accept_queue", "backlog")}
    device = {"device": fullest.device} if fullest.device else {}
    return {**row, **device, **({"sockets": len(group)} if len(group) > 1 else {})}


def workers(processes: t.Iterable[Process]) -> t.List[Facts]:
    """The processes that hold a socket; very many that are alike are one row, with the most open files and a count."""
    alike: t.Dict[t.Tuple[t.Any, ...], t.List[Process]] = {}
    for process in processes:
        key = (process.name, process.unit, process.nofile_soft, process.nofile_hard)
        alike.setdefault(key, []).append(process)
    return [row for group in alike.values() for row in _rows(group)]


def _rows(alike: t.Sequence[Process]) -> t.List[Facts]:
    if len(alike) <= FEW:
        return list(map(process_fact, alike))
    fullest = max(alike, key=lambda process: process.nofile_used)
    return [{**process_fact(fullest), "count": len(alike)}]


def arrivals(rates: t.Optional[_Rates]) -> t.Optional[float]:
    """New connections per second, including those that found an accept queue full; None if unknown."""
    counted = [(rates or {}).get(name) for name in ("PassiveOpens", "ListenOverflows")]
    known = [rate for rate in counted if rate is not None]
    return sum(known) if len(known) == len(counted) else None


def covers(listener: Listener, sharing: int, arriving: t.Optional[float]) -> t.Optional[float]:
    """A lower bound for how many seconds accepting may pause before the queue, or its group's, is full."""
    if not arriving or listener.backlog is None:
        return None
    return round(listener.backlog * sharing / arriving, 3)


def _connections(listener: Listener) -> int:
    return sum((listener.connections or {}).values())


def _endpoint(listener: Listener) -> _Endpoint:
    return listener.port, listener.family, listener.address


def _group(listener: Listener) -> _Group:
    """What sockets of one SO_REUSEPORT group have in common; sockets bound to different devices are not one."""
    return (*_endpoint(listener), listener.device)
