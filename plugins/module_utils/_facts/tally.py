# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Counting sockets by the hundred: hardly any Python code runs per socket, most of it per datagram. Pure.

INTERFACE
    tally = Tally(ports)                ports we listen on: what comes in there is inbound
    tally.add_heads(heads)              the sockets of one datagram, as SockDiag.heads() gives them
    tally.add_row(row)                  one socket, the plain way, for other sources
    tally.flows[state | INBOUND]        exact counts per state and direction
    tally.half_open[address, port]      exact counts of SYN_RECV per local address and port
    tally.groups[key]                   counts per remote end; make_key(), split_key()
    tally.missing                       0 = groups are exact; else no count in groups is too low by more than this
    tally.of_ports()                    exact counts per local port of what is inbound, by state number

    count_states(heads, states) -> int  for who wants no more; how many are FIN_WAIT2 that the kernel keeps as small as
                                        a TIME_WAIT, and counts with them in sockstat

A key is 1 byte state | INBOUND, 2 bytes port (local when inbound, else remote), when outbound 16 bytes of local address
(IPv4: the first 4), and the remote address of 4 or 16 bytes. With a million different clients the rarest keys are
dropped repeatedly (lossy counting, Manku and Motwani 2002): memory is bounded, and busy ones still stand out.

How: the heads of a datagram in a row are a table, its columns are byte planes (``table[13::52]``), and a plane is a
number, too, so that one ``&`` combines two of them for all rows.
"""

from __future__ import annotations

import socket
import struct
import typing as t
from collections import Counter
from itertools import chain, compress

from .._kernel.sock_diag import (
    HEAD,
    HEAD_DESTINATION,
    HEAD_DPORT,
    HEAD_FAMILY,
    HEAD_SOURCE,
    HEAD_SPORT,
    HEAD_STATE,
    HEAD_TIMER,
    TIMER_TIME_WAIT,
)
from .._kernel.tcp_socket import FIN_WAIT2, NEW_SYN_RECV, SYN_RECV, Row, plain

INBOUND = 0x80
_PORT_KEY = 3  # the bytes of a key before its addresses
MOST_GROUPS = 40_000  # a Python dictionary grows at 43,690

Endpoint = t.Tuple[bytes, int]


def _plane_of(*values: int) -> bytes:
    """A translation table: 0xFF for these values, else 0."""
    return bytes(0xFF if value in values else 0 for value in range(256))


_NOT_ZERO = _plane_of(*range(1, 256))
_IS_SYN_RECV = _plane_of(SYN_RECV, NEW_SYN_RECV)
_IS_FIN_WAIT2 = _plane_of(FIN_WAIT2)
_IS_TIME_WAIT_TIMER = _plane_of(TIMER_TIME_WAIT)
_IS_INET6 = _plane_of(socket.AF_INET6)


def port_tables(ports: t.Iterable[int]) -> t.List[t.Tuple[bytes, bytes]]:
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
    """A key of ``groups``; ``local`` is for outbound flows."""
    return struct.pack(">BH", flow, port) + (b"" if flow & INBOUND else local.ljust(16, b"\0")) + remote


def split_key(key: bytes) -> t.Tuple[int, int, bytes, bytes]:
    """The reverse of :func:`make_key`: flow, port, remote, local (empty for inbound flows)."""
    port = key[1] << 8 | key[2]
    if key[0] & INBOUND:
        return key[0], port, key[3:], b""
    return key[0], port, key[19:], key[3 : len(key) - 16]


def _number(plane: bytes) -> int:
    return int.from_bytes(plane, "little")


def _inbound_keys(table: bytes, states: bytes, width: int) -> t.Iterator[bytes]:
    """Keys are cut out of the table: flow and local port are put where the local address ended."""
    start = HEAD_DESTINATION - 3
    rows = bytearray(table)
    rows[start::HEAD] = (_number(states) | _number(bytes((INBOUND,)) * len(states))).to_bytes(len(states), "little")
    rows[start + 1 :: HEAD] = table[HEAD_SPORT::HEAD]
    rows[start + 2 :: HEAD] = table[HEAD_SPORT + 1 :: HEAD]
    return chain.from_iterable(struct.iter_unpack(f"{start}x{3 + width}s{16 - width}x", rows))


def _outbound_keys(table: bytes, states: bytes, width: int) -> t.Iterator[bytes]:
    """Keys are cut out of the table: the flow is put where the local port ended."""
    start = HEAD_DPORT - 1
    rows = bytearray(table)
    rows[start::HEAD] = states
    return chain.from_iterable(struct.iter_unpack(f"{start}x{19 + width}s{16 - width}x", rows))


def count_states(heads: t.List[bytes], states: t.Counter[int]) -> int:
    """Add the states of the sockets of one datagram; the return value is how many of them are FIN_WAIT2 minis."""
    table = b"".join(heads)
    plane = table[HEAD_STATE::HEAD]
    for state in set(plane):
        states[state] += plane.count(state)
    if FIN_WAIT2 not in plane:
        return 0
    timers = _number(table[HEAD_TIMER::HEAD].translate(_IS_TIME_WAIT_TIMER))
    minis = timers & _number(plane.translate(_IS_FIN_WAIT2))
    return minis.to_bytes(len(heads), "little").count(0xFF)


class Tally:
    """The counts so far."""

    def __init__(self, ports: t.Iterable[int], most: int = MOST_GROUPS) -> None:
        self._ports = frozenset(ports)
        self._port_tables = port_tables(self._ports)
        self._most = most
        self.flows: t.Counter[int] = Counter()
        self.half_open: t.Counter[Endpoint] = Counter()
        self.groups: t.Counter[bytes] = Counter()
        self.missing = 0
        self._dropped: t.Counter[bytes] = Counter()

    def add_row(self, row: Row) -> None:
        """Count one socket."""
        state, local, local_port, remote, remote_port = row
        inbound = local_port in self._ports
        flow = state | INBOUND if inbound else state
        self.flows[flow] += 1
        if state in (SYN_RECV, NEW_SYN_RECV):
            self.half_open[local, local_port] += 1
        self.groups[make_key(flow, local_port if inbound else remote_port, remote, local)] += 1
        self._bound()

    def add_heads(self, heads: t.List[bytes]) -> None:
        """Count the sockets of one datagram."""
        count = len(heads)
        table = b"".join(heads)
        states = table[HEAD_STATE::HEAD]
        if SYN_RECV in states or NEW_SYN_RECV in states:
            self._add_half_open(compress(heads, states.translate(_IS_SYN_RECV)))
        everything = (1 << 8 * count) - 1
        inbound = self._inbound(table, count)
        inet6 = _number(table[HEAD_FAMILY::HEAD].translate(_IS_INET6))
        for width, of_width in ((4, everything ^ inet6), (16, inet6)):
            for flag, of_flag in ((INBOUND, inbound), (0, everything ^ inbound)):
                chosen = of_width & of_flag
                if chosen:
                    self._add_alike(b"".join(compress(heads, chosen.to_bytes(count, "little"))), width, flag)

    def of_ports(self) -> t.Dict[int, t.Counter[int]]:
        """How many connections came in to each local port, by state number, even if their clients were dropped."""
        ports: t.Dict[int, t.Counter[int]] = {}
        for counted in (self.groups, self._dropped):
            for key, count in counted.items():
                if key[0] & INBOUND:
                    ports.setdefault(key[1] << 8 | key[2], Counter())[key[0] & ~INBOUND] += count
        return ports

    def _inbound(self, table: bytes, count: int) -> int:
        """A plane as a number: 0xFF for each row whose local port we listen on."""
        high, low = table[HEAD_SPORT::HEAD], table[HEAD_SPORT + 1 :: HEAD]
        matching = 0
        for high_table, low_table in self._port_tables:
            matching |= _number(high.translate(high_table)) & _number(low.translate(low_table))
        return _number(matching.to_bytes(count, "little").translate(_NOT_ZERO))

    def _add_alike(self, table: bytes, width: int, flag: int) -> None:
        """Count rows of one width of addresses and one direction."""
        states = table[HEAD_STATE::HEAD]
        for state in set(states):
            self.flows[state | flag] += states.count(state)
        self.groups.update((_inbound_keys if flag else _outbound_keys)(table, states, width))
        self._bound()

    def _add_half_open(self, heads: t.Iterable[bytes]) -> None:
        for head in heads:
            width = 4 if head[HEAD_FAMILY] == socket.AF_INET else 16
            address = head[HEAD_SOURCE : HEAD_SOURCE + width]
            self.half_open[plain(address), int.from_bytes(head[HEAD_SPORT:HEAD_DPORT], "big")] += 1

    def _bound(self) -> None:
        """Drop the smallest counts when there are too many, until at most half of the room is used."""
        if len(self.groups) <= self._most:
            return
        least, rest = 0, len(self.groups)
        for count, keys in sorted(Counter(self.groups.values()).items()):
            if rest <= self._most // 2:
                break
            least, rest = count, rest - keys
        self.missing += least
        for key, count in self.groups.items():
            if count <= least:
                self._dropped[key[:_PORT_KEY]] += count
        self.groups = Counter({key: count for key, count in self.groups.items() if count > least})
