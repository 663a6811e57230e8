# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The sockets that listen in the kernel, who holds them, and which of them belong to a place in a configuration."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .._errors import Unsupported
from .._kernel import netns, proc_sys, unix_diag
from .._kernel.sock_diag import SockDiag, listener_of, mask
from .._kernel.tcp_socket import LISTEN, Listener

Place = t.Tuple[str, str, int]  # family, address, port


@dataclass(frozen=True)
class Kernel:
    """One network namespace: its cap, and its listening sockets by place, several with SO_REUSEPORT."""

    somaxconn: int
    sockets: t.Mapping[Place, t.Tuple[Listener, ...]]

    def at(self, place: Place) -> t.Tuple[Listener, ...]:
        """The sockets of a place.  A wildcard of IPv4 may be served by one of IPv6 that takes both."""
        found = self.sockets.get(place, ())
        if found or place[:2] != ("inet", "0.0.0.0"):
            return found
        return tuple(one for one in self.sockets.get(("inet6", "::", place[2]), ()) if one.v6only is False)


def look(namespace: t.Optional[str] = None) -> Kernel:
    """Ask the kernel, in our namespace or another one.  Raises Unsupported without inet_diag."""
    return _look() if namespace is None else netns.run_in(namespace, _look)


def _look() -> Kernel:
    found: t.Dict[Place, t.List[Listener]] = {}
    for listener in (*_tcp(), *_unix()):
        found.setdefault((listener.family, listener.address, listener.port), []).append(listener)
    text = proc_sys.read("net.core.somaxconn")
    if text is None:
        # Not shown in a user namespace of old kernels, where nothing caps lower than the compiled default.
        raise Unsupported("net.core.somaxconn does not exist in this network namespace")
    return Kernel(int(text), {place: tuple(listeners) for place, listeners in found.items()})


def _tcp() -> t.Sequence[Listener]:
    with SockDiag() as diag:
        return [listener_of(message) for message in diag.messages(mask(LISTEN))]


def _unix() -> t.Sequence[Listener]:
    try:
        return unix_diag.listeners()
    except Unsupported:
        return ()


def namespace_of(pid: int) -> t.Optional[str]:
    """The network namespace of a process as :func:`look` takes it, None where it is ours or may not be seen."""
    try:
        theirs, ours = os.stat(netns.path_of(str(pid))), os.stat("/proc/self/ns/net")
    except OSError:
        return None
    return None if (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino) else str(pid)
