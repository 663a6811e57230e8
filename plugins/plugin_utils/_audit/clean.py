# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What comes from hosts is cleaned once, before anything reads or prints it."""

from __future__ import annotations

import collections.abc
import typing as t

# Characters of a text, and items of a list: one host must not make the report of all so long that nobody can open it.
LONGEST = 4000
MOST = 2000
_TOO_LARGE = 2**64  # for the kernel, and long before that for what reads a report
_REPLACEMENT = "\ufffd"


def clean(value: t.Any) -> t.Any:
    """A copy of plain types, as JSON and XML can carry them; numbers that are none, or none of a kernel's, become null.

    Ansible hands over types of its own, which JMESPath does not know by name.
    """
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if is_mapping(value):
        return {clean_text(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, collections.abc.Iterable):
        return [clean(item) for item in value]
    return clean_text(str(value))


def is_mapping(value: t.Any) -> bool:
    """Whether it has names and values.  Nearly all that has is a dict, and to ask the abstract class takes longer."""
    return isinstance(value, dict) or isinstance(value, collections.abc.Mapping)  # noqa: SIM101


def _number(value: float) -> t.Optional[float]:
    if not abs(value) < _TOO_LARGE:  # nor is not-a-number
        return None
    return int(value) if isinstance(value, int) else float(value)


def clean_text(text: str) -> str:
    """One line without characters that control a terminal, turn its direction, or cannot be in XML; not without end."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\u2026"
    return str(text) if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else _REPLACEMENT
