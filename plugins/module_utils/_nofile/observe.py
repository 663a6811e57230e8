# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Look at a unit: its files, systemd, and its processes."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from .. import _files
from .._boot import systemd as sd
from .._boot import unit_files
from .._errors import BadRequest, Unsupported
from .._kernel import cgroups, proc_pid, proc_sys, rlimits
from .._kernel.rlimits import Limits
from .._record import entries, originals
from . import drop_in, start_script
from .limits import Ceiling, parse_directive
from .observed import Default, Observed, View

OF_UNIT = (
    "Id Names LoadState LoadError FragmentPath ControlGroup MainPID LimitNOFILE LimitNOFILESoft Environment "
    "NeedDaemonReload Triggers"
).split()
_OF_MANAGER = "UnitPath DefaultLimitNOFILE DefaultLimitNOFILESoft".split()


def observe(unit: str, manager: sd.Systemd, *, must_exist: bool = True) -> Observed:
    """Everything about the unit.  Raises BadRequest naming the unit if it does not exist, is masked or is broken."""
    sd.check_booted()
    section = section_of(unit)
    template = sd.is_template(unit)
    (shown,) = manager.show([sd.probe_of(unit) if template else unit], OF_UNIT)
    unit = _real_name(shown["Id"]) if template else shown["Id"]
    of_manager = manager.show_manager(_OF_MANAGER)
    lookup = of_manager["UnitPath"].split()
    instances = manager.instances(unit) if template else []
    running = manager.show(instances, OF_UNIT) if instances else []
    views = _with_members([shown, *running], lookup)
    if must_exist:
        _check_loaded(unit, shown, views[0])
    own_text = _files.own(drop_in.path_of(unit))
    return Observed(
        unit=unit,
        section=section,
        subject=views[0],
        instances=tuple(views[1:]),
        default=_default(of_manager),
        ceiling=_ceiling(),
        rights=rlimits.rights(),
        ids={member.pid: rlimits.ids_of(member.pid) for view in views for member in view.members},
        own_text=None if own_text is None else own_text.decode("utf-8", "replace"),
        directory_exists=os.path.isdir(drop_in.directory_of(unit)),
        directory_left=_left_over(drop_in.directory_of(unit)),
        note=_note(unit, section, shown),
    )


def _left_over(directory: str) -> bool:
    """Whether a run was killed between creating the directory and writing into it."""
    recorded = originals.name_of(entries.DIRECTORY, directory) in originals.load()
    return recorded and os.path.isdir(directory) and not os.listdir(directory)


def section_of(unit: str) -> str:
    """The section for the directive. Raises BadRequest for units that start no process."""
    kind = sd.unit_type(unit)
    if kind == "scope":
        raise BadRequest(f"{unit}: the processes of a scope are started by others, it has no {drop_in.KEY}", unit=unit)
    if kind not in drop_in.SECTIONS:
        raise BadRequest(f"{unit}: a {kind} starts no processes, it has no {drop_in.KEY}", unit=unit)
    return drop_in.SECTIONS[kind]


def _check_loaded(unit: str, shown: sd.Properties, view: View) -> None:
    state = shown["LoadState"]
    if state == "loaded" and not view.gone:
        return
    if state in ("loaded", "not-found"):
        raise BadRequest(f"there is no unit {unit}", unit=unit)
    if state == "masked":
        raise BadRequest(f"{unit} is masked, so nothing can start it: unmask it first", unit=unit)
    raise BadRequest(f"{unit} cannot be loaded ({state}): {shown.get('LoadError', '')}", unit=unit)


def _real_name(probe: str) -> str:
    prefix, _at, rest = probe.partition("@")
    return f"{prefix}@.{sd.unit_type(rest)}"


def _view(shown: sd.Properties, lookup: t.Sequence[str]) -> View:
    others = [name for name in shown["Names"].split() if name != shown["Id"]]
    files = unit_files.read(shown["FragmentPath"], lookup, [shown["Id"], *others])
    return View(
        unit=shown["Id"],
        files=files,
        loaded=_limits(shown, drop_in.KEY) if shown["LoadState"] == "loaded" else None,
        stale=shown["NeedDaemonReload"] == "yes",
        gone=bool(shown["FragmentPath"]) and files.fragment is None,
        main_pid=int(shown.get("MainPID", "0")),
        script=start_script.find(shown["Id"], files),
        environment=start_script.variables([shown.get("Environment", "")]),
    )


def _with_members(blocks: t.Sequence[sd.Properties], lookup: t.Sequence[str]) -> t.List[View]:
    groups = [block.get("ControlGroup", "") for block in blocks]
    members = cgroups.members([group for group in groups if group])
    return [replace(_view(block, lookup), members=members.get(group, ())) for block, group in zip(blocks, groups)]


def _limits(shown: sd.Properties, key: str) -> t.Optional[Limits]:
    return parse_directive(f"{shown[f'{key}Soft']}:{shown[key]}")


def _default(of_manager: sd.Properties) -> Default:
    key = "DefaultLimitNOFILE"
    limits = _limits(of_manager, key)
    if limits is None:
        raise Unsupported(f"systemd reports no valid {key}: {of_manager[key]!r}")
    files = unit_files.read_manager()
    lines = [setting for setting in files.settings("Manager", key) if parse_directive(setting.value) == limits]
    return Default(limits, lines[-1].source if lines else f"{key} of systemd", files.changed)


def _ceiling() -> Ceiling:
    _soft, hard = proc_pid.nofile(1)
    nr_open = int(proc_sys.read("fs.nr_open") or 0)
    return Ceiling(nr_open, rlimits.INFINITY if hard is None else hard, rlimits.rights_of_manager().raise_hard)


def _note(unit: str, section: str, shown: sd.Properties) -> str:
    if unit.startswith("user@"):
        return "the units of a user's manager get DefaultLimitNOFILE of systemd-user.conf(5), within this hard limit"
    if section == "Service":
        return ""
    note = f"the limit applies to the commands that {unit} runs itself"
    triggers = shown.get("Triggers", "")
    return f"{note}; {triggers} has its own" if triggers else note
