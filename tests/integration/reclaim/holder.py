# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that hold sockets while a test closes them, since the module spares those of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import struct
import traceback
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts.sources import open_source
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim import close
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.request import Request, parse_request

Data = t.Dict[str, t.Any]
RESET = struct.pack("@ii", 1, 0)
ESTABLISHED, DEAD = 1, 7


def request(*state: str, **given: t.Any) -> Request:
    """What the module is asked for, with its defaults."""
    defaults: Data = dict.fromkeys(f"{side}_{what}" for side in ("local", "remote") for what in ("address", "port"))
    defaults.update(idle=0, idle_by="traffic", unit=None, keep=0, max=100, samples=10, netns=None, force=False)
    assert set(given) <= set(defaults)
    return parse_request({**defaults, "state": list(state), **given})


def run(*state: str, check: bool = False, **given: t.Any) -> Data:
    """What the module returns."""
    return close.manage(request(*state, **given), check_mode=check)


def states() -> t.Dict[str, int]:
    """How many sockets are in each state, without those that none is in."""
    with open_source() as source:
        return {state: count for state, count in source.states().items() if count}


def state_of(one: socket.socket) -> int:
    """The kernel's number of a socket's state."""
    return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


class Holder:
    """Another process, which goes on to its next ``yield`` when the test wants it to."""

    def __init__(self, body: t.Callable[[], t.Iterator[t.Any]]) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _obey(theirs, body)
        theirs.close()
        self._socket = ours
        self._answers = ours.makefile("rb")

    def go_on(self) -> t.Any:
        """What it yields next."""
        self.begin()
        return self.answer()

    def begin(self) -> None:
        """Let it go on, and do not wait for it."""
        self._socket.send(b".")

    def answer(self) -> t.Any:
        """What it yields, once it has come there."""
        fine, answer = pickle.load(self._answers)
        if not fine:
            pytest.fail(answer)
        return answer

    def end(self) -> None:
        """Let it go, with all that it holds."""
        self._answers.close()
        self._socket.close()
        os.waitpid(self.pid, 0)


def _obey(theirs: socket.socket, body: t.Callable[[], t.Iterator[t.Any]]) -> t.NoReturn:
    try:
        steps = body()
        while theirs.recv(1):
            theirs.sendall(pickle.dumps((True, next(steps))))
    except BaseException:  # noqa: BLE001 - the test shows it
        with contextlib.suppress(OSError):
            theirs.sendall(pickle.dumps((False, traceback.format_exc())))
    os._exit(0)


@contextlib.contextmanager
def holding(body: t.Callable[[], t.Iterator[t.Any]]) -> t.Iterator[Holder]:
    """A process that has come to its first ``yield``."""
    holder = Holder(body)
    try:
        holder.go_on()
        yield holder
    finally:
        holder.end()


def pairs(
    count: int, address: str = "127.0.0.1", port: int = 8080, listen: str = ""
) -> t.Tuple[socket.socket, t.List[t.Tuple[socket.socket, socket.socket]]]:
    """A listener, and clients of it with what it accepted."""
    family = socket.AF_INET6 if ":" in (listen or address) else socket.AF_INET
    server = socket.create_server((listen or address, port), family=family, dualstack_ipv6=listen == "::")
    made = []
    for _number in range(count):
        client = socket.create_connection((address, port))
        made.append((client, server.accept()[0]))
    return server, made
