# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which known servers listen here."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._backlog import sockets
from .._boot import systemd
from .._kernel import holders, identity
from .._kernel.identity import Tie
from .._kernel.tcp_socket import Listener
from .._servers import table
from .._servers.server import Server


@dataclass(frozen=True)
class RunningServer:
    """A server and the systemd unit that runs it, None if it was started otherwise."""

    server: str
    unit: t.Optional[str]


def servers(kernel: sockets.Kernel) -> t.List[RunningServer]:
    """The servers that listen in this network namespace, by name.

    One in a unit other than its distribution's, such as one in a container, has its configuration elsewhere: it must be
    named along with that.
    """
    listeners = [one for there in kernel.sockets.values() for one in there]
    names = [name for server in table.BY_NAME.values() for name in server.processes]
    held = holders.find((one.inode for one in listeners), names)
    running = {
        one for server in table.BY_NAME.values() if server.processes for one in _of_server(server, listeners, held)
    }
    return sorted(running, key=lambda one: (one.server, one.unit or ""))


def _of_server(
    server: Server, listeners: t.Iterable[Listener], held: t.Mapping[int, holders.Holder]
) -> t.Iterator[RunningServer]:
    tie = Tie(server.processes, systemd.main_pid, identity.look)
    for one in listeners:
        holder = held.get(one.inode)
        master = tie.master_of(holder.pid, one.uid) if holder and holder.name in server.processes else None
        if master and master.unit in (None, *server.units):
            yield RunningServer(server.name, master.unit)
