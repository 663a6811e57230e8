# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""This host's server and sockets as they are: everything that is looked at, nothing that is changed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._errors import BadRequest, MissingRight, NettuneError
from .._kernel import pidfd, processes
from .._kernel.processes import Held
from .._kernel.tcp_socket import Listener
from .._servers.server import Config, Listen
from . import service, sockets
from .plan import Seen
from .request import Request
from .sockets import Kernel, Place


@dataclass(frozen=True)
class Host:
    """A server's configuration, the part of it that is meant, and the kernel it runs in.

    ``held`` has one process for each socket concerned, by inode.  ``blockers`` says why the sockets of a process cannot
    be changed from outside, by pid.  ``namespace`` is a pid, None for our own.
    """

    config: t.Optional[Config]
    listens: t.Tuple[Listen, ...]
    places: t.Tuple[Place, ...]
    kernel: Kernel
    held: t.Mapping[int, Held]
    blockers: t.Mapping[int, NettuneError]
    namespace: t.Optional[str]

    def ours(self, request: Request, place: Place) -> t.Tuple[Listener, ...]:
        """The sockets of a place, without those of other programs."""
        return tuple(one for one in self.kernel.at(place) if not self.stranger(request, one))

    def stranger(self, request: Request, listener: Listener) -> str:
        """The program of another kind that holds a socket, empty when it is the server or cannot be told."""
        held = self.held.get(listener.inode)
        names = names_of(request)
        return (
            f"{held.process.name} (pid {held.process.pid})" if held and names and held.process.name not in names else ""
        )

    def blocker(self, listener: Listener) -> t.Optional[NettuneError]:
        """Why listen() cannot be called on a socket from outside, None where it can."""
        held = self.held.get(listener.inode)
        if held is None:
            return MissingRight("the process that holds the socket cannot be seen; that needs root")
        return self.blockers.get(held.process.pid)


def names_of(request: Request) -> t.Tuple[str, ...]:
    """The names of the server's processes, empty where any will do."""
    return request.server.processes if request.server else ()


def look(request: Request) -> Host:
    """Read the configuration and ask the kernel.  Raises ConfigError, and BadRequest for filters that match nothing."""
    server = request.server
    pid = service.main_pid(request.unit)
    namespace = sockets.namespace_of(pid) if pid else None
    kernel = sockets.look(namespace)
    config = server.read(request.config, request.unit) if server else None
    listens = _meant(request, server.listens(config)) if server and config else ()
    places = tuple(map(place_of, listens)) if server else _listening(request, kernel)
    held = processes.holders((one.inode for place in places for one in kernel.at(place)), names_of(request))
    return Host(config, listens, places, kernel, held, _blockers(held), namespace)


def _blockers(held: t.Mapping[int, Held]) -> t.Dict[int, NettuneError]:
    """Tried by duplicating a socket of each process, which changes nothing."""
    found: t.Dict[int, NettuneError] = {}
    for pid, (inode, one) in {one.process.pid: (inode, one) for inode, one in held.items()}.items():
        try:
            with pidfd.duplicate(pid, one.descriptor, inode):
                pass
        except NettuneError as exc:
            found[pid] = exc
    return found


def with_files(config: t.Optional[Config], files: t.Mapping[str, t.Optional[bytes]]) -> t.Optional[Config]:
    """The configuration as it would be with these files in place of its own."""
    if config is None:
        return None
    merged: t.Dict[str, t.Optional[bytes]] = {**config.files, **files}
    return replace(config, files={path: content for path, content in merged.items() if content is not None})


def with_config(request: Request, host: Host, files: t.Mapping[str, t.Optional[bytes]]) -> Host:
    """The host with the configuration as it would be."""
    config = with_files(host.config, files)
    if request.server is None or config is None:
        return host
    return replace(host, config=config, listens=_meant(request, request.server.listens(config)))


def place_of(listen: Listen) -> Place:
    """Where the socket of a configuration is found in the kernel."""
    return listen.family, listen.address, listen.port


def _meant(request: Request, listens: t.Tuple[Listen, ...]) -> t.Tuple[Listen, ...]:
    for one in request.filters:
        if not any(one.covers(*place_of(listen)) for listen in listens):
            known = ", ".join(sorted(_text(listen) for listen in listens)) or "nothing"
            raise BadRequest(f"listen: nothing is configured to listen on {one.text}, only {known}", listen=one.text)
    if not request.filters:
        return listens
    return tuple(listen for listen in listens if any(one.covers(*place_of(listen)) for one in request.filters))


def _text(listen: Listen) -> str:
    if listen.family == "unix":
        return listen.address
    return f"[{listen.address}]:{listen.port}" if listen.family == "inet6" else f"{listen.address}:{listen.port}"


def _listening(request: Request, kernel: Kernel) -> t.Tuple[Place, ...]:
    """The places where something listens, and those asked for where nothing does."""
    places: t.List[Place] = []
    for one in request.filters:
        found = sorted(place for place in kernel.sockets if one.covers(*place))
        places += found or [(one.family or "inet", one.address or "0.0.0.0", one.port)]
    return tuple(dict.fromkeys(places))


def observe(request: Request, host: Host) -> t.Tuple[Seen, ...]:
    """Each listener that is meant, in the order of the configuration."""
    by_place = {place_of(one): one for one in host.listens}
    return tuple(_seen(request, host, place, by_place.get(place)) for place in host.places)


def _seen(request: Request, host: Host, place: Place, listen: t.Optional[Listen]) -> Seen:
    ours = host.ours(request, place)
    others = [host.stranger(request, one) for one in host.kernel.at(place) if one not in ours]
    return Seen(
        place=place,
        configured=listen.asked if listen else None,
        source=f"{listen.file}:{listen.line}" if listen and listen.line else (listen.file if listen else None),
        backlogs=tuple(one.backlog or 0 for one in ours),
        stranger=others[0] if others and not ours else "",
        blocked="; ".join(dict.fromkeys(str(exc) for exc in map(host.blocker, ours) if exc)),
    )
