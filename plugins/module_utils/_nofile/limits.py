# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Limits as people and unit files write them, what is wanted of them, and what the kernel makes of them.  Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._errors import BadRequest
from .._kernel.rlimits import INFINITY, Limits
from .._want import Want, parse_want

# What strtoull(3) accepts as a whole, and what it accepts after systemd's own 0o and 0b.
_SIGN = r"[ \t\n\v\f\r]*[+-]?"
_NUMBER = re.compile(
    rf"[ \t\n\r]*(?:{_SIGN}(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))|0[oO]{_SIGN}([0-7]+)|0[bB]{_SIGN}([01]+))\Z"
)
_BASES = (16, 8, 10, 8, 2)


def parse_directive(text: str) -> t.Optional[Limits]:
    """The value of ``LimitNOFILE=``, or None for one that systemd ignores.

    systemd 257 src/basic/rlimit-util.c ``rlimit_parse``: ``number`` or ``soft:hard``, where infinity is a number too; a
    colon after the second one is harmless.
    """
    words = text.split(":")
    if len(words) > 3 or words[2:] not in ([], [""]):
        return None
    soft, hard = _number(words[0]), _number(words[-1] if len(words) < 3 else words[1])
    return None if soft is None or hard is None or soft > hard else Limits(soft, hard)


def _number(text: str) -> t.Optional[int]:
    if text == "infinity":
        return INFINITY
    match = _NUMBER.match(text)
    if not match:
        return None
    digits, base = next((digits, base) for digits, base in zip(match.groups(), _BASES) if digits is not None)
    number = int(digits, base)
    # strtoull(3) takes a negative number for a very large one, which systemd refuses.
    return None if number >= INFINITY or (number and "-" in text) else number


@dataclass(frozen=True)
class LimitWant:
    """The wants for both limits. None for one of them means: whatever the other one needs."""

    soft: t.Optional[Want]
    hard: t.Optional[Want]

    def __str__(self) -> str:
        if self.soft == self.hard:
            return str(self.soft)
        return ", ".join(f"{name} {want}" for name, want in (("soft", self.soft), ("hard", self.hard)) if want)

    def satisfied_by(self, limits: Limits) -> bool:
        """Whether both limits are as wanted."""
        return _satisfied(self.soft, limits.soft) and _satisfied(self.hard, limits.hard)

    def target(self, *current: Limits) -> Limits:
        """The acceptable limits closest to the current ones. Raises BadRequest if soft would exceed hard."""
        soft = _target(self.soft, [limits.soft for limits in current])
        hard = _target(self.hard, [limits.hard for limits in current])
        if soft <= hard:
            return Limits(soft, hard)
        if _satisfied(self.hard, soft):
            return Limits(soft, soft)
        if _satisfied(self.soft, hard):
            return Limits(hard, hard)
        raise BadRequest(f"limit: the soft limit {soft} would exceed the hard limit {hard}")

    def floor(self) -> int:
        """The lowest hard limit that can satisfy the want."""
        return self.target(Limits(0, 0)).hard


def _satisfied(want: t.Optional[Want], number: int) -> bool:
    return want is None or want.satisfied_by((number,))


def _target(want: t.Optional[Want], current: t.Sequence[int]) -> int:
    if want is None:
        return current[0]
    return t.cast("int", want.target(*((number,) for number in current))[0])


def parse_limit(raw: t.Any) -> LimitWant:
    """Read a number, ``{relation: number}`` or ``{soft: ..., hard: ...}``.  Raises BadRequest naming what is wrong."""
    if isinstance(raw, dict) and raw and set(raw) <= {"soft", "hard"}:
        want = LimitWant(
            *(_parse_one(raw[name], f"limit.{name}") if name in raw else None for name in ("soft", "hard"))
        )
    else:
        both = _parse_one(raw, "limit")
        want = LimitWant(both, both)
    want.floor()
    return want


def _parse_one(raw: t.Any, name: str) -> Want:
    try:
        want = parse_want(raw)
    except BadRequest as exc:
        raise BadRequest(f"{name}: {exc}") from exc
    if want.value == ("infinity",):
        raise BadRequest(f"{name}: infinity is impossible, the kernel's ceiling is fs.nr_open: use a number")
    if want.relation == "covers" or len(want.value) != 1 or not isinstance(want.value[0], int) or want.value[0] < 1:
        raise BadRequest(f"{name}: a number of files is needed, exactly, at_least or at_most, got {raw!r}")
    return want


@dataclass(frozen=True)
class Ceiling:
    """What bounds the limits of a started unit: the kernel, and systemd's own hard limit and privileges."""

    nr_open: int
    manager_hard: int
    manager_may_raise: bool

    def highest(self, hard: int) -> int:
        """The highest hard limit that a service can give itself, where systemd has given it this one."""
        return self.nr_open if self.manager_may_raise else hard

    def effective(self, declared: Limits) -> Limits:
        """What systemd gives a process at its start.

        systemd 257 src/basic/rlimit-util.c ``setrlimit_closest``: what the kernel refuses is silently clamped to
        systemd's own hard limit.
        """
        highest = self.nr_open if self.manager_may_raise else self.manager_hard
        if declared.hard <= highest:
            return declared
        return Limits(min(declared.soft, self.manager_hard), min(declared.hard, self.manager_hard))
