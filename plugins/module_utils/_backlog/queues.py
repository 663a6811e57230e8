# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Queues as they are recorded: by endpoint, and by socket."""

from __future__ import annotations

import typing as t

from .._kernel import proc_sys
from .._kernel.tcp_socket import Listener, endpoint_text
from .._record import entries
from .._transaction import Replaced
from .plan import Entry, Plan
from .sockets import Endpoint


def name_of(endpoint: Endpoint) -> str:
    """An endpoint for people."""
    return endpoint_text(*endpoint)


def replaced(endpoint: Endpoint, one: Listener, after: int, unit: t.Optional[str]) -> Replaced:
    """The entry for one socket that gets another backlog."""
    where = {**_where(endpoint, unit), "inode": one.inode, "boot_id": proc_sys.boot_id()}
    return Replaced(entries.BACKLOG, name_of(endpoint), one.backlog or 0, after, where)


def at_next_start(plan: Plan, unit: t.Optional[str]) -> t.Tuple[Replaced, ...]:
    """The entries for sockets that are opened later, by a server that starts with the new configuration."""
    return tuple(
        Replaced(
            entries.BACKLOG,
            name_of(entry.observed.endpoint),
            min(entry.observed.configured or 0, plan.somaxconn),
            entry.expected,
            _where(entry.observed.endpoint, unit),
        )
        for entry in plan.entries
        if entry.edited and entry.observed.configured
    )


def told(
    those: t.Iterable[Entry], ours: t.Callable[[Endpoint], t.Iterable[Listener]], unit: t.Optional[str]
) -> t.Tuple[Replaced, ...]:
    """The entries for the sockets on which the server itself calls listen() when told to."""
    return tuple(
        replaced(one.observed.endpoint, socket, one.expected, unit)
        for one in those
        for socket in ours(one.observed.endpoint)
    )


def _where(endpoint: Endpoint, unit: t.Optional[str]) -> t.Dict[str, t.Any]:
    return {"endpoint": list(endpoint), "unit": unit}
