# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Every known web server, by name: to add one, add its folder and its row here."""

from __future__ import annotations

import typing as t

from . import systemd_socket
from .apache import adapter as apache
from .haproxy import adapter as haproxy
from .lighttpd import adapter as lighttpd
from .nginx import adapter as nginx
from .server import Server

BY_NAME: t.Dict[str, Server] = {
    adapter.SERVER.name: adapter.SERVER for adapter in (apache, haproxy, lighttpd, nginx, systemd_socket)
}
