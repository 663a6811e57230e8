# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same promise for every server: in force at once, no process touched, and the same at its next start."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.table import BY_NAME
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import in_force, somaxconn, statuses
from ansible_collections.nettune.tcp.tests.integration.backlog.servers import CASES, Running, judge_late
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

# What each server refuses.
NONSENSE = {
    "nginx": "nonsense on;",
    "apache": "NoSuchDirective on",
    "haproxy": "    no-such-keyword on",
    "lighttpd": 'server.modules += ( "mod_nonsense" )',
}


@pytest.mark.parametrize("name", CASES)
def test_live_and_at_the_next_start(in_namespace: Sandbox, tmp_path: pathlib.Path, name: str) -> None:
    def body() -> None:
        somaxconn(4096)
        server = Running(CASES[name], tmp_path)
        with server:
            pids = server.pids()
            predicted = server.backlog({"at_least": 3000}, check_mode=True, apply="live")
            done = server.backlog({"at_least": 3000}, apply="live")
            assert {**done, "run": None} == predicted
            assert {row[3:] for row in statuses(done)} == {(3000, "effective")}
            assert done["files"]
            assert in_force() == {"0.0.0.0:8080": [3000], "127.0.0.1:8081": [3000]}
            assert not server.backlog({"at_least": 3000}, apply="live")["changed"]
            assert server.pids() == pids
            # the cap is raised, the configuration says enough already: the queue grows alone
            somaxconn(2000)
            server.backlog(8000, apply="none")
            somaxconn(10000)
            assert {row[3:] for row in statuses(server.backlog(8000))} == {(8000, "effective")}
            assert server.pids() == pids
        with server:
            assert in_force() == {"0.0.0.0:8080": [8000], "127.0.0.1:8081": [8000]}

    in_namespace(body)


def test_a_unix_socket_that_haproxy_has_renamed_is_found(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        server = Running(CASES["haproxy"], tmp_path)
        server.config.write_text(
            server.config.read_text() + f"    bind {tmp_path}/socket\n    bind abns@nettune-test\n"
        )
        with server:
            done = server.backlog(3000, listen=[f"{tmp_path}/socket", "@nettune-test"])
            assert statuses(done) == [
                (f"{tmp_path}/socket", 0, 500, 3000, "effective"),
                ("@nettune-test", 0, 500, 3000, "effective"),
            ]

    in_namespace(body)


@pytest.mark.parametrize("name", CASES)
def test_auto_and_reload(in_namespace: Sandbox, tmp_path: pathlib.Path, name: str) -> None:
    def body() -> None:
        with Running(CASES[name], tmp_path) as server:
            master = server.pids()[0]
            done = server.backlog(2000, apply="reload")
            relists = BY_NAME[name].adapter.relisten.on_reload_if_number_changed
            expected = (2000, "effective") if relists else (done["listeners"][0]["backlog_before"], "stale")
            assert {row[3:] for row in statuses(done)} == {expected}
            assert {row[3:] for row in statuses(server.backlog(3000))} == {(3000, "effective")}
            assert server.pids()[0] == master

    in_namespace(body)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_a_configuration_that_the_server_refuses_is_left_alone(
    in_namespace: Sandbox, tmp_path: pathlib.Path, name: str, check_mode: bool
) -> None:
    refuse(in_namespace, tmp_path, name, "refuses the current configuration, before any change", check_mode)


@pytest.mark.parametrize("name", CASES)
def test_an_edit_that_the_server_refuses_is_taken_back(
    in_namespace: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    judge_late(monkeypatch)
    refuse(in_namespace, tmp_path, name, "refuses the new configuration", check_mode=False)


def refuse(in_namespace: Sandbox, root: pathlib.Path, name: str, message: str, check_mode: bool) -> None:
    """Ask for a backlog in a configuration with nonsense: an error, and everything is as before."""

    def body() -> None:
        with Running(CASES[name], root) as server:
            with server.config.open("a") as handle:
                handle.write(NONSENSE[name] + "\n")
            before = server.config.read_text(), in_force(), sorted(os.listdir(root))
            with pytest.raises(NettuneError, match=message) as caught:
                server.backlog(3000, check_mode=check_mode)
            assert caught.value.details["refused"]
            assert (server.config.read_text(), in_force(), sorted(os.listdir(root))) == before

    in_namespace(body)
