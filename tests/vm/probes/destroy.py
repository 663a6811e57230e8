# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kinds of connections ``ss --kill`` closes here, by what /proc/net/tcp shows of them afterwards."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import time
import typing as t

RESET = struct.pack("@ii", 1, 0)
SMALL = 2048

Ends = t.Tuple[t.Tuple[str, int], t.Tuple[str, int]]


@contextlib.contextmanager
def held() -> t.Iterator[Ends]:
    """An open connection."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        yield client.getsockname(), server.getsockname()


@contextlib.contextmanager
def time_wait() -> t.Iterator[Ends]:
    """One that was closed here first."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted = server.accept()[0]
        place = client.getsockname()
        client.close()
        accepted.recv(1)
        accepted.close()
        yield place, server.getsockname()


@contextlib.contextmanager
def half_open() -> t.Iterator[Ends]:
    """One of which the listener waits for data."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
        with socket.create_connection(server.getsockname()) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            yield server.getsockname(), client.getsockname()


@contextlib.contextmanager
def orphan() -> t.Iterator[Ends]:
    """One whose process has closed it while data was on the way that nobody reads."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
            client.connect(server.getsockname())
            client.settimeout(0.5)
            with contextlib.suppress(socket.timeout):
                while True:
                    client.send(bytes(SMALL))
            place = client.getsockname()
        yield place, server.getsockname()


def place(address: str, port: int) -> str:
    """As /proc/net/tcp has it, on a processor that counts from the low byte."""
    return f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X}"


def closes(kind: t.Callable[[], t.ContextManager[Ends]]) -> bool:
    """Whether such a connection is gone once ``ss`` has been told to close it."""
    with kind() as (local, remote):
        time.sleep(0.2)
        ends = ["src", "%s:%d" % local, "dst", "%s:%d" % remote]
        subprocess.run(
            ["ss", "--kill", "--tcp", "--all", *ends], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with open("/proc/net/tcp", encoding="ascii") as table:
            return not any(line.split()[1:3] == [place(*local), place(*remote)] for line in table)


print(json.dumps({kind.__name__: closes(kind) for kind in (held, time_wait, half_open, orphan)}))
