# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets held in each state, counted by both sources, number by number.

CLOSE cannot be held: a socket in it is in no table that either source walks.
"""

from __future__ import annotations

import os
import socket
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.nettune.tcp.plugins.module_utils._facts.census import Census, Client, Peer, States
from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._facts.sources import ProcNetSource, open_source
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import STATES, Listener
from ansible_collections.nettune.tcp.tests.integration.evidence.server import Server
from ansible_collections.nettune.tcp.tests.integration.evidence.wire import SERVER, Wire
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

TOP = 20


@dataclass(frozen=True)
class Observed:
    """What every way to ask has answered."""

    netlink: Census
    netlink_states: States
    proc: Census
    proc_states: States

    def check(self) -> Census:
        """What they agree on, with what only netlink knows."""
        known = {entry.inode: entry for entry in self.netlink.listeners}
        assert {entry.inode for entry in self.proc.listeners} == set(known)
        for entry in self.proc.listeners:
            assert entry == replace(known[entry.inode], backlog=None, v6only=None, device=None)
        assert replace(self.proc, listeners=()) == replace(self.netlink, listeners=())
        assert self.netlink_states == self.proc_states == self.netlink.states
        return self.netlink


def look() -> Observed:
    with open_source() as source:
        assert source.name == "sock_diag"
        netlink, netlink_states = source.census(TOP), source.states()
    proc = ProcNetSource()
    return Observed(netlink, netlink_states, proc.census(TOP), proc.states())


def bound_to(device: bytes) -> socket.socket:
    """A listener of port 80 that takes what comes by one device."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, device == b"near")
    listener.bind(("", 80))
    listener.listen()
    return listener


def hold_every_state(server: Server) -> None:
    server.accept(2)
    server.half_open(4)
    server.call_out(5)
    server.answer()
    server.call_out(3)
    for _client, connection in server.accept(1):
        connection.close()  # FIN_WAIT1: nobody acknowledges
    for client, connection in server.accept(2):
        connection.shutdown(socket.SHUT_WR)
        server.client_acknowledges(client)  # FIN_WAIT2
    for client, connection in server.accept(3):
        connection.close()
        server.client_acknowledges(client)  # FIN_WAIT2 without a process, kept as small as a TIME_WAIT
    for client, connection in server.accept(6):
        connection.close()
        server.client_finishes(client, having_seen=1)  # TIME_WAIT
    for client, _connection in server.accept(7):
        server.client_finishes(client)  # CLOSE_WAIT
    for client, connection in server.accept(2):
        server.client_finishes(client)
        connection.close()  # LAST_ACK
    for client, connection in server.accept(3):
        connection.close()
        server.client_finishes(client)  # CLOSING: both closed, ours is not acknowledged


def test_every_state_that_can_be_held(in_namespace: Sandbox) -> None:
    def body() -> Observed:
        server = Server()
        hold_every_state(server)
        return look()

    found = in_namespace(body).check()
    assert found.states == {
        "ESTABLISHED": 2 + 5,
        "SYN_SENT": 3,
        "SYN_RECV": 4,
        "FIN_WAIT1": 1,
        "FIN_WAIT2": 2 + 3,
        "TIME_WAIT": 6,
        "CLOSE": 0,
        "CLOSE_WAIT": 7,
        "LAST_ACK": 2,
        "LISTEN": 1,
        "CLOSING": 3,
    }
    assert set(found.states) == set(STATES)
    assert found.time_wait == {"inbound": 6, "outbound": 0}
    assert found.peers == (Peer("10.9.8.1", 3306, 8, {"ESTABLISHED": 5, "SYN_SENT": 3}, SERVER, 8),)
    assert len(found.clients) == TOP
    [listener] = found.listeners
    assert (listener.syn_recv, listener.accept_queue, listener.backlog) == (4, 0, 128)


def test_syn_recv_is_no_matter_of_the_syn_queue_alone(in_namespace: Sandbox) -> None:
    """After a simultaneous open, and with TCP Fast Open, whole sockets are in SYN_RECV."""

    def body() -> Observed:
        server = Server()
        server.accept(5)
        server.call_out(2)
        server.cross()
        server.open_fast(3)
        server.half_open(4)
        return look()

    found = in_namespace(body).check()
    counts = {state: count for state, count in found.states.items() if count}
    assert counts == {"ESTABLISHED": 5, "SYN_RECV": 2 + 3 + 4, "LISTEN": 2}


def test_sockets_of_different_devices_are_no_group(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Observed, t.Any]:
        Wire()
        held = [bound_to(device) for device in (b"lo", b"near", b"near")]
        request = parse_request({"gather_subset": ["listeners"], "top": 10, "interval": 0, "netns": None})
        return look(), (gather(request)["listeners"], len(held))

    observed, (listeners, _held) = in_namespace(body)
    observed.check()
    assert sorted((row["device"], row["sharing"]) for row in listeners) == [("lo", 1), ("near", 2), ("near", 2)]


def test_the_same_without_any_right(in_namespace: Sandbox) -> None:
    """The kernel tells those without CAP_NET_ADMIN less of each socket: the messages are shorter."""

    def body() -> t.Tuple[Observed, Observed]:
        server = Server()
        hold_every_state(server)
        as_root = look()
        os.seteuid(65534)
        return as_root, look()

    as_root, as_nobody = in_namespace(body)
    assert as_nobody.check() == as_root.check()


def test_half_open_connections_belong_to_their_listener(in_namespace: Sandbox) -> None:
    def body() -> Observed:
        server = Server()
        dual = socket.create_server(("::", 81), family=socket.AF_INET6, dualstack_ipv6=True)
        wildcard = socket.create_server(("", 82))
        shared = [socket.create_server((SERVER, 83), reuse_port=True) for _number in range(2)]
        both = [socket.create_server((address, 84), reuse_port=True) for address in ("", SERVER)]
        server.held += [dual, wildcard, *shared, *both]
        for port, count in ((80, 1), (81, 2), (82, 3), (83, 4), (84, 5)):
            server.half_open(count, port)
        return look()

    found = in_namespace(body).check()
    queues = [(entry.address, entry.port, entry.syn_recv) for entry in found.listeners]
    assert sorted(queues) == [
        ("0.0.0.0", 82, 3),
        ("0.0.0.0", 84, 0),
        (SERVER, 80, 1),
        (SERVER, 83, 4),
        (SERVER, 83, 4),
        (SERVER, 84, 5),
        ("::", 81, 2),
    ]
    assert found.states["SYN_RECV"] == 15


def test_families_of_connections_and_full_accept_queues(in_namespace: Sandbox) -> None:
    def body() -> Observed:
        v4 = socket.create_server(("127.0.0.1", 80), backlog=1)
        dual = socket.create_server(("::", 81), family=socket.AF_INET6, backlog=16, dualstack_ipv6=True)
        v6 = socket.create_server(("::1", 82), family=socket.AF_INET6, backlog=2)
        held = [v4, dual, v6]
        for family, address, count in (
            (socket.AF_INET, ("127.0.0.1", 80), 4),  # two fit, two keep calling
            (socket.AF_INET, ("127.0.0.1", 81), 3),
            (socket.AF_INET6, ("::1", 81), 5),
            (socket.AF_INET6, ("::1", 82), 3),
        ):
            for _number in range(count):
                caller = socket.socket(family)
                caller.setblocking(False)
                caller.connect_ex(address)
                held.append(caller)
        for _number in range(2):
            connection, _client = dual.accept()
            held.append(connection)
        return look()

    found = in_namespace(body).check()
    rows = {(entry.address, entry.port): entry for entry in found.listeners}
    assert {
        place: (entry.family, entry.accept_queue, entry.backlog, entry.v6only) for place, entry in rows.items()
    } == {
        ("127.0.0.1", 80): ("inet", 2, 1, None),
        ("::", 81): ("inet6", 6, 16, False),
        ("::1", 82): ("inet6", 3, 2, True),
    }
    assert (found.states["ESTABLISHED"], found.states["SYN_SENT"]) == (2 * (2 + 3 + 5 + 3), 2)
    assert found.clients == (
        Client("::1", 81, 5, {"ESTABLISHED": 5}),
        Client("127.0.0.1", 81, 3, {"ESTABLISHED": 3}),
        Client("::1", 82, 3, {"ESTABLISHED": 3}),
        Client("127.0.0.1", 80, 2, {"ESTABLISHED": 2}),
    )
    assert found.peers == (
        Peer("::1", 81, 5, {"ESTABLISHED": 5}, "::1", 5),
        Peer("127.0.0.1", 80, 4, {"ESTABLISHED": 2, "SYN_SENT": 2}, "127.0.0.1", 4),
        Peer("127.0.0.1", 81, 3, {"ESTABLISHED": 3}, "127.0.0.1", 3),
        Peer("::1", 82, 3, {"ESTABLISHED": 3}, "::1", 3),
    )


def test_more_sockets_than_one_answer_holds(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Observed, t.Tuple[Listener, ...]]:
        servers = [socket.create_server(("127.0.0.1", 2000 + number)) for number in range(600)]
        callers = []
        for server in servers:
            caller = socket.create_connection(server.getsockname())
            connection, _client = server.accept()
            connection.close()
            caller.recv(1)
            caller.close()
            callers.append(socket.create_connection(server.getsockname()))
        with open_source() as source:
            return look(), source.listeners()

    observed, listeners = in_namespace(body)
    found = observed.check()
    assert sorted(entry.port for entry in listeners) == list(range(2000, 2600))
    assert {state: count for state, count in found.states.items() if count} == {
        "ESTABLISHED": 1200,
        "TIME_WAIT": 600,
        "LISTEN": 600,
    }
    assert found.time_wait == {"inbound": 600, "outbound": 0}
