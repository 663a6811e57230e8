# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which processes belong to the requested server: never judged by their name."""

from __future__ import annotations

import typing as t

from .._boot import systemd
from .._kernel import identity, netns, proc_pid
from .._kernel.holders import Holder
from .._kernel.identity import Identity, Tie
from .._kernel.tcp_socket import Listener
from .request import Request

_INIT = 1


def names(request: Request) -> t.Tuple[str, ...]:
    """The names of the server's programs, empty if any will do."""
    return request.server.processes if request.server else ()


def tie(request: Request) -> Tie:
    """A process of a user other than root must be the main one of the requested unit."""
    return Tie(names(request), lambda unit: systemd.main_pid(unit) if unit == request.unit else None, identity.look)


def masters(
    request: Request, listeners: t.Iterable[Listener], holders: t.Mapping[int, Holder]
) -> t.Dict[int, Identity]:
    """The server's master for each of the sockets that are the server's, by inode."""
    judge = tie(request)
    result: t.Dict[int, Identity] = {}
    for one in listeners:
        holder = holders.get(one.inode)
        master = _master(request, judge, holder.pid, one) if holder else None
        if master:
            result[one.inode] = master
    return result


def _master(request: Request, judge: Tie, pid: int, listener: Listener) -> t.Optional[Identity]:
    if request.server is None or not request.server.adapter.daemon_reload:
        return judge.master_of(pid, listener.uid)
    # The sockets of socket units are created by process 1, and held by it and by the services they are for.
    made_by_root = listener.uid in identity.trusted_uids()
    return identity.look(pid) if made_by_root or pid == _INIT else None


def stranger(request: Request, pid: int, name: str) -> str:
    """A process that is not the server's, in words."""
    if name not in names(request):
        return f"{name} (pid {pid})"
    owner = identity.look(pid)
    whose = f" of uid {owner.uids[0]}" if owner and owner.uids else ""
    starter = f"root or {request.unit}" if request.unit else "root"
    return f"{name} (pid {pid}{whose}), which is not a program owned by root and started by {starter},"


def elsewhere(request: Request, namespace: t.Optional[str] = None, root: str = "/proc") -> str:
    """A process of the server in another network namespace, if there is one there and none in this; else empty."""
    here = netns.file_of(netns.path_of(namespace) if namespace else f"{root}/self/ns/net")
    judge, away = tie(request), ""
    for pid in proc_pid.pids(root) if names(request) else ():
        name = proc_pid.name_of(pid, root)
        theirs = netns.file_of(f"{root}/{pid}/ns/net") if name in names(request) else None
        if theirs and judge.master_of(pid):
            if theirs == here:
                return ""
            away = away or f"{name} (pid {pid})"
    return away
