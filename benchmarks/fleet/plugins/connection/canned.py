# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection to nowhere: every module has been run already, and this is what it said."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: canned
short_description: answers at once, without any host
description: For benchmarks of what the controller does.
author: The nettune.tcp contributors (@nettune)
options: {}
"""


class Connection(ConnectionBase):
    """Knows which module it is from the name in what would be run."""

    transport = "canned"
    has_pipelining = True

    def _connect(self) -> Connection:
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:  # noqa: ARG002
        """What the module would print."""
        host = str(self._play_context.remote_addr)
        if in_data and b"tcp_facts" in in_data:
            return 0, json.dumps({"changed": False, "ansible_facts": {"tcp": facts(host)}}).encode(), b""
        return 0, b'{"changed": false, "ping": "pong"}', b""

    def put_file(self, in_path: str, out_path: str) -> None:
        """Nothing is put anywhere."""

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Nothing is fetched."""

    def close(self) -> None:
        """Nothing is open."""


def facts(host: str) -> dict[str, t.Any]:
    """The facts of the file, with something wrong on some hosts."""
    found: dict[str, t.Any] = json.loads(pathlib.Path(os.environ["CANNED_FACTS"]).read_text(encoding="utf-8"))
    number = int(host.strip("h") or 0)
    found["boot_id"] = f"boot-{host}"
    found["listeners"][0]["accept_queue"] = 500 if number % 7 == 0 else 0
    found["rates"]["ListenOverflows"] = 1.5 if number % 11 == 0 else 0.0
    return found
