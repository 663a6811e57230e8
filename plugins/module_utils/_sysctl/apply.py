# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The body of nettune.tcp.sysctl: observe, plan, apply as one transaction, observe again, judge."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from .. import _lock, _plan, _transaction
from .._errors import NettuneError
from .._kernel import netns
from . import context, modules, rivals
from . import plan as planning
from .host import Host, Steps
from .plan import Observed, Plan
from .records import Records, needed_by
from .rehearsal import rehearse
from .request import Request, parse_request

__all__ = ("Refused", "Request", "manage", "parse_request")

Observations = t.Mapping[str, Observed]


class Refused(NettuneError):
    """A guard spoke, or a key that had to exist does not; nothing was changed."""


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Bring the host, or a network namespace of it, to what was asked; in check mode tell exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything when any part fails.
    """
    if request.netns is not None:
        return netns.run_in(request.netns, lambda: _manage(request, check_mode))
    return _manage(request, check_mode)


def _manage(request: Request, check_mode: bool) -> t.Dict[str, t.Any]:
    with contextlib.nullcontext() if check_mode else _lock.exclusive():
        host = Host(request)
        before = host.observe(host.keys())
        run = _Run(request, host, before)
        if check_mode:
            after = run.foretell()
        else:
            _transaction.run(run.steps())
            after = Host(request).observe(before)
        return _result(request, run.plan, before, after)


class _Run:
    """One run on a host, from what was observed to the plan, and to what comes of it."""

    def __init__(self, request: Request, host: Host, before: Observations) -> None:
        self._request = request
        self._host = host
        self._before = before
        self._to_load = sorted(self._modules_to_load())
        self.plan = Plan({})

    def steps(self) -> Steps:
        """Everything that is to be done; the plan is made on the way, as a module's keys appear with the module."""
        if self._to_load:
            yield from map(modules.step, self._to_load)
        seen = self._host.observe(self._before) if self._to_load else self._before
        records = self._decide(self._with_module(seen))
        yield from self._host.steps(self.plan, seen, records)

    def foretell(self) -> t.Dict[str, Observed]:
        """What :meth:`steps` would leave behind."""
        seen = self._with_module(self._before)
        records = self._decide(seen)
        rehearse(self.plan.writes, in_namespace=self._host.in_namespace)
        return self._host.predict(self.plan, seen, records)

    def _decide(self, seen: Observations) -> Records:
        self.plan = _make_plan(self._request, seen)
        records = self._host.records.after(self.plan, seen, self._to_persist())
        self._host.check_rights(self.plan, records)
        return records

    def _modules_to_load(self) -> t.Iterator[str]:
        if not self._request.load_modules:
            return
        names = {modules.missing(key) for key, seen in self._before.items() if seen.runtime is None}
        for name in names - {None}:
            if modules.can_be_loaded(str(name)):
                modules.check_right()
                yield str(name)

    def _to_persist(self) -> t.FrozenSet[str]:
        if not self._request.load_modules or self._request.file is None:
            return frozenset()
        new = needed_by(self._request.wants) - self._host.records.modules
        return frozenset(name for name in new if modules.can_be_loaded(name))

    def _with_module(self, seen: Observations) -> t.Dict[str, Observed]:
        """The keys that did not exist before, marked with the module that brings them."""
        marked = dict(seen)
        for key, was in self._before.items():
            module = modules.bringing(key)
            if was.runtime is None and module and module.name in self._to_load:
                marked[key] = replace(seen[key], module=module.name)
        return marked


def _make_plan(request: Request, seen: Observations) -> Plan:
    wants = {key: want for key, want in request.wants.items() if want is not None}
    dropped = planning.plan_absent((key for key in seen if key not in request.wants), seen, reason="no longer declared")
    absent = planning.plan_absent((key for key, want in request.wants.items() if want is None), seen)
    present = planning.plan_present(wants, seen, force=True, persist=request.file is not None)
    if not request.force:
        there = context.gather(present.changing(seen))
        present = planning.plan_present(wants, seen, context=there, persist=request.file is not None)
    plan = Plan({**present.keys, **absent.keys, **dropped.keys})
    _stop_if_refused(request, plan, seen)
    return plan


def _stop_if_refused(request: Request, plan: Plan, seen: Observations) -> None:
    stopping = (planning.REFUSED, planning.SKIPPED) if request.missing == "fail" else (planning.REFUSED,)
    stopped = [entry for entry in plan.keys.values() if entry.status in stopping]
    if stopped:
        raise Refused(
            "nothing was changed: " + "; ".join(f"{entry.key}: {entry.reason}" for entry in stopped),
            settings=_plan.rows_as_data(planning.rows_of_refusal(plan, seen)),
        )


def _result(request: Request, plan: Plan, before: Observations, after: Observations) -> t.Dict[str, t.Any]:
    found = rivals.find(plan.keys) if request.file else {}
    fights = {key: planning.rivalry(entry, found.get(key)) for key, entry in plan.keys.items()}
    rows = {key: planning.verdict(entry, before[key], after[key], fights[key]) for key, entry in plan.keys.items()}
    return {
        "changed": any(row.status == "changed" for row in rows.values()) or _rows_moved(rows),
        "settings": _plan.rows_as_data(rows),
        "file": request.file,
        "diff": _plan.diff(rows, header="sysctl"),
        "warnings": [
            f"{key} is {row.status}: {row.reason}"
            for key, row in sorted(rows.items())
            if row.status in (planning.OVERRIDDEN, planning.READ_ONLY) or fights[key]
        ],
    }


def _rows_moved(rows: t.Mapping[str, _plan.Row]) -> bool:
    return any((row.runtime_before, row.boot_before) != (row.runtime, row.boot) for row in rows.values())
