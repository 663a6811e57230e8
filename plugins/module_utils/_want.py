# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What is wanted of a setting: a relation to a value, on numbers and on tuples.

A value is a tuple of tokens, as ``/proc/sys`` prints them: ``(4096,)``, ``(32768, 60999)``, ``("cubic",)``.
A list of ports is the sorted tuple of all its ports, so that ``8000-8002`` and ``8002,8000,8001`` are one value. A free
text, which may include digits and blanks, is one token.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ._boot import kernel_numbers
from ._errors import BadRequest

Token = t.Union[int, str]
Value = t.Tuple[Token, ...]

RELATIONS = ("exactly", "at_least", "at_most", "covers")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
# To the kernel and systemd, a no-break space is not a blank.
_BLANKS = " \t\n\v\f\r"
_WORDS = re.compile(f"[^{_BLANKS}]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True)
class Want:
    """One relation and its operand; ``ports`` marks a set of ports, where order and spelling do not matter."""

    relation: str
    value: Value
    ports: bool = False

    def __str__(self) -> str:
        words = self.relation.replace("_", " ")
        return f"{words} {render(self.value, ports=self.ports)}"

    def satisfied_by(self, current: Value) -> bool:
        """Whether ``current`` is already as wanted. Raises BadRequest if the two cannot be compared."""
        return self.target(current) == current

    def target(self, *current: Value) -> Value:
        """The acceptable value closest to the ``current`` ones: a floor keeps what is higher, a range what is wider."""
        result = self.value
        for value in current:
            self._check_comparable(value)
            result = self._meet(result, value)
        return result

    def _meet(self, wanted: Value, current: Value) -> Value:
        if self.relation == "exactly":
            return wanted
        if self.ports:
            return tuple(sorted(set(wanted) | set(current)))
        if self.relation == "covers":
            return (min(_numbers(wanted)[0], _numbers(current)[0]), max(_numbers(wanted)[1], _numbers(current)[1]))
        choose = max if self.relation == "at_least" else min
        return tuple(choose(pair) for pair in zip(_numbers(wanted), _numbers(current)))

    def _check_comparable(self, current: Value) -> None:
        if self.ports or (self.relation == "exactly" and not (current and _is_numeric(current))):
            return
        if len(self.value) != len(current):
            raise BadRequest(f"{describe(self.value)} wanted where the kernel holds {describe(current)}")
        if _is_numeric(current) and not _is_numeric(self.value):
            raise BadRequest(f"{render(self.value)!r} wanted where the kernel holds {describe(current)}")
        if self.relation != "exactly" and not _is_numeric(current):
            raise BadRequest(f"{self.relation} compares numbers, the kernel holds {render(current)!r}")


def parse_want(raw: t.Any, *, ports: bool = False, text: bool = False) -> Want:
    """Read ``value`` or ``{relation: value}``; a bare value means exactly.  Raises BadRequest naming what is wrong."""
    if not isinstance(raw, dict):
        return Want("exactly", parse_value(raw, ports=ports, text=text), ports)
    if len(raw) != 1 or next(iter(raw)) not in RELATIONS:
        given = ", ".join(str(key) for key in raw) or "nothing"
        raise BadRequest(f"one of {', '.join(RELATIONS)} is needed, got {given}")
    relation, operand = next(iter(raw.items()))
    want = Want(relation, parse_value(operand, ports=ports, text=text), ports)
    _check_relation(want)
    return want


def _check_relation(want: Want) -> None:
    if want.ports:
        if want.relation not in ("exactly", "covers"):
            raise BadRequest(f"{want.relation} has no meaning for a set of ports: use exactly or covers")
        return
    if want.relation == "exactly":
        return
    if not want.value or not _is_numeric(want.value):
        raise BadRequest(f"{want.relation} needs a number, got {render(want.value)!r}")
    if want.relation == "covers":
        numbers = _numbers(want.value)
        if len(numbers) != 2 or numbers[0] > numbers[1]:
            raise BadRequest(f"covers needs a range, low and high, got {render(want.value)!r}")


def parse_value(raw: t.Any, *, ports: bool = False, text: bool = False) -> Value:
    """Turn what YAML or ``/proc/sys`` gives into a value.  Raises BadRequest on booleans, line breaks and the like.

    Numbers are read as the kernel reads them: ``030`` is 24. ``text`` is for keys that do not hold numbers.
    """
    tokens = list(_tokens(raw))
    if text:
        return (raw.strip(_BLANKS) if isinstance(raw, str) else " ".join(tokens),)
    if ports:
        return _port_set(tokens)
    numbers = ((token, kernel_numbers.number(token)) for token in tokens)
    return tuple(token if known is None else known for token, known in numbers)


def _tokens(raw: t.Any) -> t.Iterator[str]:
    if isinstance(raw, bool):
        raise BadRequest(f"{raw} is a boolean; write the number the kernel expects, such as {int(raw)}")
    if isinstance(raw, int):
        yield str(raw)
    elif isinstance(raw, str):
        if _CONTROL.search(raw):
            raise BadRequest(f"{raw!r} contains a line break or control character")
        yield from _WORDS.findall(raw)
    elif isinstance(raw, (list, tuple)):
        for item in raw:
            yield from _tokens(item)
    else:
        raise BadRequest(f"{raw!r} is neither a number, a text nor a list of them")


def _port_set(tokens: t.Iterable[str]) -> Value:
    ports: t.Set[int] = set()
    for part in ",".join(tokens).split(","):
        if not part:
            continue
        match = _PORTS.match(part)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= low <= high <= 65535:
            raise BadRequest(f"{part!r} is neither a port nor a range of ports")
        ports.update(range(low, high + 1))
    return tuple(sorted(ports))


def render(value: Value, *, ports: bool = False) -> str:
    """The text the kernel and sysctl.d files take: ``32768 60999``, ``8000-8002,9000``."""
    if ports:
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in _runs(_numbers(value)))
    return " ".join(str(token) for token in value)


def plain(value: Value, *, ports: bool = False) -> t.Union[int, str, t.List[int]]:
    """The value as result data: a number, a list of numbers, or a text."""
    if ports or not value or not _is_numeric(value):
        return render(value, ports=ports)
    numbers = _numbers(value)
    return numbers[0] if len(numbers) == 1 else list(numbers)


def describe(value: Value) -> str:
    """How a person would name the shape: ``a number``, ``3 numbers``, ``the text 'cubic'``."""
    if not _is_numeric(value):
        return f"the text {render(value)!r}"
    return {0: "nothing", 1: "a number"}.get(len(value), f"{len(value)} numbers")


def _runs(numbers: t.Sequence[int]) -> t.Iterator[t.Tuple[int, int]]:
    low: t.Optional[int] = None
    last = 0
    for number in numbers:
        if low is not None and number == last + 1:
            last = number
            continue
        if low is not None:
            yield low, last
        low = last = number
    if low is not None:
        yield low, last


def _is_numeric(value: Value) -> bool:
    return all(isinstance(token, int) for token in value)


def _numbers(value: Value) -> t.Tuple[int, ...]:
    return t.cast("t.Tuple[int, ...]", value)
