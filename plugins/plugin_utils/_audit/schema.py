# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which facts there are, of what type, and what their nulls mean: ``facts.yml``.

It serves twice: expressions are checked against it, so that a typo is an error, and a host's facts are brought into
its form, so that what is missing is unknown wherever an expression looks.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.proc_net import COUNTERS
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import BY_KEY

from .clean import MOST, clean, is_mapping
from .unknown import Map, Rows, Unknown

_KEYS: t.Mapping[str, t.Collection[str]] = {"COUNTERS": COUNTERS, "SYSCTLS": BY_KEY}


@dataclass(frozen=True)
class Fact:
    """A fact; ``path`` is how a rule reaches it, ``nullable`` tells that its null says something of the host.

    ``unsaid`` holds what it is, as facts have it, where a record lacks it; empty where it is unknown then.
    """

    path: str = ""
    nullable: bool = False
    unsaid: t.Tuple[t.Any, ...] = field(default=(), kw_only=True)

    def bring(self, value: t.Any) -> t.Any:
        """The value as expressions take it: plain, clean, and Unknown where it does not tell."""
        if value is None:
            return None if self.nullable else Unknown([self.path], null=True)
        return self._bring(value)

    def missing(self) -> Unknown:
        """What stands for a fact that was not gathered."""
        return Unknown([self.path])

    def left_out(self) -> t.Any:
        """What stands for it where a record lacks it."""
        return self.bring(self.unsaid[0]) if self.unsaid else self.missing()

    def _bring(self, value: t.Any) -> t.Any:
        return clean(value)


ANY = Fact()


@dataclass(frozen=True)
class Plain(Fact):
    """A number, a text or a flag."""

    type: str = "text"

    def _bring(self, value: t.Any) -> t.Any:
        found = clean(value)
        return found if type(found) in _TYPES[self.type] else self.missing()


# As clean() gives them.
_TYPES: t.Mapping[str, t.Tuple[type, ...]] = {"number": (int, float), "text": (str,), "flag": (bool,)}


@dataclass(frozen=True)
class List(Fact):
    """A list of items of one kind."""

    item: Fact = ANY

    def _bring(self, value: t.Any) -> t.Any:
        if not isinstance(value, (list, tuple)):
            return self.missing()
        items = [self.item.bring(item) for item in value[:MOST]]
        return items if len(value) <= MOST else Rows(items, frozenset([self.path]))


@dataclass(frozen=True)
class Record(Fact):
    """An object whose names are fixed."""

    fields: t.Mapping[str, Fact] = field(default_factory=dict)

    def _bring(self, value: t.Any) -> t.Any:
        if not is_mapping(value):
            return self.missing()
        return {
            name: fact.bring(value[name]) if name in value else fact.left_out() for name, fact in self.fields.items()
        }


@dataclass(frozen=True)
class Named(Fact):
    """An object whose names differ by host; ``keys``, where not empty, are all that there may be."""

    item: Fact = ANY
    keys: t.FrozenSet[str] = frozenset()
    absent: t.Any = None

    def _bring(self, value: t.Any) -> t.Any:
        if not is_mapping(value):
            return self.missing()
        known = ((clean(str(name)), item) for name, item in value.items() if not self.keys or name in self.keys)
        return Map(((name, self.item.bring(item)) for name, item in known), self.path, self.absent)


@functools.lru_cache(maxsize=1)
def facts() -> Record:
    """All facts of ``facts.yml``."""
    text = Path(__file__).with_name("facts.yml").read_text(encoding="utf-8")
    found = _parse(yaml_load(text), "")
    return t.cast("Record", found)


def _parse(raw: t.Any, path: str) -> Fact:
    spec: t.Mapping[str, t.Any] = {"is": raw} if isinstance(raw, str) else raw
    fact = _parse_kind(spec, path)
    return replace(fact, unsaid=(spec["unsaid"],)) if "unsaid" in spec else fact


def _parse_kind(spec: t.Mapping[str, t.Any], path: str) -> Fact:
    nullable = "null" in spec
    if "list" in spec:
        return List(path, nullable, _parse(spec["list"], f"{path}[]"))
    if "record" in spec:
        prefix = f"{path}." if path else ""
        return Record(
            path, nullable, {name: _parse(inner, f"{prefix}{name}") for name, inner in spec["record"].items()}
        )
    if "map" in spec:
        keys = spec.get("keys", ())
        names = frozenset(_KEYS[keys] if isinstance(keys, str) else keys)
        absent = spec["absent"] if "absent" in spec else Unknown([path])
        return Named(path, nullable, _parse(spec["map"], f"{path}.*"), names, absent)
    return Fact(path, nullable) if spec["is"] == "any" else Plain(path, nullable, spec["is"])
