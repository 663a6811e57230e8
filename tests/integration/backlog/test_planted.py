# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user plants a program under a server's name and lets it hold what the configuration asks for: root never runs it.

The user is nobody, with a directory of his own.  The configuration is root's.
"""

from __future__ import annotations

import contextlib
import pathlib

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_pid
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import in_force, somaxconn
from ansible_collections.nettune.tcp.tests.integration.backlog.servers import CASES, Case, Running
from ansible_collections.nettune.tcp.tests.integration.planted import KINDS, NOBODY, PROGRAMS, User
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

# One more endpoint in each server's configuration, before those that it has.
MORE = {
    "nginx": ("http {", "http { server { listen %s; } "),
    "apache": ("Listen 0.0.0.0:8080", "Listen %s\nListen 0.0.0.0:8080"),
    "haproxy": ("    bind :8080", "    bind %s\n    bind :8080"),
    "lighttpd": ("server.port = 8080", '$SERVER["socket"] == "%s" { }\nserver.port = 8080'),
}
UNIX = {"nginx": "unix:%s", "haproxy": "%s", "lighttpd": "%s"}
STOPPED = [(server, kind, "stopped") for server in CASES for kind in KINDS]
ACTIVE = [(server, "copy", "active") for server in CASES]
MOUNTED = [(server, "copy", "mounted") for server in UNIX]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name, kind, way", [*STOPPED, *ACTIVE, *MOUNTED])
def test_root_runs_no_program_of_a_user(
    in_namespace: Sandbox,
    tmp_path: pathlib.Path,
    top: pathlib.Path,
    name: str,
    kind: str,
    way: str,
    check_mode: bool,
) -> None:
    def body() -> None:
        somaxconn(4096)
        user = User(top, PROGRAMS[name], kind)
        endpoints = {"stopped": "127.0.0.1:8079", "active": "127.0.0.1:8079", "mounted": str(top / "run" / "socket")}
        (top / "run").mkdir()
        server = Running(Case(name, CASES[name].text), tmp_path)
        with contextlib.ExitStack() as stack:
            if way == "active":
                stack.enter_context(server)
            said = UNIX[name] % endpoints[way] if way == "mounted" else endpoints[way]
            old, new = MORE[name]
            assert old in server.config.read_text()
            server.config.write_text(server.config.read_text().replace(old, new % said))
            path = top / "run" / "socket" if way == "mounted" else None
            pid = stack.enter_context(user.holds(8079, path))
            rows = server.backlog(3000, check_mode=check_mode)["listeners"]
            [his] = [row for row in rows if endpoints[way] in (row["address"], f"{row['address']}:{row['port']}")]
            assert user.was_run_by == []
            assert his["status"] == "not_listening", his
            assert (
                f"{PROGRAMS[name]} (pid {pid} of uid {NOBODY}), which is not a program owned by root" in his["reason"]
            )
            if not check_mode:
                server.backlog(4000, apply="reload")
            assert in_force()[endpoints[way]] == [128]
            assert user.was_run_by == []
            assert proc_pid.stat_of(pid) is not None, "his process was signalled"

    in_namespace(body)
