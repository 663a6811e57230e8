# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to the kernel to look at a connection and to close it, and what its answers mean."""

from __future__ import annotations

import errno
import socket
import struct
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import (
    BadRequest,
    KernelRefused,
    MissingRight,
    NettuneError,
    Unsupported,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netlink
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_destroy import (
    NO_COOKIE,
    Identity,
    SockDestroy,
    identity_of,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.netlink_messages import Socket, message
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._reclaim import connections

COOKIE = 0x1122334455667788
V4 = connections.message(cookie=COOKIE)
V6 = connections.message(local="2001:db8::1", remote="2001:db8::2", cookie=COOKIE)


class Kernel:
    """A netlink socket at whose other end a test answers: what was sent, and what comes back for each request."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: t.Tuple[int, bytes]) -> None:
        self.sent: t.List[t.Tuple[int, int, bytes]] = []
        self.before = b""
        self._answers = list(answers)
        monkeypatch.setattr(socket, "socket", lambda *_arguments: self)

    def setsockopt(self, *_arguments: object) -> None:
        """Any option is fine."""

    def send(self, request: bytes) -> int:
        length, kind, flags, self._sequence, _port = netlink.HEADER.unpack_from(request)
        assert length == len(request)
        self.sent.append((kind, flags, request[netlink.HEADER.size :]))
        return len(request)

    def recv(self, _size: int) -> bytes:
        if self.before:
            late, self.before = self.before, b""
            return message(18, late, self._sequence - 1)
        kind, payload = self._answers.pop(0)
        return message(kind, payload, self._sequence, flags=0)

    def close(self) -> None:
        """The end."""


def failed(number: int) -> t.Tuple[int, bytes]:
    return netlink.NLMSG_ERROR, struct.pack("=i", -number) + bytes(16)


@pytest.mark.parametrize("given, family", [(V4, 2), (V6, 10)])
def test_a_request_names_one_connection_by_its_cookie(
    monkeypatch: pytest.MonkeyPatch, given: bytes, family: int
) -> None:
    kernel = Kernel(monkeypatch, (20, given), failed(0))
    identity = identity_of(given)
    with SockDestroy() as link:
        assert link.look(identity) == given
        assert link.destroy(identity) is True
    (get, get_flags, get_body), (destroy, destroy_flags, destroy_body) = kernel.sent
    assert (get, get_flags, destroy, destroy_flags) == (20, 0x1, 21, 0x1 | 0x4)
    # family, protocol, extensions (INET_DIAG_INFO), pad, states, then the inet_diag_sockid as the kernel told it.
    assert get_body == bytes((family, 6, 2, 0)) + bytes(4) + given[4:52]
    assert destroy_body == bytes((family, 6, 0, 0)) + bytes(4) + given[4:52]
    assert destroy_body[-8:] == struct.pack("=Q", COOKIE)


def test_to_find_a_connection_needs_its_addresses_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, (20, V4))
    local, remote = (socket.inet_aton(text) for text in ("10.0.0.1", "192.0.2.7"))
    with SockDestroy() as link:
        assert link.find(socket.AF_INET, (local, 80), (remote, 40000)) == V4
    [(_kind, _flags, body)] = kernel.sent
    assert body[8:] == struct.pack("!HH", 80, 40000) + local + bytes(12) + remote + bytes(12) + bytes(4) + NO_COOKIE


def test_an_answer_to_what_was_asked_before_is_not_taken_for_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, (20, V4))
    kernel.before = V6
    with SockDestroy() as link:
        assert link.look(identity_of(V4)) == V4


def test_what_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    Kernel(monkeypatch, failed(errno.ENOENT), failed(errno.ENOENT))
    with SockDestroy() as link:
        assert link.look(identity_of(V4)) is None
        assert link.destroy(identity_of(V4)) is False


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(identity_of(Socket(10, "10.0.0.1", 80).payload()), id="listener"),
        pytest.param(identity_of(connections.message(10, ports=(80, 0), cookie=5)), id="listener-with-a-cookie"),
        pytest.param(Identity(2, V4[4:44] + bytes(4) + NO_COOKIE), id="no-cookie"),
        pytest.param(identity_of(connections.message(cookie=0)), id="no-cookie-yet"),
    ],
)
def test_what_is_no_single_connection_is_never_sent(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> None:
    kernel = Kernel(monkeypatch)
    with SockDestroy() as link, pytest.raises(BadRequest, match="never a listener"):
        link.destroy(identity)
    assert kernel.sent == []


@pytest.mark.parametrize(
    "number, exception, text",
    [
        (errno.EOPNOTSUPP, Unsupported, "CONFIG_INET_DIAG_DESTROY"),
        (errno.EPERM, MissingRight, "CAP_NET_ADMIN"),
        (errno.EINVAL, Unsupported, "netlink: "),
        (errno.ENOMEM, KernelRefused, "netlink: "),
    ],
)
def test_refusals(monkeypatch: pytest.MonkeyPatch, number: int, exception: t.Type[NettuneError], text: str) -> None:
    Kernel(monkeypatch, failed(number))
    with SockDestroy() as link, pytest.raises(exception, match=text):
        link.destroy(identity_of(V4))


@pytest.mark.parametrize("answer", [(20, V4[:71]), (19, V4), failed(0)])
def test_what_is_no_socket(monkeypatch: pytest.MonkeyPatch, answer: t.Tuple[int, bytes]) -> None:
    Kernel(monkeypatch, answer)
    with SockDestroy() as link, pytest.raises((Unsupported, KernelRefused)):
        link.look(identity_of(V4))
