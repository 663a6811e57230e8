# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The outcome, from what was observed before and after. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._kernel.rlimits import INFINITY, Limits
from .limits import LimitWant
from .observed import Observed, Process
from .plan import by_itself, falls_short

# From worst to best: the verdict is the worst of the unit and its processes.
OVERRIDDEN, LIMITED, RESTART_REQUIRED, OWN_LIMIT, CHANGED, OK = (
    "overridden",
    "limited",
    "restart_required",
    "own_limit",
    "changed",
    "ok",
)
_ORDER = (OVERRIDDEN, LIMITED, RESTART_REQUIRED, OWN_LIMIT, CHANGED, OK)
_AGAIN = "which may come back when it reloads or restarts"


@dataclass(frozen=True)
class ProcessRow:
    """The result for one process; ``before`` is None for one started in the meantime."""

    pid: int
    name: str
    unit: str
    before: t.Optional[Limits]
    after: Limits
    used: t.Optional[int]
    status: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The result for the unit."""

    status: str
    reason: str
    restart_required: bool
    rows: t.Tuple[ProcessRow, ...]


def judge(want: LimitWant, before: Observed, after: Observed, kept: t.Mapping[int, str], *, acted: bool) -> Verdict:
    """The verdict if a limit was wanted.

    ``kept`` is as in Plan; ``acted`` says whether files were changed, or systemd was told to do anything.
    """
    known = {process.pid: process for process in before.processes()}
    rows = tuple(
        _row(want, known.get(process.pid), process, kept.get(process.pid, "")) for process in after.processes()
    )
    status, reason = _of_unit(want, after)
    if status == OK and acted:
        status = CHANGED
    worst = min([status, *(row.status for row in rows)], key=_ORDER.index)
    if not reason or worst != status:
        reason = _summary(worst, rows) or reason
    return Verdict(worst, reason or after.note, any(row.status == RESTART_REQUIRED for row in rows), rows)


def judge_absent(before: Observed, after: Observed, *, removed: bool) -> Verdict:
    """The verdict if our drop-in was to be removed; processes keep their limits until they are restarted."""
    known = {process.pid: process for process in before.processes()}
    rows = tuple(
        _process_row(
            known.get(process.pid),
            process,
            OK,
            _kept_until_restart(process) if removed else "",
        )
        for process in after.processes()
    )
    return Verdict(CHANGED if removed else OK, after.note, restart_required=False, rows=rows)


def _of_unit(want: LimitWant, after: Observed) -> t.Tuple[str, str]:
    """The verdict on the unit's next start, whatever its processes have now."""
    view = after.subject
    declared, at_start = after.declared(view), after.at_start(view)
    if view.loaded is None or not want.satisfied_by(view.loaded):
        return OVERRIDDEN, f"{declared.source} sets {declared.limits}, and systemd has {view.loaded}"
    script = after.script_of(view)
    if script and not want.satisfied_by(script.limits):
        return LIMITED, f"{script.source} makes it {script.limits} at each start, whatever the unit says: {script.cure}"
    if at_start is None or not want.satisfied_by(at_start):
        return LIMITED, (
            f"systemd gives {at_start} where {view.loaded} is declared: its own hard limit is "
            f"{after.ceiling.manager_hard}, and it may not exceed that without CAP_SYS_RESOURCE"
        )
    return OK, ""


def _kept_until_restart(process: Process) -> str:
    return f"keeps {process.limits} until it is restarted" if process.limits != process.at_start else ""


def _row(want: LimitWant, before: t.Optional[Process], after: Process, kept: str) -> ProcessRow:
    status = _status(want, before, after)
    origin = (before or after).origin
    if status == OK:
        reason = ""
    elif status == CHANGED:
        reason = f"{origin}, {_AGAIN}" if origin else ""
    else:
        reason = "; ".join(filter(None, (kept, origin)))
    return _process_row(before, after, status, reason)


def _status(want: LimitWant, before: t.Optional[Process], after: Process) -> str:
    if want.satisfied_by(after.limits):
        return OK if before is None or before.limits == after.limits else CHANGED
    if falls_short(want, after):
        # What was effective at its start is known only from files that were the same then.
        return OWN_LIMIT if by_itself(want, after) or (before and by_itself(want, before)) else RESTART_REQUIRED
    declared = after.view.loaded
    return LIMITED if declared is not None and want.satisfied_by(declared) else OVERRIDDEN


def _process_row(before: t.Optional[Process], after: Process, status: str, reason: str) -> ProcessRow:
    process, was = after.member, before.limits if before else None
    return ProcessRow(process.pid, process.name, after.view.unit, was, after.limits, process.used, status, reason)


def _summary(status: str, rows: t.Sequence[ProcessRow]) -> str:
    concerned = [row for row in rows if row.status == status and row.reason]
    if not concerned:
        return ""
    first = concerned[0]
    others = f" (and {len(concerned) - 1} more)" if len(concerned) > 1 else ""
    return f"{first.name} (pid {first.pid}){others}: {first.reason}"


def limits_as_data(limits: t.Optional[Limits]) -> t.Optional[t.Dict[str, t.Union[int, str]]]:
    """``{soft: ..., hard: ...}`` with numbers, or the word infinity."""
    if limits is None:
        return None
    names = ("soft", "hard")
    return {name: "infinity" if number == INFINITY else number for name, number in zip(names, limits)}


def plain(limits: t.Optional[Limits]) -> t.Union[int, str, None]:
    """One number if both limits are equal, otherwise as systemd spells them."""
    if limits is None:
        return None
    return limits.soft if limits.soft == limits.hard != INFINITY else str(limits)


def row_as_data(row: ProcessRow) -> t.Dict[str, t.Any]:
    """A row as a module returns it."""
    return {**vars(row), "before": limits_as_data(row.before), "after": limits_as_data(row.after)}


def diff(before: Observed, after: Observed, rows: t.Sequence[ProcessRow]) -> t.Dict[str, str]:
    """Before and after of what differs, in the form that ``--diff`` prints."""
    old: t.List[str] = []
    new: t.List[str] = []
    pairs = [("declared", before.subject.loaded, after.subject.loaded)]
    pairs += [(f"{row.name} (pid {row.pid})", row.before, row.after) for row in rows]
    for what, was, now in pairs:
        if was != now:
            old.append(f"{before.unit} {what}: {was or 'none'}\n")
            new.append(f"{before.unit} {what}: {now or 'none'}\n")
    return {"before_header": "nofile", "after_header": "nofile", "before": "".join(old), "after": "".join(new)}
