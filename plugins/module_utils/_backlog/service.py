# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A running server: its unit, its own check, and starting or signalling it."""

from __future__ import annotations

import os
import signal
import typing as t

from .. import _command
from .._boot import systemd
from .._errors import KernelRefused, MissingRight, NettuneError


def main_pid(unit: t.Optional[str]) -> t.Optional[int]:
    """The main process of an active unit, None without one or without systemd."""
    if unit is None or not systemd.booted():
        return None
    [shown] = systemd.Systemd().show([unit], ["MainPID"])
    return int(shown.get("MainPID") or 0) or None


def restart(unit: str, manager: t.Optional[systemd.Systemd] = None) -> None:
    """Restart a service, or a socket with the services it triggers, beside which systemd would refuse to start it."""
    manager = manager or systemd.Systemd()
    if systemd.unit_type(unit) != "socket":
        manager.restart(unit)
        return
    [shown] = manager.show([unit], ["Triggers"])
    triggered = shown.get("Triggers", "").split()
    states = manager.show(triggered, ["ActiveState"]) if triggered else []
    active = [one for one, state in zip(triggered, states) if state.get("ActiveState") not in ("inactive", "failed")]
    manager.stop(unit, *active)
    manager.start(unit, *active)


def check(command: t.Sequence[str], program: t.Optional[str], what: str) -> None:
    """Let the server judge its configuration, by the program that runs if it is the one named.

    Raises NettuneError with the server's own words.
    """
    if program and os.path.basename(program) == command[0]:
        command = [program, *command[1:]]
    done = _command.run(command)
    if done.code:
        raise NettuneError(f"{' '.join(command)} refuses {what}: {done.text}", refused=done.text)


def send(pid: int, name: str) -> None:
    """Send a signal by its name."""
    try:
        os.kill(pid, signal.Signals[name])
    except PermissionError as exc:
        raise MissingRight(f"{name} to pid {pid}: {exc.strerror}; it needs root") from exc
    except ProcessLookupError as exc:
        raise KernelRefused(f"{name} to pid {pid}: it ended meanwhile") from exc
