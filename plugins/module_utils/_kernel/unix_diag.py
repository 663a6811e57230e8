# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""UNIX sockets that listen, by netlink.

Layout: include/uapi/linux/unix_diag.h; net/unix/diag.c sk_diag_show_rqlen: of a listening socket the lengths are its
accept queue now and the limit in force, which net.core.somaxconn caps as it does for TCP.
"""

from __future__ import annotations

import os
import socket
import struct
import typing as t

from .._errors import Unsupported
from .netlink import NLMSG_DONE, NLMSG_ERROR, Netlink, payload_error, refusal, split
from .sock_diag import NETLINK_SOCK_DIAG, mask
from .tcp_socket import LISTEN, Listener

_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = struct.Struct("=BBHIIIII")
_MESSAGE = struct.Struct("=BBBBIII")
_ATTRIBUTE = struct.Struct("=HH")
_LENGTHS = struct.Struct("=II")
_SHOW_NAME, _SHOW_QUEUE = 0x1, 0x10
_NAME, _QUEUE = 0, 4
_NO_COOKIE = 0xFFFFFFFF


def listeners() -> t.List[Listener]:
    """The listening UNIX sockets with a name, of this network namespace; port is 0, an abstract name begins with @."""
    show = _SHOW_NAME | _SHOW_QUEUE
    body = _REQUEST.pack(socket.AF_UNIX, 0, 0, mask(LISTEN), 0, show, _NO_COOKIE, _NO_COOKIE)
    link = Netlink(NETLINK_SOCK_DIAG)
    try:
        found = [
            listener
            for datagram in link.dump(_SOCK_DIAG_BY_FAMILY, body)
            for listener in parse(datagram, link.sequence)
        ]
    finally:
        link.close()
    return [listener for listener in found if listener.address]


def parse(datagram: bytes, sequence: int) -> t.Iterator[Listener]:
    """The sockets of one datagram.  Raises what an error of the kernel means."""
    for kind, _flags, answered, payload in split(datagram):
        if answered != sequence:
            continue
        if kind in (NLMSG_DONE, NLMSG_ERROR):
            number = payload_error(payload)
            if number:
                raise refusal(number)
        elif kind == _SOCK_DIAG_BY_FAMILY:
            if len(payload) < _MESSAGE.size:
                raise Unsupported(f"netlink: {payload.hex()} is no UNIX socket")
            yield _listener(payload)


def _listener(message: bytes) -> Listener:
    inode = _MESSAGE.unpack_from(message)[4]
    name, queued, limit = "", 0, None
    for kind, value in _attributes(message):
        if kind == _NAME:
            name = _text(value)
        elif kind == _QUEUE and len(value) == _LENGTHS.size:
            queued, limit = _LENGTHS.unpack(value)
    return Listener("unix", name, 0, queued, limit, inode, None, 0)


def _attributes(message: bytes) -> t.Iterator[t.Tuple[int, bytes]]:
    offset = _MESSAGE.size
    while offset + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, offset)
        if length < _ATTRIBUTE.size or offset + length > len(message):
            return
        yield kind, message[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def _text(name: bytes) -> str:
    if name.startswith(b"\0"):
        return "@" + os.fsdecode(name[1:])
    return os.fsdecode(name.rstrip(b"\0"))
