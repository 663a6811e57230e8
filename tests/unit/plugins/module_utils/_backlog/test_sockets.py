# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sockets of the kernel belong to an endpoint in a configuration."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import sockets
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.sockets import Endpoint, Kernel
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import unix_diag
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener

FOUR: Endpoint = ("inet", "0.0.0.0", 80)
SIX: Endpoint = ("inet6", "::", 80)


def listener(endpoint: Endpoint, v6only: t.Optional[bool] = None) -> Listener:
    return Listener(*endpoint, 0, 511, 7, v6only, 0)


def kernel(*listeners: Listener) -> Kernel:
    return Kernel(4096, {(one.family, one.address, one.port): (one,) for one in listeners})


@pytest.mark.parametrize(
    "there, endpoints, served",
    [
        # IPv6 that takes IPv4 too
        ([listener(SIX, v6only=False)], [FOUR], [FOUR]),
        ([listener(SIX, v6only=True)], [FOUR], []),
        # a kernel without IPv6
        ([listener(FOUR)], [SIX], [SIX]),
        # each has its own, of which one is missing
        ([listener(FOUR)], [FOUR, SIX], [FOUR]),
        ([listener(SIX, v6only=False)], [FOUR, SIX], [SIX]),
        # no wildcard
        ([listener(SIX, v6only=False)], [("inet", "127.0.0.1", 80)], []),
        ([], [FOUR, SIX], []),
    ],
)
def test_a_wildcard_may_be_served_by_the_other_family(
    there: t.List[Listener], endpoints: t.List[Endpoint], served: t.List[Endpoint]
) -> None:
    found = sockets.with_twins(kernel(*there), endpoints)
    assert [endpoint for endpoint in endpoints if found.sockets.get(endpoint)] == served


def test_a_renamed_unix_socket_is_found_by_its_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "socket"
    path.write_text("")
    file = unix_diag.file_at(str(path))
    assert file is not None
    first = listener(("unix", f"{path}.123.tmp", 0))
    endpoint = ("unix", str(path), 0)
    found = sockets.with_files(Kernel(4096, {}, {file: first}), [endpoint, ("unix", str(tmp_path), 0), FOUR])
    assert found.sockets == {endpoint: (first,)}


def test_our_own_namespace_needs_no_entering() -> None:
    assert sockets.namespace_of(os.getpid()) is None
    assert sockets.namespace_of(2**22 + 1) is None
