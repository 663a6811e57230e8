# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The connection settings of an httpd configuration.

Facts (httpd 2.4: server/mpm/*/, modules/http/http_core.c, server/util.c ap_timeout_parameter_parse): the last one
counts; KeepAlive and related directives may differ by virtual host, then the smallest is given. MaxClients is the old
name of MaxRequestWorkers, whose default is that of the MPM.
"""

from __future__ import annotations

import typing as t

from ..settings import Setting, Settings, Value, seconds, smallest
from .conf import Directives
from .words import Directive

_NAMES = (
    "MaxRequestWorkers",
    "ThreadsPerChild",
    "ServerLimit",
    "KeepAlive",
    "KeepAliveTimeout",
    "MaxKeepAliveRequests",
)
_ALIASES = {"maxclients": "maxrequestworkers"}
_EVERYWHERE: t.Mapping[str, Value] = {"KeepAlive": "On", "KeepAliveTimeout": 5, "MaxKeepAliveRequests": 100}
_THREADED: t.Mapping[str, Value] = {"MaxRequestWorkers": 400, "ThreadsPerChild": 25, "ServerLimit": 16}
_BY_MPM: t.Mapping[str, t.Mapping[str, Value]] = {
    "mpm_event_module": _THREADED,
    "mpm_worker_module": _THREADED,
    "mpm_prefork_module": {"MaxRequestWorkers": 256, "ServerLimit": 256},
}
_UNITS = {"ms": 0.001, "": 1, "s": 1, "mi": 60, "min": 60, "h": 3600}


def settings_of(directives: Directives) -> Settings:
    """By httpd's names.  Pure."""
    mpm = next((defaults for module, defaults in _BY_MPM.items() if module in directives.modules), {})
    defaults = {**_EVERYWHERE, **mpm}
    settings: t.Dict[str, t.Dict[str, Setting]] = {name.lower(): {"": Setting(defaults.get(name))} for name in _NAMES}
    for section, directive in directives.settings:
        where = f"{directive.path}:{directive.line}"
        name = _ALIASES.get(directive.name, directive.name)
        settings[name][where if section else ""] = Setting(_value(name, directive), where)
    return {name: _one(list(settings[name.lower()].values())) for name in _NAMES}


def _one(settings: t.List[Setting]) -> Setting:
    """The place that turns KeepAlive off, if any; else the smallest number."""
    return next((one for one in settings if one.value == "Off"), None) or smallest(settings)


def _value(name: str, directive: Directive) -> Value:
    text = directive.rest.strip("\"'")
    if name == "keepalive":
        return "Off" if text.lower() in ("off", "0") else "On"
    number = seconds(text, _UNITS)
    return text if number is None else number
