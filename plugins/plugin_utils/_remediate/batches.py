# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which hosts are touched when, and what they are compared with. Pure."""

from __future__ import annotations

import typing as t

from .share import Share

Groups = t.Mapping[str, t.AbstractSet[str]]


def cut(hosts: t.Sequence[str], sizes: t.Sequence[Share]) -> t.List[t.List[str]]:
    """The hosts in batches of these sizes, which are shares of all of them; the last size applies to the rest too."""
    found: t.List[t.List[str]] = []
    start = 0
    while start < len(hosts):
        size = max(1, sizes[min(len(found), len(sizes) - 1)].of(len(hosts)))
        found.append(list(hosts[start : start + size]))
        start += size
    return found


def ordered(hosts: t.Sequence[str], canaries: t.Sequence[str]) -> t.List[str]:
    """The hosts, canaries first, in their order."""
    first = [name for name in canaries if name in set(hosts)]
    return [*first, *(name for name in hosts if name not in first)]


def name_of(number: int) -> str:
    """The name of a batch; the first one is number 0."""
    return "canaries" if number == 0 else f"batch {number + 1}"


def controls(batch: t.Sequence[str], candidates: t.Sequence[str], groups: Groups, most: int) -> t.List[str]:
    """The candidates most similar to the batch: those that share most groups with it, in their order."""
    own = {group for name in batch for group in groups.get(name, ())}
    alike = sorted(candidates, key=lambda name: -len(own & set(groups.get(name, ()))))
    return alike[:most]
