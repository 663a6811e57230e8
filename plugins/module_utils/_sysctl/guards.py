# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Changes that are refused unless forced, each with the reason a person should know.

Sources: Documentation/networking/ip-sysctl.rst, tcp(7), and the functions of Linux 6.18 named below.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._want import Value, render
from .catalog import lookup


@dataclass(frozen=True)
class Change:
    """A key's running value and the one it would get; they are equal where only the boot value changes."""

    key: str
    before: Value
    after: Value


Guard = t.Callable[[Change], t.Optional[str]]


def refusal(change: Change) -> t.Optional[str]:
    """The reason not to make this change, or None."""
    return next(filter(None, (guard(change) for guard in GUARDS)), None)


def _lowers_capacity(change: Change) -> t.Optional[str]:
    if not lookup(change.key).capacity or len(change.before) != len(change.after):
        return None
    pairs = zip(change.before, change.after)
    if any(isinstance(old, int) and isinstance(new, int) and new < old for old, new in pairs):
        return (
            f"would lower a capacity from {render(change.before)} to {render(change.after)}; "
            f"ask for at_least to keep what is higher"
        )
    return None


def _is_harmful_folklore(change: Change) -> t.Optional[str]:
    harm = _FOLKLORE.get(change.key)
    if harm is None or change.after in harm.harmless or change.after == change.before:
        return None
    return harm.reason


def _is_nonsense(change: Change) -> t.Optional[str]:
    if change.key in _POSITIVE and any(isinstance(number, int) and number < 1 for number in change.after):
        return f"the kernel accepts {render(change.after)}, but it makes no sense here"
    return None


@dataclass(frozen=True)
class _Folklore:
    harmless: t.Tuple[Value, ...]
    reason: str


_FOLKLORE: t.Mapping[str, _Folklore] = {
    "net.ipv4.tcp_tw_recycle": _Folklore(
        ((0,),), "drops connections of clients that share an address behind NAT; removed in Linux 4.12"
    ),
    "net.ipv4.tcp_timestamps": _Folklore(
        ((1,), (2,)),
        "without timestamps there is no PAWS, no tcp_tw_reuse, and SYN cookies lose window scaling and SACK",
    ),
    "net.ipv4.tcp_abort_on_overflow": _Folklore(
        ((0,),), "resets clients on a short burst that a retransmission would survive"
    ),
    "net.ipv4.tcp_syncookies": _Folklore(
        ((1,),), "0 drops SYNs when the queue is full, 2 is for tests only: 1 sends cookies when they are needed"
    ),
}
_POSITIVE = frozenset(
    {
        "fs.file-max",
        "net.core.somaxconn",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_max_orphans",
        "net.ipv4.tcp_max_syn_backlog",
        "net.ipv4.tcp_max_tw_buckets",
        "net.netfilter.nf_conntrack_max",
        "net.netfilter.nf_conntrack_tcp_timeout_established",
        "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
    }
)
GUARDS: t.Tuple[Guard, ...] = (_is_harmful_folklore, _is_nonsense, _lowers_capacity)
