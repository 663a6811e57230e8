# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traps near a backlog, each with a real server in it and beside it: what facts tell, and what rules say."""

from __future__ import annotations

import codecs
import contextlib
import os
import resource
import socket
import subprocess
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.plugins.module_utils._servers import table
from ansible_collections.nettune.tcp.plugins.module_utils._servers.apache import adapter as apache
from ansible_collections.nettune.tcp.plugins.module_utils._servers.haproxy import adapter as haproxy
from ansible_collections.nettune.tcp.plugins.module_utils._servers.lighttpd import adapter as lighttpd
from ansible_collections.nettune.tcp.plugins.module_utils._servers.nginx import adapter as nginx
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.judge import bring, judge
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.policy import parse_policy
from ansible_collections.nettune.tcp.tests.integration.planted import wait_for
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox
from ansible_collections.nettune.tcp.tests.integration.servers import running

POLICY = yaml.safe_load((Path(__file__).parents[3] / "roles/tcp_audit/policies/baseline.yml").read_text())
RULES = parse_policy(POLICY, thresholds={"time_wait": 0})
REQUESTS = 20
PORT = 8001
MIGRATE = "net.ipv4.tcp_migrate_req"
Facts = t.Dict[str, t.Any]


def _nginx(main: str = "", http: str = "", listen: str = "", connections: int = 1024) -> running.Case:
    text = (
        f"pid {{root}}/pid; error_log {{root}}/log; daemon off; user root; {main}\n"
        f"events {{ worker_connections {connections}; }}\n"
        f"http {{ access_log off; {http} server {{ listen 127.0.0.1:{PORT} {listen}; return 200 x; }} }}\n"
    )
    return running.Case(nginx.ADAPTER, {"nginx.conf": text}, ("nginx", "-c", "{main}"), (), "", braces=False)


def _apache(lines: str) -> running.Case:
    text = running.CASES["apache, edited"].files["httpd.conf"].split("ListenBacklog")[0]
    files = {"httpd.conf": f"{text}Listen 127.0.0.1:{PORT}\n{lines}\n"}
    return running.Case(apache.ADAPTER, files, ("apache2", "-f", "{main}", "-D", "FOREGROUND"), (), "")


def _haproxy(everywhere: str, frontend: str = "") -> running.Case:
    text = (
        f"global\n {everywhere}\ndefaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"
        f"frontend f\n bind 127.0.0.1:{PORT}\n {frontend}\n http-request return status 200\n"
    )
    return running.Case(haproxy.ADAPTER, {"h.cfg": text}, ("haproxy", "-W", "-db", "-f", "{main}"), (), "")


def _lighttpd(lines: str) -> running.Case:
    text = f'server.document-root = "{{root}}"\nserver.bind = "127.0.0.1"\nserver.port = {PORT}\n{lines}\n'
    return running.Case(lighttpd.ADAPTER, {"l.conf": text}, ("lighttpd", "-D", "-f", "{main}"), (), "")


@dataclass(frozen=True)
class Trap:
    """A rule, a server that falls into the trap, and one that does not."""

    rule: str
    wrong: running.Case
    right: running.Case
    sysctls: t.Tuple[str, str] = ("0", "0")  # tcp_migrate_req for each


_GROUP = _nginx("worker_processes 2;", listen="reuseport")
TRAPS = {
    "connections": Trap("worker-connections", _nginx(connections=64), _nginx("worker_processes 8;", connections=64)),
    "workers' files": Trap("open-files", _nginx("worker_rlimit_nofile 700;"), _nginx("worker_rlimit_nofile 2000;")),
    "lighttpd's files": Trap("open-files", _lighttpd("server.max-fds = 500"), _lighttpd("server.max-fds = 5000")),
    "maxconn": Trap("haproxy-maxconn", _haproxy(""), _haproxy("maxconn 5000")),
    "maxconn, files": Trap("haproxy-maxconn", _haproxy("ulimit-n 5000"), _haproxy("fd-hard-limit 5000")),
    "frontend": Trap("haproxy-backlog", _haproxy("maxconn 600", "backlog 601"), _haproxy("maxconn 600", "backlog 600")),
    "a group": Trap("reuseport-migration", _GROUP, _GROUP, ("0", "1")),
    "nginx closes": Trap("keepalive", _nginx(http="keepalive_timeout 0;"), _nginx(http="keepalive_timeout 5 10;")),
    "Apache closes": Trap("keepalive", _apache("KeepAlive off"), _apache("KeepAlive On\nMaxKeepAliveRequests 0")),
    "HAProxy closes": Trap("keepalive", _haproxy("", "option httpclose"), _haproxy("", "no option httpclose")),
    "lighttpd closes": Trap("keepalive", _lighttpd("server.max-keep-alive-requests = 0"), _lighttpd("")),
}


@contextlib.contextmanager
def _served(case: running.Case) -> t.Iterator[str]:
    """The server, once it accepts; the path of its main file."""
    with tempfile.TemporaryDirectory(prefix="nettune-") as directory:
        os.chmod(directory, 0o755)
        main = running.lay_out(case, Path(directory))
        with running.started(case, main):
            end = time.monotonic() + running.PATIENCE
            while _answer() is None and time.monotonic() < end:
                time.sleep(0.1)
            yield main


def _answer() -> t.Optional[bytes]:
    """What a request is answered with, by a client that waits for the server to close; None where nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            answer = client.recv(65536)
            client.settimeout(0.2)
            with contextlib.suppress(socket.timeout):
                client.recv(65536)
            return answer
    except ConnectionRefusedError:
        return None


def _facts() -> Facts:
    return gather(parse_request({"gather_subset": ["all"], "top": 1, "interval": 0.0, "netns": None}))


def _status(facts: Facts, rule: str) -> str:
    results = {result["id"]: result for result in judge(bring(facts), RULES)}
    assert "error" not in {result["status"] for result in results.values()}, results
    return str(results[rule]["status"])


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_told_and_its_absence_too(name: str, in_namespace: Sandbox) -> None:
    trap = TRAPS[name]
    if trap.wrong.program() is None:
        pytest.skip(f"{trap.wrong.command[0]} is not installed")

    def judged(case: running.Case, migrate: str) -> t.Tuple[str, bool]:
        proc_sys.write(MIGRATE, migrate)
        with _served(case) as main:
            for _ in range(REQUESTS if trap.rule == "keepalive" else 0):
                _answer()
            facts = _facts()
        [row] = facts["servers"]
        assert (table.BY_NAME[row["server"]].adapter, row["config"], row["error"]) == (case.adapter, main, None)
        return _status(facts, trap.rule), facts["time_wait"]["inbound"] >= REQUESTS

    closes_first = trap.rule == "keepalive"
    assert in_namespace(lambda: judged(trap.wrong, trap.sysctls[0])) == ("fail", closes_first)
    assert in_namespace(lambda: judged(trap.right, trap.sysctls[1])) == ("pass", False)


def test_without_root_the_rules_do_not_stumble(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Facts, str]:
        codecs.lookup("ascii")  # from files that the user below may not be able to read
        os.setuid(65534)
        with socket.create_server(("127.0.0.1", PORT)):
            facts = _facts()
        return facts, _status(facts, "worker-connections")

    facts, status = in_namespace(body)
    assert (facts["servers"], status) == ([], "skip")


def test_nginx_closes_what_it_has_no_connection_for(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[int, str]:
        with _served(_nginx(connections=32)):
            clients = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(100)]
            time.sleep(0.5)
            closed = 0
            for client in clients:
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    closed += client.recv(1) == b""
            return closed, _status(_facts(), "worker-connections")

    closed, status = in_namespace(body)
    assert closed >= 100 - 32
    assert status == "fail"


@pytest.mark.parametrize("soft, status", [(1024, "fail"), (2048, "pass")])
def test_a_program_without_configuration_is_judged_by_its_files(soft: int, status: str, in_namespace: Sandbox) -> None:
    def body() -> str:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        with socket.create_server(("127.0.0.1", PORT), backlog=2000):
            return _status(_facts(), "open-files")

    assert in_namespace(body) == status


def test_a_configuration_that_cannot_be_read_is_said(in_namespace: Sandbox) -> None:
    def body() -> Facts:
        with _served(_nginx()) as main:
            Path(main).write_text("events {\n}\n}\n")
            facts = _facts()
        return {**facts, "main": main, "status": _status(facts, "worker-connections")}

    facts = in_namespace(body)
    [row] = facts["servers"]
    assert (row["config"], row["settings"], row["error"]) == (facts["main"], {}, f'{facts["main"]}:3: unexpected "}}"')
    assert f"nginx, pid {row['pid']}: {row['error']}" in facts["collected"]["limited"]
    assert facts["status"] == "skip"


def test_files_of_a_container_are_not_taken_for_ours(in_namespace: Sandbox) -> None:
    """Mounts and a root file system of its own make a container here."""

    def body() -> Facts:
        with tempfile.TemporaryDirectory(prefix="nettune-") as directory:
            config, root = Path(directory, "nginx.conf"), Path(directory, "root")
            root.mkdir()
            config.write_text(
                f"daemon off; pid {directory}/pid; error_log {directory}/log; events {{}}\n"
                f"http {{ access_log off; server {{ listen 127.0.0.1:{PORT}; }} }}\n"
            )
            script = (
                'mount -t tmpfs none "$1"; for name in /*; do [ -h "$name" ] && cp -P "$name" "$1"; done;'
                'for name in /*/; do [ -h "${name%/}" ] && continue;'
                'mkdir "$1$name" && mount --rbind "$name" "$1$name"; done;'
                'exec chroot "$1" /usr/sbin/nginx -c "$2"'
            )
            with subprocess.Popen(["unshare", "--mount", "sh", "-c", script, "sh", root, config]) as server:
                wait_for(PORT)
                facts = _facts()
                server.terminate()
        return facts

    [row] = in_namespace(body)["servers"]
    assert (row["server"], row["config"]) == ("nginx", None)
    assert "container" in row["error"]


@pytest.mark.parametrize(
    "line, status",
    [("* hard nofile {above}", "fail"), ("root - nofile {at}", "pass"), ("* - nofile unlimited", "pass"), ("", "skip")],
)
def test_login_limits_are_judged_by_the_ceiling(line: str, status: str, on_fresh_host: Sandbox) -> None:
    def body() -> str:
        subprocess.run(["mount", "-t", "tmpfs", "none", "/etc/security"], check=True)
        ceiling = int(proc_sys.read("fs.nr_open") or 0)
        Path("/etc/security/limits.conf").write_text(line.format(at=ceiling, above=ceiling + 1) + "\n")
        return _status(_facts(), "login-limits")

    assert on_fresh_host(body) == status
