# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Counting sockets by the hundred: no Python code runs per socket, only per datagram. Pure.

INTERFACE
    tally = Tally(ports)                ports we listen on: what comes in there is inbound; groups=False saves them
    tally.add_heads(table, family)      rows of HEAD bytes, as SockDiag.heads() gives them
    tally.add_row(row)                  one socket, the plain way, for other sources
    tally.flows[state | INBOUND]        exact counts per state and direction
    tally.half_open[address, port]      exact counts of SYN_RECV per local address and port
    tally.minis                         FIN_WAIT2 that the kernel keeps as small as a TIME_WAIT (counted in sockstat tw)
    tally.groups[key]                   counts per remote address; see Key
    make_key(flow, port, remote, local), split_key(key)
    tally.missing                       0 = groups are exact; else no count in groups is too low by more than this

Key: 1 byte state | INBOUND, 2 bytes port (local when inbound, else remote), remote address, local address (zeros when
inbound), each of 4 or 16 bytes. With a million different clients the rarest keys are dropped again and again
(lossy counting, Manku and Motwani 2002), so memory stays bounded and whoever is busy still stands out.

How: the columns of a table are byte planes (``table[13::52]``). A plane is a number, too, so one ``&`` selects by row
whether a plane of the key comes from the local or the remote port.
"""

from __future__ import annotations

import socket
import struct
import typing as t
from collections import Counter
from itertools import compress

from .._kernel.sock_diag import (
    HEAD,
    HEAD_DESTINATION,
    HEAD_DPORT,
    HEAD_SOURCE,
    HEAD_SPORT,
    HEAD_STATE,
    HEAD_TIMER,
    TIMER_TIME_WAIT,
)
from .._kernel.tcp_socket import FIN_WAIT2, NEW_SYN_RECV, SYN_RECV, Row, plain

INBOUND = 0x80
MOST_GROUPS = 80_000

Place = t.Tuple[bytes, int]
_Tables = t.List[t.Tuple[bytes, bytes]]

_ALL_OR_NOTHING = b"\0" + b"\xff" * 255
_SYN_RECV = bytes(0xFF if state in (SYN_RECV, NEW_SYN_RECV) else 0 for state in range(256))
_FIN_WAIT2 = bytes(0xFF if state == FIN_WAIT2 else 0 for state in range(256))
_MINI = bytes(0xFF if timer == TIMER_TIME_WAIT else 0 for timer in range(256))


def port_tables(ports: t.Iterable[int]) -> _Tables:
    """Pairs of translation tables: a port is one of ``ports`` when ``high[upper byte] & low[lower byte]`` of a pair.

    Each bit of a table stands for one upper byte, so a pair serves eight of them.
    """
    lower: t.Dict[int, t.Set[int]] = {}
    for port in ports:
        lower.setdefault(port >> 8, set()).add(port & 0xFF)
    groups = sorted(lower.items())
    tables = []
    for start in range(0, len(groups), 8):
        high_table, low_table = bytearray(256), bytearray(256)
        for bit, (high, lows) in enumerate(groups[start : start + 8]):
            high_table[high] |= 1 << bit
            for low in lows:
                low_table[low] |= 1 << bit
        tables.append((bytes(high_table), bytes(low_table)))
    return tables


def make_key(flow: int, port: int, remote: bytes, local: bytes = b"") -> bytes:
    """A key of ``groups``; without a local address it is zeros."""
    return struct.pack(">BH", flow, port) + remote + local[: len(remote)].rjust(len(remote), b"\0")


def split_key(key: bytes) -> t.Tuple[int, int, bytes, bytes]:
    """The reverse of :func:`make_key`."""
    middle = (len(key) + 3) // 2
    return key[0], int.from_bytes(key[1:3], "big"), key[3:middle], key[middle:]


def _number(plane: bytes) -> int:
    return int.from_bytes(plane, "little")


class Tally:
    """The counts so far."""

    def __init__(self, ports: t.Iterable[int] = (), *, groups: bool = True, most: int = MOST_GROUPS) -> None:
        self._grouping = groups
        self._ports = frozenset(ports)
        self._tables = port_tables(self._ports)
        self._most = most
        self.flows: t.Counter[int] = Counter()
        self.half_open: t.Counter[Place] = Counter()
        self.groups: t.Counter[bytes] = Counter()
        self.minis = 0
        self.missing = 0

    def add_row(self, row: Row) -> None:
        """Count one socket."""
        state, local, local_port, remote, remote_port = row
        inbound = local_port in self._ports
        flow = state | INBOUND if inbound else state
        port = local_port if inbound else remote_port
        self.flows[flow] += 1
        self.groups[make_key(flow, port, remote, b"" if inbound else local)] += 1
        if state in (SYN_RECV, NEW_SYN_RECV):
            self.half_open[local, local_port] += 1
        if len(self.groups) > self._most:
            self._prune()

    def add_heads(self, table: bytes, family: int) -> None:
        """Count the sockets of a table of heads."""
        count = len(table) // HEAD
        states = table[HEAD_STATE::HEAD]
        inbound = self._inbound(table, count)
        flows = (_number(states) | inbound & _number(bytes((INBOUND,)) * count)).to_bytes(count, "little")
        for flow in set(flows):
            self.flows[flow] += flows.count(flow)
        minis = _number(states.translate(_FIN_WAIT2)) & _number(table[HEAD_TIMER::HEAD].translate(_MINI))
        if minis:
            self.minis += minis.to_bytes(count, "little").count(0xFF)
        half_open = states.translate(_SYN_RECV)
        if any(half_open):
            self._add_half_open(table, half_open, family)
        if not self._grouping:
            return
        self.groups.update(_keys(table, flows, inbound, 4 if family == socket.AF_INET else 16))
        if len(self.groups) > self._most:
            self._prune()

    def _inbound(self, table: bytes, count: int) -> int:
        """A plane as a number: 0xFF for each row whose local port we listen on."""
        high, low = table[HEAD_SPORT::HEAD], table[HEAD_SPORT + 1 :: HEAD]
        found = 0
        for high_table, low_table in self._tables:
            found |= _number(high.translate(high_table)) & _number(low.translate(low_table))
        return _number(found.to_bytes(count, "little").translate(_ALL_OR_NOTHING))

    def _add_half_open(self, table: bytes, chosen: bytes, family: int) -> None:
        width = 4 if family == socket.AF_INET else 16
        for start in compress(range(0, len(table), HEAD), chosen):
            address = table[start + HEAD_SOURCE : start + HEAD_SOURCE + width]
            port = int.from_bytes(table[start + HEAD_SPORT : start + HEAD_SPORT + 2], "big")
            self.half_open[plain(address), port] += 1

    def _prune(self) -> None:
        """Drop the smallest counts until no more than half of the room is used."""
        least = 0
        rest = len(self.groups)
        for count, keys in sorted(Counter(self.groups.values()).items()):
            if rest <= self._most // 2:
                break
            least, rest = count, rest - keys
        self.missing += least
        self.groups = Counter({key: count for key, count in self.groups.items() if count > least})


def _keys(table: bytes, flows: bytes, inbound: int, width: int) -> t.List[bytes]:
    """The keys of the rows, put together plane by plane."""
    count = len(flows)
    outbound = (1 << 8 * count) - 1 ^ inbound
    size = 3 + 2 * width
    keys = bytearray(size * count)
    keys[0::size] = flows
    for place in range(2):
        local = _number(table[HEAD_SPORT + place :: HEAD]) & inbound
        remote = _number(table[HEAD_DPORT + place :: HEAD]) & outbound
        keys[1 + place :: size] = (local | remote).to_bytes(count, "little")
    for place in range(width):
        keys[3 + place :: size] = table[HEAD_DESTINATION + place :: HEAD]
        if outbound:
            local = _number(table[HEAD_SOURCE + place :: HEAD]) & outbound
            keys[3 + width + place :: size] = local.to_bytes(count, "little")
    return [key for (key,) in struct.iter_unpack(f"{size}s", keys)]
