# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every form of nginx's listen directive."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._servers.nginx.conf import ServerBlock
from ansible_collections.nettune.tcp.plugins.module_utils._servers.nginx.listen import Endpoint, Line, lines
from ansible_collections.nettune.tcp.plugins.module_utils._servers.nginx.syntax import Directive
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import ConfigError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.source import Disk


def read(text: str, module: str = "http") -> t.List[Line]:
    listen = Directive(b"listen", tuple(text.encode().split()), 7, 0, len(text), None)
    block = Directive(b"server", (), 6, 0, 8, (listen,))
    return list(lines([ServerBlock(module, "/n.conf", block, [("/n.conf", listen)])], Disk(), default_port=80))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("80", ["0.0.0.0:80"]),
        ("*:80", ["0.0.0.0:80"]),
        ("*", ["0.0.0.0:80"]),
        ("0.0.0.0:80", ["0.0.0.0:80"]),
        ("127.0.0.1", ["127.0.0.1:80"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("[::]:80", ["[::]:80"]),
        ("[::1]", ["[::1]:80"]),
        ("[2001:DB8:0::1]:443", ["[2001:db8::1]:443"]),
        ("unix:/run/a.sock", ["unix:/run/a.sock"]),
        ("8000-8002", ["0.0.0.0:8000", "0.0.0.0:8001", "0.0.0.0:8002"]),
        ("127.0.0.1:8000-8001", ["127.0.0.1:8000", "127.0.0.1:8001"]),
        ("[::1]:8000-8001", ["[::1]:8000", "[::1]:8001"]),
    ],
)
def test_addresses(text: str, expected: t.List[str]) -> None:
    [line] = read(text)
    assert [str(endpoint) for endpoint in line.endpoints] == expected


def test_a_name_stands_for_all_of_its_addresses() -> None:
    [line] = read("twice.example:81")
    assert [str(endpoint) for endpoint in line.endpoints] == ["192.0.2.1:81", "[2001:db8::1]:81"]


@pytest.mark.parametrize(
    "text, backlog, has_options, is_default",
    [
        ("80", None, False, False),
        ("80 default_server", None, False, True),
        ("80 default ssl http2 proxy_protocol", None, False, True),
        ("80 backlog=4096", 4096, True, False),
        ("80 reuseport", None, True, False),
        ("80 deferred so_keepalive=on", None, True, False),
        ("80 bind", None, True, False),
        ("[::]:80 ipv6only=off backlog=7", 7, True, False),
        ("80 backlog=1 backlog=2", 2, True, False),
    ],
)
def test_options(text: str, backlog: t.Optional[int], has_options: bool, is_default: bool) -> None:
    [line] = read(text)
    assert (line.backlog, line.has_options, line.is_default) == (backlog, has_options, is_default)


@pytest.mark.parametrize("text", ["443 quic", "443 quic reuseport", "53 udp"])
def test_datagrams_have_no_backlog(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text, words",
    [
        ("80 backlog=0", "invalid backlog"),
        ("80 backlog=-1", "invalid backlog"),
        ("80 backlog=x", "invalid backlog"),
        ("80 backlog=", "invalid backlog"),
        ("0", "invalid port"),
        ("65536", "invalid port"),
        ("127.0.0.1:", "invalid port"),
        ("8010-8000", "invalid port"),
        (":80", "no host"),
        ("[::80", "invalid IPv6 address"),
        ("[::1]80", "invalid IPv6 address"),
        ("[nonsense]:80", "invalid address"),
        ("unix:", "no path"),
        ("", "needs an address"),
    ],
)
def test_what_nginx_would_refuse_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"^/n.conf:7: .*{words}"):
        read(text)


def test_only_http_has_a_default_port() -> None:
    with pytest.raises(ConfigError, match="no port"):
        read("127.0.0.1", module="stream")


@pytest.mark.parametrize("port", [80, 8000])
def test_a_server_without_listen_has_one_in_http(port: int) -> None:
    block = Directive(b"server", (), 6, 10, 18, ())
    [line] = lines([ServerBlock("http", "/n.conf", block, [])], Disk(), default_port=port)
    assert line == Line((Endpoint("http", "inet", "0.0.0.0", port),), None, False, False, True, "/n.conf", 6, 18)
    assert not list(lines([ServerBlock("stream", "/n.conf", block, [])], Disk(), default_port=port))
