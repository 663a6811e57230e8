# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What to do about a unit's open file limit, from what is wanted and what was observed. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._kernel.rlimits import Limits, may_set
from . import drop_in
from .limits import LimitWant
from .observed import Observed, Process, View
from .start_script import StartScript


@dataclass(frozen=True)
class Plan:
    """Everything that would be done, before any of it is.

    ``text`` is the desired drop-in, None for no file. ``live`` are limits to set at once, by pid, and ``kept`` says for
    the others, by pid, why nothing can be done at once.
    """

    text: t.Optional[str]
    write: bool
    reload: bool
    live: t.Mapping[int, Limits] = field(default_factory=dict)
    kept: t.Mapping[int, str] = field(default_factory=dict)


def refusal(want: LimitWant, observed: Observed) -> t.Optional[str]:
    """Why the limit must not be set at all, or None."""
    needed, nr_open = want.floor(), observed.ceiling.nr_open
    if needed > nr_open:
        return (
            f"{observed.unit}: {want} needs fs.nr_open >= {needed}, it is {nr_open}; systemd would silently give less"
        )
    return None


def plan_present(want: LimitWant, observed: Observed, *, live: bool) -> Plan:
    """Plan to satisfy the want, at the next start and, with ``live``, at once."""
    text = _wanted_text(want, observed)
    write = text != observed.own_text
    targets: t.Dict[int, Limits] = {}
    kept: t.Dict[int, str] = {}
    for process in observed.processes():
        target, reason = live_target(want, process) if live else (process.limits, "live is off")
        if target != process.limits:
            targets[process.pid] = target
        if reason:
            kept[process.pid] = reason
    return Plan(text, write, write or _unread(observed), targets, kept)


def plan_absent(observed: Observed) -> Plan:
    """Plan to remove our drop-in; processes keep what they have."""
    write = observed.own_text is not None or observed.directory_left
    return Plan(None, write, write or _unread(observed))


def _wanted_text(want: LimitWant, observed: Observed) -> t.Optional[str]:
    """Our drop-in, which also keeps the script that starts the service from undoing it, where that is possible."""
    declared = observed.declared(observed.subject).limits
    text = observed.own_text if want.satisfied_by(declared) else _text(want, observed)
    loaded = observed.with_drop_in(drop_in.path_of(observed.unit), text)
    scripts = filter(None, map(loaded.script_of, loaded.views))
    undoing = [script.variable for script in scripts if script.variable and not want.satisfied_by(script.limits)]
    return _text(want, observed, undoing[0]) if undoing else text


def _text(want: LimitWant, observed: Observed, quiet: str = "") -> str:
    path = drop_in.path_of(observed.unit)
    own = drop_in.limits_in(observed.own_text, path, observed.section)
    others = observed.with_drop_in(path, None)
    declared = [one.declared(one.subject).limits for one in (observed, others)]
    target = want.target(*declared, *([own] if own else []))
    own_directory = not observed.directory_exists or observed.owns_directory
    return drop_in.compose(target, observed.section, own_directory=own_directory, quiet=quiet)


def _unread(observed: Observed) -> bool:
    """Whether systemd has loaded other settings than the files have, as after a change without daemon-reload."""
    return any(
        view.stale and view.loaded is not None and _loaded(observed, view) != _loaded(observed, observed.reloaded(view))
        for view in observed.views
    )


def _loaded(observed: Observed, view: View) -> t.Tuple[t.Optional[Limits], t.Optional[StartScript]]:
    return view.loaded, observed.script_of(view)


def live_target(want: LimitWant, process: Process) -> t.Tuple[Limits, str]:
    """What a running process can be given, and why that is less than wanted, empty if it is not."""
    current, used, rights = process.limits, process.member.used, process.observed.rights
    goal = want.target(current)
    if goal == current:
        return current, ""
    if goal.soft < current.soft and (used is None or goal.soft < used):
        opened = "an unknown number of" if used is None else used
        return current, f"{opened} files are open, so its limit cannot become {goal}"
    if not may_set(rights, process.observed.ids[process.pid]):
        return current, "its limits may be changed only with CAP_SYS_RESOURCE"
    if goal.hard > current.hard and not rights.raise_hard:
        within = Limits(min(goal.soft, current.hard), current.hard)
        return within, f"its hard limit {current.hard} cannot be raised without CAP_SYS_RESOURCE"
    return goal, ""


def to_restart(want: LimitWant, observed: Observed) -> t.List[str]:
    """The units with a process that falls short, and that a restart would give what is wanted."""
    units = (
        process.view.unit
        for process in observed.processes()
        if falls_short(want, process) and not by_itself(want, process)
    )
    return sorted(set(units))


def falls_short(want: LimitWant, process: Process) -> bool:
    """Whether a process has less than wanted, or more, while its unit would give it just that."""
    return (
        not want.satisfied_by(process.limits) and process.at_start is not None and want.satisfied_by(process.at_start)
    )


def by_itself(want: LimitWant, process: Process) -> bool:
    """Whether a process was given what is wanted, but has changed it itself."""
    return (
        process.effective is not None and want.satisfied_by(process.effective) and not want.satisfied_by(process.limits)
    )
