# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The connection settings of an HAProxy configuration.

``maxconn``, ``ulimit-n`` and ``fd-hard-limit`` are those of ``global``.  Without the first HAProxy computes one from
its hard open file limit, or from the last if that is lower, but never from the second (tested with 2.6.12). The others
are the smallest among frontends, and for ``option`` the one that keeps connections least. Lines in conditional blocks
do not count. Facts: doc/configuration.txt of 2.6 and 3.2, and cfgparse-listen.c, where each of the options replaces the
others.
"""

from __future__ import annotations

import typing as t

from ..settings import Setting, Settings, seconds, smallest
from .conf import Model, Section

_NUMBERS = ("maxconn", "ulimit-n", "fd-hard-limit")
_MODES = ("httpclose", "http-server-close", "http-keep-alive")
_TIMEOUT = "timeout http-keep-alive"
# HAProxy counts in milliseconds if no unit is given.
_UNITS = {"us": 0.000001, "ms": 0.001, "": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NONE = Setting(None)


def settings_of(model: Model) -> Settings:
    """By HAProxy's names.  Pure."""
    everywhere = [_of(section) for section in model.sections if section.kind == "global"]
    proxies = [_of(section) for section in model.sections if section.binds and not section.disabled]
    modes = [one.get("option", Setting(_MODES[-1])) for one in proxies]
    return {
        **{name: _global(name, everywhere) for name in _NUMBERS},
        "frontend maxconn": smallest([_NONE, *(one.get("maxconn", _NONE) for one in proxies)]),
        "option": min(modes, key=lambda one: _MODES.index(str(one.value)), default=Setting(_MODES[-1])),
        _TIMEOUT: smallest([_NONE, *(one.get(_TIMEOUT, _NONE) for one in proxies)]),
    }


def _global(name: str, sections: t.Sequence[Settings]) -> Setting:
    """Of maxconn the first counts (src/cfgparse-global.c), of the others the last."""
    settings = [one[name] for one in sections if name in one] or [_NONE]
    return settings[0] if name == "maxconn" else settings[-1]


def _of(section: Section) -> Settings:
    """What one section, or its defaults, sets."""
    settings: Settings = {}
    for words, source in section.statements:
        name, value = " ".join(words[:-1]), words[-1]
        if name in _NUMBERS and value.isdigit():
            first = settings.get(name, _NONE) if section.kind == "global" and name == "maxconn" else _NONE
            settings[name] = first if first.value else Setting(int(value) or None, source)
        elif name == _TIMEOUT:
            settings[name] = Setting(seconds(value, _UNITS), source)
        elif name == "option" and value in _MODES:
            settings[name] = Setting(value, source)
        elif name == "no option" and settings.get("option", _NONE).value == value:
            del settings["option"]
    return settings
