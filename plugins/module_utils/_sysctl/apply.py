# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run: observe, plan, apply, observe again, report."""

from __future__ import annotations

import functools
import os
import typing as t
from dataclasses import replace

from .. import _job, _plan
from .._errors import NettuneError
from .._kernel import netns
from . import context, modules, rivals
from . import plan as planning
from .host import Host, Steps
from .plan import Observed, Plan
from .records import Records, needed_by
from .rehearsal import rehearse
from .request import Request, parse_request

__all__ = ("Job", "Refused", "Request", "manage", "parse_request")

Observations = t.Mapping[str, Observed]


class Refused(NettuneError):
    """A guard refused, or a required key is missing; nothing was changed."""


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Set the sysctls as requested, on the host or in a network namespace; in check mode predict exactly what that
    would do.

    Returns the module's result.  Raises NettuneError after restoring everything if any part fails.
    """

    def run() -> t.Dict[str, t.Any]:
        [job], run = _job.carry_out(lambda: [Job(request)], "sysctl", check_mode=check_mode)
        return {**job.result(), "run": run}

    return run() if request.netns is None else netns.run_in(request.netns, run)


class Job:
    """One run on a host, from what was observed to the plan, and to the outcome."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._host = Host(request)
        self._before = self._host.observe(self._host.keys())
        self._to_load = sorted(self._modules_to_load())
        self._after: Observations = self._before
        self._observed = self._with_module(self._before)
        self._plan, self._records = self._decide()

    def planned(self, key: str) -> t.Optional[str]:
        """What a key will hold when everything is done, None if there is no such key or nothing was requested of it."""
        observed = self._before.get(key)
        return self._plan.writes.get(key, observed.runtime) if observed else None

    def steps(self) -> Steps:
        """Everything that is to be done; keys that a module provides are planned once it is loaded."""
        if self._to_load:
            yield from map(modules.step, self._to_load)
            self._observed = self._with_module(self._host.observe(self._before))
            self._plan, self._records = self._decide()
        yield from self._host.steps(self._plan, self._observed, self._records)

    def look(self) -> None:
        """Read everything back."""
        self._after = Host(self._request).observe(self._before)

    def predict(self) -> None:
        """What :meth:`steps` would result in."""
        rehearse(self._plan.writes, in_namespace=self._host.in_namespace)
        self._after = self._host.predict(self._plan, self._observed, self._records)

    def rows(self) -> t.Dict[str, _plan.Row]:
        """The verdict on each key."""
        return {
            key: planning.verdict(entry, self._before[key], self._after[key], self._fights[key])
            for key, entry in self._plan.keys.items()
        }

    def result(self) -> t.Dict[str, t.Any]:
        """What the module returns."""
        rows = self.rows()
        return {
            "changed": self._finishes or any(row.status == "changed" for row in rows.values()) or _rows_moved(rows),
            "settings": _plan.rows_as_data(rows),
            "file": self._request.file,
            "diff": _plan.diff(rows, header="sysctl"),
            "warnings": self.warnings(),
        }

    def warnings(self) -> t.List[str]:
        """What a person should know although nothing has failed."""
        return [
            f"{key} is {row.status}: {row.reason}"
            for key, row in sorted(self.rows().items())
            if row.status in (planning.OVERRIDDEN, planning.READ_ONLY) or self._fights[key]
        ]

    @property
    def _finishes(self) -> bool:
        """Whether files change, including those that a killed run has left behind."""
        before, after = self._host.records, self._records
        # The originals belong to root alone.
        return before.lines != after.lines or (os.geteuid() == 0 and before.originals != after.originals)

    @functools.cached_property
    def _fights(self) -> t.Dict[str, str]:
        others = rivals.find(self._plan.keys) if self._request.file else {}
        return {key: planning.rivalry(entry, others.get(key)) for key, entry in self._plan.keys.items()}

    def _decide(self) -> t.Tuple[Plan, Records]:
        plan = _make_plan(self._request, self._observed)
        records = self._host.records.after(plan, self._observed, self._to_persist())
        self._host.check_rights(plan, records)
        return plan, records

    def _modules_to_load(self) -> t.Iterator[str]:
        if not self._request.load_modules:
            return
        names = {modules.missing(key) for key, observed in self._before.items() if observed.runtime is None}
        for name in names - {None}:
            if modules.can_be_loaded(str(name)):
                modules.check_right()
                yield str(name)

    def _to_persist(self) -> t.FrozenSet[str]:
        if not self._request.load_modules or self._request.file is None:
            return frozenset()
        new = needed_by(self._request.wants) - self._host.records.modules
        return frozenset(name for name in new if modules.can_be_loaded(name))

    def _with_module(self, observed: Observations) -> t.Dict[str, Observed]:
        """The keys that did not exist before, marked with the module that provides them."""
        marked = dict(observed)
        for key, was in self._before.items():
            module = modules.bringing(key)
            if was.runtime is None and module and module.name in self._to_load:
                marked[key] = replace(observed[key], module=module.name)
        return marked


def _make_plan(request: Request, observed: Observations) -> Plan:
    wants = {key: want for key, want in request.wants.items() if want is not None}
    dropped = planning.plan_absent(
        (key for key in observed if key not in request.wants), observed, reason="no longer declared"
    )
    absent = planning.plan_absent((key for key, want in request.wants.items() if want is None), observed)
    present = planning.plan_present(wants, observed, force=True, persist=request.file is not None)
    if not request.force:
        there = context.gather(present.changing(observed))
        present = planning.plan_present(wants, observed, context=there, persist=request.file is not None)
    plan = Plan({**present.keys, **absent.keys, **dropped.keys})
    _stop_if_refused(request, plan, observed)
    return plan


def _stop_if_refused(request: Request, plan: Plan, observed: Observations) -> None:
    stopping = (planning.REFUSED, planning.SKIPPED) if request.missing == "fail" else (planning.REFUSED,)
    stopped = [entry for entry in plan.keys.values() if entry.status in stopping]
    if stopped:
        raise Refused(
            "nothing was changed: " + "; ".join(f"{entry.key}: {entry.reason}" for entry in stopped),
            settings=_plan.rows_as_data(planning.rows_of_refusal(plan, observed)),
        )


def _rows_moved(rows: t.Mapping[str, _plan.Row]) -> bool:
    return any((row.runtime_before, row.boot_before) != (row.runtime, row.boot) for row in rows.values())
