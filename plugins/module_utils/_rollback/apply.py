# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run: which runs are selected, what they have left, and how to undo that."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from .. import _job, _transaction
from .._boot import sysctl_d, systemd
from .._confirm import state as unconfirmed
from .._errors import BadRequest, NettuneError
from .._record import entries, fold, originals, store
from .._record.fold import Thing
from .._transaction import Replaced, Step, nothing
from . import disk, kernel, processes
from . import rows as telling
from .item import CHANGED, OURS, STAYS, Item, short


@dataclass(frozen=True)
class Request:
    """``before`` is a run's id, a label, ``last`` or ``original``; ``force`` overwrites what others have changed."""

    before: str
    force: bool = False


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming what is wrong."""
    before = params["before"].strip()
    if not before:
        raise BadRequest("before needs the id of a run, a label, last or original")
    return Request(before, params["force"])


class Conflict(NettuneError):
    """Somebody has since changed what would be restored; nothing was rolled back."""


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Restore what was there before a run, or in check mode predict exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything if any part fails.
    """
    [job], run = _job.carry_out(
        lambda: [Job(request)], "rollback", check_mode=check_mode, undoes=lambda jobs: jobs[0].undoes
    )
    for undone in () if check_mode else job.undoes:
        unconfirmed.disarm(undone)
    return {**job.result(), "run": run}


class Job:
    """One run; ``undoes`` are the ids of those that it undoes."""

    undoes: t.Tuple[str, ...]

    def __init__(self, request: Request) -> None:
        runs = [run for run in store.runs() if run.changed]
        self._warnings: t.List[str] = []
        self._originals: t.Dict[str, t.Optional[Replaced]] = {}
        things = self._of_originals(runs) if request.before == fold.ORIGINAL else self._since(runs, request.before)
        self._items = list(_items(things[::-1]))
        self._stop_at_conflicts(request)
        self._keys = [item.name for item in self._items if item.kind == entries.SYSCTL]
        self._boot_before = self._boot_after = _boot(self._keys)
        self._now = [item.present for item in self._items]
        self._unread = self._units_unread(things)

    def steps(self) -> t.Iterator[t.Union[Step, _transaction.AnyOrder]]:
        """The steps back: what was done last comes first, and the kernel may take its values in any order."""
        units = self._units_change or self._unread
        if units:
            yield Step("daemon-reload", nothing, _reload)
        todo = [item for item in self._items if item.step and item.state in (OURS, CHANGED)]
        values = tuple(item.step for item in todo if item.step and item.kind == entries.SYSCTL)
        for item in todo:
            if item.kind != entries.SYSCTL and item.step:
                yield item.step
            elif values:
                yield values
                values = ()
        if units:
            yield Step("daemon-reload", _reload, nothing)
        yield originals.step(self._originals)

    def look(self) -> None:
        """Read everything back."""
        self._now = [item.look() for item in self._items]
        self._boot_after = _boot(self._keys)
        for item, now in zip(self._items, self._now):
            if item.sure and item.state != STAYS and now != item.goal:
                raise NettuneError(
                    f"{item.name} should have become {short(item.goal)}, but is {short(now)}", name=item.name
                )

    def predict(self) -> None:
        """What the steps would result in."""
        self._now = [item.goal for item in self._items]

    def result(self) -> t.Dict[str, t.Any]:
        """What the module returns."""
        rows = telling.rows(self._items, self._now, self._boot_before, self._boot_after)
        return {
            "changed": self._unread or any(item.state in (OURS, CHANGED) for item in self._items),
            "settings": rows,
            "summary": dict(Counter(row["status"] for row in rows)),
            "undone": list(self.undoes),
            "diff": telling.diff(rows),
            "warnings": self._warnings,
        }

    def _since(self, runs: t.Sequence[store.Run], before: str) -> t.List[Thing]:
        undone = fold.since(runs, before)
        self.undoes = tuple(run.id for run in undone)
        if not undone:
            self._warnings.append(f"no run that is recorded here matches {before}: nothing was rolled back")
        things = fold.fold(undone, store.run_path)
        for thing in things:
            if thing.kind == entries.ORIGINAL:
                known = None if thing.before is None else entries.decode(thing.before, originals.path())
                self._originals[thing.name] = known
        return [thing for thing in things if thing.kind != entries.ORIGINAL]

    def _of_originals(self, runs: t.Sequence[store.Run]) -> t.List[Thing]:
        self.undoes = tuple(run.id for run in runs)
        known = originals.load()
        self._originals = dict.fromkeys(known)
        return fold.to_originals(known, runs, store.run_path, store.ROOT)

    def _stop_at_conflicts(self, request: Request) -> None:
        conflicts = [item for item in self._items if item.state == CHANGED]
        if request.force or not conflicts:
            return
        conflicting = dict.fromkeys(item.conflict for item in conflicts)  # processes of a unit are often alike
        raise Conflict(
            f"nothing was rolled back, since somebody has changed this in the meantime: {'; '.join(conflicting)}"
            " (force overwrites it)",
            settings=telling.conflicts(conflicts),
            diff=[item.diff for item in conflicts if item.diff],
        )

    @property
    def _units_change(self) -> bool:
        return any(disk.is_units(item.kind, item.name) and item.state in (OURS, CHANGED) for item in self._items)

    def _units_unread(self, things: t.Sequence[Thing]) -> bool:
        """Whether systemd has not been told what a killed run restored."""
        paths = [thing.name for thing in things if disk.is_units(thing.kind, thing.name)]
        units = sorted({path.split("/")[4].replace(".d", "") for path in paths if path.startswith("/etc/")})
        if not units or not systemd.booted():
            return False
        shown = systemd.Systemd().show(units, ["NeedDaemonReload"])
        return any(one.get("NeedDaemonReload") == "yes" for one in shown)


def _items(things: t.Sequence[Thing]) -> t.Iterator[Item]:
    """How to restore each object, in this order; what belongs to several processes is grouped."""
    leaving = {thing.name for thing in things if thing.before is None}
    together: t.Dict[t.Tuple[str, str], t.List[Thing]] = {}
    for thing in things:
        together.setdefault((thing.kind, thing.name), []).append(thing)
    for (kind, name), those in together.items():
        if kind == entries.LIMIT:
            yield from processes.limits(name, those)
        elif kind == entries.BACKLOG:
            yield from processes.queues(name, those)
        else:
            yield from (_alone(thing, leaving) for thing in those)


def _alone(thing: Thing, leaving: t.Container[str]) -> Item:
    if thing.kind == entries.DIRECTORY:
        return disk.directory(thing, leaving)
    kinds = {entries.SYSCTL: kernel.sysctl, entries.MODULE: kernel.module, entries.FILE: disk.file}
    if thing.kind not in kinds:
        raise NettuneError(f"a later version of nettune.tcp has recorded a {thing.kind}: {thing.name}")
    return kinds[thing.kind](thing)


def _boot(keys: t.Sequence[str]) -> t.Dict[str, sysctl_d.BootValue]:
    return sysctl_d.resolve(sysctl_d.read_tree(), keys) if keys else {}


def _reload() -> None:
    systemd.Systemd().daemon_reload()
