# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A configuration's connection settings, in a server's own terms. Pure.

INTERFACE
    Setting, Settings          one setting, and all of a server by name
    smallest(settings)         of one setting that may be said in several places
    seconds(text, units)       a time in the server's own units
"""

from __future__ import annotations

import re
import typing as t

Number = t.Union[int, float]
Value = t.Union[str, Number, None]

_PART = re.compile(r"([0-9]+)([a-zA-Z]*) *")


class Setting(t.NamedTuple):
    """One setting. ``source`` is file:line, None for the built-in default.

    Times are in seconds. ``value`` is None if it is not set and has no fixed default.
    """

    value: Value
    source: t.Optional[str] = None


Settings = t.Dict[str, Setting]


def smallest(settings: t.Iterable[Setting]) -> Setting:
    """The smallest number of a setting in several places, where problems arise; the first if none is a number."""
    return min(settings, key=lambda one: one.value if isinstance(one.value, (int, float)) else float("inf"))


def seconds(text: str, units: t.Mapping[str, Number]) -> t.Optional[Number]:
    """The sum of numbers with units, whose seconds are given; None if it is not such a sum."""
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text) or any(unit not in units for _number, unit in parts):
        return None
    total = sum(int(number) * units[unit] for number, unit in parts)
    return int(total) if total == int(total) else total
