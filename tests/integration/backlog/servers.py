# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers in the network namespace of whoever starts them, each with a configuration of its own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import time
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import apply, service
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.identity import Identity
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Check
from ansible_collections.nettune.tcp.tests.integration.apache import APACHE
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import PARAMS, in_force

if t.TYPE_CHECKING:
    import pytest

_APACHE_MANY = """
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
Alias /fine /etc/os-release
KeepAliveTimeout 60
MaxKeepAliveRequests 0
# As many processes as in the beginning, or else the load makes them come and go; and more threads than there are
# requests at a time, or else it closes connections that are kept open.
StartServers 2
ServerLimit 2
ThreadLimit 256
ThreadsPerChild 256
MaxRequestWorkers 512
MinSpareThreads 1
MaxSpareThreads 512
AsyncRequestWorkerFactor 64
Listen 0.0.0.0:8080
ListenBacklog 128
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
_HAPROXY_MANY = """
global
    maxconn 4096
defaults
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend one
    mode http
    bind :8080 backlog 128
    http-request return status 200 content-type text/plain string fine
"""
_LIGHTTPD = """
server.document-root = "{root}"
server.errorlog = "{root}/log"
server.port = 8080
$SERVER["socket"] == "127.0.0.1:8081" { }
"""
_NGINX = """
user root;
pid {root}/pid;
error_log {root}/log;
worker_processes 2;
events { worker_connections 4096; }
"""
_NGINX_MANY = (
    "http { access_log off; keepalive_requests 1000000; server { listen 8080 backlog=128%s; return 200 fine; } }"
)

_COMMANDS = {
    "nginx": ("nginx", "-g", "daemon off;", "-c", "{main}"),
    "apache": ("apache2", "-D", "FOREGROUND", "-f", "{main}"),
    "haproxy": ("haproxy", "-W", "-db", "-f", "{main}"),
    "lighttpd": ("lighttpd", "-D", "-f", "{main}"),
}


class Case(t.NamedTuple):
    """A server's configuration, where it listens, and the signal by which its unit in Debian stops it."""

    server: str
    text: str
    ports: t.Tuple[int, ...] = (8080,)
    stop: signal.Signals = signal.SIGTERM


# With the server's own backlog.
CASES = {
    "nginx": Case(
        "nginx",
        _NGINX + "http { access_log off; server { listen 8080; } server { listen 127.0.0.1:8081; } }\n",
        (8080, 8081),
    ),
    "apache": Case("apache", APACHE + "Listen 0.0.0.0:8080\nListen 127.0.0.1:8081\n", (8080, 8081)),
    "haproxy": Case("haproxy", _HAPROXY, (8080, 8081)),
    "lighttpd": Case("lighttpd", _LIGHTTPD, (8080, 8081)),
}

# With a backlog of 128, and room for thousands of connections that are kept open.
LOADED = {
    "nginx": Case("nginx", _NGINX + _NGINX_MANY % "", stop=signal.SIGQUIT),
    "nginx reuseport": Case("nginx", _NGINX + _NGINX_MANY % " reuseport", stop=signal.SIGQUIT),
    "apache": Case("apache", APACHE + _APACHE_MANY, stop=signal.SIGWINCH),
    "haproxy": Case("haproxy", _HAPROXY_MANY),
}


def allow_files(number: int) -> None:
    """Let this process, and those that it starts, open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), max(hard, number)))


class Running:
    """A server in the foreground."""

    def __init__(self, case: Case, directory: pathlib.Path) -> None:
        self.case = case
        self.config = directory / f"{case.server}.conf"
        self.config.write_text(case.text.replace("{root}", str(directory)))
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> Running:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop(signal.SIGTERM)

    def start(self) -> None:
        """Start it, and wait until all of its processes are there."""
        command = [str(self.config) if word == "{main}" else word for word in _COMMANDS[self.case.server]]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while len(in_force()) < len(self.case.ports) or self.pids() != self.pids(pause=0.3):
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0.05)

    def stop(self, number: signal.Signals) -> None:
        """Stop it by a signal, and after five seconds by force."""
        assert self._process is not None
        pids = self.pids()
        self._process.send_signal(number)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()

    def pids(self, pause: float = 0.0) -> t.List[int]:
        """The processes of the server."""
        assert self._process is not None
        time.sleep(pause)
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [self._process.pid, *map(int, children.split())]

    def backlog(self, want: t.Any, *, check_mode: bool = False, **params: t.Any) -> t.Dict[str, t.Any]:
        """What the module would return."""
        given = {**PARAMS, "server": self.case.server, "config": str(self.config), "backlog": want, **params}
        return apply.manage(parse_request(given), check_mode=check_mode)


def judge_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody broke the configuration just after the server had judged it."""
    judge = service.check

    def check(command: Check, master: t.Optional[Identity], what: str) -> None:
        if what == "the new configuration":
            judge(command, master, what)

    monkeypatch.setattr(service, "check", check)
