# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The running web servers: the configuration around their backlog, alongside what the kernel says about them.

Joined here because the rules, being JMESPath, cannot: which queues, processes and files belong to one server.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field

from .._boot import systemd
from .._errors import NettuneError
from .._kernel import identity, proc_pid
from .._kernel.identity import Identity, Tie
from .._kernel.processes import Owners, Process
from .._kernel.tcp_socket import Listener
from .._servers import table
from .._servers.server import Server

Facts = t.Dict[str, t.Any]

_BY_PROCESS = {name: server for server in table.BY_NAME.values() for name in server.processes}


@dataclass
class _Running:
    """A server's processes with its listening sockets, by pid, and its queues by address.

    ``answers`` says whether its master's command line is trusted to name its configuration.
    """

    server: Server
    master: Identity
    answers: bool
    processes: t.Dict[int, Process] = field(default_factory=dict)
    queues: t.Dict[int, Listener] = field(default_factory=dict)

    @property
    def unit(self) -> t.Optional[str]:
        """The systemd unit."""
        return self.master.unit

    def workers(self, *, all_seen: bool) -> t.Dict[int, t.Optional[int]]:
        """The soft open file limits of the accepting processes, by pid: all but the master, or the master alone.

        Workers whose files are not visible, as in a container, are those that the master has started.
        """
        softs = {pid: one.nofile_soft for pid, one in self.processes.items()}
        workers = {pid: soft for pid, soft in softs.items() if pid != self.master.pid}
        if not workers and not all_seen:
            children = [
                pid for pid in proc_pid.children_of(self.master.pid) if proc_pid.name_of(pid) == self.master.name
            ]
            workers = {pid: proc_pid.nofile(pid)[0] for pid in children}
        return workers or softs

    @property
    def backlog(self) -> int:
        """How many connections can wait for it at one address: each of the sockets that share it has a queue."""
        backlogs: t.Counter[t.Tuple[str, str, int]] = Counter()
        for queue in self.queues.values():
            backlogs[queue.family, queue.address, queue.port] += queue.backlog or 0
        return max(backlogs.values())


def servers(listeners: t.Iterable[Listener], owners: Owners) -> t.List[Facts]:
    """One row for each known running server, by the pid of its master.

    A configuration that cannot be read is the row's ``error``.
    """
    ties = {server.name: Tie(server.processes, systemd.main_pid, identity.look) for server in table.BY_NAME.values()}
    running: t.Dict[int, _Running] = {}
    for listener in listeners:
        for process in owners.by_inode.get(listener.inode, ()):
            server = _BY_PROCESS.get(process.name)
            master = ties[server.name].master_of(process.pid, listener.uid) if server else None
            if server and master:
                answers = ties[server.name].answers_for(master)
                one = running.setdefault(master.pid, _Running(server, master, answers))
                one.processes[process.pid] = process
                one.queues[listener.inode] = listener
    return [_row(one, one.workers(all_seen=not owners.unreadable)) for _master, one in sorted(running.items())]


def _row(running: _Running, workers: t.Mapping[int, t.Optional[int]]) -> Facts:
    row: Facts = {
        "server": running.server.name,
        "pid": running.master.pid,
        "unit": running.unit,
        "workers": len(workers),
        "nofile": min((soft for soft in workers.values() if soft is not None), default=None),
        "backlog": running.backlog or None,
        "config": None,
        "settings": {},
        "error": None,
    }
    try:
        row.update(_configured(running))
    except (NettuneError, OSError, ValueError, RecursionError) as exc:
        row["error"] = str(exc)
        row["config"] = exc.details.get("file") if isinstance(exc, NettuneError) else None
    return row


def _configured(running: _Running) -> Facts:
    master, server = running.master, running.server
    if not identity.shares_our_root(master.pid):
        raise NettuneError("it runs in a container: gather facts there, where its files are")
    if not running.answers:
        raise NettuneError(
            f"it runs as uid {master.uids[0]} without a unit: its command line is not trusted to name files"
        )
    config = server.adapter.started(proc_pid.command_of(master.pid), master.unit)
    settings = server.adapter.settings(config)
    return {"config": config.main, "settings": {name: setting._asdict() for name, setting in settings.items()}}
