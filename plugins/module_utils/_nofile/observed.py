# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A unit's open file limit as observed: in its files, in systemd, and in its processes. Data only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._boot.unit_files import UnitFiles
from .._kernel.cgroups import Member
from .._kernel.rlimits import Ids, Limits, Rights
from . import drop_in, start_script
from .limits import Ceiling, parse_directive
from .start_script import Environment, StartScript


@dataclass(frozen=True)
class Declared:
    """The limits that files give to a unit, and the line that decides."""

    limits: Limits
    source: str


@dataclass(frozen=True)
class Default:
    """systemd's DefaultLimitNOFILE, which applies to units that set nothing; ``changed`` as in UnitFiles."""

    limits: Limits
    source: str
    changed: float = 0.0


@dataclass(frozen=True)
class View:
    """One unit. ``loaded`` and ``environment`` are what systemd has loaded, None and empty if it has no such unit.

    ``stale`` means that systemd has not loaded the current files, and ``gone`` that the unit's own file no longer
    exists, so systemd will have no such unit once it reloads.
    """

    unit: str
    files: UnitFiles
    loaded: t.Optional[Limits]
    stale: bool = False
    gone: bool = False
    main_pid: int = 0
    members: t.Tuple[Member, ...] = ()
    script: t.Optional[StartScript] = None
    environment: Environment = field(default_factory=dict)

    def declared(self, section: str, default: Default) -> Declared:
        """What the files say; lines that systemd ignores are ignored here."""
        result = Declared(default.limits, default.source)
        for setting in self.files.settings(section, drop_in.KEY):
            limits = parse_directive(setting.value)
            if limits is not None:
                result = Declared(limits, setting.source)
        return result


@dataclass(frozen=True)
class Observed:
    """Everything about one unit, or a template and the instances of it that run.

    ``subject`` is the unit itself; for a template, what an instance without its own drop-ins would be. ``ids`` are
    those of all processes, by pid. ``directory_exists`` and ``directory_left`` concern the directory of our drop-in:
    whether it exists, and whether a killed run has left it behind, empty. ``note`` is what should be known about this
    type of unit.
    """

    unit: str
    section: str
    subject: View
    default: Default
    ceiling: Ceiling
    rights: Rights
    instances: t.Tuple[View, ...] = ()
    ids: t.Mapping[int, Ids] = field(default_factory=dict)
    own_text: t.Optional[str] = None
    directory_exists: bool = False
    directory_left: bool = False
    note: str = ""

    @property
    def views(self) -> t.Tuple[View, ...]:
        """The unit, and for a template its instances too."""
        return (self.subject, *self.instances)

    @property
    def owns_directory(self) -> bool:
        """Whether the directory of our drop-in was created for it."""
        return self.directory_left or drop_in.owns_directory(self.own_text)

    def declared(self, view: View) -> Declared:
        """What the files say about one of the units."""
        return view.declared(self.section, self.default)

    def processes(self) -> t.Iterator[Process]:
        """All processes of all the units."""
        return (Process(self, view, member) for view in self.views for member in view.members)

    def from_systemd(self, view: View) -> t.Optional[Limits]:
        """What systemd would give if the unit were started now."""
        return None if view.loaded is None else self.ceiling.effective(view.loaded)

    def script_of(self, view: View) -> t.Optional[StartScript]:
        """The script that has the last word on that: it may lower what it got, and seldom raise it."""
        given, script = self.from_systemd(view), start_script.within(view.script, view.environment)
        if given is None or script is None or script.limits.hard > self.ceiling.highest(given.hard):
            return None
        return script

    def at_start(self, view: View) -> t.Optional[Limits]:
        """What a process would get if its unit were started now."""
        script = self.script_of(view)
        return script.limits if script else self.from_systemd(view)

    def source(self, view: View) -> str:
        """Where that is decided."""
        script = self.script_of(view)
        return script.source if script else self.declared(view).source

    def with_drop_in(self, path: str, text: t.Optional[str]) -> Observed:
        """The same once systemd has loaded our drop-in with this text, or without it for None."""

        def alter(view: View) -> View:
            return self.reloaded(replace(view, files=view.files.with_drop_in(path, text)))

        return replace(
            self, own_text=text, subject=alter(self.subject), instances=tuple(alter(view) for view in self.instances)
        )

    def reloaded(self, view: View) -> View:
        """The unit once systemd has loaded its files."""
        exists = view.loaded is not None and not view.gone
        return replace(
            view,
            loaded=self.declared(view).limits if exists else None,
            environment=start_script.environment_of(view.files) if exists else {},
            stale=False,
        )

    def with_limits(self, limits: t.Mapping[int, Limits]) -> Observed:
        """The same with these limits in force, by pid."""

        def alter(view: View) -> View:
            members = (replace(member, limits=limits.get(member.pid, member.limits)) for member in view.members)
            return replace(view, members=tuple(members))

        return replace(self, subject=alter(self.subject), instances=tuple(alter(view) for view in self.instances))


@dataclass(frozen=True)
class Process:
    """One process, with everything else that was observed."""

    observed: Observed
    view: View
    member: Member

    @property
    def pid(self) -> int:
        """The process."""
        return self.member.pid

    @property
    def identity(self) -> t.Tuple[int, int]:
        """What identifies the process for good."""
        return self.member.pid, self.member.ticks

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self.member.limits

    @property
    def at_start(self) -> t.Optional[Limits]:
        """What it would get if its unit were started now."""
        return self.observed.at_start(self.view)

    @property
    def effective(self) -> t.Optional[Limits]:
        """What it got from its unit when it was started, None if the files have changed since."""
        changed = max(self.view.files.changed, self.observed.default.changed)
        return None if self.view.stale or self.member.started < changed else self.at_start

    @property
    def origin(self) -> str:
        """Where it got its limit if not from its unit; empty if unknown."""
        if self.member.below and self.effective != self.limits:
            return f"{self.member.below} is managed within the unit and got the limit {self.limits} there"
        if self.effective not in (None, self.limits) or self._main_limits() != self.limits:
            return f"it has set its own limit {self.limits}"
        return ""

    def _main_limits(self) -> Limits:
        processes = (Process(self.observed, self.view, member) for member in self.view.members)
        return next((other.limits for other in processes if other.pid == self.view.main_pid), self.limits)
