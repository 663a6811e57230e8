# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What the counts mean: states, TIME_WAIT by direction, peers, clients, and the SYN queue of each listener. Pure.

INTERFACE
    census(tally, listeners, top) -> Census
    all_states({number: count}) -> {name: count} with all eleven names

A socket is inbound if something here listens on its local port, else outbound (we connected). The port is enough:
connect() never picks a local port that something has bound (net/ipv4/inet_hashtables.c, __inet_hash_connect).
"""

from __future__ import annotations

import heapq
import typing as t
from collections import Counter
from dataclasses import dataclass, replace

from .._kernel.tcp_socket import (
    LISTEN,
    STATE_NAMES,
    STATES,
    TIME_WAIT,
    Listener,
    address_bytes,
    address_text,
    mapped,
    plain,
)
from .tally import INBOUND, Endpoint, Tally, make_key, split_key

States = t.Dict[str, int]
End = t.Tuple[int, bytes]
_Counts = t.Mapping[int, int]


@dataclass(frozen=True)
class Client:
    """A remote address that connects to one local port. ``states`` holds only nonzero counts."""

    address: str
    port: int
    total: int
    states: States


@dataclass(frozen=True)
class Peer:
    """A remote address and port we connect to. ``states`` holds only nonzero counts.

    Each local address, remote address and remote port have their own pool of local ports; a connection uses one:
    ``local_ports_used`` is that of the ``local_address`` with the fullest pool, ``local_ports_in_time_wait`` how many
    of them are in TIME_WAIT.
    """

    address: str
    port: int
    total: int
    states: States
    local_address: str
    local_ports_used: int
    local_ports_in_time_wait: int = 0


@dataclass(frozen=True)
class Census:
    """Everything that one pass over the sockets yields.

    ``states`` has every public name, ``time_wait`` has ``inbound`` and ``outbound``, ``listeners`` carry ``syn_recv``
    and ``connections``: these are exact. ``missing`` is 0 if peers and clients are exact, too; otherwise there were
    more different ones than are kept, and no count of a state in their rows is too low by more than this.
    """

    states: States
    time_wait: t.Dict[str, int]
    peers: t.Tuple[Peer, ...]
    clients: t.Tuple[Client, ...]
    listeners: t.Tuple[Listener, ...]
    missing: int = 0


class ListenerIndex:
    """Which listener a connection belongs to, as the kernel would choose: exact address, own wildcard, dual stack."""

    def __init__(self, listeners: t.Iterable[Listener]) -> None:
        self._endpoints: t.Set[Endpoint] = set()
        self._dual: t.Set[int] = set()
        for listener in listeners:
            self._endpoints.add(self.endpoint(listener))
            if listener.address == "::" and not listener.v6only:
                self._dual.add(listener.port)

    @staticmethod
    def endpoint(listener: Listener) -> Endpoint:
        """Address and port of a listener, as :meth:`find` returns it."""
        return plain(address_bytes(listener.address)), listener.port

    def find(self, address: bytes, port: int) -> t.Optional[Endpoint]:
        """The endpoint that accepts connections to this local address and port, None if nothing listens there."""
        for endpoint in ((address, port), (bytes(len(address)), port)):
            if endpoint in self._endpoints:
                return endpoint
        return (bytes(16), port) if port in self._dual else None


def _named(counts: _Counts) -> States:
    """Counts by the kernel's numbers converted to counts by public names, without zeros."""
    states: States = {}
    for number, count in sorted(counts.items()):
        if count:
            name = STATE_NAMES[number]
            states[name] = states.get(name, 0) + count
    return states


def all_states(counts: _Counts) -> States:
    """Counts by the kernel's numbers converted to counts by all eleven public names."""
    return {**dict.fromkeys(STATES, 0), **_named(counts)}


def _busiest(totals: t.Mapping[End, int], top: int) -> t.List[End]:
    """The biggest ones; of equal ones the smaller endpoint first, so that the answer is stable."""
    limit = min(heapq.nlargest(top, totals.values()), default=0)
    return sorted((end for end, total in totals.items() if total >= limit), key=lambda end: (-totals[end], end))[:top]


def _totals(keys: t.Iterable[t.Tuple[bytes, int]]) -> t.Dict[End, int]:
    """Sockets per remote end, from keys of one direction and their counts."""
    totals: t.Dict[End, int] = {}
    for key, count in keys:
        _flow, port, remote, _local = split_key(key)
        end = port, plain(remote)
        totals[end] = totals.get(end, 0) + count
    return totals


def _clients(groups: t.Mapping[bytes, int], top: int) -> t.Iterator[Client]:
    totals = _totals((key, count) for key, count in groups.items() if key[0] & INBOUND)
    for port, remote in _busiest(totals, top):
        spellings = sorted({remote, mapped(remote)})
        states = {
            state: sum(groups.get(make_key(state | INBOUND, port, address), 0) for address in spellings)
            for state in STATE_NAMES
        }
        yield Client(address_text(remote), port, totals[port, remote], _named(states))


def _peers(groups: t.Mapping[bytes, int], top: int) -> t.Iterator[Peer]:
    outbound = [(key, count) for key, count in groups.items() if not key[0] & INBOUND]
    totals = _totals(outbound)
    chosen = _busiest(totals, top)
    states: t.Dict[End, t.Counter[int]] = {end: Counter() for end in chosen}
    pools: t.Dict[End, t.Counter[bytes]] = {end: Counter() for end in chosen}
    waiting: t.Dict[End, t.Counter[bytes]] = {end: Counter() for end in chosen}
    for key, count in outbound:
        flow, port, remote, local = split_key(key)
        end = port, plain(remote)
        if end in pools:
            states[end][flow] += count
            pools[end][plain(local)] += count
            if flow == TIME_WAIT:
                waiting[end][plain(local)] += count
    for end in chosen:
        local, used = min(pools[end].items(), key=lambda item: (-item[1], item[0]))
        port, remote = end
        yield Peer(
            address=address_text(remote),
            port=port,
            total=totals[end],
            states=_named(states[end]),
            local_address=address_text(local),
            local_ports_used=used,
            local_ports_in_time_wait=waiting[end][local],
        )


def _with_queues(listeners: t.Sequence[Listener], tally: Tally) -> t.Iterator[Listener]:
    """The listeners with their SYN queue length; the kernel does not export it, so half-open sockets are counted."""
    ports = tally.of_ports()
    index = ListenerIndex(listeners)
    queues: t.Counter[t.Optional[Endpoint]] = Counter()
    for (address, port), count in tally.half_open.items():
        queues[index.find(address, port)] += count
    for listener in listeners:
        connections = _named(ports.get(listener.port, {}))
        yield replace(listener, syn_recv=queues[ListenerIndex.endpoint(listener)], connections=connections)


def census(tally: Tally, listeners: t.Sequence[Listener], top: int) -> Census:
    """What was counted, with the ``top`` busiest peers and clients."""
    states: t.Counter[int] = Counter({LISTEN: len(listeners)})
    for flow, count in tally.flows.items():
        states[flow & ~INBOUND] += count
    return Census(
        states=all_states(states),
        time_wait={"inbound": tally.flows[TIME_WAIT | INBOUND], "outbound": tally.flows[TIME_WAIT]},
        peers=tuple(_peers(tally.groups, top)),
        clients=tuple(_clients(tally.groups, top)),
        listeners=tuple(_with_queues(listeners, tally)),
        missing=tally.missing,
    )
