# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Who holds the sockets in states where many of them mean that something is stuck. Pure except for the asking.

INTERFACE
    stuck(source, states) -> {name: [inode, ...]}     of the states of STATES in which at least FEWEST sockets are
    holders(stuck, owners, top) -> facts by name of state, None for the others
"""

from __future__ import annotations

import typing as t
from collections import Counter

from .._kernel.processes import Owners, Process
from .._kernel.tcp_socket import CLOSE_WAIT, FIN_WAIT2, STATE_NAMES, SYN_SENT
from .census import States
from .sources import Source

STATES = {STATE_NAMES[number]: number for number in (CLOSE_WAIT, FIN_WAIT2, SYN_SENT)}
FEWEST = 100  # finding the owners of fewer is not worth examining every open file of the host

Facts = t.Dict[str, t.Any]
Inodes = t.Mapping[str, t.Sequence[int]]


def stuck(source: Source, states: States) -> t.Dict[str, t.List[int]]:
    """The inodes of the sockets in each state with many of them, 0 for those that no process has open."""
    inodes: t.Dict[str, t.List[int]] = {name: [] for name in STATES if states[name] >= FEWEST}
    if inodes:
        for number, inode in source.inodes([STATES[name] for name in inodes]):
            inodes[STATE_NAMES[number]].append(inode)
    return inodes


def holders(inodes: Inodes, owners: Owners, top: int) -> t.Dict[str, t.Optional[Facts]]:
    """For each state how many sockets no process holds, and the ``top`` processes that hold most."""
    return {name: _holders(inodes[name], owners, top) if name in inodes else None for name in STATES}


def _holders(inodes: t.Sequence[int], owners: Owners, top: int) -> Facts:
    # Most sockets share the same owners, so they are counted together.
    together = Counter(owners.by_inode[inode] for inode in inodes if inode in owners.by_inode)
    held: t.Counter[Process] = Counter()
    for processes, count in together.items():
        held.update(dict.fromkeys(processes, count))
    most = sorted(held.items(), key=lambda item: (-item[1], item[0].pid))[:top]
    return {
        "without_process": inodes.count(0),
        "processes": [
            {"pid": process.pid, "name": process.name, "unit": process.unit, "sockets": count}
            for process, count in most
        ],
    }
