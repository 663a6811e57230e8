# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""All hosts of an audit, judged, as the dictionary that every format of the report is made of.

``docs/audit-report.schema.json`` describes it.  Hosts are taken one by one and their facts let go, so that memory grows
with what is reported of a host and not with what was gathered.
"""

from __future__ import annotations

import datetime
import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from . import drift
from .clean import MOST, clean
from .history import History
from .judge import STATUSES, bring, judge
from .policy import SEVERITIES, Rule
from .unknown import plain
from .waivers import Waiver, waive

SCHEMA = 1
OUTCOMES = ("judged", "unreachable", "failed", "no_python", "missing")

# The facts of a host that are in its report.
_SHOWN = ("boot_id", "collected", "counters", "kernel", "listeners", "peers", "states", "uptime")

# Of its peers those that hold the most of its local ports. Below that share they come and go with every report.
_PEERS = 3
_NOTABLE = 0.01

Report = t.Dict[str, t.Any]
Host = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Seen:
    """What a run has of one host: the facts where its outcome is ``judged``, else a message why there are none."""

    name: str
    outcome: str
    groups: t.Sequence[str] = ()
    message: t.Optional[str] = None
    facts: t.Mapping[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What is the same for all hosts; ``about`` are the report's own fields, such as ``policy`` and ``inventory``."""

    rules: t.Sequence[Rule]
    about: t.Mapping[str, t.Any]
    generated: datetime.datetime
    waivers: t.Sequence[Waiver] = ()
    history: History = field(default_factory=History)
    max_age: t.Optional[float] = None

    @property
    def stamp(self) -> str:
        """When the report is made, ISO 8601 in UTC."""
        return self.generated.astimezone(datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def audit(request: Request, hosts: t.Iterable[Seen]) -> Report:
    """Judge every host, and sum up.  What comes from hosts is clean in the report."""
    rows = sorted((_host(request, seen) for seen in hosts), key=lambda host: host["name"])
    return {
        "schema": SCHEMA,
        "collection": request.about["collection"],
        "generated": request.stamp,
        **{name: request.about.get(name) for name in ("policy", "profile", "inventory", "remediation")},
        **{name: bool(request.about.get(name)) for name in ("check_mode", "from_cache")},
        "previous": request.history.generated,
        "summary": summarize(request.rules, rows),
        "rules": [dict(rule.texts) for rule in request.rules],
        "hosts": rows,
    }


def _host(request: Request, seen: Seen) -> Host:
    empty = {
        **dict.fromkeys(("collected", "age_s", "limited", "kernel", "uptime_s", "boot_id"), None),
        "name": clean(seen.name),
        "groups": clean(list(seen.groups)),
        "outcome": seen.outcome,
        "message": clean(seen.message),
        "stale": False,
        "states": {},
        "listeners": [],
        "peers": [],
        "counters": {},
        "results": [],
        "drift": [],
    }
    if seen.outcome != "judged":
        return empty
    try:
        return {**empty, **_judged(request, seen)}
    except (ArithmeticError, RecursionError, AttributeError, LookupError, TypeError, ValueError) as exc:
        return {**empty, "outcome": "failed", "message": clean(f"its facts cannot be read: {exc}")}


def _judged(request: Request, seen: Seen) -> Host:
    compared = seen.facts.get("drift")
    sources = _sources(seen.facts.get("sysctls")) if compared else {}
    rows = drift.drift(_rows(compared), clean(seen.name), sources)
    since_last = request.history.since_last(seen.name, seen.facts)
    known = {} if compared is None else {"drift": _known(rows)}
    facts = bring({**seen.facts, **known, "since_last": since_last})
    results = judge(facts, request.rules)
    waivers = _by_rule(request.waivers, seen)
    for result in results:
        result.update(history=None, waiver=None)
        waive(result, waivers[result["id"]], request.generated.date())
        request.history.mark(seen.name, result, request.stamp)
    found = plain({name: facts[name] for name in _SHOWN})
    collected = found["collected"] or {}
    age = _age(collected.get("at"), request.generated)
    return {
        "collected": collected.get("at"),
        "age_s": age,
        "stale": request.max_age is not None and (age is None or age > request.max_age),
        "limited": collected.get("limited") or None,
        "kernel": found["kernel"],
        "uptime_s": found["uptime"],
        "boot_id": found["boot_id"],
        "states": found["states"] or {},
        "listeners": [_listener(listener) for listener in found["listeners"] or ()],
        "peers": _peers(found["peers"] or ()),
        "counters": found["counters"] or {},
        "results": results,
        "drift": rows,
    }


def _rows(compared: t.Any) -> t.List[t.Any]:
    rows = clean(compared or [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("drift is not a list of rows")
    if not all(row.get("kind") in drift.KINDS for row in rows):
        raise ValueError("drift has a row of no known kind")
    return rows[:MOST]


def _sources(sysctls: t.Optional[t.Mapping[str, t.Any]]) -> t.Mapping[str, t.Optional[str]]:
    return {str(key): clean(sysctl.get("source")) for key, sysctl in (sysctls or {}).items()}


def _known(rows: t.Sequence[drift.Row]) -> t.List[drift.Row]:
    """Drift as a fact: a row whose status is unknown has none."""
    return [{**row, "status": None} if row["status"] == "unknown" else row for row in rows]


def _by_rule(waivers: t.Iterable[Waiver], seen: Seen) -> t.Mapping[str, t.List[Waiver]]:
    found: t.DefaultDict[str, t.List[Waiver]] = defaultdict(list)
    for waiver in waivers:
        if waiver.covers(seen.name, seen.groups):
            found[waiver.rule].append(waiver)
    return found


def _age(collected: t.Optional[str], now: datetime.datetime) -> t.Optional[float]:
    try:
        at = datetime.datetime.fromisoformat(str(collected).replace("Z", "+00:00"))
        return max(0.0, round((now - at).total_seconds(), 1))
    except (ValueError, TypeError):
        return None


def _listener(listener: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    shown = {name: listener[name] for name in ("address", "port", "accept_queue", "backlog", "syn_recv")}
    return {**shown, "processes": list(map(_process, listener["processes"] or ()))}


def _peers(peers: t.Iterable[t.Optional[t.Mapping[str, t.Any]]]) -> t.List[t.Dict[str, t.Any]]:
    """The notable ones, the fullest first; an address and port that a host names twice is one peer."""
    names = ("address", "port", "local_ports_used", "local_ports_available", "utilization")
    rows = [{name: peer[name] for name in names} for peer in peers if peer]
    notable = [row for row in rows if None not in row.values() and row["utilization"] >= _NOTABLE]
    fullest: t.Dict[t.Tuple[str, int], t.Dict[str, t.Any]] = {}
    for row in sorted(notable, key=lambda row: t.cast("float", row["utilization"]), reverse=True):
        fullest.setdefault((row["address"], row["port"]), row)
    return list(fullest.values())[:_PEERS]


def _process(process: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    shown = {name: process[name] for name in ("name", "pid", "unit")}
    return {**shown, "count": process["count"]} if (process["count"] or 1) > 1 else shown


def summarize(rules: t.Iterable[Rule], hosts: t.Sequence[Host]) -> t.Dict[str, t.Any]:
    """The report's ``summary``: the verdict, and what there is of each kind of host, result and finding."""
    severities = {rule.id: rule.severity for rule in rules}
    failed = Counter(result["id"] for host in hosts for result in host["results"] if result["status"] == "fail")
    findings: t.List[t.Dict[str, t.Any]] = [
        {"id": rule.id, "title": rule.texts["title"], "severity": rule.severity, "hosts": failed[rule.id]}
        for rule in rules
        if failed[rule.id]
    ]
    findings.sort(key=lambda finding: (SEVERITIES.index(finding["severity"]), -finding["hosts"], finding["id"]))
    statuses = Counter(result["status"] for host in hosts for result in host["results"])
    history = Counter(result["history"] for host in hosts for result in host["results"] if result["status"] != "waived")
    counts = _hosts(hosts)
    return {
        "verdict": _verdict(counts),
        "worst": min((severities[rule_id] for rule_id in failed), key=SEVERITIES.index, default=None),
        "hosts": counts,
        "results": {status: statuses[status] for status in STATUSES},
        "findings": findings,
        "history": {name: history[name] for name in ("new", "fixed", "persisting")},
    }


def _hosts(hosts: t.Sequence[Host]) -> t.Dict[str, int]:
    outcomes = Counter(host["outcome"] for host in hosts)
    judged = [{result["status"] for result in host["results"]} for host in hosts if host["outcome"] == "judged"]
    failing = sum("fail" in statuses for statuses in judged)
    undecided = sum("fail" not in statuses and bool(statuses & {"unknown", "error"}) for statuses in judged)
    return {
        "total": len(hosts),
        "judged": len(judged),
        "passing": len(judged) - failing - undecided,
        "failing": failing,
        "undecided": undecided,
        **{outcome: outcomes[outcome] for outcome in OUTCOMES[1:]},
        "incomplete": sum(bool(host["limited"]) for host in hosts),
        "stale": sum(host["stale"] for host in hosts),
    }


def _verdict(hosts: t.Mapping[str, int]) -> str:
    if hosts["failing"]:
        return "fail"
    return "pass" if hosts["total"] and hosts["passing"] == hosts["total"] else "unknown"
