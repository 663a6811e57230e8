# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""This host's server and sockets as they are: everything that is observed, nothing that is changed."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass, replace

from .._boot import systemd
from .._errors import BadRequest, Gone, MissingRight, NettuneError
from .._kernel import holders, pidfd
from .._kernel.holders import Holder
from .._kernel.identity import Identity, trusted_uids
from .._kernel.tcp_socket import Listener, endpoint_text
from .._servers.server import Config, Listen
from . import sockets, ties
from .plan import Observed
from .request import Request
from .sockets import Endpoint, Kernel

_CHANGING = 2.0  # seconds for a server to pass its sockets on, as on a reload
_PAUSE = 0.05  # seconds between two looks at it

Files = t.Mapping[str, t.Optional[bytes]]  # by path; None where there should be no file


@dataclass(frozen=True)
class Host:
    """The request, a server's configuration, the part of it that is managed, and the kernel the server runs in.

    ``holders`` has a process for each socket concerned, by inode, and ``masters`` the server's master for those that
    are the server's.  ``blockers`` says why the sockets of a process cannot be changed from outside, by pid.
    ``elsewhere`` is a process of the server in another network namespace.
    """

    request: Request
    config: t.Optional[Config]
    listens: t.Tuple[Listen, ...]
    endpoints: t.Tuple[Endpoint, ...]
    kernel: Kernel
    holders: t.Mapping[int, Holder]
    masters: t.Mapping[int, Identity]
    blockers: t.Mapping[int, NettuneError]
    elsewhere: str = ""

    def ours(self, endpoint: Endpoint) -> t.Tuple[Listener, ...]:
        """The sockets of an endpoint, without those that are not the server's."""
        return tuple(one for one in self.kernel.sockets.get(endpoint, ()) if not self.stranger(one))

    def stranger(self, listener: Listener) -> str:
        """Who holds a socket that is not the server's; empty if it is, if any holder will do, or if it is unknown."""
        holder = self.holders.get(listener.inode)
        if self.request.server is None or listener.inode in self.masters:
            return ""
        if holder is not None:
            return ties.stranger(self.request, holder.pid, holder.name)
        return "" if listener.uid in (None, *trusted_uids()) else f"a process of uid {listener.uid}"

    @property
    def stays(self) -> bool:
        """Whether each socket to change was held by a process that still had it when it was tried."""
        return not any(
            isinstance(self.blocker(one), Gone) for endpoint in self.endpoints for one in self._short(endpoint)
        )

    def _short(self, endpoint: Endpoint) -> t.Iterator[Listener]:
        return (one for one in self.ours(endpoint) if not self.request.want.satisfied_by((one.backlog or 0,)))

    def blocker(self, listener: Listener) -> t.Optional[NettuneError]:
        """Why listen() cannot be called on a socket from outside, None if it can."""
        holder = self.holders.get(listener.inode)
        if holder is not None:
            return self.blockers.get(holder.pid)
        if os.geteuid() != 0:
            return MissingRight("the process that holds the socket is not visible: that needs root")
        return Gone("no process that is visible here holds the socket")


def kernel_of(
    request: Request,
    endpoints: t.Collection[Endpoint],
    manager: t.Optional[systemd.Systemd] = None,
    asking: t.Optional[sockets.Look] = None,
) -> Kernel:
    """What the kernel has at these endpoints, in the network namespace of the unit's main process."""
    kernel = (asking or sockets.look)(namespace_of(request, manager))
    return sockets.with_twins(sockets.with_files(kernel, endpoints), endpoints)


def namespace_of(request: Request, manager: t.Optional[systemd.Systemd] = None) -> t.Optional[str]:
    """The network namespace of the unit's main process, None if it is ours."""
    pid = systemd.main_pid(request.unit, manager)
    return sockets.namespace_of(pid) if pid else None


def look(
    request: Request, snapshot: t.Optional[systemd.Snapshot] = None, asking: t.Optional[sockets.Look] = None
) -> Host:
    """Read the configuration and ask the kernel.  Raises ConfigError, and BadRequest for filters that match nothing.

    Sockets change hands while a server reloads, so this looks until their holders are stable; only the first look
    trusts systemd's ``snapshot``, and asks the kernel through ``asking``.
    """
    end = time.monotonic() + _CHANGING
    host = _look(request, snapshot, asking)
    while not host.stays and time.monotonic() < end:
        time.sleep(_PAUSE)
        host = _look(request)
    return host


def _look(
    request: Request, manager: t.Optional[systemd.Systemd] = None, asking: t.Optional[sockets.Look] = None
) -> Host:
    server = request.server
    config = server.adapter.read(request.config, request.unit) if server else None
    listens = _meant(request, server.adapter.listens(config)) if server and config else ()
    endpoints = tuple(dict.fromkeys(map(endpoint_of, listens))) if server else _listening(request, manager, asking)
    kernel = kernel_of(request, endpoints, manager, asking)
    there = [one for endpoint in endpoints for one in kernel.sockets.get(endpoint, ())]
    held = holders.find((one.inode for one in there), ties.names(request))
    masters = ties.masters(request, there, held)
    short = [one.inode for one in there if not request.want.satisfied_by((one.backlog or 0,))]
    elsewhere = "" if there else ties.elsewhere(request, namespace_of(request, manager))
    return Host(request, config, listens, endpoints, kernel, held, masters, _blockers(held, short), elsewhere)


def _blockers(held: t.Mapping[int, Holder], short: t.Iterable[int]) -> t.Dict[int, NettuneError]:
    """Tried by duplicating a socket of each process that has one to change; that alone changes nothing."""
    blockers: t.Dict[int, NettuneError] = {}
    tries = {held[inode].pid: (inode, held[inode]) for inode in short if inode in held}
    for pid, (inode, holder) in tries.items():
        try:
            with pidfd.duplicate(pid, holder.descriptor, inode):
                pass
        except NettuneError as exc:
            blockers[pid] = exc
    return blockers


def with_files(config: t.Optional[Config], files: Files) -> t.Optional[Config]:
    """The configuration as it would be with these files in place of its own."""
    if config is None:
        return None
    merged: t.Dict[str, t.Optional[bytes]] = {**config.files, **files}
    return replace(config, files={path: content for path, content in merged.items() if content is not None})


def with_config(host: Host, files: Files) -> Host:
    """The host with the configuration as it would be."""
    config = with_files(host.config, files)
    if host.request.server is None or config is None or not files:
        return host
    return replace(host, config=config, listens=_meant(host.request, host.request.server.adapter.listens(config)))


def endpoint_of(listen: Listen) -> Endpoint:
    """Where the socket of a configuration is found in the kernel."""
    return listen.family, listen.address, listen.port


def _meant(request: Request, listens: t.Tuple[Listen, ...]) -> t.Tuple[Listen, ...]:
    for one in request.filters:
        if not any(one.covers(*endpoint_of(listen)) for listen in listens):
            known = ", ".join(sorted(endpoint_text(*endpoint_of(listen)) for listen in listens)) or "nothing"
            raise BadRequest(f"listen: nothing is configured to listen on {one.text}, only {known}", listen=one.text)
    if not request.filters:
        return listens
    return tuple(listen for listen in listens if any(one.covers(*endpoint_of(listen)) for one in request.filters))


def _listening(
    request: Request, manager: t.Optional[systemd.Systemd], asking: t.Optional[sockets.Look]
) -> t.Tuple[Endpoint, ...]:
    """The endpoints where something listens, and those asked for where nothing does."""
    kernel = kernel_of(request, (), manager, asking)
    endpoints: t.List[Endpoint] = []
    for one in request.filters:
        covered = sorted(endpoint for endpoint in kernel.sockets if one.covers(*endpoint))
        endpoints += covered or [(one.family or "inet", one.address or "0.0.0.0", one.port)]
    return tuple(dict.fromkeys(endpoints))


def observe(host: Host) -> t.Tuple[Observed, ...]:
    """Each managed listener, in the order of the configuration."""
    listens: t.Dict[Endpoint, t.List[Listen]] = {}
    for listen in host.listens:
        listens.setdefault(endpoint_of(listen), []).append(listen)
    return tuple(_observed(host, endpoint, listens.get(endpoint, ())) for endpoint in host.endpoints)


def _observed(host: Host, endpoint: Endpoint, listens: t.Sequence[Listen]) -> Observed:
    ours = host.ours(endpoint)
    strangers = [host.stranger(one) for one in host.kernel.sockets.get(endpoint, ())]
    return Observed(
        endpoint=endpoint,
        asked=tuple(listen.asked for listen in listens),
        source=_source(listens[0]) if listens else None,
        backlogs=tuple(one.backlog or 0 for one in ours),
        stranger=strangers[0] if strangers and not ours else "",
        elsewhere=host.elsewhere,
        blocked="; ".join(dict.fromkeys(str(exc) for exc in map(host.blocker, ours) if exc)),
    )


def _source(listen: Listen) -> str:
    return f"{listen.file}:{listen.line}" if listen.line else listen.file
