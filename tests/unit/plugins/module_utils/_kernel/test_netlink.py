# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a dump ends, or does not: refusals, interruptions, odd ends and none."""

from __future__ import annotations

import errno
import itertools
import socket
import threading
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import (
    KernelRefused,
    MissingRight,
    NettuneError,
    Unsupported,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netlink
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import (
    TCPDIAG_GETSOCK,
    SockDiag,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.netlink_messages import (
    EVERYTHING,
    V4,
    V6,
    Answer,
    Datagrams,
    FakeBatch,
    done,
    dumped,
    error,
    expected_heads,
    heads_of,
    message,
    pretend,
)


def test_the_socket_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = pretend(monkeypatch, dumped([]))
    with SockDiag():
        assert not fake.closed
    assert fake.closed


def _end_behind_sockets(sequence: int, _states: int) -> Datagrams:
    yield V4.message(sequence) + done(sequence)


def _end_with_an_explanation(sequence: int, _states: int) -> Datagrams:
    yield V4.message(sequence) + done(sequence, extra=bytes(12))


def _looks_like_an_end(sequence: int, _states: int) -> Datagrams:
    """The last 20 bytes of this socket begin like an NLMSG_DONE: it expires in 20 ms, and 3 bytes are not read."""
    payload = bytearray(V4.payload())
    payload[52:60] = bytes((20, 0, 0, 0, 3, 0, 0, 0))
    for _datagram in range(3):
        yield message(TCPDIAG_GETSOCK, bytes(payload), sequence)
    yield done(sequence)


def test_a_socket_that_looks_like_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, _looks_like_an_end)
    with SockDiag() as diag:
        assert heads_of(diag) == expected_heads([V4] * 3)


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


@pytest.mark.parametrize("failure", [ValueError("odd"), MemoryError("none left"), SystemExit(1)])
def test_whatever_happens_to_the_thread_that_reads_is_told(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def fail(_batch: FakeBatch, _descriptor: int) -> int:
        raise failure

    pretend(monkeypatch, dumped([V4] * 100, per_datagram=1))
    monkeypatch.setattr(FakeBatch, "receive", fail)
    with SockDiag() as diag, pytest.raises(NettuneError, match=f"netlink: {type(failure).__name__}: {failure}"):
        heads_of(diag)


def test_a_thread_that_ends_without_a_word_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, dumped([V4] * 100, per_datagram=1))
    monkeypatch.setattr(netlink.Netlink, "_read", lambda *_arguments: None)
    with SockDiag() as diag:
        monkeypatch.setattr(netlink, "_WAIT", 0.001)
        with pytest.raises(KernelRefused, match="the thread that reads has ended"):
            heads_of(diag)


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pretend(monkeypatch, dumped([V4] * 100, per_datagram=1))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with SockDiag() as diag, pytest.raises(KernelRefused, match="can't start new thread"):
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
