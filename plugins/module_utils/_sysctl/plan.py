# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What to do about each key, from what is wanted and what was observed.  Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import BadRequest
from .._plan import Plain, Row
from .._want import Value, Want, parse_value, plain, render
from . import guards
from .catalog import lookup

# A key that cannot be what is wanted, or that was left alone, is one of these; everything else is ok or changed.
SKIPPED, REFUSED, OVERRIDDEN, READ_ONLY = "skipped", "refused", "overridden", "read_only"


@dataclass(frozen=True)
class Observed:
    """One key as it was found; texts are as the kernel and the files spell them.

    ``runtime`` is None where this kernel or namespace lacks the key.  ``boot_of_others`` is what the next boot would
    give if our drop-in did not exist.  ``original`` is what the key held before it was first managed.
    ``read_only`` means that not even root could write it from here.
    """

    runtime: t.Optional[str]
    read_only: bool = False
    boot: t.Optional[str] = None
    boot_source: t.Optional[str] = None
    boot_of_others: t.Optional[str] = None
    own_line: t.Optional[str] = None
    original: t.Optional[str] = None
    note: str = ""


@dataclass(frozen=True)
class KeyPlan:
    """What becomes of one key.  ``write`` is the text for the kernel, ``line`` the value in our drop-in."""

    key: str
    want: t.Optional[Want]
    write: t.Optional[str] = None
    line: t.Optional[str] = None
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that would be done, before any of it is."""

    keys: t.Mapping[str, KeyPlan]

    @property
    def writes(self) -> t.Dict[str, str]:
        """The texts for the kernel, by key."""
        return {key: plan.write for key, plan in self.keys.items() if plan.write is not None}

    def with_status(self, status: str) -> t.List[KeyPlan]:
        """The keys that got this status."""
        return [plan for plan in self.keys.values() if plan.status == status]


def plan_present(wants: t.Mapping[str, Want], observed: t.Mapping[str, Observed], *, force: bool = False) -> Plan:
    """Plan to make every want true, now and at the next boot.  Raises BadRequest where a want cannot be of its key."""
    return Plan({key: _present(key, want, observed[key], force) for key, want in wants.items()})


def plan_absent(keys: t.Iterable[str], observed: t.Mapping[str, Observed]) -> Plan:
    """Plan to drop our lines and give the keys back what they held before."""
    return Plan({key: _absent(key, observed[key]) for key in keys})


def _present(key: str, want: Want, seen: Observed, force: bool) -> KeyPlan:
    if seen.runtime is None:
        return KeyPlan(key, want, line=seen.own_line, status=SKIPPED, reason=f"{key} does not exist here{seen.note}")
    runtime = _value(key, seen.runtime)
    try:
        in_force = want.satisfied_by(runtime)
        line = want.target(*_known(key, want, seen.own_line or seen.runtime, seen.boot_of_others))
        aim = runtime if in_force else want.target(*_known(key, want, seen.runtime, line_text(want, line)))
    except BadRequest as exc:
        raise BadRequest(f"{key}: {exc}", key=key, value=render(want.value, ports=want.ports)) from exc
    reason = None if force else guards.refusal(guards.Change(key, runtime, aim))
    if reason:
        return KeyPlan(key, want, line=seen.own_line, status=REFUSED, reason=f"{reason} (force allows it)")
    if not in_force and seen.read_only:
        return KeyPlan(
            key, want, line=line_text(want, line), status=READ_ONLY, reason=f"{key} cannot be written from here"
        )
    return KeyPlan(key, want, None if in_force else line_text(want, aim), line_text(want, line))


def _absent(key: str, seen: Observed) -> KeyPlan:
    ports = lookup(key).ports
    gives_back = (
        seen.runtime is not None
        and seen.original is not None
        and parse_value(seen.original, ports=ports) != parse_value(seen.runtime, ports=ports)
    )
    if gives_back and seen.read_only:
        return KeyPlan(key, None, status=READ_ONLY, reason=f"{key} cannot be written from here")
    return KeyPlan(key, None, write=seen.original if gives_back else None)


def line_text(want: Want, value: Value) -> str:
    """The value in the spelling of the key it is wanted for."""
    return render(value, ports=want.ports)


def _value(key: str, text: str) -> Value:
    return parse_value(text, ports=lookup(key).ports)


def _known(key: str, want: Want, *texts: t.Optional[str]) -> t.List[Value]:
    """The values among the texts that can be compared with the want: files hold all sorts of things."""
    values: t.List[Value] = []
    for text in texts:
        if text is None:
            continue
        try:
            value = _value(key, text)
            want.target(value)
        except BadRequest:
            continue
        values.append(value)
    return values


def satisfied(key: str, want: Want, text: t.Optional[str]) -> bool:
    """Whether a text, from the kernel or a file, is what is wanted; what cannot be compared is not."""
    return text is not None and any(want.satisfied_by(value) for value in _known(key, want, text))


def verdict(plan: KeyPlan, before: Observed, after: Observed) -> Row:
    """The row for one key, judged by what was read back, or in check mode by what was predicted."""
    status, reason = plan.status, plan.reason
    if status == "ok":
        changed = (before.runtime, before.boot, before.own_line) != (after.runtime, after.boot, after.own_line)
        status = "changed" if changed else "ok"
        if plan.want and plan.line is not None and not satisfied(plan.key, plan.want, after.boot):
            status, reason = OVERRIDDEN, f"the next boot gives {after.boot}, from {after.boot_source}"
    return Row(
        want=str(plan.want) if plan.want else None,
        runtime_before=data(plan.key, before.runtime),
        runtime=data(plan.key, after.runtime),
        boot_before=data(plan.key, before.boot),
        boot=data(plan.key, after.boot),
        source=after.boot_source,
        status=status,
        reason=reason or after.note,
    )


def data(key: str, text: t.Optional[str]) -> Plain:
    """A text as result data: a number, a list of numbers, or the text itself."""
    if text is None:
        return None
    ports = lookup(key).ports
    try:
        return plain(parse_value(text, ports=ports), ports=ports)
    except BadRequest:
        return text
