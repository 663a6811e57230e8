# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run: observe, plan, apply, observe again, judge."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .. import _files, _job, _plan
from .._boot import systemd as sd
from .._errors import BadRequest, NettuneError
from .._kernel import rlimits
from . import drop_in
from . import plan as planning
from . import steps as doing
from . import verdict as judging
from .limits import LimitWant, parse_limit
from .observe import observe, section_of
from .observed import Observed
from .plan import Plan
from .verdict import Verdict


@dataclass(frozen=True)
class Request:
    """The checked request; ``want`` is None if our drop-in is to be removed."""

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
        raise BadRequest("limit is required with state=present")
    return Request(unit, parse_limit(params["limit"]), params["live"], params["restart"])


def manage(request: Request, *, check_mode: bool, manager: t.Optional[sd.Systemd] = None) -> t.Dict[str, t.Any]:
    """Set the unit's limits as requested, or in check mode predict exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything if any part fails.
    """
    [job], run = _job.carry_out(lambda: [Job(request, manager or sd.Systemd())], "nofile", check_mode=check_mode)
    return {**job.result(), "run": run}


class Job:
    """One run for a unit; ``nr_open`` is the future value of fs.nr_open, if it is set before.

    ``snapshot`` is systemd's state before anything is done.
    """

    def __init__(
        self,
        request: Request,
        manager: sd.Systemd,
        nr_open: t.Optional[int] = None,
        snapshot: t.Optional[sd.Snapshot] = None,
    ) -> None:
        self._request, self._manager, self._nr_open = request, manager, nr_open
        self._before = self._observe(request.unit, snapshot or manager)
        path = drop_in.path_of(self._before.unit)
        # Raises for somebody else's file.
        drop_in.limits_in(self._before.own_text, path, self._before.section)
        self._plan = _make_plan(request, self._before)
        self._predicted = self._predict(path)
        self._restarts = doing.restarts(request.want, request.restart, self._plan, self._predicted)
        if self._plan.write:
            _files.check_replaceable(path)
        self._after = self._before

    @property
    def unit(self) -> str:
        """The unit's own name, which an alias stands for."""
        return self._before.unit

    def steps(self) -> doing.Steps:
        """What is to be done."""
        at_start = [one.at_start(one.subject) for one in (self._before, self._predicted)]
        return doing.Doing(
            self._request.want, self._request.restart, self._plan, self._before, self._manager, tuple(at_start)
        ).steps(self._restarts)

    def look(self) -> None:
        """Read everything back."""
        self._after = self._observe(self._before.unit, self._manager)

    def predict(self) -> None:
        """What the steps would result in."""
        self._after = self._predicted.with_limits(_as_started(self._predicted, self._restarts))

    def result(self) -> t.Dict[str, t.Any]:
        """What the module returns."""
        verdict, before, after = self._verdict(), self._before, self._after
        declared = after.declared(after.subject)
        moved = any(row.before not in (None, row.after) for row in verdict.rows)
        return {
            "changed": self._acted or moved,
            "unit": after.unit,
            "want": str(self._request.want) if self._request.want else None,
            "file": drop_in.path_of(after.unit),
            "declared_before": judging.limits_as_data(before.subject.loaded),
            "declared": judging.limits_as_data(after.subject.loaded),
            "next_start": judging.limits_as_data(after.at_start(after.subject)),
            "source": declared.source if after.subject.loaded else None,
            "processes": [judging.row_as_data(row) for row in verdict.rows],
            "restarted": list(self._restarts),
            "restart_required": verdict.restart_required,
            "status": verdict.status,
            "reason": verdict.reason,
            "diff": judging.diff(before, after, verdict.rows),
            "warnings": self.warnings(),
        }

    def warnings(self) -> t.List[str]:
        """What a person should know although nothing has failed."""
        verdict = self._verdict()
        fine = verdict.status in (judging.OK, judging.CHANGED)
        return [] if fine else [f"{self._after.unit} is {verdict.status}: {verdict.reason}"]

    def rows(self) -> t.Dict[str, _plan.Row]:
        """The verdict on the unit, as one row: the lowest limit among its processes, and what its next start gives."""
        verdict, before, after = self._verdict(), self._before, self._after
        views = [(_lowest(one), judging.plain(one.at_start(one.subject))) for one in (before, after)]
        status = judging.CHANGED if verdict.status == judging.OK and views[0] != views[1] else verdict.status
        row = _plan.Row(
            want=str(self._request.want) if self._request.want else None,
            runtime_before=views[0][0],
            runtime=views[1][0],
            boot_before=views[0][1],
            boot=views[1][1],
            source=after.source(after.subject) if after.subject.loaded else None,
            status=judging.LIMITED if status == judging.OWN_LIMIT else status,
            reason=verdict.reason,
        )
        return {after.unit: row}

    @property
    def _acted(self) -> bool:
        return self._plan.reload or bool(self._restarts)

    def _observe(self, unit: str, manager: sd.Systemd) -> Observed:
        observed = observe(unit, manager, must_exist=self._request.want is not None)
        if self._nr_open is None:
            return observed
        return replace(observed, ceiling=replace(observed.ceiling, nr_open=self._nr_open))

    def _predict(self, path: str) -> Observed:
        reread = self._before.with_drop_in(path, self._plan.text) if self._plan.reload else self._before
        return reread.with_limits(self._plan.live)

    def _verdict(self) -> Verdict:
        if self._request.want is None:
            return judging.judge_absent(self._before, self._after, removed=self._plan.write)
        return judging.judge(self._request.want, self._before, self._after, self._plan.kept, acted=self._acted)


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


def _as_started(observed: Observed, units: t.Collection[str]) -> t.Dict[int, rlimits.Limits]:
    """The limits that all processes of these units have after a restart."""
    return {
        process.pid: process.at_start
        for process in observed.processes()
        if process.view.unit in units and process.at_start
    }


def _lowest(observed: Observed) -> _plan.Plain:
    return judging.plain(min((process.limits for process in observed.processes()), default=None))
