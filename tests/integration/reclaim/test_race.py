# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ten thousand closes, while the same addresses and ports are used again and again: none hits another connection.

Each local port of the clients has, in turn, a connection that is meant (in CLOSE_WAIT) and one that is not. Now and
then a process ends the first by itself and uses its addresses for the second: just then a close may come for the first.
"""

from __future__ import annotations

import contextlib
import ctypes
import random
import socket
import time
import typing as t
from collections import Counter

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import sock_destroy
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_destroy import NO_COOKIE, Identity, SockDestroy
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import LISTEN
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim import close, probe
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.match import Connection
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.report import CHANGED, CLOSED, GONE, REFUSED
from ansible_collections.nettune.tcp.tests.integration.reclaim.holder import (
    DEAD,
    ESTABLISHED,
    RESET,
    holding,
    request,
    state_of,
)
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

SERVER = ("127.0.0.1", 9000)
PORTS = range(20000, 20200)
CLOSES = 10_000
LIMIT = 120.0  # seconds


class Churn:
    """All of the clients, and the server that they call."""

    def __init__(self) -> None:
        self._listener = socket.create_server(SERVER, backlog=128)
        self.seen: t.Counter[str] = Counter(rounds=0, wrong=0, destroyed=0, reused=0)
        self._pairs = {port: self._meant(port) for port in PORTS}
        self._alive: t.Set[int] = set()

    def go_round(self) -> None:
        """Take one step at each port."""
        self.seen["rounds"] += 1
        for port in PORTS:
            client, server = self._pairs[port]
            if port in self._alive:
                self.seen["wrong"] += {state_of(client), state_of(server)} != {ESTABLISHED}
                self._alive.discard(port)
                _reset(client, server)
                self._pairs[port] = self._meant(port)
                continue
            destroyed = state_of(client) == DEAD
            self.seen["destroyed"] += destroyed
            if destroyed or random.random() < 0.4:
                self.seen["reused"] += not destroyed
                _reset(client, server)
                self._pairs[port] = self._connect(port)
                self._alive.add(port)

    def _meant(self, port: int) -> t.Tuple[socket.socket, socket.socket]:
        client, server = self._connect(port)
        server.close()
        while state_of(client) == ESTABLISHED:
            time.sleep(0)
        return client, server

    def _connect(self, port: int) -> t.Tuple[socket.socket, socket.socket]:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.bind(("127.0.0.1", port))
        _connect(client)
        server, address = self._listener.accept()
        assert address[1] == port
        return client, server


def _connect(client: socket.socket) -> None:
    """A reset may still be on its way when the process has gone to another core: the old pair refuses the new one."""
    for _number in range(1000):
        with contextlib.suppress(ConnectionRefusedError):
            client.connect(SERVER)
            return
        time.sleep(0.001)
    pytest.fail(f"{SERVER} refuses for a second")


def _reset(*pair: socket.socket) -> None:
    for one in pair:
        one.close()


def churning() -> t.Iterator[t.Counter[str]]:
    """Go round for a tenth of a second each time."""
    churn = Churn()
    yield churn.seen
    while True:
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            churn.go_round()
        yield churn.seen


def race(closes: int, wrong_is_enough: bool = False) -> t.Tuple[t.Counter[str], t.Counter[str]]:
    """What became of the connections that were to go, and what the process has seen, once so many were closed."""
    wanted = request("CLOSE_WAIT", remote_port=[SERVER[1]], max=1000)
    probe.demand(wanted.states)
    fates: t.Counter[str] = Counter()
    seen: t.Counter[str] = Counter()
    deadline = time.monotonic() + LIMIT
    with holding(churning) as holder:
        while fates[CLOSED] < closes and not (wrong_is_enough and seen["wrong"]):
            assert time.monotonic() < deadline, (fates, seen)
            holder.begin()
            end = time.monotonic() + 0.1
            while time.monotonic() < end:
                chosen = close.look(wanted).choice.connections
                fates.update(fate for _one, fate in close.close_all(wanted, chosen, {}))
            seen = holder.answer()
        seen = holder.go_on()
    return fates, seen


def test_ten_thousand_closes_hit_what_was_meant(in_namespace: Sandbox) -> None:
    fates, seen = in_namespace(lambda: race(CLOSES))
    assert fates[CLOSED] >= CLOSES
    assert 0.9 * fates[CLOSED] < seen["destroyed"] <= fates[CLOSED]
    assert (seen["wrong"], fates[REFUSED]) == (0, 0)
    # It was a race: addresses were used again while the closes were on their way.
    assert seen["reused"] > CLOSES / 10
    assert fates[GONE] + fates[CHANGED] > 0


def test_the_race_is_lost_without_cookie_and_second_look(
    in_namespace: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proof that the other test can fail."""

    def careless(link: SockDestroy, identity: Identity) -> bool:
        _kind, payload = link._link.ask(
            sock_destroy.SOCK_DESTROY, sock_destroy._request(Identity(identity.family, identity.id[:-8] + NO_COOKIE)), 4
        )
        return not any(payload[:4])

    def close_blindly(link: SockDestroy, _request: object, chosen: Connection, _holders: object) -> str:
        return CLOSED if careless(link, chosen.identity) else GONE

    monkeypatch.setattr(close, "close", close_blindly)
    _fates, seen = in_namespace(lambda: race(CLOSES, wrong_is_enough=True))
    assert seen["wrong"] > 0


def reusing() -> t.Iterator[t.Any]:
    """A connection in CLOSE_WAIT; then another one between the same addresses; then what it looks like."""
    churn = Churn.__new__(Churn)
    churn._listener = socket.create_server(SERVER)
    first, server = churn._meant(PORTS[0])
    yield None
    while True:
        _reset(first, server)
        live = churn._connect(PORTS[0])
        yield None
        yield [state_of(one) for one in live]
        _reset(*live)
        first, server = churn._meant(PORTS[0])
        yield None


@pytest.mark.parametrize("when", ["before the look", "after the look"])
def test_reuse_at_the_worst_moment(when: str, in_namespace: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the dump and the second look, and between that and the request."""
    wanted = request("CLOSE_WAIT", remote_port=[SERVER[1]])
    destroy = SockDestroy.destroy

    def body() -> t.List[t.Tuple[str, t.List[int]]]:
        outcomes = []
        with holding(reusing) as holder:

            def too_late(link: SockDestroy, identity: Identity) -> bool:
                holder.go_on()
                return destroy(link, identity)

            if when == "after the look":
                monkeypatch.setattr(SockDestroy, "destroy", too_late)
            for _number in range(200):
                chosen = close.look(wanted).choice.connections
                assert [one.remote[1] for one in chosen] == [SERVER[1]]
                if when == "before the look":
                    holder.go_on()
                [(_one, fate)] = close.close_all(wanted, chosen, {})
                outcomes.append((fate, holder.go_on()))
                holder.go_on()
        return outcomes

    assert in_namespace(body) == [(GONE, [ESTABLISHED, ESTABLISHED])] * 200


def turning() -> t.Iterator[t.Any]:
    """A client whose process makes a listener of it, which keeps the kernel's cookie."""
    server = socket.create_server(SERVER)
    client = socket.socket()
    client.bind(("127.0.0.1", PORTS[0]))
    client.connect(SERVER)
    accepted = server.accept()[0]
    yield None
    _disconnect(client)
    client.listen()
    yield None
    yield state_of(client), state_of(accepted)


def _disconnect(one: socket.socket) -> None:
    assert ctypes.CDLL(None).connect(one.fileno(), bytes(16), 16) == 0  # AF_UNSPEC


def test_a_connection_that_has_become_a_listener_is_left_alone(in_namespace: Sandbox) -> None:
    wanted = request("ESTABLISHED", local_port=[PORTS[0]])

    def body() -> t.Tuple[t.List[str], int]:
        with holding(turning) as holder:
            chosen = close.look(wanted).choice.connections
            holder.go_on()
            fates = [fate for _one, fate in close.close_all(wanted, chosen, {})]
            return fates, holder.go_on()[0]

    fates, state = in_namespace(body)
    assert (fates, state) == ([CHANGED], LISTEN)
