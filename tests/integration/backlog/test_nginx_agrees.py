# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we read in nginx's configuration against what nginx itself makes of it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings

from ansible_collections.nettune.tcp.plugins.module_utils._backlog.host import endpoint_of
from ansible_collections.nettune.tcp.plugins.module_utils._servers.nginx.adapter import ADAPTER
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import Nginx, in_force, somaxconn, text_of
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox, enter_network, in_child
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._servers.nginx import nginx_configs
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._servers.nginx.nginx_configs import configurations

Endpoints = t.Dict[str, int]


def configured(main: pathlib.Path) -> Endpoints:
    """The sockets and numbers that we read."""
    return {text_of(endpoint_of(one)): one.asked for one in ADAPTER.listens(ADAPTER.read(str(main), None))}


def opened(nginx: Nginx) -> Endpoints:
    """The sockets and numbers that nginx opens."""
    with nginx:
        return {endpoint: backlogs[0] for endpoint, backlogs in in_force().items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(http=configurations(nginx_configs.NOISE, ssl=False))
def test_the_sockets_of_generated_configurations(tmp_path: pathlib.Path, http: str) -> None:
    def body() -> None:
        nginx = Nginx(tmp_path, http, workers=1)
        read = configured(nginx.config)
        assert opened(nginx) == read
        config = ADAPTER.read(str(nginx.config), None)
        for path, content in ADAPTER.edit(config, dict.fromkeys(ADAPTER.listens(config), 3210)).items():
            assert content is not None
            pathlib.Path(path).write_bytes(content)
        assert opened(nginx) == dict.fromkeys(read, 3210)

    if os.geteuid() != 0:
        pytest.skip("needs root for a namespace of its own")
    in_child(enter_network, body)


def test_files_are_read_in_the_order_of_nginx(tmp_path: pathlib.Path) -> None:
    texts = {
        "conf.d/10-b.conf": "server { listen 8081; include ../snip/*; }",
        "conf.d/9-a.conf": "server { listen 8082; }",
        "conf.d/Z.conf": "include ../deep/[ab]/x;",
        "conf.d/.hidden.conf": "server { listen 8083; }",
        "conf.d/_.conf": "",
        "conf.d/ä.conf": "server { listen 8084; }",
        "deep/a/x": "server { listen 8085; }",
        "deep/b/x": "server { listen 8086; }",
        "deep/c/x": "server { listen 8087; }",
        "snip/one": "listen 8088;",
        "snip/two": "server_name x;",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    # Relative to the main file also where another file includes.
    for name in ("snip", "deep"):
        (tmp_path.parent / name).symlink_to(tmp_path / name)
    try:
        nginx = Nginx(tmp_path, "include conf.d/*.conf;")
        told = subprocess.run(["nginx", "-T", "-c", str(nginx.config)], capture_output=True, check=True)
        names = [line[21:-1] for line in told.stdout.decode().splitlines() if line.startswith("# configuration file ")]
        assert [os.path.normpath(path) for path in ADAPTER.read(str(nginx.config), None).files] == [
            os.path.normpath(name) for name in names
        ]
    finally:
        for name in ("snip", "deep"):
            (tmp_path.parent / name).unlink()


@pytest.mark.parametrize(
    "http",
    [
        "server { listen 8080 backlog=5; } server { listen 8080 backlog=5; }",
        "server { listen 8080 backlog=0; }",
        "server { listen 8080 backlog=-1; }",
        "server { listen 8080 backlog=; }",
        "server { listen 65536; }",
        "server { listen [::1; }",
        "server { listen 'x'y; }",
        "server { listen 8080; ",
        "server { listen 8080 } }",
        "server { root 'x; }",
        "server { include /no/such/file; }",
        "include /no/such/*; server { listen unix:; }",
        "server { listen :8080; }",
        "; server { }",
    ],
)
def test_what_we_refuse_to_read_nginx_refuses_too(tmp_path: pathlib.Path, http: str) -> None:
    nginx = Nginx(tmp_path, http)
    told = subprocess.run(["nginx", "-t", "-c", str(nginx.config)], capture_output=True, check=False)
    assert told.returncode != 0
    with pytest.raises(Exception, match=str(tmp_path)):
        configured(nginx.config)


@pytest.mark.parametrize(
    "http, expected",
    [
        ("server { }", {"0.0.0.0:80": 511}),
        ("server { listen localhost:8080; }", {"127.0.0.1:8080": 511}),
        ("server { listen 8080-8082 backlog=7; }", {f"0.0.0.0:{port}": 7 for port in (8080, 8081, 8082)}),
        (
            "server { listen 8080 reuseport; listen 127.0.0.1:8080 reuseport; }",
            {"0.0.0.0:8080": 511, "127.0.0.1:8080": 511},
        ),
        ("server { listen 8080 so_keepalive=on; listen 127.0.0.1:8080; }", {"0.0.0.0:8080": 511}),
    ],
)
def test_forms_of_listen(in_namespace: Sandbox, tmp_path: pathlib.Path, http: str, expected: t.Dict[str, int]) -> None:
    def body() -> None:
        somaxconn(5000)
        nginx = Nginx(tmp_path, http)
        assert configured(nginx.config) == opened(nginx) == expected

    in_namespace(body)
