# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of /proc/net, of old and new kernels, whole and damaged."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._errors import Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_net
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.captures import (
    SOCKSTAT,
    SOCKSTAT6,
    TCP,
    TCP6,
)

LOCALHOST = socket.inet_aton("127.0.0.1")
# Documentation/networking/proc_net_tcp.txt, and half-open connections as kernels before 4.4 put them between listeners
OLD = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000005 00:00000000 00000000     0        0 10101 1 f3d28000 100 0
   0: 0100007F:0050 0200007F:C350 03 00000000:00000000 01:00000063 00000000     0        0 0 0 f3d28000
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10102 1 f3d28001 100 0
  46: 010310AC:9C4C 030310AC:1770 01 00000150:00000000 01:00000019 00000000  1000        0 54165785 4 cd1e6040 25 4
"""


def test_sockets_of_linux_6_18() -> None:
    entries = list(proc_net.parse_sockets(TCP.splitlines()))
    assert entries[0] == Listener("inet", "0.0.0.0", 8080, 2, None, 28513282, None, 0)
    assert entries[3] == (1, LOCALHOST, 8080, socket.inet_aton("127.0.0.9"), 0x93ED)
    assert len(entries) == 7


def test_mapped_addresses_are_plain() -> None:
    entries = list(proc_net.parse_sockets(TCP6.splitlines()))
    assert entries[0] == Listener("inet6", "::1", 9000, 0, None, 28513285, None, 0)
    assert entries[2] == (6, LOCALHOST, 8443, LOCALHOST, 0xA954)
    assert entries[3] == (1, socket.inet_pton(socket.AF_INET6, "::1"), 9000, bytes(15) + b"\1", 0xC6E4)


def test_listeners_of_an_old_kernel() -> None:
    listeners = [
        Listener("inet", "0.0.0.0", 80, 5, None, 10101, None, 0),
        Listener("inet", "0.0.0.0", 22, 0, None, 10102, None, 0),
    ]
    assert list(proc_net.parse_listeners(OLD.splitlines())) == listeners
    heading, *sockets = OLD.splitlines()
    assert list(proc_net.parse_listeners([heading, *reversed(sockets)])) == listeners[::-1]


def test_an_old_established_socket() -> None:
    *_others, last = proc_net.parse_sockets(OLD.splitlines())
    assert last == (1, socket.inet_aton("172.16.3.1"), 40012, socket.inet_aton("172.16.3.3"), 6000)


@pytest.mark.parametrize("text", ["", "\n", "  sl  local_address rem_address   st\n", "  sl  local_address\n\n"])
def test_no_sockets(text: str) -> None:
    assert list(proc_net.parse_sockets(text.splitlines())) == []


@pytest.mark.parametrize(
    "damage",
    [
        ("0100007F:1F90", "0100007F"),
        ("0100007F:1F90", "0100007F:11F90"),
        ("0100007F:1F90", "0100007F00:1F90"),
        ("0100007F:1F90", "-100007F:1F90"),
        ("0100007F:1F90", "0100007G:1F90"),
        (" 01 ", " 0D "),
        (" 01 ", " 00 "),
        (" 01 ", " FF "),
        ("     0        0 28513286", ""),
        ("     0        0 28513286", "     0        0 x"),
    ],
)
def test_damaged_lines(damage: t.Tuple[str, str]) -> None:
    line = TCP.splitlines()[2]
    assert proc_net.parse_line(line)
    with pytest.raises(Unsupported, match="not a line"):
        proc_net.parse_line(line.replace(*damage))


@given(st.text(max_size=200))
def test_noise_is_refused(noise: str) -> None:
    with pytest.raises(Unsupported):
        proc_net.parse_line(noise)


@given(st.data())
def test_a_cut_or_garbled_line_is_refused_or_well_formed(data: st.DataObject) -> None:
    line = data.draw(st.sampled_from([*TCP.splitlines()[1:], *TCP6.splitlines()[1:], *OLD.splitlines()[1:]]))
    place = data.draw(st.integers(0, len(line)))
    garbled = line[:place] + data.draw(st.text(max_size=2)) + line[place + data.draw(st.integers(0, 3)) :]
    try:
        entry = proc_net.parse_line(garbled)
    except Unsupported:
        return
    if isinstance(entry, Listener):
        assert 0 <= entry.port <= 65535
        assert entry.accept_queue >= 0
    else:
        state, local, local_port, remote, remote_port = entry
        assert 1 <= state <= 12
        assert {len(local), len(remote)} <= {4, 16}
        assert 0 <= min(local_port, remote_port) <= max(local_port, remote_port) <= 65535


NETSTAT = """\
TcpExt: SyncookiesSent EmbryonicRsts TW ListenOverflows ListenDrops TCPPureAcks
TcpExt: 1 2 3 4 5 6
IpExt: InNoRoutes InTruncatedPkts
IpExt: 7 8
"""
SNMP = """\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens CurrEstab
Tcp: 1 200 120000 -1 25 7 3
Udp: InDatagrams
Udp: 9
"""


def test_counters_go_by_name_and_what_is_missing_is_absent() -> None:
    assert proc_net.parse_counters(NETSTAT, SNMP) == {
        "SyncookiesSent": 1,
        "EmbryonicRsts": 2,
        "TW": 3,
        "ListenOverflows": 4,
        "ListenDrops": 5,
        "ActiveOpens": 25,
        "PassiveOpens": 7,
    }
    assert proc_net.parse_counters("", "") == {}


@pytest.mark.parametrize(
    "text",
    ["TcpExt: TW ListenDrops\nTcpExt: 1\n", "TcpExt: TW\nTcpExt: 1 2\n", "TcpExt: TW\nTcpExt: one\n"],
)
def test_counters_that_do_not_fit_their_names(text: str) -> None:
    with pytest.raises(Unsupported):
        proc_net.parse_counters(text, SNMP)


@given(st.text(alphabet="Tcp: Ext\n1234567890-TW", max_size=120))
def test_counters_never_crash(text: str) -> None:
    with contextlib.suppress(Unsupported):
        assert all(isinstance(value, int) for value in proc_net.parse_counters(text, text).values())


@pytest.mark.parametrize(
    "sockstat, sockstat6, gauges",
    [
        pytest.param(
            SOCKSTAT,
            SOCKSTAT6,
            {
                "sockets_used": 13,
                "tcp_inuse": 7,
                "tcp_orphan": 0,
                "tcp_tw": 1,
                "tcp_alloc": 35,
                "tcp_mem_pages": 158,
                "tcp6_inuse": 6,
            },
            id="6.18",
        ),
        pytest.param("TCP: inuse 3 tw 5\n", "", {"tcp_inuse": 3, "tcp_tw": 5}, id="fewer-gauges"),
        pytest.param("TCP: inuse\nTCP6:\nnonsense\n", "", {}, id="cut-off"),
        pytest.param("TCP: inuse x orphan 1\n", "", {"tcp_orphan": 1}, id="no-number"),
        pytest.param("", "", {}, id="empty"),
    ],
)
def test_sockstat(sockstat: str, sockstat6: str, gauges: t.Dict[str, int]) -> None:
    assert proc_net.parse_sockstat(sockstat, sockstat6) == gauges


def test_reading(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text("text\n")
    assert proc_net.read("tcp", str(tmp_path)) == "text\n"
    with pytest.raises(Unsupported, match="tcp6"):
        proc_net.read("tcp6", str(tmp_path))
