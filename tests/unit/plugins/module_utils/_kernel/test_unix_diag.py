# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listening UNIX sockets from a datagram in the layout of include/uapi/linux/unix_diag.h."""

from __future__ import annotations

import os
import pathlib
import struct
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import MissingRight, Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import unix_diag
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, body: bytes, sequence: int = 7) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 2, sequence, 0) + body + bytes(-len(body) % 4)


def a_socket(inode: int, *attributes: bytes) -> bytes:
    return message(20, struct.pack("=BBBBIII", 1, 1, 10, 0, inode, 5, 6) + b"".join(attributes))


def test_names_queues_and_files() -> None:
    uid = attribute(7, struct.pack("=I", 1000))
    datagram = (
        a_socket(
            11, attribute(0, b"/run/a.sock\0"), attribute(4, struct.pack("=II", 3, 4096)), attribute(6, b"\0"), uid
        )
        + a_socket(12, attribute(4, struct.pack("=II", 0, 511)), attribute(0, b"\0abstract\0\0"))
        + a_socket(13, attribute(1, struct.pack("=II", 4711, 0xFD00001)))
        + message(20, b"other answer", sequence=6)
        + message(3, struct.pack("=i", 0))
    )
    assert list(unix_diag.parse(datagram, 7)) == [
        (Listener("unix", "/run/a.sock", 0, 3, 4096, 11, None, 1000), None),
        (Listener("unix", "@abstract", 0, 0, 511, 12, None, None), None),
        (Listener("unix", "", 0, 0, None, 13, None, None), unix_diag.File(0xFD00001, 4711)),
    ]


def test_the_file_of_a_path_is_known_by_its_numbers(tmp_path: pathlib.Path) -> None:
    status = os.stat(tmp_path)
    device = os.major(status.st_dev) * 2**20 + os.minor(status.st_dev)
    assert unix_diag.file_at(str(tmp_path)) == unix_diag.File(device, status.st_ino % 2**32)
    assert unix_diag.file_at(str(tmp_path / "none")) is None


@pytest.mark.parametrize(
    "datagram, error",
    [
        (message(2, struct.pack("=i", -2)), Unsupported),
        (message(2, struct.pack("=i", -1)), MissingRight),
        (message(20, b"short"), Unsupported),
    ],
)
def test_errors_of_the_kernel(datagram: bytes, error: t.Type[Exception]) -> None:
    with pytest.raises(error):
        list(unix_diag.parse(datagram, 7))


def test_a_cut_attribute_is_left_out() -> None:
    cut = struct.pack("=HH", 40, 0) + b"/run"
    assert [one.address for one, _file in unix_diag.parse(a_socket(11, cut), 7)] == [""]
