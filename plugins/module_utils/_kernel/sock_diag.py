# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""TCP sockets by netlink, the interface behind ``ss``: NETLINK_SOCK_DIAG with inet_diag requests.

INTERFACE
    with SockDiag() as diag:            the netlink socket belongs to the network namespace it was made in
        for buffer in diag.dump(AF_INET, mask(LISTEN)):      bytes-like, valid until the next one
            for state, message in messages(buffer): ...      one inet_diag_msg and its attributes each
        diag.interrupted                the kernel said that a dump may be inconsistent, or that it lost messages
    listener_of(message), row_of(message)

    Raises Unsupported (no inet_diag here, or it does not speak the layout we know), MissingRight, KernelRefused.

Layout: include/uapi/linux/inet_diag.h, include/uapi/linux/netlink.h. Everything is in host order except ports and
addresses. Family 0 is refused, so IPv4 and IPv6 are two dumps. No privilege is needed for the own namespace.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import typing as t

from .._errors import KernelRefused, MissingRight, NettuneError, Unsupported
from .tcp_socket import Listener, Row, address_text, family_name, plain

if t.TYPE_CHECKING:  # pragma: no cover
    from types import TracebackType

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x10, 0x300
NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN = 1, 2, 3, 4
INET_DIAG_SKV6ONLY = 11

HEADER = struct.Struct("=IHHII")
MESSAGE = struct.Struct("=BBBBHH16s16sIIIIIIII")
_REQUEST = struct.Struct("=BBBxI48x")
_ATTRIBUTE = struct.Struct("=HH")
_INT = struct.Struct("=i")

MESSAGE_SIZE = 72
RECEIVE_SIZE = 32768  # the kernel sizes its dump buffers by the largest read it has seen, up to this
TIMEOUT = 10.0  # seconds without a single message before a dump counts as dead
ATTEMPTS = 3

_MISSING = (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_DENIED = (errno.EPERM, errno.EACCES)

Message = memoryview


def mask(*states: int) -> int:
    """The bit mask ``idiag_states`` of some state numbers."""
    return sum(1 << state for state in states)


def refusal(number: int) -> NettuneError:
    """What an errno of the kernel means to us."""
    text = f"sock_diag: {os.strerror(number)}"
    if number in _MISSING:
        return Unsupported(text)
    return (MissingRight if number in _DENIED else KernelRefused)(text)


def split(buffer: memoryview) -> t.Iterator[t.Tuple[int, int, int, memoryview]]:
    """The netlink messages of one datagram as (type, flags, sequence, payload); Unsupported when it is malformed."""
    offset, end = 0, len(buffer)
    while offset < end:
        if end - offset < HEADER.size:
            raise Unsupported("sock_diag: the kernel's answer ends inside a message header")
        length, kind, flags, sequence, _port = HEADER.unpack_from(buffer, offset)
        if length < HEADER.size or length > end - offset:
            raise Unsupported(f"sock_diag: a message of {length} bytes in the {end - offset} that are left")
        yield kind, flags, sequence, buffer[offset + HEADER.size : offset + length]
        offset += (length + 3) & ~3


def payload_error(payload: memoryview) -> int:
    """The errno in an NLMSG_ERROR or NLMSG_DONE, 0 for none (old kernels send an empty NLMSG_DONE)."""
    return -_INT.unpack_from(payload)[0] if len(payload) >= _INT.size else 0


def attributes(message: Message) -> t.Iterator[t.Tuple[int, memoryview]]:
    """The (type, value) pairs after the inet_diag_msg; what is cut off is left out."""
    offset = MESSAGE_SIZE
    while offset + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, offset)
        if length < _ATTRIBUTE.size or offset + length > len(message):
            return
        yield kind, message[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def _address(family: int, raw: bytes) -> bytes:
    return raw[:4] if family == socket.AF_INET else raw


def row_of(message: Message) -> Row:
    """One socket as a row; IPv4-mapped addresses become plain."""
    family, state, _timer, _retrans, sport, dport, source, destination = MESSAGE.unpack_from(message)[:8]
    return (
        state,
        plain(_address(family, source)),
        socket.ntohs(sport),
        plain(_address(family, destination)),
        socket.ntohs(dport),
    )


def listener_of(message: Message) -> Listener:
    """A socket in LISTEN: rqueue is its accept queue now, wqueue the limit in force (net/ipv4/tcp_diag.c)."""
    fields = MESSAGE.unpack_from(message)
    address = _address(fields[0], fields[6])
    v6only = [bool(value[0]) for kind, value in attributes(message) if kind == INET_DIAG_SKV6ONLY and len(value)]
    return Listener(
        family=family_name(address),
        address=address_text(address),
        port=socket.ntohs(fields[4]),
        accept_queue=fields[12],
        backlog=fields[13],
        inode=fields[15],
        v6only=v6only[0] if v6only else None,
        uid=fields[14],
    )


class SockDiag:
    """One netlink socket for dumps of TCP sockets, one dump at a time."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)
        except OSError as exc:
            raise refusal(exc.errno or errno.ENOENT) from exc
        self._socket.settimeout(timeout)
        self._sequence = int.from_bytes(os.urandom(3), "big")
        self._buffer = bytearray(RECEIVE_SIZE)
        self.interrupted = False

    def __enter__(self) -> SockDiag:
        return self

    def __exit__(
        self,
        kind: t.Optional[t.Type[BaseException]],
        value: t.Optional[BaseException],
        trace: t.Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the netlink socket."""
        self._socket.close()

    def dump(self, family: int, states: int) -> t.Iterator[Message]:
        """Every TCP socket of a family in one of the states (a :func:`mask`), in this network namespace.

        A dump that the kernel calls inconsistent is finished and noted in ``interrupted``.
        """
        self._request(family, states)
        view = memoryview(self._buffer)
        while True:
            for kind, flags, sequence, payload in split(view[: self._receive()]):
                if sequence != self._sequence:
                    continue
                if flags & NLM_F_DUMP_INTR:
                    self.interrupted = True
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    self._finish(payload)
                    return
                if kind == NLMSG_OVERRUN:
                    self.interrupted = True
                if kind == SOCK_DIAG_BY_FAMILY:
                    if len(payload) < MESSAGE_SIZE:
                        raise Unsupported(f"sock_diag: an inet_diag_msg of {len(payload)} bytes")
                    yield payload

    def _request(self, family: int, states: int) -> None:
        self._sequence += 1
        body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, states)
        header = HEADER.pack(
            HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, self._sequence, 0
        )
        try:
            self._socket.send(header + body)
        except OSError as exc:
            raise refusal(exc.errno or errno.EIO) from exc

    def _receive(self) -> int:
        while True:
            try:
                return self._socket.recv_into(self._buffer)
            except socket.timeout as exc:
                raise KernelRefused("sock_diag: the kernel stopped in the middle of a dump") from exc
            except OSError as exc:
                if exc.errno != errno.ENOBUFS:
                    raise refusal(exc.errno or errno.EIO) from exc
                self.interrupted = True

    @staticmethod
    def _finish(payload: memoryview) -> None:
        number = payload_error(payload)
        if number:
            raise refusal(number)
