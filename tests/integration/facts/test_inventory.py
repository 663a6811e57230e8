# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented example: facts gathered by every play, cached, and hosts grouped by them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "groups_by_facts"
COLLECTIONS = EXAMPLE.parents[2] / ".work" / "collections"


@pytest.mark.parametrize("overflowing", [True, False])
def test_hosts_are_grouped_by_cached_facts(in_namespace: Sandbox, tmp_path: Path, overflowing: bool) -> None:
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(EXAMPLE / "ansible.cfg"),
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
    }

    def run(*command: str) -> str:
        return subprocess.run(
            command, cwd=EXAMPLE, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def body() -> t.Dict[str, t.Any]:
        with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
            calls = [socket.socket() for _ in range(6 if overflowing else 1)]
            for call in calls:
                call.setblocking(False)
                call.connect_ex(server.getsockname())
            run("ansible-playbook", "gather.yml")
            return t.cast("t.Dict[str, t.Any]", json.loads(run("ansible-inventory", "--list")))

    groups = in_namespace(body)
    assert ("accept_queue_overflowed" in groups) == overflowing
    assert "short_of_local_ports" not in groups
    assert groups["somaxconn_4096"]["hosts"] == ["localhost"]
    assert groups["_meta"]["hostvars"]["localhost"]["ansible_connection"] == "local"
