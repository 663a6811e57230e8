# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The body of nettune.tcp.nofile: observe, plan, apply as one transaction, observe again, judge."""

from __future__ import annotations

import functools
import os
import typing as t
from dataclasses import dataclass

from .. import _files, _transaction
from .._boot import systemd as sd
from .._errors import BadRequest, NettuneError
from .._kernel import cgroups, rlimits
from . import drop_in
from . import plan as planning
from . import verdict as judging
from .limits import LimitWant, parse_limit
from .observe import observe, section_of
from .observed import Observed
from .plan import Plan
from .verdict import Verdict

# Enough for any server that forks, and an end where a process that cannot be raised goes on forking.
_ROUNDS = 5


@dataclass(frozen=True)
class Request:
    """What was asked, checked; ``want`` is None where our drop-in shall go."""

    unit: str
    want: t.Optional[LimitWant]
    live: bool = True
    restart: bool = False


class Refused(NettuneError):
    """A guard spoke; nothing was changed."""


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming what is wrong."""
    unit = sd.unit_name(params["unit"])
    section_of(unit)
    if params["state"] == "absent":
        return Request(unit, None, live=False, restart=params["restart"])
    if params["limit"] is None:
        raise BadRequest("limit is needed with state=present")
    return Request(unit, parse_limit(params["limit"]), params["live"], params["restart"])


def manage(request: Request, *, check_mode: bool, manager: t.Optional[sd.Systemd] = None) -> t.Dict[str, t.Any]:
    """Bring the unit to what was asked, or in check mode tell exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything when any part fails.
    """
    manager = manager or sd.Systemd()
    before = observe(request.unit, manager, must_exist=request.want is not None)
    path = drop_in.path_of(before.unit)
    drop_in.limits_in(before.own_text, path, before.section)
    plan = _make_plan(request, before)
    predicted = _predict(plan, before, path)
    restarts = _restarts(request, plan, predicted)
    if plan.write:
        _files.check_replaceable(path)
    if check_mode:
        after = predicted.with_limits(_as_started(predicted, restarts))
    else:
        _transaction.run(_steps(request, plan, before, restarts, manager))
        after = observe(before.unit, manager, must_exist=request.want is not None)
    return _result(request, plan, before, after, restarts)


def _make_plan(request: Request, before: Observed) -> Plan:
    if request.want is None:
        return planning.plan_absent(before)
    reason = planning.refusal(request.want, before)
    if reason:
        raise Refused(
            f"nothing was changed: {reason}",
            unit=before.unit,
            status="refused",
            reason=reason,
            declared=judging.limits_as_data(before.subject.loaded),
        )
    return planning.plan_present(request.want, before, live=request.live)


def _predict(plan: Plan, before: Observed, path: str) -> Observed:
    reread = before.with_drop_in(path, plan.text) if plan.reload else before
    return reread.with_limits(plan.live)


def _restarts(request: Request, plan: Plan, after: Observed) -> t.List[str]:
    if not request.restart:
        return []
    if request.want is not None:
        return planning.to_restart(request.want, after)
    return sorted({seen.view.unit for seen in after.processes() if plan.write and seen.limits != seen.at_start})


def _as_started(observed: Observed, units: t.Collection[str]) -> t.Dict[int, rlimits.Limits]:
    """The limits that all processes of these units have after a restart."""
    return {seen.pid: seen.at_start for seen in observed.processes() if seen.view.unit in units and seen.at_start}


def _steps(
    request: Request, plan: Plan, before: Observed, restarts: t.Iterable[str], manager: sd.Systemd
) -> t.Iterator[_transaction.Step]:
    """Files, daemon-reload, running processes, and last the restart: each needs what is before it."""
    for unit in restarts:
        # Undone last: what a failed restart has stopped is started again by the old files.
        yield _transaction.Step(f"{unit} runs", do=_nothing, undo=_call(manager.start, unit))
    if plan.reload:
        yield from _reread(_file_steps(plan, before) if plan.write else [], manager)
        if request.want:
            # With all files read again the unit may turn out to be masked, or broken.
            yield _transaction.Step(f"look for {before.unit}", lambda: _look_for(before.unit, manager), _nothing)
    yield from _live_steps(request, plan, before, manager)
    if request.restart:
        now = observe(before.unit, manager, must_exist=False)
        for unit in _restarts(request, plan, now):
            yield _transaction.Step(f"restart {unit}", do=_call(manager.restart, unit), undo=_nothing)


def _live_steps(request: Request, plan: Plan, before: Observed, manager: sd.Systemd) -> t.Iterator[_transaction.Step]:
    """Raise all processes, and then those that were forked meanwhile with the old limit of their parent."""
    done: t.Set[t.Tuple[int, int]] = set()
    now, targets = before, plan.live
    for _round in range(_ROUNDS):
        todo = [seen for seen in now.processes() if seen.pid in targets and seen.identity not in done]
        if not todo or not request.want:
            return
        for seen in todo:
            yield rlimits.step(seen.pid, seen.limits, targets[seen.pid], functools.partial(cgroups.runs, seen.member))
        done |= {seen.identity for seen in todo}
        now = observe(before.unit, manager)
        targets = planning.plan_present(request.want, now, live=True).live


def _reread(files: t.Sequence[_transaction.Step], manager: sd.Systemd) -> t.Iterator[_transaction.Step]:
    """systemd reads its files again after they are written, and likewise after they are put back."""
    yield _transaction.Step("daemon-reload", do=_nothing, undo=manager.daemon_reload)
    yield from files
    yield _transaction.Step("daemon-reload", do=manager.daemon_reload, undo=_nothing)


def _file_steps(plan: Plan, before: Observed) -> t.List[_transaction.Step]:
    path, directory = drop_in.path_of(before.unit), drop_in.directory_of(before.unit)
    content = None if plan.text is None else plan.text.encode()
    file = _files.step(path, content)
    if content is not None:
        return [file] if before.directory_exists else [_made(directory), file]
    return [file, _removed(directory)] if drop_in.owns_directory(before.own_text) else [file]


def _made(directory: str) -> _transaction.Step:
    return _transaction.Step(
        f"make {directory}", do=_call(os.makedirs, directory), undo=_call(_remove_empty, directory)
    )


def _removed(directory: str) -> _transaction.Step:
    return _transaction.Step(
        f"remove {directory}", do=_call(_remove_empty, directory), undo=lambda: os.makedirs(directory, exist_ok=True)
    )


def _remove_empty(directory: str) -> None:
    if os.path.isdir(directory) and not os.listdir(directory):
        os.rmdir(directory)


def _call(function: t.Callable[[str], t.Any], argument: str) -> t.Callable[[], None]:
    def call() -> None:
        function(argument)

    return call


def _look_for(unit: str, manager: sd.Systemd) -> None:
    observe(unit, manager)


def _nothing() -> None:
    pass


def _result(
    request: Request, plan: Plan, before: Observed, after: Observed, restarts: t.Sequence[str]
) -> t.Dict[str, t.Any]:
    acted = plan.reload or bool(restarts)
    verdict = _judge(request, plan, before, after, acted=acted)
    declared = after.declared(after.subject)
    moved = any(row.before not in (None, row.after) for row in verdict.rows)
    fine = verdict.status in (judging.OK, judging.CHANGED)
    return {
        "changed": acted or moved,
        "unit": after.unit,
        "want": str(request.want) if request.want else None,
        "file": drop_in.path_of(after.unit),
        "declared_before": judging.limits_as_data(before.subject.loaded),
        "declared": judging.limits_as_data(after.subject.loaded),
        "next_start": judging.limits_as_data(after.at_start(after.subject)),
        "source": declared.source if after.subject.loaded else None,
        "processes": [judging.row_as_data(row) for row in verdict.rows],
        "restarted": list(restarts),
        "restart_required": verdict.restart_required,
        "status": verdict.status,
        "reason": verdict.reason,
        "diff": judging.diff(before, after, verdict.rows),
        "warnings": [] if fine else [f"{after.unit} is {verdict.status}: {verdict.reason}"],
    }


def _judge(request: Request, plan: Plan, before: Observed, after: Observed, *, acted: bool) -> Verdict:
    if request.want is None:
        return judging.judge_absent(before, after, removed=plan.write)
    return judging.judge(request.want, before, after, plan.kept, acted=acted)
