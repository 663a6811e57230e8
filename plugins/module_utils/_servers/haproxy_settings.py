# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What an HAProxy configuration says of connections.

``maxconn``, ``ulimit-n`` and ``fd-hard-limit`` are those of ``global``.  Without the first HAProxy computes one from
its hard limit of open files, or from the last if that is lower, but never from the second (tried with 2.6.12).  The
others are of frontends, where the smallest is told, and of ``option`` what keeps connections least.  Lines in
conditional blocks do not count.  Facts: doc/configuration.txt of 2.6 and 3.2, and cfgparse-listen.c, where each of the
options takes the place of the others.
"""

from __future__ import annotations

import re
import typing as t

from .haproxy_conf import Model, Section
from .server import Setting, Settings, smallest

_MODES = ("httpclose", "http-server-close", "http-keep-alive")
_TIMEOUT = "timeout http-keep-alive"
_SECONDS = {"us": 0.000001, "ms": 0.001, "": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"([0-9]+)(us|ms|[smhd]?)")
_NONE = Setting(None)


def settings(model: Model) -> Settings:
    """By HAProxy's names.  Pure."""
    everywhere = [_of(section) for section in model.sections if section.kind == "global"]
    proxies = [_of(section) for section in model.sections if section.binds and not section.disabled]
    modes = [one.get("option", Setting(_MODES[-1])) for one in proxies]
    return {
        "maxconn": next((one["maxconn"] for one in everywhere if "maxconn" in one), _NONE),
        "ulimit-n": next((one["ulimit-n"] for one in reversed(everywhere) if "ulimit-n" in one), _NONE),
        "fd-hard-limit": next((one["fd-hard-limit"] for one in reversed(everywhere) if "fd-hard-limit" in one), _NONE),
        "frontend maxconn": smallest([_NONE, *(one.get("maxconn", _NONE) for one in proxies)]),
        "option": min(modes, key=lambda one: _MODES.index(str(one.value)), default=Setting(_MODES[-1])),
        _TIMEOUT: smallest([_NONE, *(one.get(_TIMEOUT, _NONE) for one in proxies)]),
    }


def _of(section: Section) -> Settings:
    """What one section says, or its defaults."""
    found: Settings = {}
    for words, source in section.said:
        name, value = " ".join(words[:-1]), words[-1]
        if name in ("maxconn", "ulimit-n", "fd-hard-limit") and value.isdigit():
            first = found.get(name) if section.kind == "global" and name == "maxconn" else None
            found[name] = first if first and first.value else Setting(int(value) or None, source)
        elif name == _TIMEOUT and _TIME.fullmatch(value):
            found[name] = Setting(_seconds(value), source)
        elif name == "option" and value in _MODES:
            found[name] = Setting(value, source)
        elif name == "no option" and found.get("option", _NONE).value == value:
            del found["option"]
    return found


def _seconds(text: str) -> t.Union[int, float]:
    """HAProxy counts in milliseconds where no unit is given."""
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _TIME.findall(text))
    return int(seconds) if seconds == int(seconds) else seconds
