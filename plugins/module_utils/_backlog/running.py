# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The running server: whether it can be reloaded or restarted, doing so, waiting, and calling listen() in its place."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .. import _transaction
from .._boot.systemd import Systemd
from .._errors import BadRequest, Gone, MissingRight
from .._kernel import holders, pidfd
from .._kernel.holders import Holder
from .._kernel.identity import Identity
from .._kernel.tcp_socket import Listener
from . import host as hosts
from . import queues, service
from .host import Host
from .plan import Entry, Plan
from .request import LIVE, RELOAD, RESTART, Request
from .sockets import Kernel

_LISTEN_TIMEOUT = 10.0  # seconds for a reloaded or restarted server to call listen()
_DOUBTFUL_LISTEN_TIMEOUT = 2.0  # seconds, if it is not certain that it will
_HANDOVER = 1.0  # seconds to find another process that has the socket of one that has ended
_LOOKS = 3  # with servers that open other sockets in the meantime
_PAUSE = 0.02  # seconds between two looks at the kernel


@dataclass
class Running:
    """What is done to the processes, apart from their files."""

    host: Host
    plan: Plan
    _told: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)

    def check_possible(self) -> None:
        """Raise before anything is touched, if a requested method is impossible."""
        ways = self.plan.ways
        if ways == (LIVE,) and (self.request.server is None or self.request.apply == LIVE):
            self._check_live()
        if RESTART in ways and not self._unit_runs_it():
            unit = self.request.unit
            raise BadRequest(
                f"apply=restart needs the systemd unit that runs the server, which is not {unit}: set unit"
            )
        if RELOAD in ways and not self._unit_runs_it() and (self._signal is None or self.master() is None):
            raise MissingRight(
                "the server cannot be reloaded: no unit runs it, and none of its processes can be signalled"
            )

    def steps(self) -> t.Iterator[_transaction.Step]:
        """Reload or restart the server, and call listen() where that has not helped."""
        for way in self.plan.ways:
            if way == LIVE:
                yield from self._relisten()
            else:
                yield _transaction.Step(
                    f"{way} of the server", self._tell_and_wait, _transaction.nothing, self._told_queues()
                )

    def way_back(self) -> _transaction.Step:
        """A first step, which does nothing; its undo runs once all files are restored."""
        return _transaction.Step("what the server has read", _transaction.nothing, self._tell_again)

    def _told_queues(self) -> t.Tuple[_transaction.Replaced, ...]:
        entries = [entry for entry in self.plan.entries if self.plan.relists(entry) or self.plan.may_relist(entry)]
        return queues.told(entries, self.host.ours, self.request.unit)

    def read_units(self) -> None:
        """Make systemd reload its units, if they are the server's configuration."""
        if self.request.server and self.request.server.adapter.daemon_reload:
            self._told = True
            Systemd().daemon_reload()

    def master(self) -> t.Optional[Identity]:
        """The master process of the server that holds the sockets, None if there is none."""
        sockets = (one for endpoint in self.host.endpoints for one in self.host.ours(endpoint))
        return next((self.host.masters[one.inode] for one in sockets if one.inode in self.host.masters), None)

    def _tell_again(self) -> None:
        if self._told:
            self.read_units()
            self._tell()

    def _tell_and_wait(self) -> None:
        self._told = True
        self._tell()
        self._wait(self.plan.relists, _LISTEN_TIMEOUT)
        self._wait(self.plan.may_relist, _DOUBTFUL_LISTEN_TIMEOUT)

    def _wait(self, comes: t.Callable[[Entry], bool], seconds: float) -> None:
        """Wait until the server has called listen() on these, or for this long."""
        awaited = [entry for entry in self.plan.entries if entry.observed.backlogs and comes(entry)]
        end = time.monotonic() + seconds
        while awaited and time.monotonic() < end:
            kernel = hosts.kernel_of(self.request, self.host.endpoints)
            awaited = [entry for entry in awaited if not _in_force(entry, kernel)]
            if awaited:
                time.sleep(_PAUSE)

    def _tell(self) -> None:
        if RESTART in self.plan.ways:
            service.restart(str(self.request.unit))
        elif RELOAD in self.plan.ways and self._unit_runs_it():
            Systemd().reload(str(self.request.unit))
        elif RELOAD in self.plan.ways:
            self._send()

    def _send(self) -> None:
        master = self.master()
        if master and self._signal:
            service.send(master, self._signal)

    @property
    def request(self) -> Request:
        """What was asked."""
        return self.host.request

    @property
    def _signal(self) -> t.Optional[str]:
        return self.request.server.adapter.reload_signal if self.request.server else None

    def _check_live(self) -> None:
        for entry in self.plan.needing:
            for one in self.host.ours(entry.observed.endpoint):
                blocker = self.host.blocker(one)
                if blocker:
                    raise type(blocker)(f"the socket cannot be changed while its server runs: {blocker}")

    def _holders(self) -> t.Iterator[Holder]:
        for endpoint in self.host.endpoints:
            for one in self.host.ours(endpoint):
                if one.inode in self.host.holders:
                    yield self.host.holders[one.inode]

    def _unit_runs_it(self) -> bool:
        """Whether the unit holds the sockets: another server of the same kind must not be mixed up with it."""
        if self.request.server and self.request.server.adapter.daemon_reload:
            return True
        return any(holder.unit == self.request.unit for holder in self._holders())

    def _relisten(self) -> t.Iterator[_transaction.Step]:
        """listen() on each socket that is still short after a reload."""
        host = hosts.look(self.request) if self._told else self.host
        for _look in range(_LOOKS):
            self._closed = False
            for entry in self.plan.needing:
                for one in host.ours(entry.observed.endpoint):
                    if entry.helps(one.backlog or 0) and not host.blocker(one):
                        yield self._relisten_step(host.holders[one.inode], one, entry)
            if not self._closed:
                break
            host = hosts.look(self.request)

    def _relisten_step(self, holder: Holder, one: Listener, entry: Entry) -> _transaction.Step:
        before, number = one.backlog or 0, entry.number
        return _transaction.Step(
            f"listen({number}) on {one.address} {one.port}, socket {one.inode} of pid {holder.pid}",
            lambda: self._listen(holder, one.inode, number),
            lambda: self._listen(holder, one.inode, before),
            (queues.replaced(entry.observed.endpoint, one, entry.expected, self.request.unit),),
        )

    def _listen(self, holder: Holder, inode: int, backlog: int) -> None:
        """Nothing is left to do for a socket that was closed in the meantime; another may be in its place."""
        try:
            relisten(holder, inode, backlog)
        except Gone:
            self._closed = True


def _in_force(entry: Entry, kernel: Kernel) -> bool:
    now = kernel.sockets.get(entry.observed.endpoint, ())
    return bool(now) and all(one.backlog == entry.expected for one in now)


def relisten(holder: Holder, inode: int, backlog: int) -> None:
    """listen() on this process's socket or, if it no longer has it, on another's: workers end after a reload.

    Raises Gone when none has it.
    """
    end = time.monotonic() + _HANDOVER
    while True:
        try:
            pidfd.relisten(holder.pid, holder.descriptor, inode, backlog)
            return
        except Gone:
            if time.monotonic() > end:
                raise
        time.sleep(_PAUSE)
        holder = holders.find([inode], [holder.name]).get(inode, holder)
