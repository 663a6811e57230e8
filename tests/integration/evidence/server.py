# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server whose clients are on the wire, so that a test can bring its connections into any state."""

from __future__ import annotations

import socket
import typing as t
from pathlib import Path

from .wire import ACK, SERVER, SYN, SYN_ACK, Client, Wire, clients

PEER = ("10.9.8.1", 3306)
FIN_ACK = 0x11
FAR_SEQUENCE = 1000
SERVER_TAKES, NO_COOKIE = 0x2, 0x200


class Server:
    """A server whose clients are all on the wire."""

    def __init__(self, backlog: int = 128) -> None:
        self.wire = Wire()
        self._listener = socket.create_server((SERVER, 80), backlog=backlog)
        self.port = 80
        self._free = iter(clients(1000))
        self._sequence: t.Dict[Client, int] = {}
        self.held: t.List[socket.socket] = [self._listener]

    def half_open(self, count: int, port: int = 80) -> None:
        """Let clients begin to connect."""
        self.wire.syns(port, [next(self._free) for _number in range(count)])
        self.wire.received()

    def call_out(self, count: int) -> t.List[socket.socket]:
        """Begin to connect to a server on the wire."""
        callers = [socket.socket() for _number in range(count)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(PEER)
        self.held += callers
        return callers

    def cross(self) -> None:
        """Let the server on the wire begin to connect as well, at the same time."""
        for packet in self.wire.received():
            if packet.flags == SYN and packet.client == PEER:
                self.wire.send(packet.client, packet.port, SYN, FAR_SEQUENCE)

    def open_fast(self, count: int) -> None:
        """Let clients send data with their SYN, to a listener that takes it without a cookie."""
        Path("/proc/sys/net/ipv4/tcp_fastopen").write_text(str(SERVER_TAKES | NO_COOKIE), encoding="ascii")
        listener = socket.create_server((SERVER, 85))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        for _number in range(count):
            self.wire.send(next(self._free), 85, SYN, data=b"at once")
        self.held += [listener, *(listener.accept()[0] for _number in range(count - 1))]

    def answer(self) -> None:
        """Let the server on the wire accept what was begun."""
        for packet in self.wire.received():
            if packet.flags & SYN and packet.client == PEER:
                self.wire.send(packet.client, packet.port, SYN_ACK, FAR_SEQUENCE, packet.seq + 1)

    def accept(self, count: int) -> t.List[t.Tuple[Client, socket.socket]]:
        """Connections with clients that have been accepted."""
        chosen = {next(self._free) for _number in range(count)}
        self.wire.syns(80, sorted(chosen))
        for packet in self.wire.received():
            if packet.client in chosen and packet.flags == SYN_ACK:
                self._sequence[packet.client] = packet.seq + 1
                self.wire.send(packet.client, 80, ACK, FAR_SEQUENCE + 1, packet.seq + 1)
        accepted = [self._listener.accept() for _number in range(count)]
        self.held += [connection for connection, _client in accepted]
        return [(client, connection) for connection, client in accepted]

    def client_finishes(self, client: Client, *, having_seen: int = 0) -> None:
        """The client sends a FIN; ``having_seen`` is 1 when it acknowledges ours."""
        self.wire.send(client, 80, FIN_ACK, FAR_SEQUENCE + 1, self._sequence[client] + having_seen)

    def client_acknowledges(self, client: Client) -> None:
        """The client acknowledges our FIN."""
        self.wire.send(client, 80, ACK, FAR_SEQUENCE + 1, self._sequence[client] + 1)
