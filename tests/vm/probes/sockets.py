# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service that holds sockets in known states, for as long as the kernel keeps TIME_WAIT: 60 seconds.

Ports 8001 to 8004 listen:
8001  an accept queue of 8 for a backlog of 7, and one client more, which gets no answer
8002  1004 connections, 2 that only the client has closed with shutdown(), 1 that it has closed with close()
8003  2 connections, over IPv6
8004  20 connections that the server closed first, and 10 that the client did
"""

from __future__ import annotations

import os
import socket
import time
import typing as t

Pair = t.Tuple[socket.socket, socket.socket]


def connect(server: socket.socket) -> Pair:
    """A client and what the server accepted."""
    client = socket.create_connection(server.getsockname()[:2])
    return client, server.accept()[0]


def close(first: socket.socket, second: socket.socket) -> None:
    """Close one end and then the other: the first one gets the TIME_WAIT."""
    first.close()
    second.recv(1)
    second.close()


def ready() -> None:
    """Tell systemd that the service has started: sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])


full = socket.create_server(("127.0.0.1", 8001), backlog=7)
queued = [socket.create_connection(full.getsockname()) for _ in range(8)]
unanswered = socket.socket()
unanswered.setblocking(False)
unanswered.connect_ex(full.getsockname())

plain = socket.create_server(("127.0.0.1", 8002), backlog=100)
pairs = [connect(plain) for _ in range(1007)]
for client, _accepted in pairs[4:6]:
    client.shutdown(socket.SHUT_WR)
pairs[6][0].close()

six = socket.create_server(("::1", 8003), family=socket.AF_INET6, backlog=5)
pairs += [connect(six) for _ in range(2)]

brief = socket.create_server(("127.0.0.1", 8004))
for _ in range(20):
    client, accepted = connect(brief)
    close(accepted, client)
for _ in range(10):
    client, accepted = connect(brief)
    close(client, accepted)

ready()
time.sleep(600)
