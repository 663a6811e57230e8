# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Every known web server: to add one, add its folder, its function and its row here."""

from __future__ import annotations

import typing as t

from .server import Adapter, Server


def _apache() -> Adapter:
    from .apache.adapter import ADAPTER

    return ADAPTER


def _haproxy() -> Adapter:
    from .haproxy.adapter import ADAPTER

    return ADAPTER


def _lighttpd() -> Adapter:
    from .lighttpd.adapter import ADAPTER

    return ADAPTER


def _nginx() -> Adapter:
    from .nginx.adapter import ADAPTER

    return ADAPTER


def _systemd_socket() -> Adapter:
    from .systemd_socket import ADAPTER

    return ADAPTER


_SERVERS = (
    Server(
        "apache",
        ("apache2.service", "httpd.service"),
        ("apache2", "httpd", "httpd-event", "httpd-prefork", "httpd-worker"),
        _apache,
    ),
    Server("haproxy", ("haproxy.service",), ("haproxy",), _haproxy),
    Server("lighttpd", ("lighttpd.service",), ("lighttpd",), _lighttpd),
    Server("nginx", ("nginx.service",), ("nginx",), _nginx),
    Server("systemd_socket", (), (), _systemd_socket),
)

BY_NAME: t.Dict[str, Server] = {server.name: server for server in _SERVERS}
