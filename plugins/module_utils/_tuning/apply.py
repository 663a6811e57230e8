# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run: everything that a host should have, as one transaction, and the same as rows."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import replace

from .. import _job, _plan, _transaction
from .._backlog import apply as backlog
from .._backlog import sockets
from .._boot.systemd import Snapshot, Systemd
from .._nofile import apply as nofile
from .._nofile.observe import OF_UNIT
from .._record import store
from .._record.journal import Journal
from .._sysctl import apply as sysctl
from . import needs, running
from . import rows as telling
from .request import Request, parse_request

__all__ = ("Request", "drift", "manage", "parse_request")


class AnyJob(_job.Job, t.Protocol):
    """A job of any of the three kinds."""

    def result(self) -> t.Dict[str, t.Any]:
        """What the module for this kind alone would return."""

    def rows(self) -> t.Dict[str, _plan.Row]:
        """The verdict on each setting, by name."""

    def warnings(self) -> t.List[str]:
        """What a person should know although nothing has failed."""


class _Job:
    """One kind's job, and its name in the rows."""

    def __init__(self, kind: str, job: AnyJob) -> None:
        self.kind, self.job = kind, job
        self.steps, self.look, self.predict = job.steps, job.look, job.predict


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Tune the host as requested, or in check mode predict exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything of every kind if any part fails.
    """
    guard = _timer(request.confirm) if request.confirm else lambda record: record
    latest = store.latest()
    jobs, run = _job.carry_out(
        lambda: _jobs(request),
        "tuning",
        check_mode=check_mode,
        label=request.label,
        guard=guard,
    )
    results = [one.job.result() for one in jobs]
    rows = _rows(jobs)
    return {
        "changed": any(result["changed"] for result in results),
        "settings": rows,
        "summary": telling.summary(rows),
        "run": run,
        "latest_run": latest,
        "diff": telling.diffs(results),
        "warnings": [warning for result in results for warning in result["warnings"]],
    }


def _timer(seconds: int) -> t.Callable[[Journal], _transaction.Journal]:
    """What waits for a confirmation; it brings the rollback along, which most runs do without."""
    from .._confirm import arm

    arm.check(seconds)
    return lambda record: arm.Guard(record, seconds)


def drift(request: Request) -> t.List[t.Dict[str, t.Any]]:
    """The rows of a run in check mode: what is not as requested, and why."""
    jobs, _run = _job.carry_out(lambda: _jobs(request), "tuning", check_mode=True)
    return _rows(jobs)


def _rows(jobs: t.Iterable[_Job]) -> t.List[t.Dict[str, t.Any]]:
    return [telling.as_data(one.kind, name, row) for one in jobs for name, row in sorted(one.job.rows().items())]


def _jobs(request: Request) -> t.List[_Job]:
    """Everything is observed and planned before anything is done, each kind against what those before it will give."""
    asking = functools.lru_cache(maxsize=None)(sockets.look)  # one look at each network namespace
    if request.needs_servers:
        request = request.spread(running.servers(asking(None)))
    wanted = [one.want for one in request.backlogs], [one.want for one in request.limits if one.want]
    merged = needs.merged(request.sysctls.wants, needs.floors(*wanted), request.exclude)
    keys = _sysctls(replace(request.sysctls, wants=merged))
    units = [*(one.unit for one in request.limits), *(one.unit for one in request.backlogs if one.unit)]
    manager, snapshot = Systemd(), Snapshot(units, OF_UNIT)
    limits = [nofile.Job(one, manager, _number(keys.planned(needs.NR_OPEN)), snapshot) for one in request.limits]
    queues: t.List[backlog.Job] = []
    edited: t.Dict[str, t.Optional[bytes]] = {}
    for one in request.backlogs:
        queues.append(backlog.Job(one, _number(keys.planned(needs.SOMAXCONN)), snapshot, asking, edited))
        edited.update(queues[-1].files)
    needs.check_distinct("file_limits", ({job.unit: job.unit} for job in limits))
    needs.check_distinct("backlogs", (job.claims for job in queues))
    return [
        _Job(telling.SYSCTL, keys),
        *(_Job(telling.FILE_LIMIT, job) for job in limits),
        *(_Job(telling.BACKLOG, job) for job in queues),
    ]


def _sysctls(request: sysctl.Request) -> sysctl.Job:
    try:
        return sysctl.Job(request)
    except sysctl.Refused as exc:
        rows = exc.details.get("settings", {})
        exc.details["settings"] = [{"kind": telling.SYSCTL, "name": key, **row} for key, row in rows.items()]
        raise


def _number(text: t.Optional[str]) -> t.Optional[int]:
    return None if text is None else int(text)
