# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""TCP sockets by netlink, the interface behind ``ss``: NETLINK_SOCK_DIAG with inet_diag requests.

INTERFACE
    with SockDiag() as diag:            the netlink socket belongs to the network namespace it was made in
        diag.messages(mask(LISTEN))     one inet_diag_msg with its attributes (bytes) after the other, IPv4 and IPv6
        diag.messages(..., with_info=True)      with INET_DIAG_INFO, a struct tcp_info, where the socket has one
        diag.heads(mask(...))           the same sockets, fast, for counting: lists of the first bytes (heads) of many
        diag.interrupted                the kernel said that a dump may be inconsistent or lost messages
    listener_of(message), inode_of(message)
    is_half_open(message)

    Raises Unsupported (no inet_diag here, or it does not speak the layout we know), MissingRight, KernelRefused.

Layout: include/uapi/linux/inet_diag.h. Everything is in host order except ports and addresses. No privilege is needed
for one's own namespace. SOCK_DIAG_BY_FAMILY takes one family at a time, and each dump walks the whole hash table of the
host, so two of them cost a third more with a million sockets. The first version of the request, TCPDIAG_GETSOCK, which
every kernel since 2.6 understands, ignores the family (inet_diag_dump_compat): one walk gives all.
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
    attributes,
    payload_error,
    refusal,
    split,
)
from .tcp_socket import Listener, address_text, family_name

NETLINK_SOCK_DIAG = 4
TCPDIAG_GETSOCK = 18
INET_DIAG_INFO = 2
INET_DIAG_SHUTDOWN = 8
INET_DIAG_SKV6ONLY = 11
WITH_INFO = 1 << (INET_DIAG_INFO - 1)  # in idiag_ext
TIMER_TIME_WAIT = 3

FAMILIES = (socket.AF_INET, socket.AF_INET6)

# family state timer retrans, sport dport, src dst, interface cookie[2], expires rqueue wqueue uid inode
MESSAGE = struct.Struct("=BBBB2s2s16s16sIIIIIIII")
REQUEST = struct.Struct("=3xB48xII")  # inet_diag_req: family, prefixes; extensions; id; states, dbs
_INODE = struct.Struct("=I")
_SMALLEST = HEADER.size + MESSAGE.size

# A head goes from the type in the netlink header to the destination; these are the offsets in it.
HEAD, _HEAD_START = 52, 4
HEAD_FAMILY, HEAD_STATE, HEAD_TIMER, HEAD_SPORT, HEAD_DPORT, HEAD_SOURCE, HEAD_DESTINATION = 12, 13, 14, 16, 18, 20, 36
_HEAD = struct.Struct(f"=I{HEAD}s")


def mask(*states: int) -> int:
    """The bit mask ``idiag_states`` of some state numbers."""
    return sum(1 << state for state in states)


def _address(family: int, raw: bytes) -> bytes:
    return raw[:4] if family == socket.AF_INET else raw


def listener_of(message: bytes) -> Listener:
    """A socket in LISTEN: rqueue is its accept queue now, wqueue the limit in force (net/ipv4/tcp_diag.c)."""
    family, _state, _timer, _retrans, sport, _dport, source, _destination, index, *rest = MESSAGE.unpack_from(message)
    rqueue, wqueue, uid, inode = rest[-4:]
    address = _address(family, source)
    v6only = [
        bool(value[0]) for kind, value in attributes(message, MESSAGE.size) if kind == INET_DIAG_SKV6ONLY and value
    ]
    return Listener(
        family=family_name(address),
        address=address_text(address),
        port=int.from_bytes(sport, "big"),
        accept_queue=rqueue,
        backlog=wqueue,
        inode=inode,
        v6only=v6only[0] if v6only else None,
        uid=uid,
        device=_device(index),
    )


def _device(index: int) -> t.Optional[str]:
    """The network device with this number, in the current network namespace; one that is gone keeps its number."""
    try:
        return socket.if_indextoname(index) if index else None
    except OSError:
        return str(index)


def is_half_open(message: bytes) -> bool:
    """Whether a socket in SYN_RECV is just an entry of the SYN queue (inet_req_diag_fill()).

    Whole sockets are in that state after a simultaneous open, and as children of TCP Fast Open.
    """
    return all(kind != INET_DIAG_SHUTDOWN for kind, _value in attributes(message, MESSAGE.size))


def inode_of(message: bytes) -> t.Tuple[int, int]:
    """State number and inode of a socket; the inode is 0 if no process has it open."""
    return message[1], t.cast("int", _INODE.unpack_from(message, MESSAGE.size - _INODE.size)[0])


def walk(datagram: bytes, sequence: int) -> t.Optional[t.List[bytes]]:
    """The heads of a datagram that holds only complete sockets of this dump; None if it holds anything else.

    The bulk of a dump goes through here, so the loop does the least that finds every message, and what they must
    have in common (type, flags, sequence) is proven afterwards for all of them together.
    """
    end = len(datagram) - _SMALLEST
    heads: t.List[bytes] = []
    keep, unpack = heads.append, _HEAD.unpack_from
    offset = 0
    while offset <= end:
        length, head = unpack(datagram, offset)
        if length < _SMALLEST:
            return None
        keep(head)
        offset += length
    if offset != len(datagram) or not heads:
        return None
    table = b"".join(heads)
    flags = HEADER.unpack_from(datagram)[2] & ~NLM_F_DUMP_INTR
    common = HEADER.pack(0, TCPDIAG_GETSOCK, flags, sequence, 0)[_HEAD_START : _HEAD_START + 8]
    if any(table[offset::HEAD] != bytes((value,)) * len(heads) for offset, value in enumerate(common)):
        return None
    return None if table[HEAD_FAMILY::HEAD].translate(None, bytes(FAMILIES)) else heads


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
        """Close the netlink socket."""
        self._link.close()

    def messages(self, states: int, *, with_info: bool = False) -> t.Iterator[bytes]:
        """Every TCP socket in one of the states (a :func:`mask`), in this network namespace."""
        for datagram in self._datagrams(states, WITH_INFO if with_info else 0):
            yield from self._payloads(datagram)

    def heads(self, states: int) -> t.Iterator[t.List[bytes]]:
        """The same sockets as lists of heads of HEAD bytes, in which only the message part is meant."""
        for datagram in self._datagrams(states):
            heads = walk(datagram, self._link.sequence)
            if heads is None:
                heads = [bytes(HEAD_FAMILY) + payload[: HEAD - HEAD_FAMILY] for payload in self._payloads(datagram)]
            yield heads

    def _datagrams(self, states: int, extensions: int = 0) -> t.Iterator[bytes]:
        self._ended = False
        for datagram in self._link.dump(TCPDIAG_GETSOCK, REQUEST.pack(extensions, states, 0)):
            yield datagram
            if self._ended:
                break
        else:
            raise Unsupported("netlink: a dump without an end")
        self.interrupted |= self._link.lost

    def _payloads(self, datagram: bytes) -> t.Iterator[bytes]:
        """The sockets of a datagram, message by message, heeding what else the kernel says."""
        for kind, flags, sequence, payload in split(datagram):
            if sequence != self._link.sequence:
                continue
            self.interrupted |= bool(flags & NLM_F_DUMP_INTR) or kind == NLMSG_OVERRUN
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                self._finish(payload)
            elif kind == TCPDIAG_GETSOCK:
                if len(payload) < MESSAGE.size or payload[0] not in FAMILIES:
                    raise Unsupported(f"netlink: not a TCP socket: {payload[:72].hex()}")
                yield payload

    def _finish(self, payload: bytes) -> None:
        self._ended = True
        number = payload_error(payload)
        if number:
            raise refusal(number)
