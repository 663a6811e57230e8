# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds the sockets of a state, from inodes and owners."""

from __future__ import annotations

import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._facts.holders import FEWEST, holders, stuck
from ansible_collections.nettune.tcp.plugins.module_utils._facts.sources import ProcNetSource
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.processes import Owners, Process
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import STATES

NOBODY: t.Dict[str, int] = dict.fromkeys(STATES, 0)


class Asked(ProcNetSource):
    """A source with sockets in CLOSE_WAIT and SYN_SENT, which remembers what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: t.Set[int] = set()

    def inodes(self, states: t.Collection[int]) -> t.List[t.Tuple[int, int]]:
        self.asked = set(states)
        return [(state, inode) for state, inode in ((8, 71), (8, 0), (2, 72)) if state in states]


def process(pid: int) -> Process:
    return Process(pid, f"p{pid}", f"p{pid}.service", 1024, 4096, 9)


def test_only_states_with_many_are_looked_into() -> None:
    source = Asked()
    assert stuck(source, {**NOBODY, "CLOSE_WAIT": FEWEST - 1, "ESTABLISHED": 9999}) == {}
    assert not source.asked
    assert stuck(source, {**NOBODY, "CLOSE_WAIT": FEWEST}) == {"CLOSE_WAIT": [71, 0]}
    assert source.asked == {8}


def test_who_has_most_comes_first() -> None:
    owners = Owners({1: (process(10),), 2: (process(10), process(11)), 3: (process(12),), 4: (process(12),)}, 0)
    found = holders({"CLOSE_WAIT": [1, 2, 3, 4, 0, 0, 99]}, owners, 2)
    assert found == {
        "CLOSE_WAIT": {
            "without_process": 2,
            "processes": [
                {"pid": 10, "name": "p10", "unit": "p10.service", "sockets": 2},
                {"pid": 12, "name": "p12", "unit": "p12.service", "sockets": 2},
            ],
        },
        "FIN_WAIT2": None,
        "SYN_SENT": None,
    }
