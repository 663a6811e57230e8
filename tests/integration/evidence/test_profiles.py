# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For every value of a network namespace that a profile ships: what fails without it, and that with it it does not."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import MESSAGE, SockDiag, mask
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import ESTABLISHED, FIN_WAIT2, TIME_WAIT
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import lookup
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_value, parse_want, render
from ansible_collections.nettune.tcp.tests.integration.evidence.wire import ACK, RST, SERVER, SYN_ACK, Wire, clients
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox
from ansible_collections.nettune.tcp.tests.profiles import PROFILES, WANTS, profiles_with, sysctls, without_proof


def apply(profile: str, key: str) -> t.Tuple[int, ...]:
    """Give the kernel the profile's value, as the module would from the kernel's default."""
    ports = lookup(key).ports
    want = parse_want(WANTS[profile, key], ports=ports)
    value = want.target(parse_value(str(proc_sys.read(key)), ports=ports))
    proc_sys.write(key, render(value, ports=ports))
    return t.cast("t.Tuple[int, ...]", value)


# Milliseconds that are left of each second of a timer when a busy machine looks at it soon after.
SOME = 700


def counters() -> t.Dict[str, int]:
    facts = gather(parse_request({"gather_subset": ["counters"], "top": 0, "interval": 0.0, "netns": None}))
    return t.cast("t.Dict[str, int]", facts["counters"])


def states() -> t.Dict[str, int]:
    facts = gather(parse_request({"gather_subset": ["states"], "top": 0, "interval": 0.0, "netns": None}))
    return t.cast("t.Dict[str, int]", facts["states"])


def half_open_at(port: int) -> int:
    facts = gather(parse_request({"gather_subset": ["listeners"], "top": 0, "interval": 0.0, "netns": None}))
    return sum(listener["syn_recv"] for listener in facts["listeners"] if listener["port"] == port)


def timers(state: int) -> t.List[t.Tuple[int, int]]:
    """For each IPv4 socket in the state, the kind of its timer and the milliseconds left on it."""
    with SockDiag() as diag:
        fields = [MESSAGE.unpack_from(message) for message in diag.messages(mask(state))]
    return [(message[2], message[11]) for message in fields]


@contextlib.contextmanager
def listening(backlog: int) -> t.Iterator[t.Tuple[socket.socket, int]]:
    with socket.create_server((SERVER, 0), backlog=backlog) as server:
        yield server, server.getsockname()[1]


@profiles_with("net.core.somaxconn")
def test_a_burst_fits_the_accept_queue(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Dict[str, int]:
        dropped = {}
        for name in ("small", "tuned"):
            proc_sys.write("net.core.somaxconn", "128")
            if name == "tuned":
                apply(profile, "net.core.somaxconn")
            before = counters()["ListenOverflows"]
            with socket.create_server(("127.0.0.1", 0), backlog=65535) as server:
                burst = [socket.socket() for _ in range(400)]
                for client in burst:
                    client.setblocking(False)
                    client.connect_ex(server.getsockname())
                time.sleep(0.2)
                dropped[name] = counters()["ListenOverflows"] - before
                for client in burst:
                    client.close()
        return dropped

    dropped = in_namespace(body)
    assert dropped["small"] >= 400 - 129
    assert dropped["tuned"] == 0


@profiles_with("net.ipv4.tcp_syncookies")
def test_cookies_are_sent_when_the_syn_queue_is_full(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Dict[str, t.Dict[str, int]]:
        wire, seen = Wire(), {}
        for name in ("off", "tuned"):
            proc_sys.write("net.ipv4.tcp_syncookies", "0")
            if name == "tuned":
                apply(profile, "net.ipv4.tcp_syncookies")
            before = counters()
            with listening(8) as (_server, port):
                wire.syns(port, clients(100))
                answers = sum(packet.flags == SYN_ACK for packet in wire.received())
            after = counters()
            seen[name] = {key: after[key] - before[key] for key in ("TCPReqQFullDrop", "SyncookiesSent")}
            seen[name]["answered"] = answers
        return seen

    seen = in_namespace(body)
    assert seen["off"]["TCPReqQFullDrop"] == 91
    assert seen["off"]["SyncookiesSent"] == 0
    assert seen["off"]["answered"] < 100
    assert seen["tuned"]["TCPReqQFullDrop"] == 0
    assert seen["tuned"]["SyncookiesSent"] == 91
    assert seen["tuned"]["answered"] >= 100


@profiles_with("net.ipv4.tcp_max_syn_backlog")
def test_the_syn_backlog_bounds_half_open_connections_without_cookies_and_only_then(
    in_namespace: Sandbox, profile: str
) -> None:
    def body() -> t.Dict[str, int]:
        wire, half_open = Wire(), {}
        for name, cookies in (("small", 0), ("tuned", 0), ("small with cookies", 1)):
            proc_sys.write("net.ipv4.tcp_syncookies", str(cookies))
            proc_sys.write("net.ipv4.tcp_max_syn_backlog", "16")
            if name == "tuned":
                apply(profile, "net.ipv4.tcp_max_syn_backlog")
            with listening(256) as (_server, port):
                wire.syns(port, clients(100))
                half_open[name] = half_open_at(port)
        return half_open

    half_open = in_namespace(body)
    assert half_open["small"] < 16
    assert half_open["tuned"] == 100
    assert half_open["small with cookies"] == 100


@profiles_with("net.ipv4.tcp_abort_on_overflow")
def test_a_client_that_meets_a_full_accept_queue_is_not_reset(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Dict[str, int]:
        wire, resets = Wire(), {}
        for name in ("on", "tuned"):
            proc_sys.write("net.ipv4.tcp_abort_on_overflow", "1")
            if name == "tuned":
                apply(profile, "net.ipv4.tcp_abort_on_overflow")
            with listening(4) as (_server, port):
                wire.syns(port, clients(5))
                answers = [packet for packet in wire.received() if packet.flags == SYN_ACK and packet.port == port]
                full = [socket.create_connection((SERVER, port)) for _ in range(5)]
                for packet in answers[:5]:
                    wire.send(packet.client, port, ACK, seq=packet.ack, ack=packet.seq + 1)
                resets[name] = sum(bool(packet.flags & RST) for packet in wire.received(0.2))
                for client in full:
                    client.close()
        return resets

    resets = in_namespace(body)
    assert resets["on"] == 5
    assert resets["tuned"] == 0


@profiles_with("net.ipv4.tcp_fin_timeout")
def test_fin_wait2_without_a_process_ends_sooner_and_time_wait_does_not(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Tuple[int, t.List[t.Tuple[int, int]], t.List[t.Tuple[int, int]]]:
        (seconds,) = apply(profile, "net.ipv4.tcp_fin_timeout")
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            accepted, _ = server.accept()
            accepted.close()
            time.sleep(0.1)
            waiting = timers(FIN_WAIT2)
            client.close()
            time.sleep(0.1)
            return seconds, waiting, timers(TIME_WAIT)

    seconds, fin_wait2, time_wait = in_namespace(body)
    assert len(fin_wait2) == 1
    assert seconds * SOME < fin_wait2[0][1] <= seconds * 1000
    assert len(time_wait) == 1
    assert 60 * SOME < time_wait[0][1] <= 60_000


@profiles_with("net.ipv4.tcp_keepalive_time")
def test_idle_connections_are_probed_sooner_where_the_application_asks_for_probes(
    in_namespace: Sandbox, profile: str
) -> None:
    def body() -> t.Tuple[int, t.List[t.Tuple[int, int]]]:
        (seconds,) = apply(profile, "net.ipv4.tcp_keepalive_time")
        with socket.create_server(("127.0.0.1", 0)) as server:
            probed = socket.create_connection(server.getsockname())
            probed.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            silent = socket.create_connection(server.getsockname())
            found = timers(ESTABLISHED)
            probed.close()
            silent.close()
            return seconds, found

    seconds, found = in_namespace(body)
    keepalive = [left for kind, left in found if kind == 2]
    assert len(found) == 4
    assert len(keepalive) == 1
    assert seconds * SOME < keepalive[0] <= seconds * 1000


@profiles_with("net.ipv4.tcp_max_tw_buckets")
def test_connections_get_their_time_wait(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Dict[str, t.Tuple[int, int]]:
        seen = {}
        proc_sys.write("net.ipv4.tcp_max_tw_buckets", "5")
        for name in ("small", "tuned"):
            if name == "tuned":
                apply(profile, "net.ipv4.tcp_max_tw_buckets")
            waits, overflows = states()["TIME_WAIT"], counters()["TCPTimeWaitOverflow"]
            with socket.create_server(("127.0.0.1", 0)) as server:
                for _ in range(20):
                    client = socket.create_connection(server.getsockname())
                    accepted, _ = server.accept()
                    client.close()
                    accepted.recv(1)
                    accepted.close()
            seen[name] = (states()["TIME_WAIT"] - waits, counters()["TCPTimeWaitOverflow"] - overflows)
        return seen

    seen = in_namespace(body)
    assert seen["small"] == (5, 15)
    assert seen["tuned"] == (20, 0)


@profiles_with("net.ipv4.tcp_slow_start_after_idle")
def test_an_idle_connection_keeps_its_speed(in_namespace: Sandbox, profile: str) -> None:
    def window(connection: socket.socket) -> int:
        """tcpi_snd_cwnd, in segments."""
        return int(struct.unpack_from("=I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 80)[0])

    def body() -> t.Dict[str, t.Tuple[int, int]]:
        seen = {}
        proc_sys.write("net.ipv4.tcp_congestion_control", "reno")
        for name in ("slow", "tuned"):
            proc_sys.write("net.ipv4.tcp_slow_start_after_idle", "1")
            if name == "tuned":
                apply(profile, "net.ipv4.tcp_slow_start_after_idle")
            with socket.create_server(("127.0.0.1", 0)) as server:
                client = socket.socket()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
                client.connect(server.getsockname())
                accepted, _ = server.accept()
                for _ in range(50):
                    client.sendall(bytes(100_000))
                    received = 0
                    while received < 100_000:
                        received += len(accepted.recv(65536))
                busy = window(client)
                time.sleep(1.5)
                client.sendall(b"x")
                seen[name] = (busy, window(client))
                client.close()
                accepted.close()
        return seen

    seen = in_namespace(body)
    assert seen["slow"][0] > 20
    assert seen["slow"][1] <= 10
    assert seen["tuned"][1] >= seen["tuned"][0]


def connects(port: int, attempts: int) -> t.List[t.Optional[int]]:
    """Open and close, closing first, so that each attempt leaves a TIME_WAIT behind; the errno of each that failed."""
    outcomes: t.List[t.Optional[int]] = []
    with socket.create_server(("127.0.0.1", port)) as server:
        for _ in range(attempts):
            client = socket.socket()
            outcome = client.connect_ex(("127.0.0.1", port))
            outcomes.append(outcome or None)
            if not outcome:
                accepted, _ = server.accept()
                client.close()
                accepted.recv(1)
                accepted.close()
    return outcomes


@profiles_with("net.ipv4.tcp_tw_reuse")
def test_a_port_in_time_wait_can_call_out_again(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Tuple[t.List[t.Optional[int]], t.List[t.Optional[int]]]:
        proc_sys.write("net.ipv4.ip_local_port_range", "40000 40003")
        proc_sys.write("net.ipv4.tcp_tw_reuse", "0")
        without = connects(80, 6)
        apply(profile, "net.ipv4.tcp_tw_reuse")
        time.sleep(2.1)
        return without, connects(80, 4)

    without, tuned = in_namespace(body)
    assert without == [None] * 4 + [errno.EADDRNOTAVAIL] * 2
    assert tuned == [None] * 4


@profiles_with("net.ipv4.ip_local_port_range")
def test_more_connections_fit_towards_one_peer(in_namespace: Sandbox, profile: str) -> None:
    def available() -> int:
        facts = gather(parse_request({"gather_subset": ["peers"], "top": 1, "interval": 0.0, "netns": None}))
        return int(facts["peers"][0]["local_ports_available"])

    def body() -> t.Tuple[int, int, t.Set[int]]:
        with contextlib.ExitStack() as stack:
            # Where in the range a port is taken from depends on the peer: many peers are spread over all of it.
            servers = [stack.enter_context(socket.create_server(("127.0.0.1", port))) for port in range(80, 120)]
            stack.enter_context(socket.create_connection(servers[0].getsockname()))
            before = available()
            apply(profile, "net.ipv4.ip_local_port_range")
            calls = [stack.enter_context(socket.create_connection(server.getsockname())) for server in servers]
            return before, available(), {call.getsockname()[1] for call in calls}

    before, after, used = in_namespace(body)
    low, high = parse_want(WANTS[profile, "net.ipv4.ip_local_port_range"]).value
    assert before == 60999 - 32768 + 1
    assert after == int(high) - int(low) + 1
    assert min(used) < 32768


@profiles_with("net.ipv4.tcp_keepalive_probes")
def test_a_vanished_peer_is_given_up_after_so_many_probes(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Tuple[int, int, int]:
        """A client on the wire answers nothing once it is connected; count the probes it is sent."""
        (probes,) = apply(profile, "net.ipv4.tcp_keepalive_probes")
        proc_sys.write("net.ipv4.tcp_keepalive_time", "1")
        proc_sys.write("net.ipv4.tcp_keepalive_intvl", "1")
        wire = Wire()
        with listening(8) as (server, port):
            server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            wire.syns(port, clients(1))
            [answer] = [packet for packet in wire.received() if packet.flags == SYN_ACK]
            wire.send(answer.client, port, ACK, seq=answer.ack, ack=answer.seq + 1)
            accepted, _ = server.accept()
            sent = sum(packet.flags == ACK for packet in wire.received(2.5))
            accepted.settimeout(5)
            try:
                accepted.recv(1)
            except OSError as exc:
                return probes, sent, exc.errno or 0
            return probes, sent, 0

    probes, sent, error = in_namespace(body)
    assert sent == probes
    assert error == errno.ETIMEDOUT


@profiles_with("net.ipv4.tcp_keepalive_intvl")
def test_probes_follow_each_other_sooner(in_namespace: Sandbox, profile: str) -> None:
    def body() -> t.Tuple[int, t.List[t.Tuple[int, int]]]:
        (seconds,) = apply(profile, "net.ipv4.tcp_keepalive_intvl")
        proc_sys.write("net.ipv4.tcp_keepalive_time", "1")
        wire = Wire()
        with listening(8) as (server, port):
            server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            wire.syns(port, clients(1))
            [answer] = [packet for packet in wire.received() if packet.flags == SYN_ACK]
            wire.send(answer.client, port, ACK, seq=answer.ack, ack=answer.seq + 1)
            accepted, _ = server.accept()
            wire.received(1.5)
            found = timers(ESTABLISHED)
            accepted.close()
            return seconds, found

    seconds, [(kind, left)] = in_namespace(body)
    assert kind == 2
    assert seconds * SOME < left <= seconds * 1000


def test_no_value_ships_without_its_proof() -> None:
    assert without_proof("netns") == set()


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_value_says_what_it_is_for(path: Path) -> None:
    for key, entry in sysctls(path.stem).items():
        assert sorted(entry) == sorted(["want", "why", "not", "source", "kernel"]), key
        parse_want(entry["want"], ports=lookup(key).ports)
