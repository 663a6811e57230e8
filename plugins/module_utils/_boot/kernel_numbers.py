# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""How the kernel reads numbers that are written to ``/proc/sys``: ``proc_get_long()`` in its kernel/sysctl.c.  Pure."""

from __future__ import annotations

import re
import typing as t

_NUMBER = re.compile(r"(?P<sign>-?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))\Z")
# No other white space may follow a number.
_BETWEEN = re.compile("[ \t\n]+")
# What the kernel skips before a number; it knows no blanks beyond ASCII.
_BLANKS = " \t\n\v\f\r"
_BASES = {"hex": 16, "octal": 8, "decimal": 10}


def taken(text: str, held: str) -> str:
    """What the kernel makes of a text for a key that holds such a value.

    A numeric key takes as many numbers as it holds, including 0x20 and 040, and ignores the words after them:
    ``30 # s`` is 30. A text that is too short or refused, or for another kind of key, is returned as it is.
    """
    count = len(held.split())
    numbers = [number(word.lstrip(_BLANKS)) for word in _BETWEEN.split(text.strip(" \t\n"))[:count]]
    if not count or len(numbers) < count or None in [*numbers, *map(number, held.split())]:
        return text
    return " ".join(map(str, numbers))


def number(word: str) -> t.Optional[int]:
    """The number that a word is to the kernel, such as 24 for ``030``; None for what it refuses."""
    match = _NUMBER.match(word)
    if not match or not match.lastgroup:
        return None
    return int(match["sign"] + match[match.lastgroup], _BASES[match.lastgroup])
