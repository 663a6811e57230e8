# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A running server: its unit, its own check, and starting or signalling it."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t

from .. import _command, _files
from .._boot import systemd
from .._errors import KernelRefused, MissingRight, NettuneError, NotTrusted
from .._kernel import identity, pidfd
from .._kernel.identity import Identity
from .._servers.server import Check

_CHECK_TIMEOUT = 60.0  # seconds for a server to check its configuration; it may resolve names


def restart(unit: str, manager: t.Optional[systemd.Systemd] = None) -> None:
    """Restart a service, or a socket with the services it triggers, since systemd would not start it beside them."""
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


def check(command: Check, master: t.Optional[Identity], what: str) -> None:
    """Let the server check its configuration, with the program that its master runs, or else the installed one.

    Whoever writes a configuration can make the server load and run anything, so it must belong to root. Raises
    NotTrusted if it does not, and NettuneError with the server's own words.
    """
    for path in command.runs:
        with _files.walk(path, sticky=True) as place:
            if place.distrust:
                raise NotTrusted(f"{command.words[0]} is not run on {path}: {place.distrust}", path=path)
    with _program(command.words[0], master) as program:
        done = _command.run(command.words, program, environment=command.environment, timeout=_CHECK_TIMEOUT)
    if done.code:
        raise NettuneError(f"{' '.join(command.words)} refuses {what}: {done.text}", refused=done.text)


@contextlib.contextmanager
def _program(name: str, master: t.Optional[Identity]) -> t.Iterator[_command.Program]:
    """PATH may have another program of that name than the one that runs."""
    with contextlib.ExitStack() as stack:
        if master and os.path.basename(master.program) == name:
            with contextlib.suppress(NettuneError):  # it may be in a container: its path means nothing here
                program = stack.enter_context(_command.opened(master.program))
                status = os.fstat(program.descriptor)
                if (status.st_dev, status.st_ino) == master.file:
                    yield program
                    return
        yield stack.enter_context(_command.find(name))


def send(master: Identity, name: str) -> None:
    """Send a signal by its name to exactly the process that was observed."""
    what = f"{name} to pid {master.pid}"
    try:
        pidfd.send_signal(master.pid, signal.Signals[name], lambda: identity.still(master))
    except PermissionError as exc:
        raise MissingRight(f"{what}: {exc.strerror}; it needs root") from exc
    except ProcessLookupError as exc:
        raise KernelRefused(f"{what}: it has ended in the meantime") from exc
