# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The sockets that listen in the kernel, who holds them, and which of them belong to an endpoint in a configuration."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._errors import Unsupported
from .._kernel import listeners, netns, proc_sys, unix_diag
from .._kernel.tcp_socket import Listener

Endpoint = t.Tuple[str, str, int]  # family, address, port

_TWINS = {("inet", "0.0.0.0"): ("inet6", "::"), ("inet6", "::"): ("inet", "0.0.0.0")}


@dataclass(frozen=True)
class Kernel:
    """One network namespace: its cap, and its listening sockets by endpoint, several with SO_REUSEPORT.

    ``files`` are those of UNIX sockets, by device and inode.
    """

    somaxconn: int
    sockets: t.Mapping[Endpoint, t.Tuple[Listener, ...]]
    files: t.Mapping[unix_diag.File, Listener] = field(default_factory=dict)


Look = t.Callable[[t.Optional[str]], Kernel]


def look(namespace: t.Optional[str] = None) -> Kernel:
    """Ask the kernel, in our namespace or another one.  Raises Unsupported without inet_diag."""
    return _look() if namespace is None else netns.run_in(namespace, _look)


def _look() -> Kernel:
    text = proc_sys.read("net.core.somaxconn")
    if text is None:
        # Not shown in a user namespace of old kernels.
        raise Unsupported("net.core.somaxconn does not exist in this network namespace")
    unix = _unix()
    sockets: t.Dict[Endpoint, t.List[Listener]] = {}
    for listener in (*listeners.tcp(), *(one for one, _file in unix)):
        sockets.setdefault((listener.family, listener.address, listener.port), []).append(listener)
    files = {file: one for one, file in unix if file}
    return Kernel(int(text), {endpoint: tuple(listeners) for endpoint, listeners in sockets.items()}, files)


def with_files(kernel: Kernel, endpoints: t.Iterable[Endpoint]) -> Kernel:
    """The kernel with UNIX sockets under their current paths: HAProxy renames them after binding."""
    sockets = dict(kernel.sockets)
    for endpoint in endpoints:
        file = unix_diag.file_at(endpoint[1]) if endpoint[0] == "unix" and endpoint not in sockets else None
        if file is not None and file in kernel.files:
            sockets[endpoint] = (kernel.files[file],)
    return replace(kernel, sockets=sockets)


def with_twins(kernel: Kernel, endpoints: t.Iterable[Endpoint]) -> Kernel:
    """The kernel with wildcard sockets that are served by the other family's.

    An IPv6 socket may accept IPv4 too; and if the kernel has no IPv6, Apache opens an IPv4 one instead.
    """
    sockets, known = dict(kernel.sockets), frozenset(endpoints)
    for family, address, port in endpoints:
        twin = _TWINS.get((family, address))
        if twin and (family, address, port) not in sockets and (*twin, port) not in known:
            both = family == "inet6"
            sockets[family, address, port] = tuple(
                one for one in kernel.sockets.get((*twin, port), ()) if both or one.v6only is False
            )
    return replace(kernel, sockets=sockets)


def _unix() -> t.Sequence[t.Tuple[Listener, t.Optional[unix_diag.File]]]:
    try:
        return unix_diag.listeners()
    except Unsupported:
        return ()


def namespace_of(pid: int) -> t.Optional[str]:
    """The network namespace of a process as :func:`look` takes it, None if it is ours or not visible."""
    theirs, ours = netns.file_of(netns.path_of(str(pid))), netns.file_of("/proc/self/ns/net")
    return None if theirs is None or ours in (None, theirs) else str(pid)
