# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The part of netlink that is needed: a dump (ask once, get datagrams until one ends it), or one answer to one request.

INTERFACE
    link = Netlink(protocol);  link.dump(kind, body) -> datagrams (bytes), read ahead;  link.sequence;  link.close()
    link.ask(kind, body, flags=0) -> (type, payload) of the only answer
    split(datagram) -> (type, flags, sequence, payload) of each message
    refusal(errno), payload_error(payload)

    Raises Unsupported (the interface is missing or speaks another layout), MissingRight, KernelRefused.

The kernel does most of its work inside recv(), where Python releases its lock, so a second thread reads while the first
one counts; it is started only if one datagram is not enough. Layout: include/uapi/linux/netlink.h.
"""

from __future__ import annotations

import errno
import functools
import os
import queue
import socket
import struct
import threading
import time
import typing as t
from contextlib import closing

from .._errors import KernelRefused, MissingRight, NettuneError, Unsupported
from .recvmmsg import Batch

NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x2, 0x4, 0x10, 0x300
NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN = 1, 2, 3, 4

HEADER = struct.Struct("=IHHII")
_INT = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HH")
_DONE_SIZE = HEADER.size + _INT.size

RECEIVE_SIZE = 32768  # the kernel sizes the datagrams of a dump by the largest read it has seen, up to this
BATCH, BATCHES = 16, 3  # datagrams received at once, and how many such batches may wait to be counted
TIMEOUT = 10.0  # seconds without a datagram after which a dump is considered dead
LONGEST = 60.0  # seconds of a whole dump; a million sockets take less than one
_WAIT = 0.5  # seconds of one wait, so that a reader that is no longer needed ends soon

_MISSING = (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_DENIED = (errno.EPERM, errno.EACCES)

_Received = t.TypeVar("_Received")
if t.TYPE_CHECKING:  # pragma: no cover
    _Free = queue.SimpleQueue[t.Optional[Batch]]
    _Full = queue.SimpleQueue[t.Union[t.Tuple[Batch, int], NettuneError]]


def attributes(message: bytes, offset: int) -> t.Iterator[t.Tuple[int, bytes]]:
    """The (type, value) pairs from there on; truncated ones are left out."""
    while offset + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, offset)
        if length < _ATTRIBUTE.size or offset + length > len(message):
            return
        yield kind, message[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def refusal(number: int) -> NettuneError:
    """What an errno of the kernel means to us."""
    text = f"netlink: {os.strerror(number)}"
    if number in _MISSING:
        return Unsupported(text)
    return (MissingRight if number in _DENIED else KernelRefused)(text)


def split(datagram: bytes) -> t.Iterator[t.Tuple[int, int, int, bytes]]:
    """The messages of one datagram as (type, flags, sequence, payload); Unsupported when it is malformed."""
    offset, end = 0, len(datagram)
    while offset < end:
        if end - offset < HEADER.size:
            raise Unsupported("netlink: the kernel's answer ends inside the header of a message")
        length, kind, flags, sequence, _port = HEADER.unpack_from(datagram, offset)
        if length < HEADER.size or length > end - offset:
            raise Unsupported(f"netlink: a message of {length} bytes where {end - offset} are left")
        yield kind, flags, sequence, datagram[offset + HEADER.size : offset + length]
        offset += (length + 3) & ~3


def payload_error(payload: bytes) -> int:
    """The errno in an NLMSG_ERROR or NLMSG_DONE, 0 for none."""
    return -int(_INT.unpack_from(payload)[0]) if len(payload) >= _INT.size else 0


def is_last(datagram: bytes) -> bool:
    """Whether no other datagram follows, judging by its first and last message."""
    if len(datagram) < HEADER.size:
        return True
    _length, kind, _flags, sequence, _port = HEADER.unpack_from(datagram)
    if kind in (NLMSG_ERROR, NLMSG_DONE) or len(datagram) < _DONE_SIZE:
        return kind in (NLMSG_ERROR, NLMSG_DONE)
    length, kind, _flags, last_sequence, _port = HEADER.unpack_from(datagram, len(datagram) - _DONE_SIZE)
    return (length, kind, last_sequence) == (_DONE_SIZE, NLMSG_DONE, sequence)


class Netlink:
    """One netlink socket, in the network namespace it was created in, for one dump at a time."""

    def __init__(self, protocol: int, timeout: float = TIMEOUT) -> None:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        except OSError as exc:
            raise refusal(exc.errno or errno.ENOENT) from exc
        self._waits = max(1, round(timeout / _WAIT))
        self._socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, int(min(timeout, _WAIT) * 1e6))
        )
        self.sequence = int.from_bytes(os.urandom(3), "big")
        self.lost = False

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def dump(self, kind: int, body: bytes) -> t.Iterator[bytes]:
        """Send one dump request; every datagram of the answer. ``lost`` means that the kernel dropped some."""
        self._send(kind, body, NLM_F_DUMP)
        datagram = self._receive()
        yield datagram
        if is_last(datagram):
            return
        deadline = time.monotonic() + LONGEST
        with closing(self._read_ahead()) as rest:
            for datagram in rest:
                yield datagram
                if is_last(datagram):
                    return
                if time.monotonic() > deadline:
                    raise KernelRefused(f"netlink: a dump did not end within {LONGEST:.0f} seconds")

    def ask(self, kind: int, body: bytes, flags: int = 0) -> t.Tuple[int, bytes]:
        """Send a request that one message answers: its type and its payload.

        One that fails, and with NLM_F_ACK one that returns nothing, is answered by NLMSG_ERROR.
        """
        self._send(kind, body, flags)
        while True:
            for answer, _flags, sequence, payload in split(self._receive()):
                if sequence == self.sequence:
                    return answer, payload

    def _send(self, kind: int, body: bytes, flags: int) -> None:
        self.sequence += 1
        self.lost = False
        header = HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | flags, self.sequence, 0)
        try:
            self._socket.send(header + body)
        except OSError as exc:
            raise refusal(exc.errno or errno.EIO) from exc

    def _receive(self) -> bytes:
        return self._patiently(functools.partial(self._socket.recv, RECEIVE_SIZE), threading.Event())

    def _patiently(self, receive: t.Callable[[], _Received], stop: threading.Event) -> _Received:
        """Receive, for as long as a live dump may pause or until it is no longer wanted."""
        for _wait in range(self._waits):
            try:
                return receive()
            except (BlockingIOError, InterruptedError):
                if stop.is_set():
                    break
            except OSError as exc:
                if exc.errno != errno.ENOBUFS:
                    raise refusal(exc.errno or errno.EIO) from exc
                self.lost = True
        raise KernelRefused("netlink: the kernel stopped in the middle of a dump")

    def _read_ahead(self) -> t.Generator[bytes, None, None]:
        """What another thread receives in the meantime."""
        full: _Full = queue.SimpleQueue()
        free: _Free = queue.SimpleQueue()
        stop = threading.Event()
        for _batch in range(BATCHES):
            free.put(Batch(BATCH, RECEIVE_SIZE))
        reader = threading.Thread(target=self._read, args=(free, full, stop), name="netlink", daemon=True)
        try:
            reader.start()
        except RuntimeError as exc:  # as many as this process may have
            raise KernelRefused(f"netlink: {exc}") from exc
        try:
            while True:
                filled = self._awaited(full)
                if isinstance(filled, NettuneError):
                    raise filled
                batch, received = filled
                yield from batch.datagrams(received)
                free.put(batch)
        finally:
            stop.set()
            free.put(None)
            reader.join()

    def _read(self, free: _Free, full: _Full, stop: threading.Event) -> None:
        descriptor = self._socket.fileno()
        try:
            for batch in iter(free.get, None):
                received = self._patiently(functools.partial(batch.receive, descriptor), stop)
                full.put((batch, received))
                if is_last(batch.datagram(received - 1)):
                    return
        except NettuneError as exc:
            full.put(exc)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, the other thread waits for it
            full.put(NettuneError(f"netlink: {type(exc).__name__}: {exc}"))

    def _awaited(self, full: _Full) -> t.Union[t.Tuple[Batch, int], NettuneError]:
        """What the other thread has read; it reports when the kernel is silent, so this waits a little longer."""
        try:
            return full.get(timeout=(self._waits + 2) * _WAIT)
        except queue.Empty:
            return KernelRefused("netlink: the thread that reads has ended")
