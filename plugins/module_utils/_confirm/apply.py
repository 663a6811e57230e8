# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One confirmation: the selected runs keep their changes."""

from __future__ import annotations

import typing as t

from .. import _lock
from .._errors import BadRequest, NettuneError
from .._record import store
from . import state


def manage(word: str, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Confirm the runs with this id or label.

    Returns the module's result.  Raises BadRequest if no such run is recorded, and NettuneError if one of them was
    rolled back: its changes no longer exist.
    """
    word = word.strip()
    with _lock.exclusive("confirm"):
        runs = store.runs()
        meant = [run for run in runs if word and word in (run.id, run.label) and not run.is_rollback]
        if not meant:
            raise BadRequest(f"run: nothing is recorded here under {word!r}", run=word)
        _check_kept(meant[-1], runs)
        waiting = [run.id for run in meant if state.waits(run.id)]
        if not check_mode:
            for run in waiting:
                state.disarm(run)
    return {"changed": bool(waiting), "confirmed": waiting}


def _check_kept(run: store.Run, runs: t.Sequence[store.Run]) -> None:
    undone = state.undone_by(run.id, runs)
    if undone:
        raise NettuneError(
            f"run {run.id} was rolled back at {undone.info.get('time')}, by run {undone.id}: it cannot be confirmed",
            run=run.id,
            undone_by=undone.id,
        )
    if not run.done:
        raise NettuneError(f"run {run.id} has not finished ({run.end or store.KILLED})", run=run.id)
