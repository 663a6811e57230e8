# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Where the sockets come from: netlink where the kernel has inet_diag, else /proc/net/tcp. Both give the same answers.

INTERFACE
    with open_source() as source:       of the network namespace the (main thread of the) process is in, so setns() first
        source.name                     "sock_diag" or "procfs", as in collected.source
        source.reason                   why it is not sock_diag, else ""
        source.states() -> {state: int}         all eleven names, the cheapest exact way
        source.listeners() -> (Listener, ...)   without syn_recv; without backlog when it is procfs
        source.census(top) -> Census            everything in one pass
        source.interrupted              the last answer may be inconsistent, though it was asked for again

    Raises Unsupported when neither is there.
"""

from __future__ import annotations

import socket
import typing as t

from .._errors import KernelRefused, MissingRight, Unsupported
from .._kernel import proc_net
from .._kernel.sock_diag import ATTEMPTS, SockDiag, listener_of, mask, row_of
from .._kernel.tcp_socket import LISTEN, NEW_SYN_RECV, Listener, Row
from .census import Census, States, census

_ALL = mask(*range(1, NEW_SYN_RECV + 1)) & ~mask(LISTEN)
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_Answer = t.TypeVar("_Answer")


class Source:
    """One way to see the sockets of this network namespace."""

    name = ""
    reason = ""
    interrupted = False

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is open."""

    def states(self) -> States:
        """The count of sockets in each of the eleven states."""
        return self.census(0).states

    def listeners(self) -> t.Tuple[Listener, ...]:
        """The listening sockets."""
        raise NotImplementedError

    def census(self, top: int) -> Census:
        """Everything, with the ``top`` busiest peers and clients."""
        raise NotImplementedError


class SockDiagSource(Source):
    """By netlink."""

    name = "sock_diag"

    def __init__(self, diag: SockDiag) -> None:
        self._diag = diag

    def close(self) -> None:
        self._diag.close()

    def listeners(self) -> t.Tuple[Listener, ...]:
        return self._consistent(self._listeners)

    def census(self, top: int) -> Census:
        return self._consistent(lambda: census(self._rows(), self._listeners(), top))

    def _listeners(self) -> t.Tuple[Listener, ...]:
        wanted = mask(LISTEN)
        return tuple(listener_of(message) for family in _FAMILIES for message in self._diag.dump(family, wanted))

    def _rows(self) -> t.Iterator[Row]:
        for family in _FAMILIES:
            yield from map(row_of, self._diag.dump(family, _ALL))

    def _consistent(self, ask: t.Callable[[], _Answer]) -> _Answer:
        """Ask again while the kernel says that the dump was interrupted; the last answer stands."""
        for _attempt in range(ATTEMPTS):
            self._diag.interrupted = False
            answer = ask()
            self.interrupted = self._diag.interrupted
            if not self.interrupted:
                break
        return answer


class ProcNetSource(Source):
    """By /proc/net/tcp and tcp6; a kernel without IPv6 has only the first."""

    name = "procfs"

    def __init__(self, reason: str = "", root: str = "/proc/net") -> None:
        self.reason = reason
        self._root = root

    def listeners(self) -> t.Tuple[Listener, ...]:
        return tuple(entry for entry in self._entries() if isinstance(entry, Listener))

    def census(self, top: int) -> Census:
        rows: t.List[Row] = []
        listeners: t.List[Listener] = []
        for entry in self._entries():
            if isinstance(entry, Listener):
                listeners.append(entry)
            else:
                rows.append(entry)
        return census(rows, listeners, top)

    def _entries(self) -> t.Iterator[t.Union[Row, Listener]]:
        yield from proc_net.parse_sockets(proc_net.read("tcp", self._root).splitlines())
        try:
            text = proc_net.read("tcp6", self._root)
        except Unsupported:
            return
        yield from proc_net.parse_sockets(text.splitlines())


def open_source(root: str = "/proc/net") -> Source:
    """The best source there is: a dump of the listeners costs next to nothing and proves that inet_diag works."""
    try:
        diag = SockDiag()
    except (Unsupported, MissingRight, KernelRefused) as exc:
        return ProcNetSource(str(exc), root)
    source = SockDiagSource(diag)
    try:
        source.listeners()
    except (Unsupported, MissingRight, KernelRefused) as exc:
        source.close()
        return ProcNetSource(str(exc), root)
    return source
