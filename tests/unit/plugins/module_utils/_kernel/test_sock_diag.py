# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps of TCP sockets, from kernels that behave and kernels that do not."""

from __future__ import annotations

import contextlib
import errno
import itertools
import socket
import threading
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._errors import (
    KernelRefused,
    MissingRight,
    NettuneError,
    Unsupported,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netlink, sock_diag
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import HEAD_FAMILY, SockDiag, listener_of
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.captures import LISTENERS, TCP, TCP6
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.netlink_messages import (
    Answer,
    Datagrams,
    Socket,
    attribute,
    captured,
    done,
    dumped,
    error,
    message,
    pretend,
)

EVERYTHING = 0x1FFE
V4 = Socket(6, "10.0.0.1", 80, "192.0.2.7", 40000, timer=3)
V6 = Socket(1, "2001:db8::1", 443, "2001:db8::2", 50000, attributes=attribute(8, b"\0") + attribute(21, bytes(8)))


def heads_of(diag: SockDiag, states: int = EVERYTHING) -> t.List[bytes]:
    return [head[HEAD_FAMILY:] for heads in diag.heads(states) for head in heads]


def expected_heads(sockets: t.Iterable[Socket]) -> t.List[bytes]:
    return [entry.payload()[:40] for entry in sockets]


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
        assert heads_of(diag, sock_diag.mask(6)) == expected_heads([V4])


def test_the_socket_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = pretend(monkeypatch, dumped([]))
    with SockDiag():
        assert not fake.closed
    assert fake.closed


def _end_behind_sockets(sequence: int, _states: int) -> Datagrams:
    yield V4.message(sequence) + done(sequence)


def _end_with_an_explanation(sequence: int, _states: int) -> Datagrams:
    yield V4.message(sequence) + done(sequence, extra=bytes(12))


def _strangers(sequence: int, _states: int) -> Datagrams:
    yield V6.message(sequence - 1) + V4.message(sequence)
    yield message(netlink.NLMSG_NOOP, b"", sequence)
    yield done(sequence - 1)[:0] + done(sequence)


@pytest.mark.parametrize("answer", [_end_behind_sockets, _end_with_an_explanation, _strangers])
def test_unusual_but_right(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    pretend(monkeypatch, answer)
    with SockDiag() as diag:
        assert heads_of(diag) == expected_heads([V4])
        assert [payload[:40] for payload in diag.messages(EVERYTHING)] == expected_heads([V4])


def _flagged(sequence: int, _states: int) -> Datagrams:
    yield V4.message(sequence, netlink.NLM_F_MULTI | netlink.NLM_F_DUMP_INTR) + V6.message(sequence)
    yield done(sequence)


def _buffers_full(sequence: int, _states: int) -> Datagrams:
    yield V4.message(sequence)
    yield OSError(errno.ENOBUFS, "No buffer space available")
    yield V6.message(sequence)
    yield done(sequence)


def _overrun(sequence: int, _states: int) -> Datagrams:
    yield V4.message(sequence) + V6.message(sequence)
    yield message(netlink.NLMSG_OVERRUN, b"", sequence)
    yield done(sequence)


@pytest.mark.parametrize("answer", [_flagged, _buffers_full, _overrun])
def test_an_interrupted_dump_is_told(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    pretend(monkeypatch, answer)
    with SockDiag() as diag:
        assert heads_of(diag) == expected_heads([V4, V6])
        assert diag.interrupted


def _refused(number: int) -> Answer:
    return lambda sequence, _states: [error(sequence, number)]


def _refused_late(number: int) -> Answer:
    return lambda sequence, _states: [V4.message(sequence), V4.message(sequence), done(sequence, number)]


@pytest.mark.parametrize("refuse", [_refused, _refused_late])
@pytest.mark.parametrize(
    "number, exception",
    [
        (errno.ENOENT, Unsupported),
        (errno.EINVAL, Unsupported),
        (errno.EOPNOTSUPP, Unsupported),
        (errno.EPERM, MissingRight),
        (errno.EACCES, MissingRight),
        (errno.ENOMEM, KernelRefused),
        (errno.EBUSY, KernelRefused),
    ],
)
def test_refusals(
    monkeypatch: pytest.MonkeyPatch,
    refuse: t.Callable[[int], Answer],
    number: int,
    exception: t.Type[NettuneError],
) -> None:
    pretend(monkeypatch, refuse(number))
    with SockDiag() as diag, pytest.raises(exception, match="netlink: "):
        heads_of(diag)


@pytest.mark.parametrize("number", [errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT])
def test_no_netlink_here(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(number, "no")

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(Unsupported):
        SockDiag()


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


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda _sequence, _states: [], id="nothing"),
        pytest.param(lambda sequence, _states: [V4.message(sequence)], id="one"),
        pytest.param(lambda sequence, _states: [V4.message(sequence)] * 40, id="many"),
    ],
)
def test_a_dump_without_an_end_does_not_hang(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    pretend(monkeypatch, answer)
    with SockDiag() as diag, pytest.raises(KernelRefused, match="stopped in the middle"):
        heads_of(diag)


def test_an_endless_dump_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "LONGEST", 0.05)
    pretend(monkeypatch, lambda sequence, _states: itertools.repeat(V4.message(sequence)))
    with SockDiag() as diag, pytest.raises(KernelRefused, match="did not end"):
        heads_of(diag)


def test_a_dump_that_nobody_reads_on_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, dumped([V4] * 100, per_datagram=1))
    before = threading.active_count()
    with SockDiag() as diag:
        dump = diag.heads(EVERYTHING)
        assert [next(dump), next(dump)]
        assert threading.active_count() == before + 1
        dump.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


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
        if number == sequence and kind == sock_diag.TCPDIAG_GETSOCK:
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


@pytest.mark.parametrize(
    "attributes, v6only",
    [(attribute(8, b"\0") + attribute(11, b"\1"), True), (attribute(11, b"\1")[:4], None), (b"\5\0", None)],
)
def test_attributes_may_be_cut_off(attributes: bytes, v6only: t.Optional[bool]) -> None:
    payload = Socket(10, "::", 80, "::", rqueue=1, wqueue=511, uid=33, inode=7, attributes=attributes).payload()
    assert listener_of(payload) == Listener("inet6", "::", 80, 1, 511, 7, v6only, 33)
