# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a host, made on the real kernel in the network namespace that the caller is in.

Each function brings one thing about and keeps it until the process ends.  What has to go on while the counters are
looked at is what it returns; that is called again and again.
"""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.tests.integration.evidence.server import Server
from ansible_collections.nettune.tcp.tests.integration.evidence.wire import ACK, clients

HERE = ("127.0.0.1", 8001)
PORTS = range(40000, 40020)
HELD = 250  # more than the facts need to look for who has them
DATAGRAMS = 300

GoesOn = t.Optional[t.Callable[[], None]]
_held: t.List[t.Any] = []


def _server(backlog: int = 512) -> socket.socket:
    server = socket.create_server(HERE, backlog=backlog)
    _held.append(server)
    return server


def _calls(server: socket.socket, count: int, *, server_first: bool) -> None:
    """Connections that are opened and closed, one after the other; who closes first has the TIME_WAIT."""
    for _number in range(count):
        caller = socket.create_connection(HERE)
        accepted, _address = server.accept()
        first, second = (accepted, caller) if server_first else (caller, accepted)
        first.close()
        second.recv(1)
        second.close()


def nothing() -> GoesOn:
    """Some connections, and no trouble."""
    server = _server()

    def go_on() -> None:
        _calls(server, 1, server_first=False)
        time.sleep(0.01)

    return go_on


def close_wait() -> GoesOn:
    server = Server(backlog=1024)
    for client, _connection in server.accept(HELD):
        server.client_finishes(client)
    _held.append(server)
    return None


def close_wait_in_the_queue() -> GoesOn:
    """Clients that have come and gone again before anybody accepted them."""
    _server(backlog=2 * HELD)
    for _number in range(HELD):
        socket.create_connection(HERE).close()
    return None


def fin_wait2() -> GoesOn:
    """Half of them still open in the process."""
    server = Server(backlog=1024)
    for number, (client, connection) in enumerate(server.accept(2 * HELD)):
        if number % 2:
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.close()
        server.client_acknowledges(client)
    _held.append(server)
    return None


def syn_sent() -> GoesOn:
    server = Server(backlog=1024)
    server.call_out(HELD)
    _held.append(server)
    time.sleep(0.7)  # the kernel calls again after a second: that is no segment that was lost
    return None


def syn_flood() -> GoesOn:
    server = Server(backlog=16)
    callers = itertools.cycle(clients(2000))
    return lambda: server.wire.syns(80, itertools.islice(callers, 20))


def cookies_failed() -> GoesOn:
    """Answers to no cookie are only counted when there was a flood of SYNs a short time ago."""
    server = Server(backlog=16)
    server.half_open(60)
    strangers = itertools.cycle(clients(900)[100:])

    def go_on() -> None:
        for client in itertools.islice(strangers, 20):
            server.wire.send(client, 80, ACK, 1001, 77)
        time.sleep(0.01)

    return go_on


def conntrack() -> GoesOn:
    """Each datagram is to another port, and tracked as a connection of its own."""
    rule = "iptables -A INPUT -p udp -m conntrack --ctstate NEW -j DROP"
    subprocess.run(rule.split(), check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        for port in range(20000, 20000 + DATAGRAMS):
            caller.sendto(b"", ("127.0.0.1", port))
    return None


def process_files() -> GoesOn:
    """A process that waits for a connection and can open no more file to accept it."""
    program = (
        "import os, resource, socket, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        f"server = socket.create_server({HERE}, backlog=16)\n"
        "try:\n"
        "    while True: os.dup(0)\n"
        "except OSError: print('full', flush=True)\n"
        "sys.stdin.read()"  # until this process is no more
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"full\n"
    _held.append(process)
    return None


def time_wait_buckets() -> GoesOn:
    proc_sys.write("net.ipv4.tcp_max_tw_buckets", "50")
    _calls(_server(), 60, server_first=True)
    return None


def time_wait_inbound() -> GoesOn:
    _calls(_server(), HELD, server_first=True)
    return None


def time_wait_outbound() -> GoesOn:
    """All connections of the host are in TIME_WAIT, and there are ports enough."""
    proc_sys.write("net.ipv4.tcp_tw_reuse", "0")
    _calls(_server(), HELD, server_first=False)
    return None


def local_ports() -> GoesOn:
    proc_sys.write("net.ipv4.ip_local_port_range", f"{PORTS[0]} {PORTS[-1]}")
    time_wait_of_all_ports()
    return None


def time_wait_of_all_ports() -> None:
    proc_sys.write("net.ipv4.tcp_tw_reuse", "0")
    _calls(_server(), len(PORTS), server_first=False)


def reusable_local_ports() -> GoesOn:
    """The same ports, which connect() may take again."""
    local_ports()
    proc_sys.write("net.ipv4.tcp_tw_reuse", "2")
    return None


def accept_queue_history() -> GoesOn:
    """A queue that was full, and is empty now."""
    server = _server(backlog=1)
    callers = [socket.socket() for _number in range(10)]
    for caller in callers:
        caller.setblocking(False)
        caller.connect_ex(HERE)
    time.sleep(0.05)
    for caller in callers:
        caller.close()
    server.setblocking(False)
    for _number in range(2):
        server.accept()[0].close()
    return None


def accept_queue_stall() -> GoesOn:
    """A queue of five where hundreds come in a second, each of them accepted at once."""
    server = _server(backlog=5)

    def go_on() -> None:
        _calls(server, 10, server_first=True)
        time.sleep(0.03)

    return go_on


def retransmitted() -> GoesOn:
    """Clients that acknowledge nothing of what they are sent."""
    server = Server(backlog=1024)
    connections = iter([connection for _client, connection in server.accept(HELD)])
    _held.append(server)

    def go_on() -> None:
        next(connections).send(b"x")
        time.sleep(0.02)

    for _number in range(HELD // 3):  # the kernel waits about a second before it sends the first again
        go_on()
    return go_on


def somaxconn() -> GoesOn:
    proc_sys.write("net.core.somaxconn", "128")
    _server(backlog=4096)
    return None
