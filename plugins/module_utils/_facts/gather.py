# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What nettune.tcp.tcp_facts returns, put together from the requested subsets."""

from __future__ import annotations

import ipaddress
import os
import time
import typing as t
from dataclasses import asdict, dataclass, field, replace

from .. import _files
from .._boot import login_limits, sysctl_d
from .._errors import NettuneError, Unsupported
from .._kernel import netns, proc_net, proc_sys, processes
from .._kernel.tcp_socket import Listener
from .._record import store
from .._sysctl import catalog
from .._sysctl.plan import data
from .._tuning import apply as tuning
from .._want import parse_value
from . import holders, limits, queues, rates, summary
from .census import Census, Peer
from .request import QUEUES, SUMMARY, Request
from .servers import servers
from .sources import open_source

_FROM_CENSUS = frozenset({"peers", "clients", "listeners", "holders"})
_FROM_LISTENERS = frozenset({"servers", QUEUES})
_WITH_OWNERS = frozenset({"listeners", "servers", "holders"})
# The facts of each subset that has others than just one of its own name.
_KEYS = {
    "states": ("states", "time_wait"),
    "counters": ("counters", "rates", "retransmitted", "sockstat"),
    "limits": ("files", "login_limits"),
}
_REUSE_ALL, _REUSE_LOOPBACK = "1", "2"

Facts = t.Dict[str, t.Any]


@dataclass
class _Observed:
    """What was seen inside the namespace: facts, provenance, and sockets whose owners are yet to be found."""

    facts: Facts
    source: t.Optional[str] = None
    limited: t.List[str] = field(default_factory=list)
    listeners: t.Sequence[Listener] = ()
    stuck: holders.Inodes = field(default_factory=dict)


def gather(request: Request) -> Facts:
    """The facts of this network namespace, or of the requested one.

    Raises Unsupported if there is neither sock_diag nor /proc/net/tcp, and whatever entering the namespace raises.
    """
    if not request.summary:
        return _gather(request)
    facts = _gather(replace(request, subsets=request.subsets | summary.NEEDED))
    facts["summary"] = summary.summary(facts)
    facts["collected"]["subsets"] = sorted({*request.subsets, SUMMARY})
    for subset in summary.NEEDED - request.subsets:
        for name in _KEYS.get(subset, (subset,)):
            del facts[name]
    return facts


def _gather(request: Request) -> Facts:
    start = time.monotonic()
    observed = _look(request) if request.netns is None else netns.run_in(request.netns, lambda: _look(request))
    if request.subsets & _WITH_OWNERS:
        # Outside the namespace again: owners are processes of this host's /proc.
        observed.facts.update(_owned(request, observed))
    if "runs" in request.subsets:
        observed.facts["runs"] = _runs(request.top, observed)
    if request.compare is not None:
        observed.facts["drift"] = _drift(request.compare, observed)
    if "limits" in request.subsets:
        observed.facts["files"]["processes"] = limits.process_files(request.top)
    observed.facts["collected"] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "source": observed.source,
        "limited": observed.limited,
        "subsets": sorted(request.subsets),
        "elapsed_ms": round((time.monotonic() - start) * 1000, 1),
    }
    return observed.facts


def _runs(top: int, observed: _Observed) -> t.Optional[t.List[Facts]]:
    try:
        return store.as_facts(top)
    except NettuneError as exc:
        observed.limited.append(f"the records of what was changed here could not be read: {exc}")
        return None


def _drift(wanted: tuning.Request, observed: _Observed) -> t.Optional[t.List[Facts]]:
    try:
        return tuning.drift(wanted)
    except NettuneError as exc:
        observed.limited.append(f"the host could not be compared with what it should have: {exc}")
        return None


def _look(request: Request) -> _Observed:
    observed = _Observed(_provenance(request))
    subsets = request.subsets
    if "counters" in subsets:
        observed.facts.update(_counters(request.interval))
    if subsets & (_FROM_CENSUS | _FROM_LISTENERS | {"states"}):
        _sockets(request, observed)
    if "sysctls" in subsets:
        observed.facts["sysctls"] = _sysctls(with_boot=request.netns is None)
    if "limits" in subsets:
        observed.facts["files"] = limits.files()
        observed.facts["login_limits"] = [asdict(limit) for limit in login_limits.parse(login_limits.read_files())]
    if "conntrack" in subsets:
        observed.facts["conntrack"] = limits.conntrack()
    return observed


def _provenance(request: Request) -> Facts:
    told = _files.text("/proc/uptime").split()  # not there in a /proc of processes alone
    boot_id = proc_sys.read("kernel.random.boot_id")
    return {
        "boot_id": boot_id,
        "uptime": float(told[0]) if told else None,
        "kernel": os.uname().release,
        "netns": request.netns,
    }


def _counters(interval: float) -> Facts:
    sample = _sample()
    per_second = None
    if interval:
        first = sample
        time.sleep(interval)
        sample = _sample()
        per_second = rates.per_second(first, sample)
    sockstat = proc_net.parse_sockstat(_read_if_any("sockstat"), _read_if_any("sockstat6"))
    return {
        "counters": dict(sample.counters),
        "rates": per_second,
        "retransmitted": {"interval": rates.retransmitted(per_second), "boot": rates.retransmitted(sample.counters)},
        "sockstat": sockstat,
    }


def _sample() -> rates.Sample:
    counters = proc_net.parse_counters(proc_net.read("netstat"), proc_net.read("snmp"))
    return rates.Sample(time.monotonic(), counters)


def _read_if_any(name: str) -> str:
    try:
        return proc_net.read(name)
    except Unsupported:
        return ""


def _sockets(request: Request, observed: _Observed) -> None:
    with open_source() as source:
        observed.source = source.name
        if source.reason:
            observed.limited.append(
                f"/proc/net/tcp was read, which does not show a listener's backlog ({source.reason})"
            )
        if request.subsets & _FROM_CENSUS:
            census = source.census(request.top)
            _spread(census, request, observed)
            if "holders" in request.subsets:
                observed.stuck = holders.stuck(source, census.states)
        elif "states" in request.subsets:
            observed.facts.update(states=source.states(), time_wait=None)
        if request.subsets & _FROM_LISTENERS and not request.subsets & _FROM_CENSUS:
            observed.listeners = source.listeners()
        if QUEUES in request.subsets:
            observed.facts["queues"] = queues.accept_queues(observed.listeners)
        if source.interrupted:
            observed.limited.append("sockets came and went too fast for a consistent dump: counts may be off by a few")


def _spread(census: Census, request: Request, observed: _Observed) -> None:
    if "states" in request.subsets:
        observed.facts.update(states=census.states, time_wait=census.time_wait)
    if "peers" in request.subsets:
        available = _local_ports_available()
        reuse = proc_sys.read("net.ipv4.tcp_tw_reuse") if proc_sys.read("net.ipv4.tcp_timestamps") != "0" else None
        observed.facts["peers"] = [_peer(peer, available, reuse) for peer in census.peers]
    if "clients" in request.subsets:
        observed.facts["clients"] = [asdict(client) for client in census.clients]
    if census.missing:
        observed.limited.append(
            f"very many different addresses: counts of peers and clients may be short by {census.missing}"
        )
    observed.listeners = census.listeners


def _local_ports_available() -> int:
    """How many ports connect() may choose from: the range minus reserved ports."""
    low, high = (int(token) for token in parse_value(proc_sys.read("net.ipv4.ip_local_port_range") or "1 65535"))
    reserved = parse_value(proc_sys.read("net.ipv4.ip_local_reserved_ports") or "", ports=True)
    return high - low + 1 - sum(low <= int(port) <= high for port in reserved)


def _peer(peer: Peer, available: int, reuse: t.Optional[str]) -> Facts:
    """A peer, and the share of the local ports that a connect() to it cannot use (tcp_twsk_unique)."""
    loopback = any(ipaddress.ip_address(end).is_loopback for end in (peer.address, peer.local_address))
    reusable = reuse == _REUSE_ALL or (reuse == _REUSE_LOOPBACK and loopback)
    taken = peer.local_ports_used - (peer.local_ports_in_time_wait if reusable else 0)
    utilization = round(taken / available, 4) if available else 1.0
    return {**asdict(peer), "local_ports_available": available, "utilization": utilization}


def _owned(request: Request, observed: _Observed) -> Facts:
    """The facts that need to know who owns the sockets."""
    inodes = [inode for some in observed.stuck.values() for inode in some]
    owners = processes.owners([*(listener.inode for listener in observed.listeners), *inodes])
    if owners.unreadable:
        observed.limited.append(_unreadable(owners.unreadable))
    if not owners.complete:
        observed.limited.append(
            "too many files are open to examine all of them in time: a socket may lack its processes"
        )
    facts: Facts = {}
    if "listeners" in request.subsets:
        facts["listeners"] = queues.listeners(observed.listeners, owners, observed.facts.get("rates"))
    if "holders" in request.subsets:
        facts["holders"] = holders.holders(observed.stuck, owners, request.top)
    if "servers" in request.subsets:
        facts["servers"] = servers(observed.listeners, owners)
        observed.limited += [
            f"{row['server']}, pid {row['pid']}: {row['error']}" for row in facts["servers"] if row["error"]
        ]
    return facts


def _unreadable(count: int) -> str:
    some = "1 process" if count == 1 else f"{count} processes"
    advice = ", run as root to see them" if os.geteuid() else ""
    return f"the open files of {some} could not be read{advice}"


def _sysctls(*, with_boot: bool) -> Facts:
    texts = {key: proc_sys.read(key) for key in catalog.BY_KEY}
    keys = [key for key, text in texts.items() if text is not None]
    next_boot = sysctl_d.next_boot(sysctl_d.read_tree(), keys) if with_boot else {}
    boot = {key: value.taken(None if catalog.lookup(key).text else texts[key]) for key, value in next_boot.items()}
    return {
        key: {
            "runtime": data(key, texts[key]),
            "boot": data(key, boot[key].value) if with_boot else None,
            "source": boot[key].source if with_boot else None,
            "scope": catalog.lookup(key).scope,
        }
        for key in keys
    }
