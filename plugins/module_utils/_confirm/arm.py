# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The timer that rolls a run back unless somebody confirms it, started before the first change."""

from __future__ import annotations

import os
import sys
import typing as t
from dataclasses import dataclass, field

from .. import _files
from .._boot import systemd
from .._errors import BadRequest, MissingRight, NettuneError
from .._record.journal import Journal
from .._transaction import RESTORED, Replaced
from . import payload, state, units


def check(seconds: int) -> None:
    """Raise NettuneError if a run could not be given a timer."""
    if seconds <= 0:
        raise BadRequest(f"confirm takes a number of seconds, not {seconds}")
    systemd.check_booted()
    if os.geteuid() != 0:
        raise MissingRight("confirm needs root")
    if not sys.executable:
        raise NettuneError("confirm needs the path of the running Python, which is not known")
    os.close(_files.open_trusted(_interpreter()))
    for run in state.waiting():
        raise BadRequest(f"run {run} on this host is waiting for confirmation: confirm it, or roll it back", run=run)


def _interpreter() -> str:
    """The running Python, which root will run again later, so nobody else may have put it there."""
    return os.path.realpath(sys.executable)


@dataclass
class Guard:
    """A journal that starts the timer between recording the first change and making it."""

    journal: Journal
    seconds: int
    armed: bool = field(default=False, init=False)

    def begin(self, replaced: t.Sequence[Replaced]) -> None:
        """Record what is about to be replaced."""
        self.journal.begin(replaced)
        if self.journal.id and not self.armed:
            self.armed = True
            _arm(self.journal.id, self.seconds)

    def close(self, end: str) -> None:
        """Record how it ended. If everything is as it was, there is nothing to confirm."""
        self.journal.close(end)
        if end == RESTORED and self.journal.id:
            state.disarm(self.journal.id)


def _arm(run: str, seconds: int) -> None:
    made = [] if os.path.isdir(units.WANTED) else [units.WANTED]
    state.mark(run, made)
    _files.replace(state.program_path(run), payload.build(run), mode=0o600)
    name = units.name(run)
    command = [_interpreter(), "-I", state.program_path(run)]
    _files.replace(f"{units.DIRECTORY}/{name}.service", units.service(run, command).encode())
    _files.replace(f"{units.DIRECTORY}/{name}.timer", units.timer(run, seconds).encode())
    os.makedirs(units.WANTED, mode=0o755, exist_ok=True)
    os.symlink(f"../{name}.timer", f"{units.WANTED}/{name}.timer")
    manager = systemd.Systemd()
    manager.daemon_reload()
    manager.start(f"{name}.timer")
