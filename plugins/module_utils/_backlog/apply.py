# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run: observe, plan, apply, observe again, judge."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .. import _files, _job, _plan, _transaction
from .._boot.systemd import Snapshot, Systemd
from .._errors import NettuneError
from .._record import files as recorded
from .._servers.server import MARK, ConfigError, Listen, Server
from . import host as hosts
from . import plan as planning
from . import queues, report, service
from . import recorded as originals
from .host import Files, Host
from .plan import Observed, Plan
from .request import Request
from .running import Running
from .sockets import Look

Steps = t.Iterator[_transaction.Step]


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Set the backlogs as requested, or in check mode predict exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything when any part fails.
    """
    [job], run = _job.carry_out(lambda: [Job(request)], "listen_backlog", check_mode=check_mode)
    return {**job.result(), "run": run}


class Job:
    """One run for a server; ``somaxconn`` is its future value in our namespace, if it is set before.

    ``snapshot`` is systemd's state, and ``asking`` asks the kernel, before anything is done. ``edited`` are files as
    they will be by then, edited for other listeners.
    """

    def __init__(
        self,
        request: Request,
        somaxconn: t.Optional[int] = None,
        snapshot: t.Optional[Snapshot] = None,
        asking: t.Optional[Look] = None,
        edited: t.Optional[Files] = None,
    ) -> None:
        self._request = request
        self._before = _with_edited(_look(request, somaxconn, snapshot, asking), edited or {})
        self._originals = originals.of(self._before) if request.absent else None
        self._plan = _plan_for(self._before, self._originals)
        self.files = _edited(self._before, self._plan, self._originals.files if self._originals else {})
        self._unread = _unread(self._before)
        self._running = Running(self._before, self._plan)
        self._notes = [note for path, content in self.files.items() for note in _check_file(path, content)]
        self._running.check_possible()
        if self.files:
            _check_present(self._before, self._running)
        self._after: t.Tuple[Observed, ...] = ()
        self._somaxconn = self._before.kernel.somaxconn

    @property
    def claims(self) -> t.Dict[t.Hashable, str]:
        """The sockets and the places in the configuration that this sets, each with its endpoint for people."""
        host, server = self._before, self._request.server
        listens = host.listens
        if server is not None and host.config is not None and server.adapter.one_number:
            listens = server.adapter.listens(host.config)
        claims: t.Dict[t.Hashable, str] = {
            (one.file, one.line): queues.name_of(hosts.endpoint_of(one)) for one in listens
        }
        claims.update((one.inode, queues.name_of(end)) for end in host.endpoints for one in host.ours(end))
        return claims

    def steps(self) -> Steps:
        """Edit, let the server check the configuration, and only then make it apply that."""
        if self.files:
            yield replace(self._running.way_back(), replaces=queues.at_next_start(self._plan, self._request.unit))
            there = self._before.config.files if self._before.config else {}
            for path, content in self.files.items():
                yield from recorded.steps(path, content, was=there.get(path))
            yield from self._originals.removals(self.files) if self._originals else ()
            yield _transaction.Step("check of the configuration", self._check, _transaction.nothing)
        elif self._unread:
            yield _transaction.Step("daemon-reload", Systemd().daemon_reload, _transaction.nothing)
        yield from self._running.steps()

    def look(self) -> None:
        """Read everything back."""
        now = hosts.look(self._request)
        self._after, self._somaxconn = hosts.observe(now), now.kernel.somaxconn
        _check_there(self._plan, self._after)

    def predict(self) -> None:
        """What the steps would result in."""
        after = hosts.observe(hosts.with_config(self._before, self.files))
        backlogs = planning.predict(self._plan)
        self._after = tuple(replace(observed, backlogs=backlogs[observed.endpoint]) for observed in after)

    def result(self) -> t.Dict[str, t.Any]:
        """What the module returns."""
        config = self._before.config
        result = report.result(self._listeners(), config.files if config else {}, self.files, told=self._unread)
        return {**result, "warnings": [*self._notes, *result["warnings"]]}

    def rows(self) -> t.Dict[str, _plan.Row]:
        """The verdict on each listener: the queue in force, and what the configuration gives at the next start."""
        want = None if self._request.absent else str(self._request.want)
        return {report.name_of(one): report.row(one, want) for one in self._listeners()}

    def warnings(self) -> t.List[str]:
        """What a person should know although nothing has failed."""
        return [*self._notes, *report.warnings(self._listeners())]

    def _listeners(self) -> t.List[planning.Row]:
        by_endpoint = {observed.endpoint: observed for observed in self._after}
        return [
            planning.verdict(self._plan, entry, by_endpoint[entry.observed.endpoint], self._somaxconn)
            for entry in self._plan.entries
        ]

    def _check(self) -> None:
        host, files, server = self._before, self.files, self._request.server
        planned = hosts.with_files(host.config, files)
        if server is None or planned is None:
            return
        self._running.read_units()
        written = server.adapter.read(self._request.config, self._request.unit)
        if server.adapter.listens(written) != server.adapter.listens(planned):
            raise ConfigError("the configuration does not read back as it was written", planned.main)
        service.check(server.adapter.check(written), self._running.master(), "the new configuration")


def _look(
    request: Request, somaxconn: t.Optional[int], snapshot: t.Optional[Snapshot], asking: t.Optional[Look]
) -> Host:
    host = hosts.look(request, snapshot, asking)
    if somaxconn is None or hosts.namespace_of(request, snapshot) is not None:
        return host
    return replace(host, kernel=replace(host.kernel, somaxconn=somaxconn))


def _with_edited(host: Host, files: Files) -> Host:
    """The host as it will be when these files are edited, as far as its server reads them."""
    theirs = {path: content for path, content in files.items() if host.config and path in host.config.files}
    return hosts.with_config(host, theirs) if theirs else host


def _unread(host: Host) -> bool:
    """Whether systemd has loaded other settings than its files have now, as after an edit without daemon-reload."""
    unit, server = host.request.unit, host.request.server
    if unit is None or server is None or not server.adapter.daemon_reload:
        return False
    [shown] = Systemd().show([unit], ["NeedDaemonReload"])
    return shown.get("NeedDaemonReload") == "yes"


def _check_file(path: str, content: t.Optional[bytes]) -> t.List[str]:
    """What is lost when the file is replaced; somebody else's file must not be in the place of ours."""
    if content is None or content.startswith(MARK.encode()):
        _files.own(path, MARK)
    return _files.check_replaceable(path)


def _plan_for(host: Host, known: t.Optional[originals.Recorded]) -> Plan:
    request, observed, somaxconn = host.request, hosts.observe(host), host.kernel.somaxconn
    reload_listens = request.server is not None and request.server.adapter.relisten.on_reload_if_number_changed
    if known is not None:
        return planning.make_absent(
            observed, somaxconn, known.endpoints, apply=request.apply, reload_listens=reload_listens
        )
    return planning.make(request.want, observed, somaxconn, apply=request.apply, reload_listens=reload_listens)


def _edited(host: Host, plan: Plan, as_they_were: Files) -> Files:
    """The files to replace, so that every managed listener is configured with its number.

    Files are restored as they were if that achieves just this, and otherwise edited.
    """
    server = host.request.server
    if server is None or host.config is None or not (as_they_were or any(entry.edited for entry in plan.entries)):
        return {}
    numbers = {entry.observed.endpoint: iter(entry.numbers) for entry in plan.entries}
    wanted = {listen: next(numbers[hosts.endpoint_of(listen)]) for listen in host.listens}
    if server.adapter.one_number:
        wanted = dict.fromkeys(server.adapter.listens(host.config), max(wanted.values()))
    if as_they_were and _reads_back(server, host, wanted, as_they_were):
        return as_they_were
    files = server.adapter.edit(host.config, wanted)
    _check_edit(server, host, wanted, files)
    return files


def _reads_back(server: Server, host: Host, wanted: t.Mapping[Listen, int], files: Files) -> bool:
    try:
        _check_edit(server, host, wanted, files)
    except ConfigError:
        return False
    return True


def _check_edit(server: Server, host: Host, wanted: t.Mapping[Listen, int], files: Files) -> None:
    """The edited configuration must read back as intended and nothing else: better refused than wrong."""
    before, after = host.config, hosts.with_files(host.config, files)
    if before is None or after is None:
        return
    meant = sorted((hosts.endpoint_of(one), wanted.get(one, one.asked)) for one in server.adapter.listens(before))
    edited = sorted((hosts.endpoint_of(one), one.asked) for one in server.adapter.listens(after))
    if meant != edited:
        wrong = next((endpoint for endpoint, number in meant if (endpoint, number) not in edited), "a listener")
        raise ConfigError(f"the backlog of {wrong} cannot be set by an edit here", before.main)


def _check_present(host: Host, running: Running) -> None:
    """A server that refuses its current configuration would refuse ours too: nothing is edited then."""
    if host.request.server and host.config:
        command = host.request.server.adapter.check(host.config)
        service.check(command, running.master(), "the current configuration, before any change")


def _check_there(plan: Plan, after: t.Sequence[Observed]) -> None:
    """Somebody else may remove a file from the configuration while the server checks it."""
    there = {observed.endpoint for observed in after}
    gone = [queues.name_of(entry.observed.endpoint) for entry in plan.entries if entry.observed.endpoint not in there]
    if gone:
        raise NettuneError(
            f"{', '.join(gone)}: the configuration no longer listens there, it was changed in the meantime"
        )
