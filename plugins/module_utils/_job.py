# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The course of every run that changes a host: jobs are planned, done as one transaction, and observed again."""

from __future__ import annotations

import os
import typing as t

from . import _lock, _transaction
from ._record import journal, store


class Job(t.Protocol):
    """What was observed on the host, and what is to be done about it.

    Constructing one observes and plans, and raises NettuneError for what is refused, before anything is touched.
    """

    def steps(self) -> _transaction.Steps:
        """What is to be done."""

    def look(self) -> None:
        """Observe again, when everything is done: the result comes from that."""

    def predict(self) -> None:
        """Use what the steps would result in instead of what :meth:`look` finds."""


AnyJob = t.TypeVar("AnyJob", bound=Job)


def carry_out(
    plan: t.Callable[[], t.Sequence[AnyJob]],
    module: str,
    *,
    check_mode: bool,
    label: str = "",
    undoes: t.Callable[[t.Sequence[AnyJob]], t.Sequence[str]] = lambda _jobs: (),
    guard: t.Callable[[journal.Journal], _transaction.Journal] = lambda record: record,
) -> t.Tuple[t.Sequence[AnyJob], t.Optional[str]]:
    """Plan the jobs and do them, all or nothing; in check mode predict what that would do.

    ``label`` is the caller's label for the record, and ``undoes`` says which runs the jobs undo. ``guard`` wraps the
    record, and learns of each change before it is made.

    Returns the jobs and the id of the record, None if nothing was changed. Raises NettuneError after restoring
    everything if any part fails, including the final observation.
    """
    if check_mode:
        jobs = plan()
        for job in jobs:
            job.predict()
        return jobs, None
    with _lock.exclusive(module):
        if os.geteuid() == 0:
            store.tidy_up()
        jobs = plan()
        record = journal.for_run(module, label, undoes(jobs))
        _transaction.run(_all(jobs), guard(record) if record else None)
        return jobs, record.id if record else None


def _all(jobs: t.Sequence[Job]) -> t.Iterator[t.Union[_transaction.Step, _transaction.AnyOrder]]:
    """All steps, and a second look; if there was nothing to do, the first observation stands."""
    acted = False
    for job in jobs:
        for step in job.steps():
            acted = True
            yield step
    for job in jobs:
        if acted:
            job.look()
        else:
            job.predict()
