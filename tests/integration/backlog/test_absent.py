# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listeners get back what they had before they were managed."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._record import originals
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import Nginx, any_backlog, in_force, somaxconn

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

HTTP = "include {0}/site.conf;"
SITE = "server { listen 8080; }\nserver { listen 127.0.0.1:8081 backlog=64; }\n"
BEFORE = {"0.0.0.0:8080": [511], "127.0.0.1:8081": [64]}


def test_untouched_files_become_what_they_were(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        somaxconn(4096)
        file = tmp_path / "site.conf"
        file.write_text(SITE)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            for number in (2000, 3000):
                nginx.backlog(number)
            predicted = nginx.backlog(None, state="absent", check_mode=True)
            assert in_force() == {endpoint: [3000] for endpoint in BEFORE}
            done = nginx.backlog(None, state="absent")
            assert {**done, "run": None} == predicted
            assert (file.read_text(), in_force()) == (SITE, BEFORE)
            assert done["files"] == [str(file)]
            assert {row["status"] for row in done["listeners"]} == {"effective"}
            assert not nginx.backlog(None, state="absent")["changed"]
            assert originals.load() == {}

    on_fresh_host(body)


def test_in_files_that_others_have_changed_only_the_number_does(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        somaxconn(4096)
        file = tmp_path / "site.conf"
        file.write_text(SITE)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            nginx.backlog(2000)
            file.write_text(file.read_text() + "# mine\n")
            assert nginx.backlog(None, state="absent")["changed"]
            assert in_force() == BEFORE
            edited = SITE.replace("listen 8080;", "listen 8080 backlog=511;")
            assert file.read_text() == f"{edited}# mine\n"
            assert not nginx.backlog(None, state="absent")["changed"]

    on_fresh_host(body)


def test_only_those_that_are_meant(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        somaxconn(4096)
        file = tmp_path / "site.conf"
        file.write_text(SITE)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            nginx.backlog(2000)
            assert nginx.backlog(None, state="absent", listen=["8081"])["changed"]
            assert in_force() == {"0.0.0.0:8080": [2000], "127.0.0.1:8081": [64]}
            assert file.read_text() == SITE.replace("listen 8080;", "listen 8080 backlog=2000;")
            assert nginx.backlog(None, state="absent")["changed"]
            assert (in_force(), file.read_text()) == (BEFORE, SITE)

    on_fresh_host(body)


def test_a_queue_without_a_configuration(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        somaxconn(4096)
        (tmp_path / "site.conf").write_text(SITE)
        with Nginx(tmp_path, HTTP.format(tmp_path)):
            any_backlog(2000, "8080")
            assert any_backlog(None, "8080", "8081", state="absent")["changed"]
            assert in_force() == BEFORE
            assert not any_backlog(None, "8080", state="absent")["changed"]

    on_fresh_host(body)
