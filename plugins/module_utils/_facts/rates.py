# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Counters per second, from two samples.  Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Counters at a moment of the monotonic clock, in seconds."""

    taken: float
    counters: t.Mapping[str, int]


def per_second(first: Sample, second: Sample) -> t.Dict[str, t.Optional[float]]:
    """The rate of each counter of the second sample; None where it went backwards or was not there before."""
    elapsed = second.taken - first.taken
    return {name: _rate(first.counters.get(name), value, elapsed) for name, value in second.counters.items()}


def _rate(before: t.Optional[int], after: int, elapsed: float) -> t.Optional[float]:
    if before is None or after < before or elapsed <= 0:
        return None
    return round((after - before) / elapsed, 3)
