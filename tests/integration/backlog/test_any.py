# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""server=any: a server that has no configuration to edit, such as Node.js or gunicorn."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import MissingRight
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import (
    any_backlog,
    become_nobody,
    in_force,
    somaxconn,
    statuses,
)
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox, in_child

# Listens as Node.js does, with 511, and answers until it is told to stop.
SERVER = """
import socket, sys
servers = [socket.create_server(("127.0.0.1", 3000), backlog=511)]
servers.append(socket.create_server(("::", 3000), family=socket.AF_INET6, backlog=511, dualstack_ipv6=False))
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\\0nettune-test")
abstract.listen(128)
print("ready", flush=True)
while True:
    connection, _ = servers[0].accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nfine")
"""


def serve(body: t.Callable[[int], None]) -> None:
    """Run a body beside the server, whose pid it gets."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            body(process.pid)
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGKILL)


def test_whatever_listens_is_changed_while_it_runs(in_namespace: Sandbox) -> None:
    def body(pid: int) -> None:
        done = any_backlog({"at_least": 3000}, "3000", "@nettune-test", "3001")
        assert statuses(done) == [
            ("127.0.0.1", 3000, 511, 3000, "effective"),
            ("::", 3000, 511, 3000, "effective"),
            ("@nettune-test", 0, 128, 3000, "effective"),
            ("0.0.0.0", 3001, None, None, "not_listening"),
        ]
        assert done["warnings"][0] == "127.0.0.1:3000: this server sets its own backlog again at its next start"
        assert in_force() == {"127.0.0.1:3000": [3000], ":::3000": [3000], "@nettune-test": [3000]}
        again = any_backlog({"at_least": 2000}, "3000")
        assert (again["changed"], again["warnings"]) == (False, [])
        assert os.path.exists(f"/proc/{pid}")

    in_namespace(lambda: serve(body))


def test_the_cap_is_named_and_more_is_taken_when_it_allows(in_namespace: Sandbox) -> None:
    def body(_pid: int) -> None:
        done = any_backlog(8192, "127.0.0.1:3000")
        assert statuses(done) == [("127.0.0.1", 3000, 511, 4096, "clamped_by_somaxconn")]
        assert "raise that to 8192" in done["listeners"][0]["reason"]
        assert not any_backlog(8192, "127.0.0.1:3000")["changed"]
        somaxconn(10000)
        assert statuses(any_backlog(8192, "127.0.0.1:3000")) == [("127.0.0.1", 3000, 4096, 8192, "effective")]
        assert statuses(any_backlog({"at_most": 100}, "127.0.0.1:3000")) == [
            ("127.0.0.1", 3000, 8192, 100, "effective")
        ]

    in_namespace(lambda: serve(body))


def test_queued_connections_stay_in_the_queue(in_namespace: Sandbox) -> None:
    script = """
import socket, time
server = socket.create_server(("127.0.0.1", 3000), backlog=4)
print("ready", flush=True)
input()
for _ in range(5):
    connection, _ = server.accept()
    connection.sendall(b"served")
    connection.close()
"""

    def body() -> None:
        command = [sys.executable, "-c", script]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            process.stdout.readline()
            clients = [socket.create_connection(("127.0.0.1", 3000)) for _ in range(5)]
            assert statuses(any_backlog(1000, "3000")) == [("127.0.0.1", 3000, 4, 1000, "effective")]
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert [client.recv(10) for client in clients] == [b"served"] * 5

    in_namespace(body)


def test_a_socket_that_goes_from_process_to_process_is_followed(in_namespace: Sandbox) -> None:
    script = """
import os, socket, time
server = socket.create_server(("127.0.0.1", 3000), backlog=4)
print("ready", flush=True)
while True:
    former, server = server, server.dup()
    time.sleep(0.05)
    former.close()
    if os.fork():
        os._exit(0)
"""

    def body() -> None:
        command = [sys.executable, "-c", script]
        with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                before = 4
                for want in (1000, 2000, 3000):
                    assert statuses(any_backlog(want, "3000")) == [("127.0.0.1", 3000, before, want, "effective")]
                    before = want
            finally:
                os.killpg(process.pid, signal.SIGKILL)

    in_namespace(body)


def test_the_missing_right_is_named(in_namespace: Sandbox) -> None:
    def as_nobody() -> None:
        with pytest.raises(MissingRight, match="needs root"):
            any_backlog(3000, "127.0.0.1:3000")

    def body(_pid: int) -> None:
        in_child(become_nobody, as_nobody)
        assert in_force()["127.0.0.1:3000"] == [511]

    in_namespace(lambda: serve(body))
