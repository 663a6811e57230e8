# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The body of nettune.tcp.listen_backlog: observe, plan, apply as one transaction, observe again, judge."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field, replace

from .. import _files, _transaction
from .._errors import BadRequest, MissingRight, NettuneError
from .._kernel import pidfd
from .._kernel.processes import Process
from .._servers.server import ConfigError, Listen, Server
from . import host as hosts
from . import plan as planning
from . import report, service, sockets
from .host import Host
from .plan import Plan, Seen
from .request import LIVE, RELOAD, RESTART, Request

_PATIENCE = 10.0  # seconds for a server to call listen() after it was told to
_PAUSE = 0.02  # seconds between two looks at the kernel

Files = t.Mapping[str, t.Optional[bytes]]


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Bring the backlogs to what was asked, or in check mode tell exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything when any part fails.
    """
    before = hosts.look(request)
    relists = request.server is not None and request.server.relisten.on_reload_if_number_changed
    plan = planning.make(
        request.want,
        hosts.observe(request, before),
        before.kernel.somaxconn,
        apply=request.apply,
        reload_listens=relists,
    )
    files = _edited(request, before, plan)
    change = _Change(request, before, plan, files)
    change.check_possible()
    if check_mode:
        after = _predicted(request, before, plan, files, relists)
        somaxconn = before.kernel.somaxconn
    else:
        _transaction.run(change.steps())
        now = hosts.look(request)
        after, somaxconn = hosts.observe(request, now), now.kernel.somaxconn
    rows = _rows(plan, after, somaxconn)
    return report.result(rows, before.config.files if before.config else {}, files)


def _edited(request: Request, host: Host, plan: Plan) -> Files:
    """The files to replace, so that every listener meant is configured with its number."""
    server = request.server
    if server is None or host.config is None or not any(entry.edited for entry in plan.entries):
        return {}
    numbers = {entry.seen.place: entry.number for entry in plan.entries}
    if server.one_number:
        number = max(numbers.values())
        wanted = dict.fromkeys(server.listens(host.config), number)
    else:
        wanted = {listen: numbers[listen.family, listen.address, listen.port] for listen in host.listens}
    files = server.edit(host.config, wanted)
    _check_edit(server, host, wanted, hosts.with_config(request, host, files))
    return files


def _check_edit(server: Server, before: Host, wanted: t.Mapping[Listen, int], after: Host) -> None:
    """What was edited must read back as what was meant, and nothing else: better refused than wrong."""
    if before.config is None or after.config is None:
        return
    numbers = {(one.family, one.address, one.port): one.asked for one in server.listens(before.config)}
    numbers.update({(one.family, one.address, one.port): number for one, number in wanted.items()})
    found = {(one.family, one.address, one.port): one.asked for one in server.listens(after.config)}
    if numbers != found:
        wrong = sorted(place for place in {**numbers, **found} if numbers.get(place) != found.get(place))
        raise ConfigError(f"the backlog of {wrong} cannot be set without changing others", before.config.main)


def _predicted(request: Request, host: Host, plan: Plan, files: Files, relists: bool) -> t.Tuple[Seen, ...]:
    after = hosts.observe(request, hosts.with_config(request, host, files))
    backlogs = planning.predict(plan, reload_listens=relists)
    return tuple(replace(seen, backlogs=backlogs[seen.place]) for seen in after)


def _rows(plan: Plan, after: t.Sequence[Seen], somaxconn: int) -> t.List[planning.Row]:
    by_place = {seen.place: seen for seen in after}
    return [planning.verdict(plan, entry, by_place[entry.seen.place], somaxconn) for entry in plan.entries]


@dataclass
class _Change:
    """The steps from what was found to what is planned."""

    request: Request
    host: Host
    plan: Plan
    files: Files
    _told: bool = field(default=False, init=False)

    def check_possible(self) -> None:
        """Raise before anything is touched, when something could not be done."""
        for path in self.files:
            _files.check_replaceable(path)
        blocked = next((entry.seen.blocked for entry in self.plan.needing if entry.seen.blocked), "")
        if blocked and self.plan.ways == (LIVE,) and (self.request.server is None or self.request.apply == LIVE):
            raise MissingRight(f"the listening socket cannot be changed while the server runs: {blocked}")
        if RESTART in self.plan.ways and not self._unit_runs_it():
            raise BadRequest(f"apply=restart needs the systemd unit that runs the server; {self.request.unit} does not")
        if RELOAD in self.plan.ways and not self._unit_runs_it() and self._master() is None:
            raise MissingRight("the process to reload cannot be found; seeing who holds a socket needs root")

    def steps(self) -> t.Iterator[_transaction.Step]:
        """Edit, let the server judge, tell it, and last call listen() where that has not helped."""
        if self.files:
            yield _transaction.Step("the server reads its configuration again", lambda: None, self._tell_again)
            for path, content in self.files.items():
                yield _files.step(path, content)
            yield _step("check of the configuration", self._check)
        for way in self.plan.ways:
            if way in (RELOAD, RESTART):
                yield _step(f"{way} of the server", lambda chosen=way: self._tell(chosen))  # type: ignore[misc]
        if LIVE in self.plan.ways:
            yield from self._relisten()

    def _check(self) -> None:
        server, config = self.request.server, self.host.config
        if server is None or config is None:
            return
        if server.daemon_reload:
            self._told = True
            service.systemctl("daemon-reload")
        written = server.read(self.request.config, self.request.unit)
        if server.listens(written) != server.listens(
            hosts.with_config(self.request, self.host, self.files).config or config
        ):
            raise ConfigError("the configuration does not read back as it was written", config.main)
        command = server.check(written)
        if command:
            service.check(command)

    def _tell(self, way: str) -> None:
        self._told = True
        if way == RESTART:
            service.systemctl("restart", str(self.request.unit))
        elif self._unit_runs_it():
            service.systemctl("reload", str(self.request.unit))
        else:
            self._signal()
        self._wait()

    def _tell_again(self) -> None:
        """The way back, when all files are as they were."""
        if not self._told:
            return
        if self.request.server and self.request.server.daemon_reload:
            service.systemctl("daemon-reload")
        for way in self.plan.ways:
            if way in (RELOAD, RESTART):
                self._tell(way)

    def _signal(self) -> None:
        master, server = self._master(), self.request.server
        if server is None or server.reload_signal is None or master is None:
            raise NettuneError("this server has no signal that makes it read its configuration")
        service.send(master, server.reload_signal)

    def _holders(self) -> t.Iterator[t.Optional[Process]]:
        for place in self.host.places:
            for one in self.host.ours(self.request, place):
                yield self.host.holders.get(one.inode)

    def _unit_runs_it(self) -> bool:
        """Whether the sockets are held by the unit's processes: a server beside it must not be mixed up with it."""
        return any(holder is not None and holder.unit == self.request.unit for holder in self._holders())

    def _master(self) -> t.Optional[int]:
        holder = next((holder for holder in self._holders() if holder is not None), None)
        return service.master_of(holder, service.parent_of) if holder else None

    def _wait(self) -> None:
        """Until the kernel has the numbers that are configured, for a while."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._short(sockets.look(self.host.namespace)):
            time.sleep(_PAUSE)

    def _short(self, kernel: sockets.Kernel) -> bool:
        for entry in self.plan.entries:
            now = [one.backlog or 0 for one in kernel.at(entry.seen.place)]
            awaited = entry.edited or RESTART in self.plan.ways
            if entry.seen.backlogs and awaited and (not now or any(one != entry.expected for one in now)):
                return True
        return False

    def _relisten(self) -> t.Iterator[_transaction.Step]:
        """listen() on each socket that is still short, now that a reload has done what it does."""
        kernel = sockets.look(self.host.namespace)
        for entry in self.plan.needing:
            if entry.seen.blocked:
                continue
            for one in kernel.at(entry.seen.place):
                before = one.backlog or 0
                holder = self.host.holders.get(one.inode)
                if holder and planning.helps(self.plan.want, before, entry.number, entry.expected):
                    yield _relisten_step(holder.pid, one.inode, before, entry.number)


def _step(what: str, do: t.Callable[[], None]) -> _transaction.Step:
    """A step that leaves nothing behind that would have to be undone."""
    return _transaction.Step(what, do, lambda: None)


def _relisten_step(pid: int, inode: int, before: int, after: int) -> _transaction.Step:
    return _transaction.Step(
        f"listen({after}) on the socket with inode {inode} of pid {pid}",
        lambda: pidfd.relisten(pid, inode, after),
        lambda: pidfd.relisten(pid, inode, before),
    )
