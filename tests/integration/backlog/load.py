# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steady load on a web server, counted by the client: run as a program, or started by ``Load``.

Some connections are held open and asked in turn, as keep-alive clients do; others are each opened for one request, as
fast as the server closes them, and they are what goes through the accept queue.  How many there are at once is fixed,
so no more than that many can wait in the queue.  An attempt fails when its connection is refused or reset, when it
ends before the whole answer has come, or when no answer comes at all; then the client tries again, and what the request
takes is counted from its first attempt.

Every connection comes from another address of 127.0.0.0/8: one with the addresses and ports of a connection that is in
TIME_WAIT may have to begin again after a second, whatever is done to the server.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import errno
import json
import os
import select
import socket
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, field

LONGEST = 60.0  # seconds that the load lasts at most
PATIENCE = 10.0  # seconds for the answers that are missing at the end
PAUSE = 0.1  # seconds before a client tries again
TICK = 0.01  # seconds between two turns of held connections
TURNS = 400  # turns until each held connection has been asked once
ADDRESSES = 1 << 16  # more than there are connections
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen when the connection is made
FEW = 50  # connections that are opened at once to be held, fewer than the shortest queue


@dataclass
class Connection:
    """One connection of a client, with a request under way since ``since`` or, if that is 0, idle."""

    socket: socket.socket
    held: bool
    since: float
    asked: bool = False
    answer: bytes = b""


@dataclass
class Clients:
    """All clients; ``held`` and ``fresh`` are how many there are of each kind."""

    address: t.Tuple[str, int]
    held: int
    fresh: int
    seconds: t.List[float] = field(default_factory=list)  # of each request answered
    failed: t.Counter[str] = field(default_factory=collections.Counter)
    closed: int = 0  # held connections that the server closed while nothing was asked, as it may
    _open: t.Dict[int, Connection] = field(default_factory=dict)
    _again: t.Deque[t.Tuple[float, bool, float]] = field(default_factory=collections.deque)  # when, held, since when
    _idle: t.Deque[Connection] = field(default_factory=collections.deque)
    _poll: select.epoll = field(default_factory=select.epoll)
    _stopping: bool = False
    _count: int = 0

    def fill(self) -> None:
        """Open the connections that are held."""
        for _number in range(min(FEW, self.held)):
            self._connect(held=True)
        while len(self._idle) < self.held:
            self._events()
            self._reopen()

    def work(self, stop: t.IO[str]) -> None:
        """Ask until ``stop`` can be read, then wait for what is under way."""
        for _number in range(self.fresh):
            self._connect(held=False)
        end = time.monotonic() + LONGEST
        while not select.select([stop], [], [], 0)[0] and time.monotonic() < end:
            turn = time.monotonic() + TICK
            while time.monotonic() < turn:
                self._events()
            self._reopen()
            for _number in range(min(self.held // TURNS + 1, len(self._idle))):
                self._ask(self._idle.popleft())
        self._stopping = True
        end = time.monotonic() + PATIENCE
        while any(one.since for one in self._open.values()) and time.monotonic() < end:
            self._events()
        self.failed["no answer"] += sum(bool(one.since) for one in self._open.values())

    def _connect(self, *, held: bool, since: float = 0.0) -> None:
        one = Connection(socket.socket(), held, since or time.monotonic())
        one.socket.setblocking(False)
        self._open[one.socket.fileno()] = one
        self._poll.register(one.socket, select.EPOLLOUT)
        one.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        one.socket.bind((socket.inet_ntoa((0x7F010000 + self._count % ADDRESSES).to_bytes(4, "big")), 0))
        self._count += 1
        with contextlib.suppress(BlockingIOError):
            one.socket.connect(self.address)

    def _events(self) -> None:
        for number, _event in self._poll.poll(TICK):
            one = self._open[number]
            try:
                self._step(one)
            except OSError as exc:
                self._end(one, errno.errorcode.get(exc.errno or 0, str(exc)))

    def _step(self, one: Connection) -> None:
        if not one.asked:
            reason = one.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if reason:
                raise OSError(reason, os.strerror(reason))
            self._send(one)
            return
        data = one.socket.recv(4096)
        one.answer += data
        if data and not (one.held and one.since and _whole(one.answer)):
            return
        if one.since and not _whole(one.answer):
            self._end(one, "ended early")
        elif one.since:
            self._answered(one)
        else:
            self.closed += 1
            self._end(one)

    def _answered(self, one: Connection) -> None:
        if not one.answer.startswith(b"HTTP/1.1 200 "):
            self._end(one, "status " + one.answer[9:12].decode())
            return
        self.seconds.append(time.monotonic() - one.since)
        if not one.held:
            self._end(one)
            return
        one.since, one.answer = 0.0, b""
        self._idle.append(one)
        if len(self._open) < self.held:
            self._connect(held=True)

    def _ask(self, one: Connection) -> None:
        if one.socket.fileno() < 0:  # closed while it was idle
            return
        one.since = time.monotonic()
        try:
            self._send(one)
        except OSError as exc:
            self._end(one, errno.errorcode.get(exc.errno or 0, str(exc)))

    def _send(self, one: Connection) -> None:
        keep = "keep-alive" if one.held else "close"
        one.socket.send(f"GET /fine HTTP/1.1\r\nHost: here\r\nConnection: {keep}\r\n\r\n".encode())
        one.asked = True
        self._poll.modify(one.socket, select.EPOLLIN)

    def _end(self, one: Connection, failure: str = "") -> None:
        """Close; open another at once, or after a failure a moment later."""
        del self._open[one.socket.fileno()]
        one.socket.close()
        if failure:
            self.failed[failure] += 1
            self._again.append((time.monotonic() + PAUSE, one.held, one.since))
        elif not self._stopping:
            self._connect(held=one.held)

    def _reopen(self) -> None:
        while self._again and self._again[0][0] <= time.monotonic():
            _when, held, since = self._again.popleft()
            self._connect(held=held, since=since)


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end and length) and len(body) == int(length[0])


class Counted(t.TypedDict):
    """What the clients counted; times in milliseconds."""

    requests: int
    failed: t.Dict[str, int]
    closed: int
    p99: float
    longest: float


class Load:
    """The load in a process of its own, from when all connections are open until ``stop``."""

    def __init__(self, *, held: int, fresh: int, port: int = 8080) -> None:
        arguments = [f"--held={held}", f"--fresh={fresh}", f"--port={port}"]
        command = [sys.executable, __file__, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the load has not begun"

    def stop(self) -> Counted:
        """End it; what it counted."""
        assert self._process.poll() is None, "the load ended too early"
        output, _none = self._process.communicate("stop\n", timeout=LONGEST)
        return t.cast("Counted", json.loads(output))


def main() -> None:
    """Hold connections, say "ready", and ask until a line comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("held", "fresh", "port"):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    clients = Clients(("127.0.0.1", arguments.port), arguments.held, arguments.fresh)
    clients.fill()
    clients.seconds.clear()
    print("ready", flush=True)
    clients.work(sys.stdin)
    seconds = sorted(clients.seconds) or [0.0]
    counted: Counted = {
        "requests": len(clients.seconds),
        "failed": {reason: count for reason, count in clients.failed.items() if count},
        "closed": clients.closed,
        "p99": seconds[len(seconds) * 99 // 100] * 1000,
        "longest": seconds[-1] * 1000,
    }
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
