# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One process for each socket, and the descriptor number there: enough to reach it.

INTERFACE
    find(inodes, names=(), root="/proc") -> {inode: Holder}; a socket whose holders may not be seen is absent

``processes`` finds all owners of a socket; this search may end with the first process that has it.
"""

from __future__ import annotations

import itertools
import os
import typing as t
from dataclasses import dataclass

from . import cgroups, proc_pid
from .processes import FIRST_FILES


@dataclass(frozen=True)
class Holder:
    """A process that has a socket open under the number ``descriptor``."""

    pid: int
    name: str
    unit: t.Optional[str]
    descriptor: int


def find(inodes: t.Iterable[int], names: t.Sequence[str] = (), root: str = "/proc") -> t.Dict[int, Holder]:
    """A holder of each socket.

    Processes with these names come first, by pid, and in each process the files it opened early, since servers listen
    before they accept: on a host with a million connections that takes a few readlinks.
    """
    missing = {f"socket:[{inode}]": inode for inode in inodes if inode}
    holders: t.Dict[int, Holder] = {}
    for pid, numbers in _likely_first(names, root) if missing else ():
        descriptors = _first(f"{root}/{pid}/fd", numbers, missing)
        if descriptors:
            name, unit = proc_pid.name_of(pid, root), cgroups.unit_of(pid, root)
            holders.update((missing.pop(link), Holder(pid, name, unit, number)) for link, number in descriptors.items())
        if not missing:
            break
    return holders


def _likely_first(names: t.Sequence[str], root: str) -> t.Iterator[t.Tuple[int, t.Sequence[str]]]:
    """Every process with numbers of its open files, most promising first."""
    pids = sorted(proc_pid.pids(root), key=lambda pid: proc_pid.name_of(pid, root) not in names)
    for start, end in ((0, FIRST_FILES), (FIRST_FILES, None)):
        for pid in pids:
            try:
                # The kernel lists them in numerical order, and no more than requested.
                with os.scandir(f"{root}/{pid}/fd") as entries:
                    numbers = [entry.name for entry in itertools.islice(entries, start, end)]
            except OSError:
                continue
            yield pid, numbers


def _first(directory: str, numbers: t.Iterable[str], wanted: t.Mapping[str, int]) -> t.Dict[str, int]:
    """The wanted links among these open files of a process, searched until all are found."""
    descriptors: t.Dict[str, int] = {}
    for number in numbers:
        try:
            link = os.readlink(f"{directory}/{number}")
        except OSError:
            continue
        if link in wanted:
            descriptors.setdefault(link, int(number))
            if len(descriptors) == len(wanted):
                break
    return descriptors
