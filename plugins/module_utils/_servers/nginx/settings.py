# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The connection settings of an nginx configuration.

Rules: src/core/nginx.c, src/event/ngx_event.c and ngx_http_core_module.c for the defaults, ngx_parse.c for times.
keepalive_requests has none here: it was 100 before 1.19.10, and has been 1000 since.
"""

from __future__ import annotations

import typing as t

from ..server import Config
from ..settings import Setting, Settings, Value, seconds, smallest
from .conf import statements
from .syntax import SETTINGS, Directive

_DEFAULTS: t.Mapping[str, Value] = {"worker_processes": 1, "worker_connections": 512, "keepalive_timeout": 75}
_UNITS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


def settings_of(config: Config) -> Settings:
    """By nginx's names; for http and its servers the smallest. Raises ConfigError."""
    stated = {name: {"": Setting(_DEFAULTS.get(name.decode()))} for name in SETTINGS}
    for context, file, directive in statements(config, stated):
        source = f"{file}:{directive.line}"
        # In a server it counts alongside http's, everywhere else instead of the default.
        stated[directive.name][source if context == b"server" else ""] = Setting(_value(directive), source)
    return {name.decode(): smallest(settings.values()) for name, settings in stated.items()}


def _value(directive: Directive) -> Value:
    """A number, in seconds for a time; otherwise the text, such as ``auto``."""
    text = b" ".join(directive.words[:1]).decode("utf-8", "replace")
    number = seconds(text, _UNITS)
    return text if number is None else number
