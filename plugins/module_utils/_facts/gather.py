# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What nettune.tcp.tcp_facts returns, put together from the subsets that were asked for."""

from __future__ import annotations

import os
import time
import typing as t
from collections import Counter
from dataclasses import asdict, dataclass, field

from .._boot import login_limits, sysctl_d
from .._errors import NettuneError, Unsupported
from .._kernel import netns, proc_net, proc_sys, processes
from .._kernel.tcp_socket import Listener
from .._record import store
from .._sysctl import catalog
from .._sysctl.plan import data
from .._tuning import apply as tuning
from .._want import parse_value
from . import rates
from .census import Census, Peer
from .request import Request
from .servers import servers
from .sources import open_source

_FROM_CENSUS = frozenset({"peers", "clients", "listeners"})
_WITH_OWNERS = frozenset({"listeners", "servers"})
_CONNTRACK = "net.netfilter.nf_conntrack"

Facts = t.Dict[str, t.Any]


@dataclass
class _Seen:
    """What was seen inside the namespace: facts, provenance, and listeners whose owners are yet to be found."""

    facts: Facts
    source: t.Optional[str] = None
    limited: t.List[str] = field(default_factory=list)
    listeners: t.Sequence[Listener] = ()


def gather(request: Request) -> Facts:
    """The facts of this network namespace, or of the one that was asked for.

    Raises Unsupported where there is neither sock_diag nor /proc/net/tcp, and what entering the namespace raises.
    """
    start = time.monotonic()
    seen = _look(request) if request.netns is None else netns.run_in(request.netns, lambda: _look(request))
    if request.subsets & _WITH_OWNERS:
        # Outside the namespace again: owners are processes of this host's /proc.
        seen.facts.update(_owned(request, seen))
    if "runs" in request.subsets:
        seen.facts["runs"] = _runs(seen)
    if request.compare is not None:
        seen.facts["drift"] = tuning.drift(request.compare)
    seen.facts["collected"] = {
        "source": seen.source,
        "limited": seen.limited,
        "subsets": sorted(request.subsets),
        "elapsed_ms": round((time.monotonic() - start) * 1000, 1),
    }
    return seen.facts


def _runs(seen: _Seen) -> t.Optional[t.List[Facts]]:
    try:
        return store.as_facts()
    except NettuneError as exc:
        seen.limited.append(f"the records of what was changed here could not be read: {exc}")
        return None


def _look(request: Request) -> _Seen:
    seen = _Seen(_provenance(request))
    subsets = request.subsets
    if "counters" in subsets:
        seen.facts.update(_counters(request.interval))
    if subsets & (_FROM_CENSUS | {"states", "servers"}):
        _sockets(request, seen)
    if "sysctls" in subsets:
        seen.facts["sysctls"] = _sysctls(with_boot=request.netns is None)
    if "limits" in subsets:
        seen.facts["files"] = _files()
        seen.facts["login_limits"] = [asdict(limit) for limit in login_limits.parse(login_limits.read_files())]
    if "conntrack" in subsets:
        seen.facts["conntrack"] = _conntrack()
    return seen


def _provenance(request: Request) -> Facts:
    with open("/proc/uptime", encoding="ascii") as handle:
        uptime = float(handle.read().split()[0])
    boot_id = proc_sys.read("kernel.random.boot_id")
    return {"boot_id": boot_id, "uptime": uptime, "kernel": os.uname().release, "netns": request.netns}


def _counters(interval: float) -> Facts:
    sample = _sample()
    per_second = None
    if interval:
        first = sample
        time.sleep(interval)
        sample = _sample()
        per_second = rates.per_second(first, sample)
    sockstat = proc_net.parse_sockstat(proc_net.read("sockstat"), _read_if_any("sockstat6"))
    return {"counters": dict(sample.counters), "rates": per_second, "sockstat": sockstat}


def _sample() -> rates.Sample:
    counters = proc_net.parse_counters(proc_net.read("netstat"), proc_net.read("snmp"))
    return rates.Sample(time.monotonic(), counters)


def _read_if_any(name: str) -> str:
    try:
        return proc_net.read(name)
    except Unsupported:
        return ""


def _sockets(request: Request, seen: _Seen) -> None:
    with open_source() as source:
        seen.source = source.name
        if source.reason:
            seen.limited.append(f"/proc/net/tcp was read, which does not tell a listener's backlog ({source.reason})")
        if request.subsets & _FROM_CENSUS:
            _spread(source.census(request.top), request, seen)
        elif "states" in request.subsets:
            seen.facts.update(states=source.states(), time_wait=None)
        if "servers" in request.subsets and not request.subsets & _FROM_CENSUS:
            seen.listeners = source.listeners()
        if source.interrupted:
            seen.limited.append("sockets came and went too fast for a consistent dump: counts may be off by a few")


def _spread(census: Census, request: Request, seen: _Seen) -> None:
    if "states" in request.subsets:
        seen.facts.update(states=census.states, time_wait=census.time_wait)
    if "peers" in request.subsets:
        available = _local_ports_available()
        seen.facts["peers"] = [_peer(peer, available) for peer in census.peers]
    if "clients" in request.subsets:
        seen.facts["clients"] = [asdict(client) for client in census.clients]
    if census.missing:
        seen.limited.append(f"very many different addresses: a count among peers and clients may lack {census.missing}")
    seen.listeners = census.listeners


def _local_ports_available() -> int:
    """How many ports connect() may choose from: the range less what is reserved."""
    low, high = (int(token) for token in parse_value(proc_sys.read("net.ipv4.ip_local_port_range") or "1 65535"))
    reserved = parse_value(proc_sys.read("net.ipv4.ip_local_reserved_ports") or "", ports=True)
    return high - low + 1 - sum(low <= int(port) <= high for port in reserved)


def _peer(peer: Peer, available: int) -> Facts:
    utilization = round(peer.local_ports_used / available, 4) if available else 1.0
    return {**asdict(peer), "local_ports_available": available, "utilization": utilization}


def _owned(request: Request, seen: _Seen) -> Facts:
    """What needs to know whose the listening sockets are."""
    owners = processes.owners(listener.inode for listener in seen.listeners)
    if owners.unreadable:
        advice = ", run as root to see what they own" if os.geteuid() else ""
        seen.limited.append(f"the open files of {owners.unreadable} processes could not be read{advice}")
    if not owners.complete:
        seen.limited.append("too many files are open to look at all in time: a listener may lack its processes")
    facts: Facts = {}
    if "listeners" in request.subsets:
        facts["listeners"] = _listeners(seen.listeners, owners)
    if "servers" in request.subsets:
        facts["servers"] = servers(seen.listeners, owners)
        seen.limited += [
            f"{row['server']}, pid {row['pid']}: {row['error']}" for row in facts["servers"] if row["error"]
        ]
    return facts


def _listeners(listeners: t.Sequence[Listener], owners: processes.Owners) -> t.List[Facts]:
    ordered = sorted(listeners, key=_place)
    sharing = Counter(map(_place, listeners))
    return [
        {
            **asdict(listener),
            "sharing": sharing[_place(listener)],
            "processes": [_process(process) for process in owners.by_inode.get(listener.inode, ())],
        }
        for listener in ordered
    ]


def _place(listener: Listener) -> t.Tuple[int, str, str]:
    return listener.port, listener.family, listener.address


def _process(process: processes.Process) -> Facts:
    nofile = {"soft": process.nofile_soft, "hard": process.nofile_hard, "used": process.nofile_used}
    return {"pid": process.pid, "name": process.name, "unit": process.unit, "nofile": nofile}


def _sysctls(*, with_boot: bool) -> Facts:
    texts = {key: proc_sys.read(key) for key in catalog.BY_KEY}
    keys = [key for key, text in texts.items() if text is not None]
    found = sysctl_d.resolve(sysctl_d.read_tree(), keys) if with_boot else {}
    boot = {key: value.taken(texts[key]) for key, value in found.items()}
    return {
        key: {
            "runtime": data(key, texts[key]),
            "boot": data(key, boot[key].value) if with_boot else None,
            "source": boot[key].source if with_boot else None,
            "scope": catalog.lookup(key).scope,
        }
        for key in keys
    }


def _files() -> Facts:
    allocated, _unused, maximum = (int(word) for word in (proc_sys.read("fs.file-nr") or "0 0 0").split())
    return {"allocated": allocated, "max": maximum, "nr_open": _number("fs.nr_open")}


def _conntrack() -> t.Optional[Facts]:
    count = _number(f"{_CONNTRACK}_count")
    if count is None:
        return None
    return {"count": count, "max": _number(f"{_CONNTRACK}_max"), "buckets": _number(f"{_CONNTRACK}_buckets")}


def _number(key: str) -> t.Optional[int]:
    text = proc_sys.read(key)
    return None if text is None else int(text)
