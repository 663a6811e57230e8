# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Look at one TCP connection, and close it: SOCK_DESTROY, the interface behind ``ss --kill``.

INTERFACE
    with SockDestroy() as link:         of the network namespace it was made in
        link.look(identity)             its inet_diag_msg with attributes (bytes), None when it is gone
        link.find(family, local, remote)        the same by addresses alone, whatever connection has them now
        link.destroy(identity)          whether the kernel closed it; False when it was gone
    identity_of(message)                of a message that SockDiag or look() gave

    Raises Unsupported (this kernel cannot), MissingRight (CAP_NET_ADMIN), KernelRefused, BadRequest.

An identity holds the kernel's cookie of the connection, so a later one with the same addresses is never hit. The cookie
belongs to the connection in all its states: a half-open connection keeps it when established, and an established one in
TIME_WAIT (inet_csk_clone_lock(), inet_twsk_alloc()).

A listener has no remote port, so there is no identity with which it could be closed. Layout: struct inet_diag_req_v2 in
include/uapi/linux/inet_diag.h.
"""

from __future__ import annotations

import errno
import socket
import struct
import typing as t

from .._errors import BadRequest, MissingRight, NettuneError, Unsupported
from .netlink import NLM_F_ACK, NLMSG_ERROR, Netlink, payload_error, refusal
from .sock_diag import MESSAGE, NETLINK_SOCK_DIAG, WITH_INFO

SOCK_DIAG_BY_FAMILY, SOCK_DESTROY = 20, 21

REQUEST = struct.Struct("=BBBxI48s")  # family protocol extensions, states (irrelevant here), id
_ENDPOINTS = struct.Struct("!HH16s16s")  # ports and addresses of the id; the interface and the cookie follow
_ID = slice(4, 52)  # of an inet_diag_msg
_ANY_INTERFACE, NO_COOKIE = bytes(4), b"\xff" * 8

Endpoint = t.Tuple[bytes, int]


class Identity(t.NamedTuple):
    """One connection, unambiguously: its family and its inet_diag_sockid, as the kernel encodes it."""

    family: int
    id: bytes

    @property
    def remote_port(self) -> int:
        """The remote port; only a listener has none."""
        return int(_ENDPOINTS.unpack_from(self.id)[1])

    @property
    def cookie(self) -> bytes:
        """What identifies this connection and no other in the kernel."""
        return self.id[-len(NO_COOKIE) :]


def identity_of(message: bytes) -> Identity:
    """The connection that an inet_diag_msg describes."""
    return Identity(message[0], message[_ID])


class SockDestroy:
    """One connection at a time."""

    def __init__(self) -> None:
        self._link = Netlink(NETLINK_SOCK_DIAG)

    def __enter__(self) -> SockDestroy:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._link.close()

    def look(self, identity: Identity) -> t.Optional[bytes]:
        """The connection as it is now, with its struct tcp_info if it has one; None if it is gone."""
        kind, payload = self._link.ask(SOCK_DIAG_BY_FAMILY, _request(identity, WITH_INFO))
        if kind == NLMSG_ERROR:
            return _heed(payload_error(payload) or errno.EIO, None)
        if kind != SOCK_DIAG_BY_FAMILY or len(payload) < MESSAGE.size:
            raise Unsupported(f"netlink: not a TCP socket: {payload[:72].hex()}")
        return payload

    def find(self, family: int, local: Endpoint, remote: Endpoint) -> t.Optional[bytes]:
        """Whatever has these addresses (bytes) and ports."""
        endpoints = _ENDPOINTS.pack(local[1], remote[1], local[0], remote[0])
        return self.look(Identity(family, endpoints + _ANY_INTERFACE + NO_COOKIE))

    def destroy(self, identity: Identity) -> bool:
        """Close it at once, with a reset to the peer if its state calls for one."""
        if not identity.remote_port or identity.cookie in (NO_COOKIE, bytes(len(NO_COOKIE))):
            raise BadRequest("only a connection that the kernel has identified can be closed, and never a listener")
        _kind, payload = self._link.ask(SOCK_DESTROY, _request(identity), NLM_F_ACK)
        number = payload_error(payload)
        return _heed(number, False) if number else True


def _request(identity: Identity, extensions: int = 0) -> bytes:
    return REQUEST.pack(identity.family, socket.IPPROTO_TCP, extensions, 0, identity.id)


_Nothing = t.TypeVar("_Nothing")


def _heed(number: int, nothing: _Nothing) -> _Nothing:
    """The value for a connection that is gone, unless the errno means something worse."""
    if number == errno.ENOENT:
        return nothing
    raise _refusal(number)


def _refusal(number: int) -> NettuneError:
    if number == errno.EOPNOTSUPP:
        return Unsupported("this kernel cannot close such a socket (CONFIG_INET_DIAG_DESTROY, or its version)")
    if number == errno.EPERM:
        return MissingRight(
            "closing sockets needs CAP_NET_ADMIN in the network namespace's user namespace: run as root"
        )
    return refusal(number)
