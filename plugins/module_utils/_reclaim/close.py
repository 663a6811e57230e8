# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run: probe the kernel, find what matches, choose, close one by one, and see who still holds descriptors."""

from __future__ import annotations

import os
import time
import typing as t
from collections import Counter

from .._errors import MissingRight, NettuneError
from .._kernel import cgroups, descriptors, netns, proc_pid
from .._kernel.descriptors import Descriptor
from .._kernel.sock_destroy import SockDestroy
from .._kernel.sock_diag import SockDiag, mask
from .._kernel.tcp_socket import STATE_NAMES
from . import probe
from .match import IDLE_UNKNOWN, MATCHES, Connection, choose, connection_of, verdict
from .report import CHANGED, CLOSED, GONE, REFUSED, Holders, Outcome, Process, Seen, result
from .request import Request

OWN = "own"

_SETTLE = 1.0  # seconds for processes to release what was closed
_PAUSE = 0.05


Fate = t.Tuple[Connection, str]


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Close the requested connections, in this network namespace or another one; the module's result.

    Raises what ``probe.demand`` raises, MissingRight if a unit's sockets cannot be determined, and what entering the
    namespace raises.
    """

    def run() -> t.Dict[str, t.Any]:
        return _run(request, check_mode=check_mode)

    return run() if request.netns is None else netns.run_in(request.netns, run)


def _run(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    probe.demand(request.states)
    seen = look(request)
    chosen = seen.choice.connections
    holders = descriptors.find({one.inode for one in chosen}).by_inode
    processes = _processes(holders)
    fates = [(one, CLOSED) for one in chosen] if check_mode else close_all(request, chosen, holders)
    closed = {one.inode for one, fate in fates if fate == CLOSED}
    held = descriptors.find(closed).by_inode if check_mode else _still_held(closed)
    return result(Outcome(request, seen, fates, holders, held, {**_processes(held), **processes}))


def look(request: Request) -> Seen:
    """Everything that matches now, except our own connections."""
    ancestors = descriptors.of_ancestors(os.getpid())
    verdicts: t.Counter[str] = Counter()

    def matching(diag: SockDiag) -> t.Iterator[Connection]:
        for message in diag.messages(_mask(request), with_info=True):
            connection = connection_of(message)
            judged = verdict(request, connection)
            judged = OWN if judged == MATCHES and connection.inode in ancestors else judged
            verdicts[judged] += 1
            if judged == MATCHES:
                yield connection

    with SockDiag() as diag:
        connections = matching(diag)
        if request.unit:
            connections = _of_unit(request.unit, list(connections))
        choice = choose(connections, request)
        return Seen(choice, verdicts[IDLE_UNKNOWN], verdicts[OWN], not diag.interrupted)


def _mask(request: Request) -> int:
    return mask(*(number for number, name in STATE_NAMES.items() if name in request.states))


def _of_unit(unit: str, connections: t.Sequence[Connection]) -> t.Iterator[Connection]:
    """Those whose every holder belongs to the unit."""
    held = descriptors.find({one.inode for one in connections})
    if held.unreadable:
        raise MissingRight(
            f"unit needs to see the open files of all processes, and those of {held.unreadable} are not visible:"
            " run as root"
        )
    units = {pid: process.unit for pid, process in _processes(held.by_inode).items()}
    for one in connections:
        if {units[holder.pid] for holder in held.by_inode.get(one.inode, ())} == {unit}:
            yield one


def close_all(request: Request, chosen: t.Iterable[Connection], holders: Holders) -> t.List[Fate]:
    """Close one after the other; the outcome of each. An error says how many were closed before it."""
    fates: t.List[Fate] = []
    with SockDestroy() as link:
        try:
            for one in chosen:
                fate = close(link, request, one, holders.get(one.inode, ()))
                fates.append((one, fate))
        except NettuneError as exc:
            exc.details["destroyed"] = sum(fate == CLOSED for _one, fate in fates)
            raise
    return fates


def close(link: SockDestroy, request: Request, chosen: Connection, holders: t.Sequence[Descriptor]) -> str:
    """Check a connection again, and close it if it is still what was chosen; then check that it is gone."""
    message = link.look(chosen.identity)
    if message is None:
        return GONE
    if not _same(request, chosen, connection_of(message), holders):
        return CHANGED
    if not link.destroy(chosen.identity):
        return GONE
    return CLOSED if link.look(chosen.identity) is None else REFUSED


def _same(request: Request, chosen: Connection, now: Connection, holders: t.Sequence[Descriptor]) -> bool:
    owner = (now.uid, now.inode) == (chosen.uid, chosen.inode)
    if not owner or verdict(request, now) != MATCHES:
        return False
    if not request.unit:
        return True
    return bool(holders) and all(descriptors.holds(one) and cgroups.unit_of(one.pid) == request.unit for one in holders)


def _still_held(inodes: t.Set[int]) -> Holders:
    """Who keeps a descriptor of what was closed, once processes that notice have released theirs."""
    deadline = time.monotonic() + _SETTLE
    while True:
        held = descriptors.find(inodes).by_inode
        if not held or time.monotonic() > deadline:
            return held
        time.sleep(_PAUSE)


def _processes(holders: Holders) -> t.Dict[int, Process]:
    pids = {one.pid for held in holders.values() for one in held}
    return {pid: Process(pid, proc_pid.name_of(pid), cgroups.unit_of(pid)) for pid in pids}
