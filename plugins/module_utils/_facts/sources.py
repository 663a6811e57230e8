# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Where the sockets come from: netlink if the kernel has inet_diag, else /proc/net/tcp. Both give the same answers.

INTERFACE
    with open_source() as source:       of the network namespace the process (its main thread) is in: setns() first
        source.name                     "sock_diag" or "procfs", as in collected.source
        source.reason                   why it is not sock_diag, else ""
        source.states() -> {state: int}         all eleven names, the cheapest exact way
        source.listeners() -> (Listener, ...)   without syn_recv; without backlog when it is procfs
        source.census(top) -> Census            everything in one pass
        source.inodes(states) -> [(state, inode), ...]  of the sockets in these state numbers
        source.interrupted              the last answer may be inconsistent, though it was asked for again

    Raises Unsupported when neither is there.
"""

from __future__ import annotations

import abc
import os
import re
import typing as t
from collections import Counter
from contextlib import suppress

from .._errors import KernelRefused, MissingRight, Unsupported
from .._kernel import listeners, proc_net
from .._kernel.sock_diag import SockDiag, inode_of, is_half_open, mask
from .._kernel.tcp_socket import ESTABLISHED, LISTEN, NEW_SYN_RECV, SYN_RECV, TIME_WAIT, Listener
from .census import Census, States, all_states, census
from .tally import Tally, count_states

_CONNECTED = mask(*(set(range(1, NEW_SYN_RECV + 1)) - {LISTEN}))
_DUMPED = set(range(1, NEW_SYN_RECV + 1)) - {ESTABLISHED, TIME_WAIT, LISTEN}
_OWN_GAUGES = (4, 14)  # since then sockstat's tw is per network namespace; up to 4.9 it was host-wide
_Answer = t.TypeVar("_Answer")


class Source(abc.ABC):
    """One way to see the sockets of this network namespace."""

    name = ""
    reason = ""
    interrupted = False

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of what is open."""

    def states(self) -> States:
        """The count of sockets in each of the eleven states."""
        return self.census(0).states

    @abc.abstractmethod
    def listeners(self) -> t.Tuple[Listener, ...]:
        """The listening sockets."""

    @abc.abstractmethod
    def inodes(self, states: t.Collection[int]) -> t.List[t.Tuple[int, int]]:
        """State number and inode of each socket in one of the states, inode 0 if no process has it open."""

    @abc.abstractmethod
    def census(self, top: int) -> Census:
        """Everything, with the ``top`` busiest peers and clients."""


class SockDiagSource(Source):
    """By netlink."""

    name = "sock_diag"

    def __init__(self, diag: SockDiag, root: str = "/proc/net") -> None:
        self._diag = diag
        self._root = root
        self._release = os.uname().release

    def close(self) -> None:
        self._diag.close()

    def states(self) -> States:
        return self._consistent(self._states)

    def listeners(self) -> t.Tuple[Listener, ...]:
        return self._consistent(self._listeners)

    def census(self, top: int) -> Census:
        return self._consistent(lambda: self._census(top))

    def inodes(self, states: t.Collection[int]) -> t.List[t.Tuple[int, int]]:
        return self._consistent(lambda: [inode_of(message) for message in self._diag.messages(mask(*states))])

    def _listeners(self) -> t.Tuple[Listener, ...]:
        return listeners.dumped(self._diag)

    def _census(self, top: int) -> Census:
        listeners = self._listeners()
        tally = Tally(listener.port for listener in listeners)
        for heads in self._diag.heads(_CONNECTED):
            tally.add_heads(heads)
        return census(tally, listeners, top)

    def _states(self) -> States:
        """Without dumping ESTABLISHED and TIME_WAIT, which are the bulk on a busy server and which the kernel counts.

        Both gauges cover all states but a few, and those few are dumped: ``inuse`` has every socket except TIME_WAIT
        and the half-open ones of the SYN queue, ``tw`` includes the FIN_WAIT2 minis.
        """
        states: t.Counter[int] = Counter()
        gauges = self._gauges()
        minis = self._count(mask(*_DUMPED), states)
        half_open = self._half_open(states) if states[SYN_RECV] else 0
        states[LISTEN] = len(self._listeners())
        waiting = gauges.get("tcp_tw", -1) - minis
        established = gauges.get("tcp_inuse", -1) + gauges.get("tcp6_inuse", 0)
        established -= sum(states.values()) - half_open - minis
        if established < 0 or waiting < 0:
            self._count(mask(ESTABLISHED, TIME_WAIT), states)
        else:
            states.update({ESTABLISHED: established, TIME_WAIT: waiting})
        return all_states(states)

    def _count(self, wanted: int, states: t.Counter[int]) -> int:
        return sum(count_states(heads, states) for heads in self._diag.heads(wanted))

    def _half_open(self, states: t.Counter[int]) -> int:
        """Count SYN_RECV once more, and how many of those are in the SYN queue."""
        of_queue = list(map(is_half_open, self._diag.messages(mask(SYN_RECV, NEW_SYN_RECV))))
        states[SYN_RECV] = len(of_queue)
        return sum(of_queue)

    def _gauges(self) -> t.Dict[str, int]:
        """sockstat, if it describes this network namespace."""
        version = re.match(r"(\d+)\.(\d+)", self._release)
        if not version or (int(version[1]), int(version[2])) < _OWN_GAUGES:
            return {}
        gauges: t.Dict[str, int] = {}
        for name in ("sockstat", "sockstat6"):
            with suppress(Unsupported, MissingRight):
                gauges.update(proc_net.parse_sockstat(proc_net.read(name, self._root)))
        return gauges

    def _consistent(self, ask: t.Callable[[], _Answer]) -> _Answer:
        answer = listeners.consistent(self._diag, ask)
        self.interrupted = self._diag.interrupted
        return answer


class ProcNetSource(Source):
    """By /proc/net/tcp and tcp6; a kernel without IPv6 has only the first."""

    name = "procfs"

    def __init__(self, reason: str = "", root: str = "/proc/net") -> None:
        self.reason = reason
        self._root = root

    def close(self) -> None:
        """Nothing stays open."""

    def listeners(self) -> t.Tuple[Listener, ...]:
        return listeners.listed(self._root)

    def inodes(self, states: t.Collection[int]) -> t.List[t.Tuple[int, int]]:
        return [
            (state, inode) for state, inode in proc_net.of_tables(proc_net.parse_inodes, self._root) if state in states
        ]

    def census(self, top: int) -> Census:
        listeners = self.listeners()
        tally = Tally(listener.port for listener in listeners)
        for entry in proc_net.of_tables(proc_net.parse_sockets, self._root):
            if not isinstance(entry, Listener):
                tally.add_row(entry)
        return census(tally, listeners, top)


def open_source(root: str = "/proc/net") -> Source:
    """The best available source: a dump of the listeners costs next to nothing and proves that inet_diag works."""
    try:
        diag = SockDiag()
    except (Unsupported, MissingRight, KernelRefused) as exc:
        return ProcNetSource(str(exc), root)
    source = SockDiagSource(diag, root)
    try:
        source.listeners()
    except (Unsupported, MissingRight, KernelRefused) as exc:
        source.close()
        return ProcNetSource(str(exc), root)
    return source
