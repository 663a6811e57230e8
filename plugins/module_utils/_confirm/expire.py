# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What the timer of an unconfirmed run starts: the rollback, recorded like any other, from what the host has."""

from __future__ import annotations

import sys
import typing as t

from .. import _job
from .._errors import NettuneError
from .._record import store
from .._rollback import apply as rolling
from . import state


class _Settled(Exception):
    """There is nothing left to roll back."""


def main(run: str) -> int:
    """Roll the run back, and remove the timer.  The exit status: 0, or 1 if it should be tried again."""
    try:
        _roll_back(run)
    except _Settled as exc:
        sys.stdout.write(f"{exc}\n")
    except rolling.Conflict as exc:
        # Another try would give the same result: it is for people to decide.
        sys.stderr.write(f"{exc}\n")
    except NettuneError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    state.disarm(run)
    return 0


def _roll_back(run: str) -> None:
    def plan() -> t.Sequence[rolling.Job]:
        # Checked under the lock: a confirmation may have come at the last moment.
        if not state.waits(run):
            raise _Settled(f"run {run} is confirmed")
        if state.undone_by(run, store.runs()):
            raise _Settled(f"run {run} is already rolled back")
        return [rolling.Job(rolling.Request(run))]

    [job], own = _job.carry_out(plan, "rollback", check_mode=False, undoes=lambda jobs: jobs[0].undoes)
    sys.stdout.write(f"run {run} was not confirmed in time: {', '.join(job.undoes)} rolled back by {own}\n")
