# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Counters per second, from two samples, and shares computed from them. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Counters at a moment of the monotonic clock, in seconds."""

    taken: float
    counters: t.Mapping[str, int]


def per_second(first: Sample, second: Sample) -> t.Dict[str, t.Optional[float]]:
    """The rate of each counter of the second sample; None if it went backwards or was missing before."""
    elapsed = second.taken - first.taken
    return {name: _rate(first.counters.get(name), value, elapsed) for name, value in second.counters.items()}


def retransmitted(counts: t.Optional[t.Mapping[str, t.Optional[float]]]) -> t.Optional[float]:
    """The share of segments that were retransmitted; None if nothing was sent or it is unknown.

    Those of handshakes do not count: they mean that a peer does not answer, not that segments are lost. OutSegs does
    not count retransmissions (net/ipv4/tcp_output.c, __tcp_transmit_skb).
    """
    again, handshakes, first = ((counts or {}).get(name) for name in ("RetransSegs", "TCPSynRetrans", "OutSegs"))
    if again is None or handshakes is None or first is None:
        return None
    data = max(again - handshakes, 0)
    return round(data / (first + data), 4) if first + data else None


def _rate(before: t.Optional[int], after: int, elapsed: float) -> t.Optional[float]:
    if before is None or after < before or elapsed <= 0:
        return None
    return round((after - before) / elapsed, 3)
