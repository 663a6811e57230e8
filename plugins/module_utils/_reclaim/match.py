# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which connections match, and which of those are to be closed. Pure.

INTERFACE
    connection_of(message) -> Connection        of an inet_diag_msg
    verdict(request, connection) -> MATCHES, IDLE_UNKNOWN or OTHER; the unit apart, which /proc tells
    choose(connections, request) -> Choice      how many match, and those that go, longest idle first
"""

from __future__ import annotations

import heapq
import socket
import struct
import time
import typing as t
from collections import Counter
from dataclasses import dataclass

from .._kernel.netlink import attributes
from .._kernel.sock_destroy import Identity, identity_of
from .._kernel.sock_diag import INET_DIAG_INFO, MESSAGE, TIMER_TIME_WAIT
from .._kernel.tcp_socket import STATE_NAMES, SYN_SENT, family_name, plain
from .request import DATA, Request

MATCHES, IDLE_UNKNOWN, OTHER = "matches", "idle_unknown", "other"

# tcpi_last_data_sent, (tcpi_last_ack_sent, which the kernel does not remember,) tcpi_last_data_recv, tcpi_last_ack_recv
_INFO = struct.Struct("=44xI4xII")


@dataclass(frozen=True)
class Connection:
    """``idle`` is in milliseconds: since any data, and since any traffic, acknowledgements too; None when unknown.

    ``left`` is how long a TIME_WAIT still lasts, in milliseconds, 0 for anything else. ``inode`` is 0 if no process
    holds it. Addresses are 4 bytes for IPv4, even if the socket is an IPv6 one (``mapped``).
    """

    identity: Identity
    state: str
    family: str
    local: t.Tuple[bytes, int]
    remote: t.Tuple[bytes, int]
    uid: int
    inode: int
    since_data: t.Optional[int]
    since_traffic: t.Optional[int]
    left: int

    @property
    def mapped(self) -> bool:
        """Whether it is an IPv4 connection of an IPv6 socket."""
        return self.family == "inet6" and len(self.local[0]) == 4

    def idle(self, by: str) -> t.Optional[int]:
        """How long it has been idle, by one of the two measures."""
        return self.since_data if by == DATA else self.since_traffic


def connection_of(message: bytes) -> Connection:
    """Read an inet_diag_msg of anything but a listener."""
    identity = identity_of(message)
    family, state, timer, _retrans, sport, dport, source, target, *rest = MESSAGE.unpack_from(message)
    expires, _rqueue, _wqueue, uid, inode = rest[3:]
    size = 4 if family == socket.AF_INET else 16
    since_data, since_traffic = _idle(state, message)
    return Connection(
        identity=identity,
        state=STATE_NAMES.get(state, str(state)),
        family=family_name(source[:size]),
        local=(plain(source[:size]), int.from_bytes(sport, "big")),
        remote=(plain(target[:size]), int.from_bytes(dport, "big")),
        uid=uid,
        inode=inode,
        since_data=since_data,
        since_traffic=since_traffic,
        left=expires if timer == TIMER_TIME_WAIT else 0,
    )


def _idle(state: int, message: bytes) -> t.Tuple[t.Optional[int], t.Optional[int]]:
    """Idle time since data and since traffic.

    Events that never happened count from boot, so the smallest is what is known. Before the peer has answered, none of
    them is set.
    """
    info = next((value for kind, value in attributes(message, MESSAGE.size) if kind == INET_DIAG_INFO), b"")
    if state == SYN_SENT or len(info) < _INFO.size:
        return None, None
    sent, received, acknowledged = _INFO.unpack_from(info)
    return min(sent, received), min(sent, received, acknowledged)


def verdict(request: Request, connection: Connection) -> str:
    """Whether it matches, as far as the kernel's answer shows."""
    if connection.state not in request.states or not (
        request.local.covers(*connection.local) and request.remote.covers(*connection.remote)
    ):
        return OTHER
    if request.idle:
        idle = connection.idle(request.idle_by)
        if idle is None:
            return IDLE_UNKNOWN
        if idle < request.idle:
            return OTHER
    return MATCHES


@dataclass(frozen=True)
class Choice:
    """How many match, by state, and those of them that are to be closed."""

    matched: t.Mapping[str, int]
    connections: t.Sequence[Connection]

    @property
    def total(self) -> int:
        """How many match altogether."""
        return sum(self.matched.values())


def choose(
    connections: t.Iterable[Connection], request: Request, clock: t.Callable[[], float] = time.monotonic
) -> Choice:
    """Those above ``keep``, at most ``max`` of them: longest idle first, then the TIME_WAIT that ends first.

    Of a million matches, only those that may be closed are kept in memory.
    """
    matched: t.Counter[str] = Counter()

    def counted() -> t.Iterator[Connection]:
        for one in connections:
            matched[one.state] += 1
            yield one

    def order(one: Connection) -> t.Tuple[t.Any, ...]:
        return _moment(one, request.idle_by, clock()), one.local, one.remote

    first = heapq.nsmallest(request.max, counted(), key=order)
    return Choice(matched, first[: max(0, sum(matched.values()) - request.keep)])


def _moment(one: Connection, by: str, now: float) -> float:
    """The second in which something last happened on a connection, or in which its TIME_WAIT ends.

    The kernel counts from the moment it reaches each socket, so the order of those used almost at once would vary each
    time, and check mode would choose others than a run.
    """
    idle = one.idle(by)
    if idle is not None:
        return (now - idle / 1000) // 1
    return (now + one.left / 1000) // 1 if one.left else float("inf")
