# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps of TCP sockets, from kernels that behave and kernels that do not."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._errors import (
    NettuneError,
    Unsupported,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netlink
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import (
    TCPDIAG_GETSOCK,
    SockDiag,
    is_half_open,
    listener_of,
    mask,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.captures import LISTENERS, TCP, TCP6
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.netlink_messages import (
    EVERYTHING,
    V4,
    V6,
    Answer,
    Datagrams,
    Socket,
    attribute,
    captured,
    done,
    dumped,
    expected_heads,
    heads_of,
    message,
    pretend,
)


@pytest.mark.parametrize("per_datagram", [1, 2, 100])
def test_both_views_of_a_dump_agree(monkeypatch: pytest.MonkeyPatch, per_datagram: int) -> None:
    sockets = [V4, V6, V4, V4, V6] * 7
    pretend(monkeypatch, dumped(sockets, per_datagram))
    with SockDiag() as diag:
        assert heads_of(diag) == expected_heads(sockets)
        assert list(diag.messages(EVERYTHING)) == [entry.payload() for entry in sockets]
        assert not diag.interrupted


def test_only_the_states_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, dumped([V4, V6]))
    with SockDiag() as diag:
        assert heads_of(diag, mask(6)) == expected_heads([V4])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda sequence, _states: [V4.message(sequence)[:60]], id="cut-in-a-socket"),
        pytest.param(lambda sequence, _states: [V4.message(sequence) + b"\1\2\3\4"], id="cut-in-a-header"),
        pytest.param(lambda sequence, _states: [bytes(16) + V4.message(sequence)], id="length-0"),
        pytest.param(lambda sequence, _states: [b"\xff\xff\xff\xff" + V4.message(sequence)[4:]], id="length-4-GB"),
        pytest.param(lambda sequence, _states: [message(18, bytes(71), sequence)], id="short-socket"),
        pytest.param(lambda sequence, _states: [message(18, bytes(72), sequence)], id="no-family"),
    ],
)
def test_malformed_answers(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    pretend(monkeypatch, answer)
    with SockDiag() as diag:
        with pytest.raises(Unsupported):
            heads_of(diag)
        with pytest.raises(Unsupported):
            list(diag.messages(EVERYTHING))


sockets = st.builds(
    Socket,
    state=st.integers(1, 12),
    local=st.sampled_from(["10.0.0.1", "::", "2001:db8::1", "::ffff:10.0.0.1"]),
    local_port=st.integers(0, 65535),
    attributes=st.sampled_from([b"", attribute(15, bytes(4)), attribute(8, b"\3") + attribute(21, bytes(8))]),
).map(lambda entry: entry if ":" not in entry.local else Socket(**{**vars(entry), "remote": "::"}))


@given(st.lists(sockets, max_size=12), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_happens_to_a_datagram_it_is_never_miscounted(chosen: t.List[Socket], data: st.DataObject) -> None:
    """A damaged datagram gives what can be read message by message, or an error: never anything else."""

    def damaged(sequence: int, _states: int) -> Datagrams:
        datagram = bytearray(b"".join(entry.message(sequence) for entry in chosen))
        for _damage in range(data.draw(st.integers(0, 3))):
            place = data.draw(st.integers(0, max(0, len(datagram) - 1)))
            how = data.draw(st.sampled_from(["flip", "cut", "insert", "swap"]))
            if how == "flip" and datagram:
                datagram[place] ^= 1 << data.draw(st.integers(0, 7))
            elif how == "cut":
                del datagram[place : place + data.draw(st.integers(1, 100))]
            elif how == "insert":
                datagram[place:place] = data.draw(st.binary(max_size=24))
            else:
                datagram = datagram[place:] + datagram[:place]
        seen[:] = [bytes(datagram)]
        return [bytes(datagram), done(sequence)]

    seen: t.List[bytes] = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        pretend(monkeypatch, damaged)
        with SockDiag() as diag:
            try:
                heads = heads_of(diag)
            except NettuneError:
                return
            sequence = diag._link.sequence
    by_hand = []
    for kind, _flags, number, payload in netlink.split(seen[0]):
        if number == sequence and kind in (netlink.NLMSG_DONE, netlink.NLMSG_ERROR):
            continue
        if number == sequence and kind == TCPDIAG_GETSOCK:
            by_hand.append(payload[:40])
    assert heads == by_hand


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_noise_is_an_error_or_nothing(noise: bytes) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        pretend(monkeypatch, lambda sequence, _states: [noise, done(sequence)])
        with SockDiag() as diag, contextlib.suppress(NettuneError):
            assert heads_of(diag) == []


def test_the_listeners_of_linux_6_18(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, captured(LISTENERS))
    with SockDiag() as diag:
        inodes = {listener.port: listener.inode for listener in map(listener_of, diag.messages(EVERYTHING))}
        assert [listener_of(message) for message in diag.messages(EVERYTHING)] == [
            Listener("inet", "0.0.0.0", 8080, 2, 511, inodes[8080], None, 0),
            Listener("inet6", "::1", 9000, 0, 7, inodes[9000], True, 0),
            Listener("inet6", "::", 8443, 0, 128, inodes[8443], False, 0),
        ]
    assert {str(inode) for inode in inodes.values()} < {line.split()[-1] for line in (TCP + TCP6).splitlines()}


@pytest.mark.parametrize("index, device", [(0, None), (1, "lo"), (2**31 - 1, "2147483647")])
def test_the_device_that_a_listener_is_bound_to(index: int, device: t.Optional[str]) -> None:
    assert listener_of(Socket(10, "0.0.0.0", 80, device=index).payload()).device == device


@pytest.mark.parametrize(
    "attributes, half_open",
    [(b"", True), (attribute(15, bytes(4)), True), (attribute(8, b"\0"), False), (attribute(8, b"\0")[:3], True)],
)
def test_whole_sockets_have_an_attribute_more(attributes: bytes, half_open: bool) -> None:
    assert is_half_open(Socket(3, "10.0.0.1", 80, attributes=attributes).payload()) is half_open


@pytest.mark.parametrize(
    "attributes, v6only",
    [(attribute(8, b"\0") + attribute(11, b"\1"), True), (attribute(11, b"\1")[:4], None), (b"\5\0", None)],
)
def test_attributes_may_be_cut_off(attributes: bytes, v6only: t.Optional[bool]) -> None:
    payload = Socket(10, "::", 80, "::", rqueue=1, wqueue=511, uid=33, inode=7, attributes=attributes).payload()
    assert listener_of(payload) == Listener("inet6", "::", 80, 1, 511, 7, v6only, 33)
