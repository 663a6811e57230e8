# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What is not known of a host, as a value that goes through expressions and makes no verdict."""

from __future__ import annotations

import typing as t


class Unknown:
    """A value that the facts do not give.

    ``facts`` names them. ``null`` tells that the fact is there and null: only an explicit comparison with null, as in
    ``rates != null``, may ask about that; one whose subset was not gathered cannot be asked at all.
    """

    __slots__ = ("facts", "null")

    def __init__(self, facts: t.Iterable[str], *, null: bool = False) -> None:
        self.facts = frozenset(facts)
        self.null = null

    def __repr__(self) -> str:
        return f"Unknown({', '.join(sorted(self.facts))})"


class Rows(t.List[t.Any]):
    """A list of which it is unknown whether it has all it should: the condition of some rows could not be told."""

    __slots__ = ("unsure",)

    def __init__(self, rows: t.Iterable[t.Any], unsure: t.FrozenSet[str]) -> None:
        super().__init__(rows)
        self.unsure = unsure


class Map(t.Dict[str, t.Any]):
    """An object whose names differ by host; ``path`` is how rules call it, ``absent`` what a missing name gives."""

    __slots__ = ("absent", "path")

    def __init__(self, items: t.Iterable[t.Tuple[str, t.Any]], path: str, absent: t.Any) -> None:
        super().__init__(items)
        self.path = path
        self.absent = absent

    def __missing__(self, name: str) -> t.Any:
        if isinstance(self.absent, Unknown):  # ... and says which name it is
            return Unknown([f'{self.path}."{name}"' if set(".-/ ") & set(name) else f"{self.path}.{name}"], null=True)
        return self.absent


def unsure(value: t.Any) -> t.FrozenSet[str]:
    """The facts for want of which a list may be incomplete."""
    return value.unsure if isinstance(value, Rows) else frozenset()


def doubts_of(values: t.Iterable[t.Any], *, deep: bool = True) -> t.Set[str]:
    """The facts for want of which one of the values is unknown; ``deep`` looks at the items of lists, too."""
    doubts: t.Set[str] = set()
    for value in values:
        if isinstance(value, Unknown):
            doubts |= value.facts
        elif isinstance(value, list):
            doubts |= unsure(value)
            if deep:
                doubts.update(*(item.facts for item in value if isinstance(item, Unknown)))
    return doubts


def is_false(value: t.Any) -> bool:
    """What JMESPath takes for false: not zero, and not a list that may be incomplete."""
    return value is None or value is False or (isinstance(value, (str, list, dict)) and not value and not unsure(value))


def truth(value: t.Any) -> t.Union[bool, Unknown]:
    """Whether the value counts as true."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Rows) and not value:
        return Unknown(value.unsure)
    return not is_false(value)


def plain(value: t.Any) -> t.Any:
    """The value as JSON can have it: null for what is unknown."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
