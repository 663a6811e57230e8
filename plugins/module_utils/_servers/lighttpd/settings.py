# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The connection settings of a lighttpd configuration.

For keep-alive, which may differ by condition, the smallest. Without max-fds and max-connections lighttpd computes them
from its open file limit (src/server.c: half or a third of it, and of 4096 at most).  The number of requests has no
default here: it was 100 up to 1.4.64, and has been 1000 since (src/configfile.c).
"""

from __future__ import annotations

import typing as t

from ..settings import Setting, Settings, Value, smallest
from .conf import Scope

_DEFAULTS: t.Mapping[str, Value] = {
    "server.max-connections": None,
    "server.max-fds": None,
    "server.max-keep-alive-idle": 5,
    "server.max-keep-alive-requests": None,
}


def settings_of(scopes: t.Sequence[Scope]) -> Settings:
    """By lighttpd's names, from evaluated scopes, the global one first.  Pure."""
    return {name: _smallest(name, default, scopes) for name, default in _DEFAULTS.items()}


def _smallest(name: str, default: Value, scopes: t.Sequence[Scope]) -> Setting:
    assigned = [
        Setting(one.value, f"{one.path}:{one.line}") for one in (scope.values.get(name) for scope in scopes) if one
    ]
    return smallest(assigned if name in scopes[0].values else [Setting(default), *assigned])
