# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The sockets that listen in the network namespace that this process is in.

INTERFACE
    dumped(diag)     from an open sock_diag; it tells whether the dump was interrupted
    listed(root)     from /proc/net/tcp and tcp6, without backlogs
    consistent(diag, ask)    asks again while a dump is interrupted
    tcp()            as sock_diag has them; raises Unsupported without inet_diag
    any_way()        as sock_diag has them, or else /proc
"""

from __future__ import annotations

import typing as t

from .._errors import KernelRefused, MissingRight, Unsupported
from . import proc_net
from .sock_diag import SockDiag, listener_of, mask
from .tcp_socket import LISTEN, Listener

ATTEMPTS = 3

_Answer = t.TypeVar("_Answer")


def dumped(diag: SockDiag) -> t.Tuple[Listener, ...]:
    """The TCP listeners, asked of the kernel."""
    return tuple(map(listener_of, diag.messages(mask(LISTEN))))


def listed(root: str = "/proc/net") -> t.Tuple[Listener, ...]:
    """The TCP listeners in the tables of /proc, which do not show backlogs."""
    return tuple(proc_net.of_tables(proc_net.parse_listeners, root))


def consistent(diag: SockDiag, ask: t.Callable[[], _Answer]) -> _Answer:
    """Ask again while the kernel says that the dump was interrupted; the last answer counts."""
    for _attempt in range(ATTEMPTS - 1):
        diag.interrupted = False
        answer = ask()
        if not diag.interrupted:
            return answer
    diag.interrupted = False
    return ask()


def tcp() -> t.Tuple[Listener, ...]:
    """The TCP listeners with their backlogs."""
    with SockDiag() as diag:
        return consistent(diag, lambda: dumped(diag))


def any_way() -> t.Tuple[Listener, ...]:
    """The TCP listeners, perhaps without their backlogs."""
    try:
        return tcp()
    except (Unsupported, MissingRight, KernelRefused):
        return listed()
