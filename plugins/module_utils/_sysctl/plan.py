# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What to do about each key, from what is wanted and what was observed.  Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._errors import BadRequest
from .._plan import Plain, Row
from .._want import Value, Want, plain, render
from . import guards
from .catalog import lookup, value_of
from .rivals import Rival

# A key that cannot be as wanted, or that was left alone, has one of these; everything else is ok or changed.
SKIPPED, REFUSED, OVERRIDDEN, READ_ONLY = "skipped", "refused", "overridden", "read_only"
_LEFT = "left as it is, since the run was refused for other keys"
_READ_ONLY = "cannot be written from here: /proc/sys is mounted read-only, or the key belongs to another namespace"


@dataclass(frozen=True)
class Observed:
    """One key as observed; texts are as the kernel and the files spell them.

    ``runtime`` is None if this kernel or namespace lacks the key, and ``absence`` says why. ``module`` is the kernel
    module that is loaded for the key. ``host_wide`` marks a host-wide key if only a namespace was requested.
    ``read_only`` means that not even root could write it from here. ``boot_of_others`` is what the next boot would give
    without our drop-in. ``original`` is what the key held before it was first managed, and ``elsewhere`` what another
    drop-in of ours sets it to.
    """

    runtime: t.Optional[str]
    absence: str = ""
    module: str = ""
    host_wide: bool = False
    read_only: bool = False
    boot: t.Optional[str] = None
    boot_source: t.Optional[str] = None
    boot_of_others: t.Optional[str] = None
    own_line: t.Optional[str] = None
    original: t.Optional[str] = None
    elsewhere: t.Optional[str] = None
    note: str = ""

    @property
    def given_back(self) -> t.Optional[str]:
        """What the key gets when it is no longer managed by this file."""
        return self.original if self.elsewhere is None else self.elsewhere


@dataclass(frozen=True)
class KeyPlan:
    """The plan for one key. ``write`` is the text for the kernel, ``line`` the value in our drop-in."""

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

    def changing(self, observed: t.Mapping[str, Observed]) -> t.FrozenSet[str]:
        """The keys that would get a different running value or line."""
        return frozenset(
            key for key, plan in self.keys.items() if plan.write is not None or plan.line != observed[key].own_line
        )


@dataclass(frozen=True)
class _Aim:
    """An existing key, its target now, and at the next boot; ``runtime`` is None while it is still to be loaded."""

    key: str
    want: Want
    observed: Observed
    runtime: t.Optional[Value]
    now: Value
    boot: Value

    @property
    def in_force(self) -> bool:
        return self.runtime is not None and self.want.satisfied_by(self.runtime)


def plan_present(
    wants: t.Mapping[str, Want],
    observed: t.Mapping[str, Observed],
    *,
    context: guards.Context = guards.NOTHING_KNOWN,
    force: bool = False,
    persist: bool = True,
) -> Plan:
    """Plan to satisfy every want, now and, with ``persist``, at the next boot.

    Raises BadRequest if a want does not fit its key.
    """
    plans = {key: _out_of_reach(key, want, observed[key]) for key, want in wants.items()}
    aims = {key: _aim(key, want, observed[key]) for key, want in wants.items() if plans[key] is None}
    context = replace(context, planned={key: aim.now for key, aim in aims.items()})
    return Plan({key: plan or _present(aims[key], context, force, persist) for key, plan in plans.items()})


def plan_absent(keys: t.Iterable[str], observed: t.Mapping[str, Observed], *, reason: str = "") -> Plan:
    """Plan to drop our lines and restore what the keys held before."""
    return Plan({key: _absent(key, observed[key], reason) for key in keys})


def _out_of_reach(key: str, want: Want, observed: Observed) -> t.Optional[KeyPlan]:
    if observed.host_wide:
        return KeyPlan(key, want, status=REFUSED, reason=f"{key} is host-wide: no network namespace has its own")
    if observed.runtime is None and not observed.module:
        return KeyPlan(key, want, line=observed.own_line, status=SKIPPED, reason=observed.absence)
    return None


def _aim(key: str, want: Want, observed: Observed) -> _Aim:
    runtime = None if observed.runtime is None else value_of(key, observed.runtime)
    try:
        if runtime is not None:
            want.target(runtime)
        boot = want.target(*_known(key, want, observed.own_line or observed.runtime, observed.boot_of_others))
        if runtime is not None and want.satisfied_by(runtime):
            return _Aim(key, want, observed, runtime, runtime, boot)
        now = want.target(*_known(key, want, observed.runtime, line_text(want, boot)))
    except BadRequest as exc:
        raise BadRequest(f"{key}: {exc}", key=key, value=render(want.value, ports=want.ports)) from exc
    return _Aim(key, want, observed, runtime, now, boot)


def _present(aim: _Aim, context: guards.Context, force: bool, persist: bool) -> KeyPlan:
    if not force:
        refusals = filter(None, (guards.refusal(change, context) for change in _changes(aim, persist)))
        reason = next(refusals, "")
        if reason:
            return KeyPlan(
                aim.key, aim.want, line=aim.observed.own_line, status=REFUSED, reason=f"{reason} (force allows it)"
            )
    line = line_text(aim.want, aim.boot) if persist else None
    if aim.in_force:
        return KeyPlan(aim.key, aim.want, line=line)
    if aim.observed.read_only:
        return KeyPlan(aim.key, aim.want, line=line, status=READ_ONLY, reason=_READ_ONLY)
    reason = f"needs the module {aim.observed.module}, which load_modules loads" if aim.observed.module else ""
    return KeyPlan(aim.key, aim.want, line_text(aim.want, aim.now), line, reason=reason)


def _changes(aim: _Aim, persist: bool) -> t.Iterator[guards.Change]:
    """What guards are to judge: the running value, and the boot value if our line changes."""
    if not aim.in_force:
        yield guards.Change(aim.key, aim.runtime, aim.now)
    if persist and _parsed(aim.key, aim.observed.own_line) != aim.boot:
        yield guards.Change(aim.key, _parsed(aim.key, aim.observed.boot), aim.boot, aim.observed.boot_source)


def _absent(key: str, observed: Observed, reason: str) -> KeyPlan:
    text = observed.given_back
    gives_back = (
        observed.runtime is not None and text is not None and value_of(key, text) != value_of(key, observed.runtime)
    )
    if gives_back and observed.read_only:
        return KeyPlan(key, None, status=READ_ONLY, reason=_READ_ONLY)
    return KeyPlan(key, None, write=text if gives_back else None, reason=reason)


def line_text(want: Want, value: Value) -> str:
    """The value in the spelling of its key."""
    return render(value, ports=want.ports)


def _parsed(key: str, text: t.Optional[str]) -> t.Optional[Value]:
    """The value of a line in a file, or None if there is none or it is invalid."""
    try:
        return None if text is None else value_of(key, text)
    except BadRequest:
        return None


def _known(key: str, want: Want, *texts: t.Optional[str]) -> t.List[Value]:
    """The values among the texts that can be compared with the want: files may contain anything."""
    values: t.List[Value] = []
    for text in texts:
        if text is None:
            continue
        try:
            value = value_of(key, text)
            want.target(value)
        except BadRequest:
            continue
        values.append(value)
    return values


def satisfied(key: str, want: Want, text: t.Optional[str]) -> bool:
    """Whether a text, from the kernel or a file, is as wanted; one that cannot be compared is not."""
    return text is not None and any(want.satisfied_by(value) for value in _known(key, want, text))


def verdict(plan: KeyPlan, before: Observed, after: Observed, rivalry: str = "") -> Row:
    """The row for one key, judged by what was read back, or in check mode by what was predicted."""
    status, reason = plan.status, plan.reason
    if status == "ok":
        changed = (before.runtime, before.boot, before.own_line) != (after.runtime, after.boot, after.own_line)
        status = "changed" if changed else "ok"
        if plan.want and plan.line is not None and not satisfied(plan.key, plan.want, after.boot):
            status, reason = OVERRIDDEN, _at_boot(after)
    return Row(
        want=str(plan.want) if plan.want else None,
        runtime_before=data(plan.key, before.runtime),
        runtime=data(plan.key, after.runtime),
        boot_before=data(plan.key, before.boot),
        boot=data(plan.key, after.boot),
        source=after.boot_source,
        status=status,
        reason="; ".join(filter(None, (reason, rivalry, after.note))),
    )


def _at_boot(after: Observed) -> str:
    if after.boot is None:
        return "the next boot gives the kernel's default, because no file that is read then sets it"
    return f"the next boot gives {after.boot}, from {after.boot_source}"


def rows_of_refusal(plan: Plan, observed: t.Mapping[str, Observed]) -> t.Dict[str, Row]:
    """The rows of a run that was refused for some of its keys: the others were not touched either."""
    changing = plan.changing(observed)

    def left(key: str, entry: KeyPlan) -> KeyPlan:
        idle = entry.status != "ok" or key not in changing
        return entry if idle else replace(entry, line=None, status=SKIPPED, reason=_LEFT)

    return {key: verdict(left(key, entry), observed[key], observed[key]) for key, entry in plan.keys.items()}


def rivalry(plan: KeyPlan, rival: t.Optional[Rival]) -> str:
    """What will win or fight over the key, empty if nothing does or it sets the same value."""
    if plan.want is None or plan.status == SKIPPED or rival is None:
        return ""
    return "" if satisfied(plan.key, plan.want, rival.value) else rival.reason


def data(key: str, text: t.Optional[str]) -> Plain:
    """A text as result data: a number, a list of numbers, or the text itself."""
    if text is None:
        return None
    try:
        return plain(value_of(key, text), ports=lookup(key).ports)
    except BadRequest:
        return text


def data_text(key: str, text: t.Optional[str]) -> str:
    """A text in a canonical spelling, the same for equal values."""
    value = data(key, text)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
