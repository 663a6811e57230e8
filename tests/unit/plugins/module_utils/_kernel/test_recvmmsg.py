# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many datagrams at once, from the real system call."""

from __future__ import annotations

import socket
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.recvmmsg import Batch


@pytest.fixture
def pair() -> t.Iterator[t.Tuple[socket.socket, socket.socket]]:
    """Two ends; the second one does not wait."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        far.setblocking(False)
        yield near, far


def test_what_is_there_comes_in_order(pair: t.Tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    batch = Batch(4, 1000)
    sent = [bytes((number,)) * number * 100 for number in range(1, 8)]
    for datagram in sent:
        near.send(datagram)
    received = batch.receive(far.fileno())
    assert received == 4
    assert list(batch.datagrams(received)) == sent[:4]
    assert batch.datagram(3) == sent[3]
    assert list(batch.datagrams(batch.receive(far.fileno()))) == sent[4:]


def test_copies_outlive_the_next_reception(pair: t.Tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    batch = Batch(1, 10)
    near.send(b"first")
    [first] = batch.datagrams(batch.receive(far.fileno()))
    near.send(b"second")
    [second] = batch.datagrams(batch.receive(far.fileno()))
    assert (first, second) == (b"first", b"second")


def test_a_datagram_that_is_too_long_is_cut(pair: t.Tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    batch = Batch(2, 4)
    near.send(b"too long")
    near.send(b"fits")
    assert list(batch.datagrams(batch.receive(far.fileno()))) == [b"too ", b"fits"]


def test_errors_are_those_of_recv(pair: t.Tuple[socket.socket, socket.socket]) -> None:
    batch = Batch(2, 4)
    with pytest.raises(BlockingIOError):
        batch.receive(pair[1].fileno())
    with pytest.raises(OSError, match="Bad file descriptor"):
        batch.receive(-1)
