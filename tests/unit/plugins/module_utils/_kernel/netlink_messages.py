# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel that answers dumps with whatever a test wants, and the messages to do it with."""

from __future__ import annotations

import socket
import struct
import typing as t
from dataclasses import dataclass

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netlink
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import (
    HEAD_FAMILY,
    TCPDIAG_GETSOCK,
    SockDiag,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.captures import CAPTURED_SEQUENCE

if t.TYPE_CHECKING:
    import pytest

Datagrams = t.Iterable[t.Union[bytes, OSError]]
# The kernel's answer to a request for these states, with this sequence number.
Answer = t.Callable[[int, int], Datagrams]


def message(kind: int, payload: bytes, sequence: int, flags: int = netlink.NLM_F_MULTI) -> bytes:
    """One netlink message, padded."""
    length = netlink.HEADER.size + len(payload)
    return netlink.HEADER.pack(length, kind, flags, sequence, 4711) + payload + bytes(-length % 4)


def done(sequence: int, error: int = 0, extra: bytes = b"") -> bytes:
    """The end of a dump, with an errno."""
    return message(netlink.NLMSG_DONE, struct.pack("=i", -error) + extra, sequence)


def error(sequence: int, number: int) -> bytes:
    """A refusal."""
    return message(netlink.NLMSG_ERROR, struct.pack("=i", -number) + bytes(netlink.HEADER.size), sequence, flags=0)


@dataclass(frozen=True)
class Socket:
    """A socket as inet_diag describes it."""

    state: int
    local: str
    local_port: int
    remote: str = "0.0.0.0"
    remote_port: int = 0
    timer: int = 0
    rqueue: int = 0
    wqueue: int = 0
    uid: int = 0
    inode: int = 0
    attributes: bytes = b""
    device: int = 0

    def payload(self) -> bytes:
        """inet_diag_msg and attributes."""
        family = socket.AF_INET6 if ":" in self.local else socket.AF_INET
        source, target = (socket.inet_pton(family, text).ljust(16, b"\0") for text in (self.local, self.remote))
        return (
            struct.pack("=BBBB", family, self.state, self.timer, 0)
            + struct.pack(">HH", self.local_port, self.remote_port)
            + source
            + target
            + struct.pack("=3I5I", self.device, 0xFFFF, 0xFFFF, 0, self.rqueue, self.wqueue, self.uid, self.inode)
            + self.attributes
        )

    def message(self, sequence: int, flags: int = netlink.NLM_F_MULTI) -> bytes:
        """The whole netlink message."""
        return message(TCPDIAG_GETSOCK, self.payload(), sequence, flags)


def attribute(kind: int, value: bytes) -> bytes:
    """One netlink attribute, padded."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def dumped(sockets: t.Sequence[Socket], per_datagram: int = 340) -> Answer:
    """A well-behaved kernel."""

    def answer(sequence: int, states: int) -> Datagrams:
        chosen = [entry.message(sequence) for entry in sockets if states >> entry.state & 1]
        for start in range(0, len(chosen), per_datagram):
            yield b"".join(chosen[start : start + per_datagram])
        yield done(sequence)

    return answer


def captured(messages: bytes) -> Answer:
    """What a real kernel answered, whatever is asked."""
    return lambda sequence, _states: [
        messages.replace(struct.pack("=I", CAPTURED_SEQUENCE), struct.pack("=I", sequence))
    ]


class FakeSocket:
    """Stands in for a netlink socket."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._datagrams: t.Iterator[t.Union[bytes, OSError]] = iter(())
        self._later: t.List[OSError] = []
        self.closed = False

    def later(self, exc: OSError) -> None:
        """Raise this at the next reception."""
        self._later.append(exc)

    def setsockopt(self, *_arguments: object) -> None:
        """Any option is fine."""

    def send(self, request: bytes) -> int:
        """Start a dump."""
        sequence = netlink.HEADER.unpack_from(request)[3]
        (states,) = struct.unpack_from("=I", request, netlink.HEADER.size + 52)
        self._datagrams = iter(self._answer(sequence, states))
        return len(request)

    def recv(self, size: int) -> bytes:
        """The next datagram; it times out when there is none."""
        datagram = self._later.pop() if self._later else next(self._datagrams, BlockingIOError())
        if isinstance(datagram, OSError):
            raise datagram
        return datagram[:size]

    def fileno(self) -> int:
        """A number that no descriptor has."""
        return -1

    def close(self) -> None:
        """The end."""
        self.closed = True


class FakeBatch:
    """Stands in for a batch of recvmmsg() from such a socket: up to two datagrams at once."""

    def __init__(self, source: FakeSocket, size: int) -> None:
        self._source = source
        self._size = size
        self._received: t.List[bytes] = []

    def receive(self, descriptor: int) -> int:
        """As MSG_WAITFORONE has it: an error is told only when nothing came before it."""
        assert descriptor == self._source.fileno()
        self._received = [self._source.recv(self._size)]
        try:
            self._received.append(self._source.recv(self._size))
        except OSError as exc:
            self._source.later(exc)
        return len(self._received)

    def datagram(self, number: int) -> bytes:
        """One of them."""
        return self._received[number]

    def datagrams(self, received: int) -> t.Iterator[bytes]:
        """All of them."""
        return iter(self._received[:received])


def pretend(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> FakeSocket:
    """Let the next netlink socket be one of this kernel."""
    fake = FakeSocket(answer)
    monkeypatch.setattr(socket, "socket", lambda *_arguments: fake)
    monkeypatch.setattr(netlink, "Batch", lambda _count, size: FakeBatch(fake, size))
    return fake


EVERYTHING = 0x1FFE
V4 = Socket(6, "10.0.0.1", 80, "192.0.2.7", 40000, timer=3)
V6 = Socket(1, "2001:db8::1", 443, "2001:db8::2", 50000, attributes=attribute(8, b"\0") + attribute(21, bytes(8)))


def heads_of(diag: SockDiag, states: int = EVERYTHING) -> t.List[bytes]:
    """All heads of a dump, from the family on."""
    return [head[HEAD_FAMILY:] for heads in diag.heads(states) for head in heads]


def expected_heads(sockets: t.Iterable[Socket]) -> t.List[bytes]:
    """What they should be."""
    return [entry.payload()[:40] for entry in sockets]
