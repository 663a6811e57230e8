# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The body of nettune.tcp.listen_backlog: observe, plan, apply as one transaction, observe again, judge."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .. import _files, _transaction
from .._servers.server import ConfigError, Listen, Server
from . import host as hosts
from . import plan as planning
from . import report, service
from .host import Files, Host
from .plan import Plan, Seen
from .request import Request
from .running import Running


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Bring the backlogs to what was asked, or in check mode tell exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything when any part fails.
    """
    before = hosts.look(request)
    plan = planning.make(
        request.want,
        hosts.observe(before),
        before.kernel.somaxconn,
        apply=request.apply,
        reload_listens=_reload_listens(request),
    )
    files = _edited(before, plan)
    running = Running(before, plan)
    for path in files:
        _files.check_replaceable(path)
    running.check_possible()
    if files:
        _check_present(before, running)
    if check_mode:
        after, kernel = _predicted(before, plan, files), before.kernel
    else:
        _transaction.run(_steps(before, files, running))
        now = hosts.look(request)
        after, kernel = hosts.observe(now), now.kernel
    rows = _rows(plan, after, kernel.somaxconn)
    return report.result(rows, before.config.files if before.config else {}, files)


def _reload_listens(request: Request) -> bool:
    return request.server is not None and request.server.relisten.on_reload_if_number_changed


def _edited(host: Host, plan: Plan) -> Files:
    """The files to replace, so that every listener meant is configured with its number."""
    server = host.request.server
    if server is None or host.config is None or not any(entry.edited for entry in plan.entries):
        return {}
    numbers = {entry.seen.place: iter(entry.numbers) for entry in plan.entries}
    wanted = {listen: next(numbers[hosts.place_of(listen)]) for listen in host.listens}
    if server.one_number:
        wanted = dict.fromkeys(server.listens(host.config), max(wanted.values()))
    files = server.edit(host.config, wanted)
    _check_edit(server, host, wanted, files)
    return files


def _check_edit(server: Server, host: Host, wanted: t.Mapping[Listen, int], files: Files) -> None:
    """What was edited must read back as what was meant, and nothing else: better refused than wrong."""
    before, after = host.config, hosts.with_files(host.config, files)
    if before is None or after is None:
        return
    meant = sorted((hosts.place_of(one), wanted.get(one, one.asked)) for one in server.listens(before))
    found = sorted((hosts.place_of(one), one.asked) for one in server.listens(after))
    if meant != found:
        wrong = next((place for place, number in meant if (place, number) not in found), "a listener")
        raise ConfigError(f"the backlog of {wrong} cannot be set by an edit here", before.main)


def _steps(host: Host, files: Files, running: Running) -> t.Iterator[_transaction.Step]:
    """Edit, let the server judge, and only then tell it."""
    if files:
        yield running.way_back()
        for path, content in files.items():
            yield _files.step(path, content)
        yield _transaction.Step("check of the configuration", lambda: _check(host, files, running), _nothing)
    yield from running.steps()


def _nothing() -> None:
    """What has been looked at needs no undoing."""


def _check_present(host: Host, running: Running) -> None:
    """A server that refuses its configuration as it is would refuse ours too: nothing is edited then."""
    if host.request.server and host.config:
        command = host.request.server.check(host.config)
        service.check(command, running.master(), "the configuration as it is, before any change")


def _check(host: Host, files: Files, running: Running) -> None:
    server, planned = host.request.server, hosts.with_files(host.config, files)
    if server is None or planned is None:
        return
    running.read_units()
    written = server.read(host.request.config, host.request.unit)
    if server.listens(written) != server.listens(planned):
        raise ConfigError("the configuration does not read back as it was written", planned.main)
    service.check(server.check(written), running.master(), "the new configuration")


def _predicted(host: Host, plan: Plan, files: Files) -> t.Tuple[Seen, ...]:
    after = hosts.observe(hosts.with_config(host, files))
    backlogs = planning.predict(plan)
    return tuple(replace(seen, backlogs=backlogs[seen.place]) for seen in after)


def _rows(plan: Plan, after: t.Sequence[Seen], somaxconn: int) -> t.List[planning.Row]:
    by_place = {seen.place: seen for seen in after}
    return [planning.verdict(plan, entry, by_place[entry.seen.place], somaxconn) for entry in plan.entries]
