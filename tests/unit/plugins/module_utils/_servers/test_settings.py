# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each server's configuration says of connections."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._servers import settings, table
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Config, ConfigError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.settings import Setting, Value

Told = t.Mapping[str, t.Tuple[Value, t.Optional[str]]]

NGINX: Told = {
    "worker_processes": (1, None),
    "worker_connections": (512, None),
    "worker_rlimit_nofile": (None, None),
    "keepalive_timeout": (75, None),
    "keepalive_requests": (None, None),
}
# Debian 12, shortened
NGINX_DEBIAN = """\
user www-data;
worker_processes auto;
pid /run/nginx.pid;
include /etc/nginx/modules-enabled/*.conf;

events {
\tworker_connections 768;
\t# multi_accept on;
}
http {
\tkeepalive_timeout 65;
\tserver { listen 80; location / { keepalive_timeout 1; } }
}
"""
APACHE: Told = {
    "MaxRequestWorkers": (None, None),
    "ThreadsPerChild": (None, None),
    "ServerLimit": (None, None),
    "KeepAlive": ("On", None),
    "KeepAliveTimeout": (5, None),
    "MaxKeepAliveRequests": (100, None),
}
EVENT: Told = {"MaxRequestWorkers": (400, None), "ThreadsPerChild": (25, None), "ServerLimit": (16, None)}
PREFORK: Told = {"MaxRequestWorkers": (256, None), "ServerLimit": (256, None)}
LOAD_EVENT = "LoadModule mpm_event_module x/mod_mpm_event.so\n"
# Debian 12, its mpm_event.conf among it
APACHE_DEBIAN = f"""\
KeepAlive On
MaxKeepAliveRequests 100
KeepAliveTimeout 5
{LOAD_EVENT}<IfModule mpm_event_module>
\tStartServers            2
\tThreadLimit             64
\tThreadsPerChild         25
\tMaxRequestWorkers       150
</IfModule>
<IfModule mpm_prefork_module>
\tMaxRequestWorkers 7
</IfModule>
"""
HAPROXY: Told = {
    "maxconn": (None, None),
    "ulimit-n": (None, None),
    "fd-hard-limit": (None, None),
    "frontend maxconn": (None, None),
    "option": ("http-keep-alive", None),
    "timeout http-keep-alive": (None, None),
}
# RHEL 9, shortened
HAPROXY_RHEL = """\
global
    log         127.0.0.1 local2
    maxconn     4000
    stats socket /var/lib/haproxy/stats
defaults
    option                  httplog
    option http-server-close
    option forwardfor       except 127.0.0.0/8
    timeout http-keep-alive 10s
    timeout check           10s
    maxconn                 3000
frontend main
    bind *:5000
backend app
    option httpclose
    server  app1 127.0.0.1:5001 check maxconn 5
"""
LIGHTTPD: Told = {
    "server.max-connections": (None, None),
    "server.max-fds": (None, None),
    "server.max-keep-alive-idle": (5, None),
    "server.max-keep-alive-requests": (None, None),
}


def proxy(lines: str, defaults: str = "") -> str:
    return f"defaults\n {defaults}\nfrontend f\n bind :80\n {lines}\n"


CASES: t.Sequence[t.Tuple[str, str, Told]] = (
    ("nginx", "", {}),
    (
        "nginx",
        NGINX_DEBIAN,
        {"worker_processes": ("auto", "2"), "worker_connections": (768, "7"), "keepalive_timeout": (65, "11")},
    ),
    ("nginx", "worker_rlimit_nofile 65536;", {"worker_rlimit_nofile": (65536, "1")}),
    ("nginx", 'http { keepalive_timeout "1m 30s" 10s; }', {"keepalive_timeout": (90, "1")}),
    ("nginx", "http { keepalive_timeout 1500ms; }", {"keepalive_timeout": (1.5, "1")}),
    ("nginx", "http { server { keepalive_timeout 100; } }", {}),
    ("nginx", "http { server { }\nserver { keepalive_timeout 0; } }", {"keepalive_timeout": (0, "2")}),
    ("nginx", "http { server { keepalive_timeout 9; }\nkeepalive_timeout 8; }", {"keepalive_timeout": (8, "2")}),
    ("nginx", "http { keepalive_requests 10; server { } }", {"keepalive_requests": (10, "1")}),
    ("nginx", "stream { server { keepalive_timeout 1; } }", {}),
    ("nginx", "http { keepalive_timeout soon; }", {"keepalive_timeout": ("soon", "1")}),
    ("nginx", "http { keepalive_timeout; }", {"keepalive_timeout": ("", "1")}),
    ("apache", "", {}),
    (
        "apache",
        APACHE_DEBIAN,
        {
            "KeepAlive": ("On", "1"),
            "MaxKeepAliveRequests": (100, "2"),
            "KeepAliveTimeout": (5, "3"),
            "ServerLimit": (16, None),
            "ThreadsPerChild": (25, "8"),
            "MaxRequestWorkers": (150, "9"),
        },
    ),
    ("apache", LOAD_EVENT, EVENT),
    ("apache", "LoadModule mpm_prefork_module x/mod_mpm_prefork.so", PREFORK),
    ("apache", "MaxClients 9\nServerLimit 8", {"MaxRequestWorkers": (9, "1"), "ServerLimit": (8, "2")}),
    ("apache", 'keepalive "off"\nKeepAlive on', {"KeepAlive": ("On", "2")}),
    ("apache", "<VirtualHost *>\nKeepAlive 0\n</VirtualHost>", {"KeepAlive": ("Off", "2")}),
    ("apache", "<VirtualHost *>\nKeepAliveTimeout 9\n</VirtualHost>", {}),
    ("apache", "KeepAliveTimeout 250ms", {"KeepAliveTimeout": (0.25, "1")}),
    ("apache", "<IfDefine X>\nKeepAlive Off\n</IfDefine>\nKeepAlivePlus Off", {}),
    ("apache", "<IfFile /x>\nKeepAlive Off\n</IfFile>", {"KeepAlive": ("Off", "2")}),
    ("haproxy", "", {}),
    (
        "haproxy",
        HAPROXY_RHEL,
        {
            "maxconn": (4000, "3"),
            "frontend maxconn": (3000, "11"),
            "option": ("http-server-close", "7"),
            "timeout http-keep-alive": (10, "9"),
        },
    ),
    ("haproxy", "global\nmaxconn 0\nmaxconn 8\nglobal\nmaxconn 9", {"maxconn": (8, "3")}),
    (
        "haproxy",
        "global\nulimit-n 7\nfd-hard-limit 8\nglobal\nulimit-n 9",
        {"ulimit-n": (9, "5"), "fd-hard-limit": (8, "3")},
    ),
    ("haproxy", proxy("option httpclose"), {"option": ("httpclose", "5")}),
    ("haproxy", proxy("no  option httpclose", defaults="option httpclose"), {}),
    ("haproxy", proxy("no option http-keep-alive", defaults="option httpclose"), {"option": ("httpclose", "2")}),
    ("haproxy", proxy("option http-keep-alive", "option httpclose"), {"option": ("http-keep-alive", "5")}),
    ("haproxy", proxy("disabled\noption httpclose"), {}),
    ("haproxy", proxy(".if 1\noption httpclose\n.endif"), {}),
    ("haproxy", proxy('"no"\n"option" httplog'), {}),
    ("haproxy", proxy("timeout http-keep-alive 500"), {"timeout http-keep-alive": (0.5, "5")}),
    ("haproxy", proxy("timeout http-keep-alive $X"), {}),
    ("haproxy", proxy("maxconn 5\nlisten g\nbind :81\nmaxconn 4"), {"frontend maxconn": (4, "8")}),
    ("lighttpd", "", {}),
    ("lighttpd", "server.max-fds = 1024", {"server.max-fds": (1024, "1")}),
    (
        "lighttpd",
        'server.max-connections = 500 + 24\n$HTTP["host"] == "x" {\nserver.max-keep-alive-requests = 0\n}',
        {"server.max-connections": (524, "1"), "server.max-keep-alive-requests": (0, "3")},
    ),
    ("lighttpd", '$HTTP["host"] == "x" { server.max-keep-alive-idle = 9 }', {}),
    ("lighttpd", "server.max-keep-alive-idle = env.X", {"server.max-keep-alive-idle": (None, "1")}),
)
NAMES = {word for told in (NGINX, APACHE, HAPROXY, LIGHTTPD) for name in told for word in name.split()} | {
    *("events {", "http {", "server {", "<VirtualHost x>", "</VirtualHost>", "\nglobal\n", "\ndefaults\n"),
    *("\nfrontend f\nbind :80\n", "\nno option httpclose\n", "\noption httpclose\n", '$HTTP["host"] == "x" {'),
}
DEFAULTS = {"nginx": NGINX, "apache": APACHE, "haproxy": HAPROXY, "lighttpd": LIGHTTPD}


@pytest.mark.parametrize("server, text, said", CASES)
def test_settings(server: str, text: str, said: Told) -> None:
    found = table.BY_NAME[server].adapter.settings(Config("/x.conf", {"/x.conf": text.encode()}))
    expected = {**DEFAULTS[server], **said}
    assert {name: (one.value, one.source) for name, one in found.items()} == {
        name: (value, line and f"/x.conf:{line}") for name, (value, line) in expected.items()
    }


def test_nginx_settings_are_found_in_included_files() -> None:
    files = {
        "/etc/nginx/nginx.conf": b"include top/*; http { include sites/*; }",
        "/etc/nginx/top/a": b"worker_processes 4;",
        "/etc/nginx/sites/a": b"server { include snippet; }",
        "/etc/nginx/snippet": b"\nkeepalive_timeout 7;",
    }
    found = table.BY_NAME["nginx"].adapter.settings(Config("/etc/nginx/nginx.conf", files))
    assert found["worker_processes"] == (4, "/etc/nginx/top/a:1")
    assert found["keepalive_timeout"] == (7, "/etc/nginx/snippet:2")


@pytest.mark.parametrize("server", DEFAULTS)
@given(
    pieces=st.lists(
        st.sampled_from(" \n;{}\"'\\\\$#0.5= no option timeout".split(" "))
        | st.sampled_from(sorted(NAMES))
        | st.text(max_size=5)
    )
)
def test_any_text_is_told_or_refused(server: str, pieces: t.List[str]) -> None:
    text = " ".join(pieces).encode("utf-8", "surrogatepass")
    with contextlib.suppress(ConfigError):
        assert set(table.BY_NAME[server].adapter.settings(Config("/x", {"/x": text}))) == set(DEFAULTS[server])


@pytest.mark.parametrize(
    "text, number", [("5", 5), ("1h 1s", 3601), ("250ms", 0.25), ("", None), ("auto", None), ("5x", None), ("-5", None)]
)
def test_seconds(text: str, number: t.Optional[float]) -> None:
    assert settings.seconds(text, {"": 1, "s": 1, "ms": 0.001, "h": 3600}) == number


@pytest.mark.parametrize("values, least", [([3, 2.5], 2.5), (["auto"], "auto"), ([None, 7], 7), ([None, "x"], None)])
def test_the_smallest(values: t.List[Value], least: Value) -> None:
    assert settings.smallest(Setting(value) for value in values).value == least
