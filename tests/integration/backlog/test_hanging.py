# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program that hangs is ended with its children, within its time, and what was changed is as before."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import apply, service
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import PARAMS
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

PLACE = pathlib.Path("/mnt")
UNITS = pathlib.Path("/etc/systemd/system")
# It leaves a child with a session of its own, and does not listen to reason.
HANGS = "trap '' TERM INT HUP; setsid sh -c 'echo $$ >>/mnt/pids; exec sleep 600' & sleep 600; sleep 600"


def plant(name: str, script: str) -> None:
    """A program of root's, before the system's in PATH."""
    (PLACE / name).write_text(f"#!/bin/sh\n{script}\n")
    (PLACE / name).chmod(0o755)


def prepare(monkeypatch: pytest.MonkeyPatch, *directories: pathlib.Path) -> None:
    for directory in directories:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", str(directory)], check=True)
    monkeypatch.setenv("PATH", f"{PLACE}:{os.environ['PATH']}")
    monkeypatch.setattr(service, "_CHECK_TIMEOUT", 0.5)
    monkeypatch.setattr(systemd, "_TIMEOUTS", {"daemon-reload": 0.5, "show": 5.0})


def backlog(server: str, **params: t.Any) -> NettuneError:
    """How the run fails."""
    given = {**PARAMS, "server": server, "config": None, "backlog": 3000, **params}
    start = time.monotonic()
    with pytest.raises(NettuneError, match=r"did not end within 0\.5 seconds, and was ended with its") as caught:
        apply.manage(parse_request(given), check_mode=False)
    assert time.monotonic() - start < 60
    for pid in (PLACE / "pids").read_text().split():
        assert not pathlib.Path(f"/proc/{pid}/exe").exists()
    return caught.value


@pytest.mark.parametrize("at", [1, 2], ids=["before", "after"])
def test_a_check_that_hangs(
    on_fresh_host: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    def body() -> None:
        prepare(monkeypatch, PLACE)
        plant("nginx", f"echo >>/mnt/runs; [ $(wc -l </mnt/runs) = {at} ] || exit 0; {HANGS}")
        config = tmp_path / "nginx.conf"
        config.write_text("events {} http { server { listen 8080; } }")
        failure = backlog("nginx", config=str(config))
        assert config.read_text() == "events {} http { server { listen 8080; } }"
        assert os.listdir(tmp_path) == ["nginx.conf"]
        assert (f"write {config}" in failure.details.get("restored", [])) == (at == 2)
        assert "not_restored" not in failure.details

    on_fresh_host(body)


def test_a_reload_of_systemd_that_hangs(on_fresh_host: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> None:
        prepare(monkeypatch, PLACE, UNITS)
        plant("systemctl", f'case " $* " in *" daemon-reload "*) {HANGS};; *) echo NeedDaemonReload=no; echo;; esac')
        plant("systemd-analyze", "exit 0")
        (UNITS / "nettune-test.socket").write_text("[Socket]\nListenStream=127.0.0.1:8079\nBacklog=128\n")
        failure = backlog("systemd_socket", unit="nettune-test.socket")
        assert os.listdir(UNITS) == ["nettune-test.socket"]
        assert any("zz-nettune-tcp.conf" in step for step in failure.details["restored"])
        assert any("daemon-reload did not end" in step for step in failure.details["not_restored"])

    on_fresh_host(body)
