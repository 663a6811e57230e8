# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The steps by which a unit and its processes get a limit."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, replace

from .. import _transaction
from .._boot import systemd as sd
from .._kernel import cgroups, proc_sys, rlimits
from .._record import entries
from .._record import files as recorded
from .._transaction import Replaced, Step, nothing
from . import drop_in
from . import plan as planning
from .limits import LimitWant
from .observe import observe
from .observed import Observed, Process
from .plan import Plan

Steps = t.Iterator[_transaction.Step]
AtStart = t.Tuple[t.Optional[rlimits.Limits], ...]

# Enough for any forking server, and an end if a process that cannot be raised keeps forking.
_ROUNDS = 5


def restarts(want: t.Optional[LimitWant], allowed: bool, plan: Plan, after: Observed) -> t.List[str]:
    """The units to restart, if that is allowed, from what would be observed otherwise."""
    if not allowed:
        return []
    if want is not None:
        return planning.to_restart(want, after)
    return sorted(
        {process.view.unit for process in after.processes() if plan.write and process.limits != process.at_start}
    )


@dataclass(frozen=True)
class Doing:
    """What is to be done; ``at_start`` are the limits that the unit's next start gives, before and after."""

    want: t.Optional[LimitWant]
    may_restart: bool
    plan: Plan
    before: Observed
    manager: sd.Systemd
    at_start: AtStart

    def steps(self, to_restart: t.Iterable[str]) -> Steps:
        """Files, daemon-reload, running processes, and finally the restart: each needs the previous ones."""
        for unit in to_restart:
            # Undone last: what a failed restart has stopped is started again from the old files.
            yield Step(f"{unit} runs", do=nothing, undo=functools.partial(self.manager.start, unit))
        if self.plan.reload:
            yield from reread(self._file_steps() if self.plan.write else [], self.manager, self._at_start())
            if self.want:
                # Once all files are reloaded, the unit may turn out to be masked, or broken.
                yield Step(f"look for {self.before.unit}", self._look_for_it, nothing)
        yield from self._live_steps()
        if self.may_restart:
            now = observe(self.before.unit, self.manager, must_exist=False)
            for unit in restarts(self.want, self.may_restart, self.plan, now):
                yield Step(f"restart {unit}", do=functools.partial(self._restart, unit), undo=nothing)

    def _restart(self, unit: str) -> None:
        self.manager.restart(unit)
        [shown] = self.manager.show([unit], ["ControlGroup"])
        if shown.get("ControlGroup"):
            cgroups.wait_for_programs(shown["ControlGroup"])

    def _at_start(self) -> t.Tuple[Replaced, ...]:
        """For processes started from now on: they are recognized by the limit that the unit gave them."""
        before, after = map(str, self.at_start)
        return (Replaced(entries.LIMIT, self.before.unit, before, after),) if None not in self.at_start else ()

    def _look_for_it(self) -> None:
        observe(self.before.unit, self.manager)

    def _file_steps(self) -> t.List[Step]:
        path, directory = drop_in.path_of(self.before.unit), drop_in.directory_of(self.before.unit)
        content = None if self.plan.text is None else self.plan.text.encode()
        if content is not None:
            return recorded.steps(path, content)
        gone = [recorded.remove_directory(directory)] if self.before.owns_directory else []
        return [*(recorded.steps(path, None) if self.before.own_text is not None else ()), *gone]

    def _live_steps(self) -> Steps:
        """Raise all processes, and then those forked in the meantime with the old limit of their parent."""
        done: t.Set[t.Tuple[int, int]] = set()
        now, targets = self.before, self.plan.live
        for _round in range(_ROUNDS):
            todo = [process for process in now.processes() if process.pid in targets and process.identity not in done]
            if not todo or not self.want:
                return
            for process in todo:
                yield _raise(process, targets[process.pid])
            done |= {process.identity for process in todo}
            now = observe(self.before.unit, self.manager)
            targets = planning.plan_present(self.want, now, live=True).live


def _raise(process: Process, target: rlimits.Limits) -> Step:
    step = rlimits.step(process.pid, process.limits, target, functools.partial(cgroups.runs, process.member))
    where = {"pid": process.pid, "ticks": process.member.ticks, "boot_id": proc_sys.boot_id()}
    return replace(
        step, replaces=(Replaced(entries.LIMIT, process.view.unit, str(process.limits), str(target), where),)
    )


def reread(files: t.Iterable[Step], manager: sd.Systemd, replaces: t.Tuple[Replaced, ...] = ()) -> Steps:
    """systemd reloads its files after they are written, and likewise after they are restored."""
    yield Step("daemon-reload", do=nothing, undo=manager.daemon_reload, replaces=replaces)
    yield from files
    yield Step("daemon-reload", do=manager.daemon_reload, undo=nothing)
