# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user runs under a server's name is a listener of his, and nothing that it names is looked at."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request
from ansible_collections.nettune.tcp.tests.integration.planted import NOBODY, PROGRAMS, User, as_nobody, wait_for
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

PORT = 8079
# Files that he lets a server name: one that never ends, one that nobody writes to, one of root's, a directory of his.
NAMED = ("/proc/kmsg", "fifo", "secret", "directory")
SECRET = "Timeout 4711 nobody knows"
CONFIGURED = {
    "nginx": "pid {his}/pid; error_log {his}/log; daemon off; events {} http { access_log off; "
    "client_body_temp_path {his}/b; proxy_temp_path {his}/p; fastcgi_temp_path {his}/f; uwsgi_temp_path {his}/u; "
    "scgi_temp_path {his}/s; server { listen 127.0.0.1:8079; } }",
    "haproxy": "defaults\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n mode http\n"
    "frontend f\n bind 127.0.0.1:8079\n",
    "lighttpd": 'server.document-root = "{his}"\nserver.bind = "127.0.0.1"\nserver.port = 8079\n',
}
STARTED = {"nginx": ["-c"], "haproxy": ["-db", "-f"], "lighttpd": ["-D", "-f"]}


def facts() -> t.Dict[str, t.Any]:
    return gather(parse_request({"gather_subset": ["servers", "listeners"], "top": 1, "interval": 0, "netns": None}))


def named(user: User, kind: str) -> str:
    """A path for a server's command line."""
    path = user.place / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "secret":
        secret = user.place.parent / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        path.symlink_to(secret)
    elif kind == "directory":
        path.mkdir()
        (path / "secret.cfg").symlink_to("/etc/shadow")
    return kind if kind.startswith("/") else str(path)


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_read_because_a_users_process_names_it(
    in_namespace: Sandbox, top: pathlib.Path, name: str, kind: str
) -> None:
    def body() -> None:
        user = User(top, PROGRAMS[name], "copy")
        path = named(user, kind)
        with user.holds(PORT, None, "-c", path, "-f", path) as pid:
            found = facts()
        assert found["servers"] == []
        assert [(one["port"], one["processes"][0]["pid"]) for one in found["listeners"]] == [(PORT, pid)]
        assert found["listeners"][0]["processes"][0]["name"] == PROGRAMS[name]
        assert SECRET not in str(found)
        assert not user.was_run_by

    in_namespace(body)


@pytest.mark.parametrize("name", CONFIGURED)
def test_roots_program_run_by_a_user_is_no_server_of_the_host(
    in_namespace: Sandbox, top: pathlib.Path, name: str
) -> None:
    def body() -> None:
        user = User(top, "x", "copy")
        config = user.place / "config"
        config.write_text(CONFIGURED[name].replace("{his}", str(user.place)))
        with as_nobody([f"/usr/sbin/{name}", *STARTED[name], str(config)]) as process:
            wait_for(PORT)
            found = facts()
        assert found["servers"] == []
        # A worker with as many files open or more stands for all of them.
        assert [one["pid"] >= process.pid for one in found["listeners"][0]["processes"]] == [True]

    in_namespace(body)


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_users_own_server_is_one_to_himself(in_namespace: Sandbox, top: pathlib.Path, name: str) -> None:
    def body() -> None:
        user = User(top, "x", "copy")
        config = top / "config"
        config.write_text(CONFIGURED[name].replace("{his}", str(user.place)))
        with as_nobody([f"/usr/sbin/{name}", *STARTED[name], str(config)]):
            wait_for(PORT)
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            [row] = facts()["servers"]
            assert (row["server"], row["backlog"] is None) == (name, False)

    in_namespace(body)
