# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which runs wait for confirmation; when the wait ends, everything that belongs to it is removed without a trace."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from .. import _files
from .._boot.systemd import Systemd
from .._errors import NettuneError
from .._record import store
from .._transaction import RESTORED
from . import units

_MARK = "unconfirmed.json"
_PROGRAM = "rollback.zip"


def program_path(run: str) -> str:
    """The program that rolls the run back, with everything that it needs except Python."""
    return f"{store.run_path(run)}/{_PROGRAM}"


def mark(run: str, made: t.Sequence[str]) -> None:
    """Note on disk that the run waits; ``made`` are directories to remove once it no longer does."""
    _files.replace(f"{store.run_path(run)}/{_MARK}", json.dumps({"made": list(made)}).encode() + b"\n", mode=0o600)


def waits(run: str) -> bool:
    """Whether the run is neither confirmed nor rolled back yet."""
    return os.path.exists(f"{store.run_path(run)}/{_MARK}")


def waiting() -> t.List[str]:
    """All runs that wait, oldest first; one that was restored has nothing to wait for, whatever it has left."""
    return [run for run in store.ids() if waits(run) and store.load(run).end != RESTORED]


def undone_by(run: str, runs: t.Iterable[store.Run]) -> t.Optional[store.Run]:
    """The rollback that undid the run, if any."""
    return next((one for one in runs if one.is_rollback and one.done and run in one.info.get("undoes", ())), None)


def disarm(run: str, systemd: t.Optional[Systemd] = None) -> None:
    """Stop the timer and remove everything that belongs to it. Does nothing for a run that does not wait."""
    if not waits(run):
        return
    systemd = systemd or Systemd()
    name = units.name(run)
    with contextlib.suppress(NettuneError):  # not loaded, as after a kill before it was
        systemd.stop(f"{name}.timer")
    for path in (
        f"{units.WANTED}/{name}.timer",
        *(f"{units.DIRECTORY}/{name}.{kind}" for kind in ("timer", "service")),
    ):
        if os.path.lexists(path):  # on a read-only file system not even what does not exist can be removed
            os.unlink(path)
    for directory in _made(run):
        with contextlib.suppress(OSError):  # somebody else has put something there
            os.rmdir(directory)
    systemd.daemon_reload()
    for path in (program_path(run), f"{store.run_path(run)}/{_MARK}"):
        _files.replace(path, None)


def _made(run: str) -> t.List[str]:
    text = _files.read(f"{store.run_path(run)}/{_MARK}") or b"{}"
    with contextlib.suppress(ValueError):
        return [str(path) for path in json.loads(text).get("made", ())]
    return []
