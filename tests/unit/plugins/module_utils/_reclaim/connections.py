# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and connections as a test wants them."""

from __future__ import annotations

import socket
import struct
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.match import Connection, connection_of
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.request import Request, parse_request
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._kernel.netlink_messages import Socket, attribute

Info = t.Tuple[int, int, int]


def params(**given: t.Any) -> t.Dict[str, t.Any]:
    """The module's parameters with their defaults."""
    defaults = {
        "state": ["CLOSE_WAIT"], "local_address": None, "local_port": None, "remote_address": None,
        "remote_port": None, "idle": 0, "idle_by": "traffic", "unit": None, "keep": 0, "max": 100, "samples": 10,
        "netns": None, "force": False,
    }  # fmt: skip
    assert set(given) <= set(defaults)
    return {**defaults, **given}


def request(**given: t.Any) -> Request:
    """What they ask for."""
    return parse_request(params(**given))


def info(sent: int, received: int, acknowledged: int) -> bytes:
    """The attribute INET_DIAG_INFO with these milliseconds since the last of each."""
    words = [0] * 25
    words[11], words[13], words[14] = sent, received, acknowledged
    return attribute(2, struct.pack("=25I", *words))


def message(
    state: int = 8,
    local: str = "10.0.0.1",
    remote: str = "192.0.2.7",
    *,
    ports: t.Tuple[int, int] = (80, 40000),
    inode: int = 7,
    idle: t.Optional[Info] = (9000, 8000, 7000),
    timer: int = 0,
    expires: int = 0,
    cookie: int = 1,
) -> bytes:
    """An inet_diag_msg with its attributes."""
    attributes = attribute(21, bytes(8)) + (info(*idle) if idle else b"")
    made = bytearray(
        Socket(state, local, ports[0], remote, ports[1], timer, uid=33, inode=inode, attributes=attributes).payload()
    )
    made[44:56] = struct.pack("=QI", cookie, expires)
    assert made[0] == (socket.AF_INET6 if ":" in local else socket.AF_INET)
    return bytes(made)


def connection(*given: t.Any, **named: t.Any) -> Connection:
    """What such a message means."""
    return connection_of(message(*given, **named))
