# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Rolling back file limits of processes, and queues of listeners.

Both belong to processes, which come and go.  The one that was changed is found by its pid and start, or its socket's
inode, within one boot; any other one of the same unit, or at the same endpoint, is ours if it has what our run gave.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import replace

from .. import _plan
from .._backlog import sockets
from .._backlog.running import relisten
from .._boot import systemd
from .._errors import NettuneError
from .._kernel import cgroups, holders, identity, pidfd, proc_sys, rlimits
from .._kernel.cgroups import Member
from .._kernel.proc_pid import nofile
from .._kernel.tcp_socket import Listener
from .._nofile.limits import parse_directive
from .._nofile.verdict import plain
from .._record import entries
from .._record.fold import Thing
from .._transaction import Replaced, Step
from .item import BACK, OURS, STAYS, Item, judge


def limits(unit: str, things: t.Sequence[Thing]) -> t.Iterator[Item]:
    """The processes of a unit."""
    boot = proc_sys.boot_id()
    known = {(one.where["pid"], one.where["ticks"]): one for one in things if one.where.get("boot_id") == boot}
    main, members = _members(unit)
    for member in members:
        others = likely(things, main=member.pid == main)
        thing = known.get((member.pid, member.ticks)) or _like(others, str(member.limits))
        if thing is not None:
            yield _limit(unit, thing, member)


def likely(things: t.Iterable[Thing], *, main: bool) -> t.List[Thing]:
    """What a process may have had that was started since, the likeliest first.  Pure.

    The main process starts with what its unit gives.  Others, such as the worker of HAProxy, may have raised that
    themselves, and would do so again: less than the most that was there could be too little.
    """
    if main:
        return sorted(things, key=lambda one: "pid" in one.where)
    return sorted(things, key=lambda one: parse_directive(one.before) or rlimits.Limits(0, 0), reverse=True)


def _members(unit: str) -> t.Tuple[int, t.Tuple[Member, ...]]:
    """The main process of a unit, and all."""
    if not systemd.booted():
        return 0, ()
    [shown] = systemd.Systemd().show([unit], ["ControlGroup", "MainPID"])
    group = shown.get("ControlGroup", "")
    return int(shown.get("MainPID") or 0), cgroups.members([group])[group] if group else ()


def _like(things: t.Iterable[Thing], present: t.Any) -> t.Optional[Thing]:
    return next((one for one in things if one.is_ours(present)), None)


def _limit(unit: str, thing: Thing, member: Member) -> Item:
    goal = parse_directive(thing.before)
    if goal is None:
        raise NettuneError(f"the record of {unit} has no limits: {thing.before!r}", unit=unit)
    where = {"pid": member.pid, "ticks": member.ticks, "boot_id": proc_sys.boot_id()}
    step = rlimits.step(member.pid, member.limits, goal, functools.partial(cgroups.runs, member))
    item = Item(
        thing.kind,
        unit,
        judge(thing, str(member.limits)),
        plain(member.limits),
        plain(goal),
        lambda: _limits_now(member, goal),
        replace(step, replaces=(Replaced(entries.LIMIT, unit, str(member.limits), thing.before, where),)),
        recorded(thing.left[0]),
        recorded(thing.foreign[-1]) if thing.foreign else None,
        sure=False,
    )
    reason = _stays(member, goal) if item.state == OURS else ""
    return replace(item, state=STAYS, goal=item.present, status="limited", reason=reason) if reason else item


def _stays(member: Member, goal: rlimits.Limits) -> str:
    """Why a process cannot be given these limits, empty if it can."""
    if member.used is not None and member.used > goal.soft:
        return f"{member.name} (pid {member.pid}) has {member.used} files open"
    if goal.hard > member.limits.hard and not rlimits.rights().raise_hard:
        return f"its hard limit {member.limits.hard} cannot become {goal.hard} again without CAP_SYS_RESOURCE"
    return ""


def recorded(text: str) -> _plan.Plain:
    """Limits from a record, as a row has those in force."""
    limits = parse_directive(text)
    return plain(limits) if limits else text


def _limits_now(member: Member, goal: rlimits.Limits) -> _plan.Plain:
    """The current limits; a process that is gone needs none."""
    soft, hard = nofile(member.pid)
    if soft is None or not cgroups.runs(member):
        return plain(goal)
    return plain(rlimits.Limits(soft, rlimits.INFINITY if hard is None else hard))


def queues(name: str, things: t.Sequence[Thing]) -> t.Iterator[Item]:
    """The sockets at an endpoint."""
    family, address, port = things[0].where["endpoint"]
    endpoint = (str(family), str(address), int(port))
    boot = proc_sys.boot_id()
    known = {one.where["inode"]: one for one in things if one.where.get("boot_id") == boot}
    others = sorted(things, key=lambda one: "inode" in one.where)
    for socket in _listeners(endpoint, things[0].where.get("unit")):
        holder = holders.find([socket.inode]).get(socket.inode)
        thing = known.get(socket.inode) or (_like(others, socket.backlog) if _servers(holder, others[0]) else None)
        if thing is not None:
            yield _queue(name, thing, socket, holder)


def _servers(holder: t.Optional[holders.Holder], thing: Thing) -> bool:
    """Whether a process that has since opened a socket may be the same server: it is root's, or in its unit."""
    owner = identity.look(holder.pid) if holder else None
    return owner is not None and (owner.ours or (owner.unit is not None and owner.unit == thing.where.get("unit")))


def _listeners(endpoint: sockets.Endpoint, unit: t.Optional[str]) -> t.Tuple[Listener, ...]:
    pid = systemd.main_pid(unit)
    kernel = sockets.look(sockets.namespace_of(pid) if pid else None)
    return sockets.with_twins(sockets.with_files(kernel, [endpoint]), [endpoint]).sockets.get(endpoint, ())


def _queue(name: str, thing: Thing, socket: Listener, holder: t.Optional[holders.Holder]) -> Item:
    present, goal = socket.backlog or 0, int(thing.before)
    where = {**thing.where, "inode": socket.inode, "boot_id": proc_sys.boot_id()}
    item = Item(
        thing.kind,
        name,
        judge(thing, present),
        present,
        goal,
        lambda: _backlog_now(thing, socket),
        None,
        thing.left[0],
        thing.foreign[-1] if thing.foreign else None,
        sure=False,
    )
    if item.state == BACK:
        return item
    blocked = "no process that is visible here holds the socket" if holder is None else _blocked(holder, socket)
    if blocked or holder is None:
        return replace(item, state=STAYS, goal=present, status="restart_required", reason=blocked)
    step = Step(
        f"listen({goal}) on {name}, socket {socket.inode} of pid {holder.pid}",
        functools.partial(relisten, holder, socket.inode, goal),
        functools.partial(relisten, holder, socket.inode, present),
        (Replaced(entries.BACKLOG, name, present, goal, where),),
    )
    return replace(item, step=step)


def _blocked(holder: holders.Holder, socket: Listener) -> str:
    try:
        with pidfd.duplicate(holder.pid, holder.descriptor, socket.inode):
            return ""
    except NettuneError as exc:
        return str(exc)


def _backlog_now(thing: Thing, socket: Listener) -> _plan.Plain:
    family, address, port = thing.where["endpoint"]
    there = _listeners((family, address, port), thing.where.get("unit"))
    return next((one.backlog for one in there if one.inode == socket.inode), int(thing.before))
