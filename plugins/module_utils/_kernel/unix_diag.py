# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Listening UNIX sockets, by netlink.

Layout: include/uapi/linux/unix_diag.h; net/unix/diag.c sk_diag_show_rqlen: for a listening socket the lengths are its
current accept queue and the limit in force, which net.core.somaxconn caps as it does for TCP.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import typing as t

from .._errors import Unsupported
from .netlink import NLMSG_DONE, NLMSG_ERROR, Netlink, attributes, payload_error, refusal, split
from .sock_diag import NETLINK_SOCK_DIAG, mask
from .tcp_socket import LISTEN, Listener

_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = struct.Struct("=BBHIIIII")
_MESSAGE = struct.Struct("=BBBBIII")
_PAIR = struct.Struct("=II")
_NUMBER = struct.Struct("=I")
_SHOW_NAME, _SHOW_FILE, _SHOW_QUEUE, _SHOW_UID = 0x1, 0x2, 0x10, 0x40  # the last one since Linux 5.3
_NAME, _FILE, _QUEUE, _UID = 0, 1, 4, 7
_NO_COOKIE = 0xFFFFFFFF

# The kernel gives 32 bits of an inode's number, and devices in its own encoding (include/linux/kdev_t.h).
_LOW = 0xFFFFFFFF
_MINOR_BITS = 20


class File(t.NamedTuple):
    """A file by the numbers of its device and inode, as unix_diag_vfs has them."""

    device: int
    inode: int


def listeners() -> t.List[t.Tuple[Listener, t.Optional[File]]]:
    """The listening UNIX sockets with a name, of this network namespace, and the file of each.

    Port is 0, an abstract name begins with @.  The name is that of bind(2); the file may have been renamed since.
    """
    show = _SHOW_NAME | _SHOW_FILE | _SHOW_QUEUE | _SHOW_UID
    body = _REQUEST.pack(socket.AF_UNIX, 0, 0, mask(LISTEN), 0, show, _NO_COOKIE, _NO_COOKIE)
    link = Netlink(NETLINK_SOCK_DIAG)
    try:
        datagrams = list(link.dump(_SOCK_DIAG_BY_FAMILY, body))
    finally:
        link.close()
    answers = itertools.chain.from_iterable(parse(datagram, link.sequence) for datagram in datagrams)
    return [(listener, file) for listener, file in answers if listener.address]


def file_at(path: str) -> t.Optional[File]:
    """The file at a path as the kernel names those of sockets, None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return File(os.major(status.st_dev) << _MINOR_BITS | os.minor(status.st_dev), status.st_ino & _LOW)


def parse(datagram: bytes, sequence: int) -> t.Iterator[t.Tuple[Listener, t.Optional[File]]]:
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
                raise Unsupported(f"netlink: not a UNIX socket: {payload.hex()}")
            yield _listener(payload)


def _listener(message: bytes) -> t.Tuple[Listener, t.Optional[File]]:
    inode = _MESSAGE.unpack_from(message)[4]
    name, queued, limit = "", 0, None
    file: t.Optional[File] = None
    uid: t.Optional[int] = None
    for kind, value in attributes(message, _MESSAGE.size):
        if kind == _NAME:
            name = _text(value)
        elif kind == _QUEUE and len(value) == _PAIR.size:
            queued, limit = _PAIR.unpack(value)
        elif kind == _UID and len(value) == _NUMBER.size:
            (uid,) = _NUMBER.unpack(value)
        elif kind == _FILE and len(value) == _PAIR.size:
            inode_of_file, device = _PAIR.unpack(value)
            file = File(device, inode_of_file)
    return Listener("unix", name, 0, queued, limit, inode, None, uid), file


def _text(name: bytes) -> str:
    if name.startswith(b"\0"):
        # HAProxy pads such names with zeros, which belong to the name but not to what people call it.
        return "@" + os.fsdecode(name[1:].rstrip(b"\0"))
    return os.fsdecode(name.rstrip(b"\0"))
