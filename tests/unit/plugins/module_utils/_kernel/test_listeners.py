# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One way to list listeners, whatever the kernel has."""

from __future__ import annotations

import pathlib
import socket
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused, MissingRight, Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import listeners
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import endpoint_text


def test_the_kernel_and_its_tables_name_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=7) as server:
        port = server.getsockname()[1]
        [asked] = [one for one in listeners.tcp() if one.port == port]
        [read] = [one for one in listeners.listed() if one.port == port]
    assert (asked.backlog, read.backlog) == (7, None)
    assert (asked.address, asked.inode, asked.uid) == (read.address, read.inode, read.uid)


@pytest.mark.parametrize("error", [Unsupported, MissingRight, KernelRefused])
def test_without_inet_diag_the_tables_are_read(monkeypatch: pytest.MonkeyPatch, error: t.Type[Exception]) -> None:
    def refuse() -> t.NoReturn:
        raise error("no")

    monkeypatch.setattr(listeners, "SockDiag", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] in [one.port for one in listeners.any_way()]
    with pytest.raises(error):
        listeners.tcp()


def test_a_kernel_without_ipv6_has_one_table(tmp_path: pathlib.Path) -> None:
    (tmp_path / "tcp").write_text("  sl  local_address rem_address\n")
    assert listeners.listed(str(tmp_path)) == ()


@pytest.mark.parametrize(
    "family, address, port, text",
    [("inet", "0.0.0.0", 80, "0.0.0.0:80"), ("inet6", "::", 80, "[::]:80"), ("unix", "/run/x", 0, "/run/x")],
)
def test_endpoints_are_written_as_people_do(family: str, address: str, port: int, text: str) -> None:
    assert endpoint_text(family, address, port) == text
