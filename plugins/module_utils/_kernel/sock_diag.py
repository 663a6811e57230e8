# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""TCP sockets by netlink, the interface behind ``ss``: NETLINK_SOCK_DIAG with inet_diag requests.

INTERFACE
    with SockDiag() as diag:            the netlink socket belongs to the network namespace it was made in
        diag.messages(AF_INET, mask(LISTEN))    one inet_diag_msg with its attributes (bytes) after the other
        diag.heads(AF_INET, mask(...))          the same, fast, for counting: the first HEAD bytes of many in a row
        diag.interrupted                        the kernel said that a dump may be inconsistent or lost messages
    listener_of(message), row_of(message)

    Raises Unsupported (no inet_diag here, or it does not speak the layout we know), MissingRight, KernelRefused.

Layout: include/uapi/linux/inet_diag.h. Everything is in host order except ports and addresses. Family 0 is refused,
so IPv4 and IPv6 are two dumps. No privilege is needed for the own namespace.
"""

from __future__ import annotations

import socket
import struct
import typing as t

from .._errors import Unsupported
from .netlink import (
    HEADER,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_OVERRUN,
    Netlink,
    payload_error,
    refusal,
    split,
)
from .tcp_socket import Listener, Row, address_text, family_name, plain

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
INET_DIAG_SKV6ONLY = 11
TIMER_TIME_WAIT = 3

# family state timer retrans, sport dport, src dst, interface cookie[2], expires rqueue wqueue uid inode
MESSAGE = struct.Struct("=BBBB2s2s16s16sIIIIIIII")
REQUEST = struct.Struct("=BBBxI48x")
_ATTRIBUTE = struct.Struct("=HH")
_SMALLEST = HEADER.size + MESSAGE.size

HEAD = 52  # from the type in the netlink header to the destination; the offsets below are inside it
HEAD_STATE, HEAD_TIMER, HEAD_SPORT, HEAD_DPORT, HEAD_SOURCE, HEAD_DESTINATION = 13, 14, 16, 18, 20, 36
_HEAD_MESSAGE = 12  # where the inet_diag_msg starts
_HEAD_START = 4  # the length comes before it


def mask(*states: int) -> int:
    """The bit mask ``idiag_states`` of some state numbers."""
    return sum(1 << state for state in states)


def _attributes(message: bytes) -> t.Iterator[t.Tuple[int, bytes]]:
    """The (type, value) pairs after the inet_diag_msg; what is cut off is left out."""
    offset = MESSAGE.size
    while offset + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, offset)
        if length < _ATTRIBUTE.size or offset + length > len(message):
            return
        yield kind, message[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def _address(family: int, raw: bytes) -> bytes:
    return raw[:4] if family == socket.AF_INET else raw


def _port(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def row_of(message: bytes) -> Row:
    """One socket as a row; IPv4-mapped addresses become plain."""
    family, state, _timer, _retrans, sport, dport, source, destination = MESSAGE.unpack_from(message)[:8]
    local, remote = (plain(_address(family, raw)) for raw in (source, destination))
    return state, local, _port(sport), remote, _port(dport)


def listener_of(message: bytes) -> Listener:
    """A socket in LISTEN: rqueue is its accept queue now, wqueue the limit in force (net/ipv4/tcp_diag.c)."""
    family, _state, _timer, _retrans, sport, _dport, source, *rest = MESSAGE.unpack_from(message)
    rqueue, wqueue, uid, inode = rest[-4:]
    address = _address(family, source)
    v6only = [bool(value[0]) for kind, value in _attributes(message) if kind == INET_DIAG_SKV6ONLY and value]
    return Listener(
        family=family_name(address),
        address=address_text(address),
        port=_port(sport),
        accept_queue=rqueue,
        backlog=wqueue,
        inode=inode,
        v6only=v6only[0] if v6only else None,
        uid=uid,
    )


def walk(datagram: bytes, sequence: int, family: int) -> t.Optional[bytes]:
    """The heads of a datagram that holds nothing but whole sockets of this dump; None when it holds anything else.

    The bulk of a dump goes through here, so the loop does the least that finds every message, and what they must
    have in common (type, flags, sequence, family) is proven afterwards for all of them together.
    """
    end = len(datagram)
    if end % 4 or end < _SMALLEST:
        return None
    words = memoryview(datagram).cast("I")
    heads: t.List[bytes] = []
    keep = heads.append
    offset = 0
    while offset < end:
        length = words[offset >> 2]
        if length < _SMALLEST:
            return None
        keep(datagram[offset + 4 : offset + 56])
        offset += (length + 3) & -4
    if offset != end:
        return None
    table = b"".join(heads)
    flags = HEADER.unpack_from(datagram)[2] & ~NLM_F_DUMP_INTR
    common = HEADER.pack(0, SOCK_DIAG_BY_FAMILY, flags, sequence, 0)[_HEAD_START:12] + bytes((family,))
    for place, value in zip((*range(8), _HEAD_MESSAGE), common):
        if table[place::HEAD] != bytes((value,)) * len(heads):
            return None
    return table


class SockDiag:
    """Dumps of TCP sockets, one at a time."""

    def __init__(self) -> None:
        self._link = Netlink(NETLINK_SOCK_DIAG)
        self._ended = False
        self.interrupted = False

    def __enter__(self) -> SockDiag:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the netlink socket."""
        self._link.close()

    def messages(self, family: int, states: int) -> t.Iterator[bytes]:
        """Every TCP socket of a family in one of the states (a :func:`mask`), in this network namespace."""
        for datagram in self._datagrams(family, states):
            yield from self._payloads(datagram, family)

    def heads(self, family: int, states: int) -> t.Iterator[bytes]:
        """The same sockets as tables of rows of HEAD bytes, a datagram each; only the message part is meant."""
        for datagram in self._datagrams(family, states):
            table = walk(datagram, self._link.sequence, family)
            if table is None:
                payloads = self._payloads(datagram, family)
                table = b"".join(bytes(_HEAD_MESSAGE) + payload[: HEAD - _HEAD_MESSAGE] for payload in payloads)
            if table:
                yield table

    def _datagrams(self, family: int, states: int) -> t.Iterator[bytes]:
        self._ended = False
        for datagram in self._link.dump(SOCK_DIAG_BY_FAMILY, REQUEST.pack(family, socket.IPPROTO_TCP, 0, states)):
            yield datagram
            if self._ended:
                break
        self.interrupted |= self._link.lost

    def _payloads(self, datagram: bytes, family: int) -> t.Iterator[bytes]:
        """The sockets of a datagram, message by message, heeding what else the kernel says."""
        for kind, flags, sequence, payload in split(datagram):
            if sequence != self._link.sequence:
                continue
            self.interrupted |= bool(flags & NLM_F_DUMP_INTR) or kind == NLMSG_OVERRUN
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                self._finish(payload)
            elif kind == SOCK_DIAG_BY_FAMILY:
                if len(payload) < MESSAGE.size or payload[0] != family:
                    raise Unsupported(f"netlink: {payload[:72].hex()} is no TCP socket of family {family}")
                yield payload

    def _finish(self, payload: bytes) -> None:
        self._ended = True
        number = payload_error(payload)
        if number:
            raise refusal(number)
