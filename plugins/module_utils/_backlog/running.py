# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The running server: whether it can be told, telling it, waiting for it, and calling listen() in its place."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .. import _transaction
from .._errors import BadRequest, MissingRight
from .._kernel import pidfd
from .._kernel.processes import Held
from .._kernel.tcp_socket import Listener
from . import plan as planning
from . import service, sockets
from .host import Host
from .plan import Plan
from .request import LIVE, RELOAD, RESTART, Request

_PATIENCE = 10.0  # seconds for a server to call listen() after it was told to
_PAUSE = 0.02  # seconds between two looks at the kernel


@dataclass
class Running:
    """What is done to the processes, apart from their files."""

    request: Request
    host: Host
    plan: Plan
    _told: bool = field(default=False, init=False)

    def check_possible(self) -> None:
        """Raise before anything is touched, when a way that was asked for cannot be gone."""
        ways = self.plan.ways
        if ways == (LIVE,) and (self.request.server is None or self.request.apply == LIVE):
            self._check_live()
        if RESTART in ways and not self._unit_runs_it():
            raise BadRequest(f"apply=restart needs the systemd unit that runs the server; {self.request.unit} does not")
        if RELOAD in ways and not self._unit_runs_it() and (self._signal is None or self._master() is None):
            raise MissingRight("the server cannot be reloaded: no unit runs it, and no process of it can be signalled")

    def steps(self) -> t.Iterator[_transaction.Step]:
        """Tell the server, and call listen() where that has not helped."""
        for way in self.plan.ways:
            if way == LIVE:
                yield from self._relisten()
            else:
                yield _transaction.Step(f"{way} of the server", self._tell_and_wait, lambda: None)

    def way_back(self) -> _transaction.Step:
        """A step to begin with, which does nothing; its undoing comes when all files are as they were."""
        return _transaction.Step("what the server has read", lambda: None, self._tell_again)

    def read_units(self) -> None:
        """Make systemd read its units, where they are the server's configuration."""
        if self.request.server and self.request.server.daemon_reload:
            self._told = True
            service.systemctl("daemon-reload")

    def _tell_again(self) -> None:
        if self._told:
            self.read_units()
            self._tell()

    def _tell_and_wait(self) -> None:
        self._told = True
        self._tell()
        end = time.monotonic() + _PATIENCE
        while self._awaited(sockets.look(self.host.namespace)) and time.monotonic() < end:
            time.sleep(_PAUSE)

    def _tell(self) -> None:
        if RESTART in self.plan.ways:
            service.systemctl("restart", str(self.request.unit))
        elif RELOAD in self.plan.ways and self._unit_runs_it():
            service.systemctl("reload", str(self.request.unit))
        elif RELOAD in self.plan.ways:
            service.send(self._master() or 0, self._signal or "")

    @property
    def _signal(self) -> t.Optional[str]:
        return self.request.server.reload_signal if self.request.server else None

    def _check_live(self) -> None:
        for entry in self.plan.needing:
            for one in self.host.ours(self.request, entry.seen.place):
                blocker = self.host.blocker(one)
                if blocker:
                    raise type(blocker)(f"the socket cannot be changed while its server runs: {blocker}")

    def _holders(self) -> t.Iterator[Held]:
        for place in self.host.places:
            for one in self.host.ours(self.request, place):
                if one.inode in self.host.held:
                    yield self.host.held[one.inode]

    def _unit_runs_it(self) -> bool:
        """Whether the unit holds the sockets: another server of the same kind must not be mixed up with it."""
        if self.request.server and self.request.server.daemon_reload:
            return True
        return any(held.process.unit == self.request.unit for held in self._holders())

    def _master(self) -> t.Optional[int]:
        held = next(self._holders(), None)
        return service.master_of(held.process, service.parent_of) if held else None

    def _awaited(self, kernel: sockets.Kernel) -> bool:
        """Whether some socket has not yet the backlog that the server, now told, will give it."""
        relisten = self.request.server.relisten if self.request.server else None
        for entry in self.plan.entries:
            comes = RESTART in self.plan.ways or (entry.edited and relisten and relisten.on_reload_if_number_changed)
            now = [one.backlog for one in kernel.at(entry.seen.place)]
            if entry.seen.backlogs and comes and (not now or any(one != entry.expected for one in now)):
                return True
        return False

    def _relisten(self) -> t.Iterator[_transaction.Step]:
        """listen() on each socket that is still short, now that a reload has done what it does."""
        kernel = sockets.look(self.host.namespace)
        for entry in self.plan.needing:
            for one in kernel.at(entry.seen.place):
                held = self.host.held.get(one.inode)
                if held and not self.host.blocker(one) and self._helps(entry, one):
                    yield _relisten_step(held, one, entry.number)

    def _helps(self, entry: planning.Entry, one: Listener) -> bool:
        return planning.helps(self.plan.want, one.backlog or 0, entry.number, entry.expected)


def _relisten_step(held: Held, one: Listener, number: int) -> _transaction.Step:
    pid, before = held.process.pid, one.backlog or 0
    return _transaction.Step(
        f"listen({number}) on {one.address} {one.port}, socket {one.inode} of pid {pid}",
        lambda: pidfd.relisten(pid, held.descriptor, one.inode, number),
        lambda: pidfd.relisten(pid, held.descriptor, one.inode, before),
    )
