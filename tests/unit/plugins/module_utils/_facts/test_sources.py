# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same answers from netlink and from /proc/net, and which of them is asked."""

from __future__ import annotations

import errno
import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError, Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._facts.census import Census, Client, Peer
from ansible_collections.nettune.tcp.plugins.module_utils._facts.sources import (
    ProcNetSource,
    SockDiagSource,
    open_source,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import listeners, netlink
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import INET_DIAG_SHUTDOWN, SockDiag
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import STATES
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.captures import (
    LISTENERS,
    SOCKETS,
    SOCKSTAT,
    SOCKSTAT6,
    TCP,
    TCP6,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.netlink_messages import (
    Answer,
    Datagrams,
    Socket,
    attribute,
    captured,
    done,
    dumped,
    error,
    pretend,
)

LISTEN_ONLY = 1 << 10
CAPTURED_STATES = {
    **dict.fromkeys(STATES, 0),
    "ESTABLISHED": 8,
    "FIN_WAIT2": 1,
    "TIME_WAIT": 1,
    "CLOSE_WAIT": 1,
    "LISTEN": 3,
}
MIXED = (
    [Socket(10, "0.0.0.0", 80, wqueue=128)] * 2
    + [Socket(1, "10.0.0.1", 80, "192.0.2.1", port) for port in range(5)]
    + [Socket(1, "::1", 80, "::1", port) for port in range(2)]
    + [Socket(6, "10.0.0.1", 80, "192.0.2.1", port, timer=3) for port in range(4)]
    + [Socket(5, "10.0.0.1", 80, "192.0.2.1", port, timer=3) for port in range(3)]
    + [Socket(5, "10.0.0.1", 80, "192.0.2.1", port, timer=2) for port in range(2)]
    + [Socket(8, "10.0.0.1", 80, "192.0.2.1", 9)]
)
# inuse has LISTEN, ESTABLISHED, CLOSE_WAIT and the big FIN_WAIT2; tw has TIME_WAIT and the small FIN_WAIT2.
MIXED_SOCKSTAT, MIXED_SOCKSTAT6 = "TCP: inuse 10 orphan 0 tw 7 alloc 12 mem 1\n", "TCP6: inuse 2\n"
MIXED_STATES = {
    **dict.fromkeys(STATES, 0),
    "ESTABLISHED": 7,
    "FIN_WAIT2": 5,
    "TIME_WAIT": 4,
    "CLOSE_WAIT": 1,
    "LISTEN": 2,
}


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """/proc/net with the captured sockets."""
    return fill(tmp_path, tcp=TCP, tcp6=TCP6, sockstat=SOCKSTAT, sockstat6=SOCKSTAT6)


def fill(directory: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (directory / name).write_text(text)
    return directory


def like_6_18(sequence: int, states: int) -> Datagrams:
    return captured(LISTENERS if states == LISTEN_ONLY else SOCKETS)(sequence, states)


def without_netlink_only(found: Census) -> Census:
    return replace(
        found,
        listeners=tuple(
            sorted(
                (replace(entry, backlog=None, v6only=None) for entry in found.listeners), key=lambda entry: entry.port
            )
        ),
    )


def test_both_sources_give_the_same_answers(monkeypatch: pytest.MonkeyPatch, proc: Path) -> None:
    pretend(monkeypatch, like_6_18)
    by_netlink = SockDiagSource(SockDiag(), str(proc)).census(10)
    by_proc = ProcNetSource("", str(proc)).census(10)
    assert without_netlink_only(by_netlink) == without_netlink_only(by_proc)
    assert by_proc.states == CAPTURED_STATES
    assert by_proc.time_wait == {"inbound": 1, "outbound": 0}
    assert by_proc.clients == (
        Client("127.0.0.1", 8443, 3, {"ESTABLISHED": 1, "TIME_WAIT": 1, "CLOSE_WAIT": 1}),
        Client("127.0.0.9", 8080, 2, {"ESTABLISHED": 2}),
        Client("::1", 9000, 1, {"ESTABLISHED": 1}),
    )
    assert by_proc.peers == (
        Peer("127.0.0.1", 8080, 2, {"ESTABLISHED": 2}, "127.0.0.9", 2),
        Peer("127.0.0.1", 8443, 2, {"ESTABLISHED": 1, "FIN_WAIT2": 1}, "127.0.0.1", 2),
        Peer("::1", 9000, 1, {"ESTABLISHED": 1}, "::1", 1),
    )
    assert [(entry.port, entry.accept_queue, entry.backlog, entry.syn_recv) for entry in by_netlink.listeners] == [
        (8080, 2, 511, 0),
        (9000, 0, 7, 0),
        (8443, 0, 128, 0),
    ]


def test_inodes_tell_who_has_none(monkeypatch: pytest.MonkeyPatch, proc: Path) -> None:
    pretend(monkeypatch, like_6_18)
    by_netlink = SockDiagSource(SockDiag(), str(proc)).inodes([5, 6, 8])
    # The capture of netlink answers with all states, whatever it is asked for.
    assert sorted(row for row in by_netlink if row[0] in (5, 6, 8)) == [(5, 28513292), (6, 0), (8, 28513293)]
    assert sorted(ProcNetSource("", str(proc)).inodes([5, 6, 8])) == [(5, 28513292), (6, 0), (8, 28513293)]


def test_states_alone_from_proc(proc: Path) -> None:
    assert ProcNetSource("", str(proc)).states() == CAPTURED_STATES


class Asked:
    """A kernel that remembers which states it was asked for."""

    def __init__(self, sockets: t.Sequence[Socket]) -> None:
        self._answer = dumped(sockets)
        self.states: t.List[t.Set[int]] = []

    def __call__(self, sequence: int, states: int) -> Datagrams:
        self.states.append({state for state in range(32) if states >> state & 1})
        return self._answer(sequence, states)


def states_of(
    monkeypatch: pytest.MonkeyPatch, proc: Path, asked: Asked, release: str = "6.1.0-13-amd64"
) -> t.Dict[str, int]:
    pretend(monkeypatch, asked)
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "host", release, "", "")))
    return SockDiagSource(SockDiag(), str(proc)).states()


def test_states_by_gauges_leave_the_bulk_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fill(tmp_path, sockstat=MIXED_SOCKSTAT, sockstat6=MIXED_SOCKSTAT6)
    asked = Asked(MIXED)
    assert states_of(monkeypatch, tmp_path, asked) == MIXED_STATES
    assert not any({1, 6} & states for states in asked.states)


@pytest.mark.parametrize(
    "sockstat, sockstat6, release",
    [
        pytest.param("TCP: inuse 2 orphan 0 tw 7\n", MIXED_SOCKSTAT6, "6.1.0", id="inuse-too-small"),
        pytest.param("TCP: inuse 10 orphan 0 tw 2\n", MIXED_SOCKSTAT6, "6.1.0", id="tw-too-small"),
        pytest.param("TCP: inuse 10\n", MIXED_SOCKSTAT6, "6.1.0", id="no-tw"),
        pytest.param("", "", "6.1.0", id="nothing"),
        pytest.param(MIXED_SOCKSTAT, MIXED_SOCKSTAT6, "4.9.0", id="gauges-of-the-host"),
        pytest.param(MIXED_SOCKSTAT, MIXED_SOCKSTAT6, "3.10.0-1160.el7.x86_64", id="rhel-7"),
        pytest.param(MIXED_SOCKSTAT, MIXED_SOCKSTAT6, "unknown", id="no-version"),
    ],
)
def test_states_are_counted_where_gauges_do_not_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sockstat: str, sockstat6: str, release: str
) -> None:
    fill(tmp_path, sockstat=sockstat, sockstat6=sockstat6)
    asked = Asked(MIXED)
    assert states_of(monkeypatch, tmp_path, asked, release=release) == MIXED_STATES
    assert {1, 6} in asked.states


@pytest.mark.parametrize("of_queue, whole", [(1, 0), (0, 1), (3, 2)])
def test_half_open_sockets_are_no_part_of_a_gauge_and_whole_ones_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, of_queue: int, whole: int
) -> None:
    fill(tmp_path, sockstat=MIXED_SOCKSTAT.replace("inuse 10", f"inuse {10 + whole}"), sockstat6=MIXED_SOCKSTAT6)
    mark, shutdown = attribute(15, bytes(4)), attribute(INET_DIAG_SHUTDOWN, b"\0")
    asked = Asked(
        [
            *MIXED,
            *[Socket(3, "10.0.0.1", 80, "192.0.2.1", 1, timer=1, attributes=mark)] * of_queue,
            *[Socket(3, "10.0.0.1", 80, "192.0.2.1", 2, timer=1, attributes=shutdown + mark)] * whole,
        ]
    )
    assert states_of(monkeypatch, tmp_path, asked) == {**MIXED_STATES, "SYN_RECV": of_queue + whole}
    assert not any({1, 6} & states for states in asked.states)


class Interrupted:
    """A kernel whose first dumps are interrupted."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, sequence: int, states: int) -> Datagrams:
        if states == LISTEN_ONLY:
            return [done(sequence)]
        self.left -= 1
        flags = netlink.NLM_F_MULTI | (netlink.NLM_F_DUMP_INTR if self.left >= 0 else 0)
        return [MIXED[-1].message(sequence, flags) + done(sequence)]


@pytest.mark.parametrize("times, interrupted", [(0, False), (1, False), (2, False), (3, True), (99, True)])
def test_an_interrupted_dump_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, times: int, interrupted: bool
) -> None:
    kernel = Interrupted(times)
    pretend(monkeypatch, kernel)
    source = SockDiagSource(SockDiag(), str(tmp_path))
    assert source.census(10).states["CLOSE_WAIT"] == 1
    assert source.interrupted == interrupted
    assert kernel.left == max(-1, times - listeners.ATTEMPTS)


def test_netlink_is_preferred(monkeypatch: pytest.MonkeyPatch, proc: Path) -> None:
    fake = pretend(monkeypatch, like_6_18)
    with open_source(str(proc)) as source:
        assert (source.name, source.reason, len(source.listeners())) == ("sock_diag", "", 3)
    assert fake.closed


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda sequence, _states: [error(sequence, errno.ENOENT)], id="no-inet-diag"),
        pytest.param(lambda sequence, _states: [error(sequence, errno.EPERM)], id="denied"),
        pytest.param(lambda sequence, _states: [error(sequence, errno.EIO)], id="broken"),
        pytest.param(lambda _sequence, _states: [b"nonsense"], id="unknown-layout"),
        pytest.param(lambda _sequence, _states: [], id="silent"),
    ],
)
def test_without_inet_diag_proc_is_read(monkeypatch: pytest.MonkeyPatch, proc: Path, answer: Answer) -> None:
    fake = pretend(monkeypatch, answer)
    with open_source(str(proc)) as source:
        assert source.name == "procfs"
        assert source.reason.startswith("netlink: ")
        assert source.states() == CAPTURED_STATES
        assert [listener.port for listener in source.listeners()] == [8080, 9000, 8443]
    assert fake.closed


def test_without_netlink_proc_is_read(monkeypatch: pytest.MonkeyPatch, proc: Path) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(errno.EAFNOSUPPORT, "no")

    monkeypatch.setattr("socket.socket", refuse)
    assert open_source(str(proc)).name == "procfs"


def test_a_kernel_without_ipv6(tmp_path: Path) -> None:
    source = ProcNetSource("", str(fill(tmp_path, tcp=TCP)))
    assert source.census(1).states["LISTEN"] == 1


def test_neither_is_there(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="tcp"):
        ProcNetSource("", str(tmp_path)).states()


def test_a_damaged_file_is_an_error_and_not_a_kernel_without_ipv6(tmp_path: Path) -> None:
    with pytest.raises(NettuneError, match="not a line"):
        ProcNetSource("", str(fill(tmp_path, tcp=TCP, tcp6=TCP6.replace(" 01 ", " 0F ")))).states()
