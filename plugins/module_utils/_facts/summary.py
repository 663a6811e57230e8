# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A host's facts in about a kilobyte, for caches of very many hosts. Pure.

INTERFACE
    NEEDED                          the subsets it is made from
    summary(facts) -> {...}         from the facts of those
"""

from __future__ import annotations

import typing as t

NEEDED = frozenset({"states", "peers", "listeners", "counters", "sysctls", "limits", "conntrack"})
_RATES = (
    "PassiveOpens",
    "ActiveOpens",
    "ListenOverflows",
    "TCPReqQFullDoCookies",
    "TCPReqQFullDrop",
    "SyncookiesFailed",
    "TCPTimeWaitOverflow",
    "TCPAbortOnMemory",
)

Facts = t.Dict[str, t.Any]
_Number = t.Union[int, float, None]


def summary(facts: Facts) -> Facts:
    """The most telling facts of each subset."""
    rates, counters = facts["rates"], facts["counters"]
    return {
        "states": {state: count for state, count in facts["states"].items() if count},
        "time_wait": facts["time_wait"],
        "listeners": len(facts["listeners"]),
        "fullest_queue": _fullest_queue(facts["listeners"]),
        "scarcest_ports": _scarcest_ports(facts["peers"]),
        "used": _used(facts),
        "rates": {name: rates[name] for name in _RATES if name in rates} if rates else None,
        "overflows": counters.get("ListenOverflows"),
        "retransmitted": facts["retransmitted"],
        "boot_differs": sum(row["boot"] not in (None, row["runtime"]) for row in facts["sysctls"].values()),
    }


def _used(facts: Facts) -> t.Dict[str, t.Optional[float]]:
    """The used share of each limit, from 0 to 1; None if the limit is not known here."""
    gauges, files, conntrack = facts["sockstat"], facts["files"], facts["conntrack"] or {}
    memory = _running(facts, "tcp_mem")
    return {
        "orphans": _share(gauges.get("tcp_orphan"), _running(facts, "tcp_max_orphans")),
        "tcp_memory": _share(gauges.get("tcp_mem_pages"), memory[-1] if memory else None),
        "time_wait_buckets": _share(gauges.get("tcp_tw"), _running(facts, "tcp_max_tw_buckets")),
        "conntrack": _share(conntrack.get("count"), conntrack.get("max")),
        "files": _share(files["allocated"], files["max"]),
        "process_files": max((row["utilization"] for row in files["processes"]), default=None),
    }


def _running(facts: Facts, name: str) -> t.Any:
    return facts["sysctls"].get(f"net.ipv4.{name}", {}).get("runtime")


def _share(part: _Number, whole: _Number) -> t.Optional[float]:
    return round(part / whole, 4) if part is not None and whole else None


def _fullest_queue(listeners: t.Sequence[Facts]) -> t.Optional[Facts]:
    known = [row for row in listeners if row["backlog"]]
    row = max(known, key=lambda row: t.cast("float", row["accept_queue"] / row["backlog"]), default=None)
    if row is None:
        return None
    first = row["processes"][0] if row["processes"] else {}
    endpoint = {name: row[name] for name in ("address", "port", "accept_queue", "backlog", "covers")}
    return {**endpoint, "process": first.get("name"), "unit": first.get("unit")}


def _scarcest_ports(peers: t.Sequence[Facts]) -> t.Optional[Facts]:
    row = max(peers, key=lambda row: t.cast("float", row["utilization"]), default=None)
    return row and {name: row[name] for name in ("address", "port", "utilization")}
