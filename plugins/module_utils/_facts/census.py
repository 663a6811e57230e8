# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Counting sockets: from rows of any source to states, TIME_WAIT by direction, peers, clients and SYN queues. Pure.

INTERFACE
    census(rows, listeners, top) -> Census      one pass over the rows

A socket is inbound when something here listens on its local address and port, else outbound (we called out).
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, replace

from .._kernel.tcp_socket import (
    NEW_SYN_RECV,
    STATE_NAMES,
    STATES,
    SYN_RECV,
    TIME_WAIT,
    Listener,
    Row,
    address_bytes,
    address_text,
    plain,
)

States = t.Dict[str, int]


@dataclass(frozen=True)
class Client:
    """A remote address that calls in to one local port. ``states`` holds only what is not zero."""

    address: str
    port: int
    total: int
    states: States


@dataclass(frozen=True)
class Peer:
    """A remote address and port we call out to. ``states`` holds only what is not zero.

    Local ports are a pool per local address, remote address and remote port, and a connection uses one of them:
    ``local_ports_used`` is that of the ``local_address`` with the fullest pool.
    """

    address: str
    port: int
    total: int
    states: States
    local_address: str
    local_ports_used: int


@dataclass(frozen=True)
class Census:
    """All that one pass over the sockets tells.

    ``states`` has every public name, ``time_wait`` has ``inbound`` and ``outbound``. ``listeners`` carry ``syn_recv``.
    ``approximate`` says that there were more different clients or peers than are kept; states are exact even then.
    """

    states: States
    time_wait: t.Dict[str, int]
    peers: t.Tuple[Peer, ...]
    clients: t.Tuple[Client, ...]
    listeners: t.Tuple[Listener, ...]
    approximate: bool = False


class ListenerIndex:
    """Which listener a connection belongs to, as the kernel would choose: exact address, own wildcard, dual stack."""

    def __init__(self, listeners: t.Iterable[Listener]) -> None:
        self._places: t.Set[t.Tuple[bytes, int]] = set()
        self._dual: t.Set[int] = set()
        for listener in listeners:
            self._places.add(self.place(listener))
            if listener.address == "::" and not listener.v6only:
                self._dual.add(listener.port)

    @staticmethod
    def place(listener: Listener) -> t.Tuple[bytes, int]:
        """Address and port of a listener, as :meth:`find` returns it."""
        return plain(address_bytes(listener.address)), listener.port

    def find(self, address: bytes, port: int) -> t.Optional[t.Tuple[bytes, int]]:
        """The place that takes connections to this local address and port, None when nothing listens there."""
        for place in ((address, port), (bytes(len(address)), port)):
            if place in self._places:
                return place
        return (bytes(16), port) if port in self._dual else None


def named(counts: t.Mapping[int, int]) -> States:
    """Counts by the kernel's numbers as counts by public names, without zeros."""
    states: States = {}
    for number, count in counts.items():
        name = STATE_NAMES[number]
        states[name] = states.get(name, 0) + count
    return states


def all_states(counts: t.Mapping[int, int]) -> States:
    """Counts by the kernel's numbers as counts by all eleven public names."""
    return {**dict.fromkeys(STATES, 0), **named(counts)}


class _Tally:
    def __init__(self, index: ListenerIndex) -> None:
        self._index = index
        self.states: t.Counter[int] = Counter()
        self.inbound_waits = 0
        self.clients: t.Dict[t.Tuple[bytes, int], t.Counter[int]] = {}
        self.peers: t.Dict[t.Tuple[bytes, int], t.Counter[int]] = {}
        self.pools: t.Dict[t.Tuple[bytes, int], t.Counter[bytes]] = {}
        self.syn_recv: t.Counter[t.Tuple[bytes, int]] = Counter()

    def add(self, row: Row) -> None:
        state, local, local_port, remote, remote_port = row
        self.states[state] += 1
        place = self._index.find(local, local_port)
        if place is None:
            self.peers.setdefault((remote, remote_port), Counter())[state] += 1
            self.pools.setdefault((remote, remote_port), Counter())[local] += 1
            return
        self.clients.setdefault((remote, local_port), Counter())[state] += 1
        if state == TIME_WAIT:
            self.inbound_waits += 1
        elif state in (SYN_RECV, NEW_SYN_RECV):
            self.syn_recv[place] += 1

    def top_clients(self, top: int) -> t.Iterator[Client]:
        for (address, port), counts in _busiest(self.clients, top):
            yield Client(address_text(address), port, sum(counts.values()), named(counts))

    def top_peers(self, top: int) -> t.Iterator[Peer]:
        for (address, port), counts in _busiest(self.peers, top):
            pool = self.pools[address, port]
            local = min(pool, key=lambda source: (-pool[source], source))
            yield Peer(
                address_text(address), port, sum(counts.values()), named(counts), address_text(local), pool[local]
            )


_Groups = t.Mapping[t.Tuple[bytes, int], t.Counter[int]]


def _busiest(groups: _Groups, top: int) -> t.List[t.Tuple[t.Tuple[bytes, int], t.Counter[int]]]:
    """The biggest groups, and by address and port where they are alike, so that the answer is stable."""
    return sorted(groups.items(), key=lambda item: (-sum(item[1].values()), item[0]))[:top]


def census(rows: t.Iterable[Row], listeners: t.Sequence[Listener], top: int) -> Census:
    """Count the rows (sockets that do not listen) against the listeners; keep the ``top`` busiest peers and clients."""
    tally = _Tally(ListenerIndex(listeners))
    for row in rows:
        tally.add(row)
    states = all_states(tally.states)
    states["LISTEN"] = len(listeners)
    return Census(
        states=states,
        time_wait={"inbound": tally.inbound_waits, "outbound": tally.states[TIME_WAIT] - tally.inbound_waits},
        peers=tuple(tally.top_peers(top)),
        clients=tuple(tally.top_clients(top)),
        listeners=tuple(
            replace(listener, syn_recv=tally.syn_recv[ListenerIndex.place(listener)]) for listener in listeners
        ),
    )
