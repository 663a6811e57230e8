# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""OpenMetrics, for a textfile collector: the fleet by outcome and rule, hosts by what they fail and hold."""

from __future__ import annotations

import datetime
import itertools
import typing as t
from collections import Counter

from .packing import fill
from .text import Host, Report

_PREFIX = "nettune_tcp_audit"

# Of the kernel's counters those that tell of trouble, and of the connections to which it is compared.
_EVENTS = (
    "ListenOverflows",
    "ListenDrops",
    "TCPReqQFullDrop",
    "TCPReqQFullDoCookies",
    "TCPTimeWaitOverflow",
    "TCPAbortOnMemory",
    "EstabResets",
    "AttemptFails",
    "PassiveOpens",
    "ActiveOpens",
)

_LISTENERS = 100  # of a host, the fullest
_PEERS = (
    ("local_ports_used", "local_ports_used", "Local ports in use towards the peer."),
    ("local_ports_available", "local_ports_available", "Local ports that there are for each peer."),
    ("local_ports_utilization_ratio", "utilization", "Share of them that connect() to the peer cannot use."),
)

Labels = t.Mapping[str, t.Any]
Sample = t.Tuple[Labels, float]


def render(report: Report) -> str:
    """Labels are bounded: hosts, rules, statuses, states, listening sockets and few peers; nothing of evidence."""
    lines: t.List[str] = []
    for name, text, samples in _families(report):
        kind, suffix = ("counter", "_total") if name == "host_events" else ("gauge", "")
        lines += [f"# TYPE {_PREFIX}_{name} {kind}", f"# HELP {_PREFIX}_{name} {text}"]
        lines += [f"{_PREFIX}_{name}{suffix}{_labels(labels)} {value}" for labels, value in samples]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _families(report: Report) -> t.Iterator[t.Tuple[str, str, t.List[Sample]]]:
    hosts: t.Sequence[Host] = report["hosts"]
    counts = report["summary"]["hosts"].items()
    yield "generated_timestamp_seconds", "When the report was made.", [({}, _seconds(report["generated"]))]
    yield "hosts", "Hosts of the audit by kind.", [({"kind": kind}, count) for kind, count in counts]
    yield "rule_hosts", "Hosts by rule and status.", _rules(report)
    yield (
        "host_judged",
        "Whether the host was judged.",
        [(_of(host), int(host["outcome"] == "judged")) for host in hosts],
    )
    yield "remediation_hosts", "Hosts of the remediation by what became of them.", _remediation(report)
    yield "host_results", "Rules of the host by status.", [s for host in hosts for s in _results(host)]
    yield (
        "host_drift",
        "Settings of the host by how they differ from the profile.",
        [s for h in hosts for s in _drift(h)],
    )
    yield (
        "host_facts_age_seconds",
        "How old the facts of the host are.",
        [(_of(h), h["age_s"]) for h in hosts if h["age_s"] is not None],
    )
    yield "host_sockets", "Sockets of the host by state.", [s for host in hosts for s in _states(host)]
    yield (
        "host_events",
        "Events of the host since its boot, by the kernel's counter.",
        [s for h in hosts for s in _events(h)],
    )
    for field, text in (("accept_queue", "Connections that wait for accept()."), ("backlog", "How many may wait.")):
        yield f"listener_{field}", text, [s for host in hosts for s in _listeners(host, field)]
    for name, field, text in _PEERS:
        yield f"peer_{name}", text, [s for host in hosts for s in _peers(host, field)]


def _seconds(stamp: str) -> float:
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def _of(host: Host) -> Labels:
    return {"host": host["name"]}


def _rules(report: Report) -> t.List[Sample]:
    severities = {rule["id"]: rule["severity"] for rule in report["rules"]}
    counts = Counter((result["id"], result["status"]) for host in report["hosts"] for result in host["results"])
    return [
        ({"rule": rule, "severity": severities[rule], "status": status}, count)
        for (rule, status), count in sorted(counts.items())
    ]


def _remediation(report: Report) -> t.List[Sample]:
    states = (report.get("remediation") or {}).get("states", {})
    return [({"state": state}, count) for state, count in states.items()]


def _results(host: Host) -> t.List[Sample]:
    counts = Counter(result["status"] for result in host["results"])
    return [({**_of(host), "status": status}, count) for status, count in sorted(counts.items())]


def _drift(host: Host) -> t.List[Sample]:
    counts = Counter((row["kind"], row["status"]) for row in host["drift"])
    return [({**_of(host), "kind": kind, "status": status}, n) for (kind, status), n in sorted(counts.items())]


def _states(host: Host) -> t.List[Sample]:
    return [({**_of(host), "state": state}, count) for state, count in host["states"].items() if count is not None]


def _events(host: Host) -> t.List[Sample]:
    """A host may say anything of its kernel, but no counter is negative."""
    found = ((name, host["counters"].get(name)) for name in _EVENTS)
    return [({**_of(host), "event": name}, value) for name, value in found if value is not None and value >= 0]


def _listeners(host: Host, field: str) -> t.List[Sample]:
    """The fullest of the sockets that share an address and port: samples must differ by their labels."""
    found: t.Dict[t.Tuple[str, int], t.Optional[float]] = {}
    for listener in sorted(host["listeners"], key=fill, reverse=True):
        found.setdefault((listener["address"], listener["port"]), listener[field])
    return [
        ({**_of(host), "address": address, "port": port}, value)
        for (address, port), value in itertools.islice(found.items(), _LISTENERS)
        if value is not None
    ]


def _peers(host: Host, field: str) -> t.List[Sample]:
    """Without the local address: where there are several, now one and now another has the most ports in use.

    The reports of release 1.0.0, which the filter audit_report takes, have no peers.
    """
    return [
        ({**_of(host), "address": peer["address"], "port": peer["port"]}, peer[field]) for peer in host.get("peers", ())
    ]


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(str(value))}"' for name, value in labels.items()) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
