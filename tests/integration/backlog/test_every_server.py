# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same promise for every server: in force at once, no process touched, and the same at its next start."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import apply
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.table import BY_NAME
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import PARAMS, in_force, somaxconn, statuses
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

_APACHE = """
ServerRoot "{root}"
ServerName here
PidFile {root}/pid
ErrorLog {root}/log
DefaultRuntimeDir {root}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
Listen 0.0.0.0:8080
Listen 127.0.0.1:8081
"""
_HAPROXY = """
global
    maxconn 500
defaults
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend one
    mode http
    bind :8080
    bind 127.0.0.1:8081
"""
_LIGHTTPD = """
server.document-root = "{root}"
server.errorlog = "{root}/log"
server.port = 8080
$SERVER["socket"] == "127.0.0.1:8081" {{ }}
"""
_NGINX = """
user root;
pid {root}/pid;
error_log {root}/log;
events {{ }}
http {{ access_log off; server {{ listen 8080; }} server {{ listen 127.0.0.1:8081; }} }}
"""


class Case(t.NamedTuple):
    """A configuration, how the server is run in the foreground, and a line that it refuses."""

    text: str
    command: t.Sequence[str]
    nonsense: str


CASES = {
    "nginx": Case(_NGINX, ("nginx", "-g", "daemon off;", "-c", "{main}"), "nonsense on;"),
    "apache": Case(_APACHE, ("apache2", "-D", "FOREGROUND", "-f", "{main}"), "NoSuchDirective on"),
    "haproxy": Case(_HAPROXY, ("haproxy", "-W", "-db", "-f", "{main}"), "    no-such-keyword on"),
    "lighttpd": Case(_LIGHTTPD, ("lighttpd", "-D", "-f", "{main}"), 'server.modules += ( "mod_nonsense" )'),
}


class Running:
    """A server in the foreground."""

    def __init__(self, name: str, directory: pathlib.Path) -> None:
        self.name = name
        self.case = CASES[name]
        self.config = directory / f"{name}.conf"
        self.config.write_text(self.case.text.format(root=directory))
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> Running:
        command = [word.format(main=self.config) for word in self.case.command]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while len(in_force()) < 2 or self.pids() != self.pids(pause=0.3):
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0.05)
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=20)

    def pids(self, pause: float = 0.0) -> t.List[int]:
        """The processes of the server."""
        assert self._process is not None
        time.sleep(pause)
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [self._process.pid, *map(int, children.split())]

    def backlog(self, want: t.Any, *, check_mode: bool = False, **params: t.Any) -> t.Dict[str, t.Any]:
        """What the module would return."""
        given = {**PARAMS, "server": self.name, "config": str(self.config), "backlog": want, **params}
        return apply.manage(parse_request(given), check_mode=check_mode)


@pytest.mark.parametrize("name", CASES)
def test_live_and_at_the_next_start(in_namespace: Sandbox, tmp_path: pathlib.Path, name: str) -> None:
    def body() -> None:
        somaxconn(4096)
        server = Running(name, tmp_path)
        with server:
            pids = server.pids()
            predicted = server.backlog({"at_least": 3000}, check_mode=True, apply="live")
            done = server.backlog({"at_least": 3000}, apply="live")
            assert done == predicted
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
        server = Running("haproxy", tmp_path)
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
        with Running(name, tmp_path) as server:
            master = server.pids()[0]
            done = server.backlog(2000, apply="reload")
            relists = BY_NAME[name].relisten.on_reload_if_number_changed
            expected = (2000, "effective") if relists else (done["listeners"][0]["backlog_before"], "stale")
            assert {row[3:] for row in statuses(done)} == {expected}
            assert {row[3:] for row in statuses(server.backlog(3000))} == {(3000, "effective")}
            assert server.pids()[0] == master

    in_namespace(body)


@pytest.mark.parametrize("name", CASES)
def test_what_the_server_refuses_is_put_back(in_namespace: Sandbox, tmp_path: pathlib.Path, name: str) -> None:
    def body() -> None:
        with Running(name, tmp_path) as server:
            before = in_force()
            with server.config.open("a") as handle:
                handle.write(server.case.nonsense + "\n")
            text = server.config.read_text()
            with pytest.raises(NettuneError, match="refuses the new configuration") as caught:
                server.backlog(3000)
            assert caught.value.details["refused"]
            assert server.config.read_text() == text
            assert sorted(os.listdir(tmp_path)) == sorted(set(os.listdir(tmp_path)) - {"nettune-tcp.conf"})
            assert in_force() == before

    in_namespace(body)
