# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What a configuration says of connections, in a server's own words.  Pure.

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
    """What is said of one setting.  ``source`` is file:line, None for the built-in default.

    Times are in seconds.  ``value`` is None for what is not set and has no fixed default.
    """

    value: Value
    source: t.Optional[str] = None


Settings = t.Dict[str, Setting]


def smallest(settings: t.Iterable[Setting]) -> Setting:
    """Of one setting in several places the smallest number, which is where a trap is; the first where none is one."""
    return min(settings, key=lambda one: one.value if isinstance(one.value, (int, float)) else float("inf"))


def seconds(text: str, units: t.Mapping[str, Number]) -> t.Optional[Number]:
    """The sum of numbers with units, whose seconds are given; None for what is no such sum."""
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text) or any(unit not in units for _number, unit in parts):
        return None
    total = sum(int(number) * units[unit] for number, unit in parts)
    return int(total) if total == int(total) else total
