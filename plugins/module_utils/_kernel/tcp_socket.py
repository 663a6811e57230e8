# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The vocabulary that both sources of TCP sockets share: states, addresses, listeners.

INTERFACE
    STATES                  the eleven public names, in the kernel's order of numbers
    STATE_NAMES[number]     kernel number -> public name; NEW_SYN_RECV (12) is a SYN_RECV
    Row                     one socket that does not listen: (state number, local address, local port,
                            remote address, remote port); addresses are 4 or 16 bytes, network order
    Listener                one socket that listens
    endpoint_text(family, address, port)    where a socket listens, for people
    plain(address)          16 bytes that hold an IPv4-mapped address -> its 4 bytes
    mapped(address)         the reverse
    address_text(address)   4 or 16 bytes -> text
"""

from __future__ import annotations

import socket
import typing as t
from dataclasses import dataclass

# include/net/tcp_states.h
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT = 1, 2, 3, 4, 5, 6
CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING, NEW_SYN_RECV = 7, 8, 9, 10, 11, 12

STATES: t.Tuple[str, ...] = (
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
)
STATE_NAMES: t.Dict[int, str] = dict(enumerate(STATES, start=1))
STATE_NAMES[NEW_SYN_RECV] = "SYN_RECV"

Row = t.Tuple[int, bytes, int, bytes, int]

_V4_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True)
class Listener:
    """One listening socket.

    ``accept_queue`` is the number of connections that wait for accept() now, ``backlog`` their limit (the queue holds
    one more; None if the source does not say). ``v6only`` is None for IPv4 and if the source does not say. ``syn_recv``
    is the number of half-open connections to this address and port, None if they were not counted; sockets that share
    both (SO_REUSEPORT) share the number. ``uid`` is the user who created the socket, None if the source does not say.
    ``device`` is the one network device that it is bound to (SO_BINDTODEVICE), None for all and if the source does not
    say. ``connections`` counts the port's incoming connections, by public state without zeros, None if not counted.
    """

    family: str
    address: str
    port: int
    accept_queue: int
    backlog: t.Optional[int]
    inode: int
    v6only: t.Optional[bool]
    uid: t.Optional[int]
    syn_recv: t.Optional[int] = None
    device: t.Optional[str] = None
    connections: t.Optional[t.Mapping[str, int]] = None


def endpoint_text(family: str, address: str, port: int) -> str:
    """Where a socket listens, for people: ``0.0.0.0:80``, ``[::]:80`` or a path."""
    if family == "unix":
        return address
    return f"[{address}]:{port}" if family == "inet6" else f"{address}:{port}"


def plain(address: bytes) -> bytes:
    """The IPv4 address in an IPv4-mapped one, the kernel's form of IPv4 connections to a dual-stack listener."""
    return address[12:] if len(address) == 16 and address.startswith(_V4_MAPPED) else address


def mapped(address: bytes) -> bytes:
    """The reverse of :func:`plain`."""
    return _V4_MAPPED + address if len(address) == 4 else address


def address_text(address: bytes) -> str:
    """4 or 16 bytes in network order as text."""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def address_bytes(text: str) -> bytes:
    """The reverse of :func:`address_text`."""
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def family_name(address: bytes) -> str:
    """``inet`` or ``inet6`` by the length of the address."""
    return "inet" if len(address) == 4 else "inet6"
