# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of fleets that never were: alike as real ones are, with every trouble in them, and the same on every run."""

from __future__ import annotations

import random
import typing as t
import uuid

from ansible_collections.nettune.tcp.tests.fleet_parts import (
    GROUPS,
    HOSTILE,
    KERNELS,
    RULES,
    SERVERS,
    SETTINGS,
    SEVERITIES,
    SITES,
    UNREACHABLE,
    RuleRow,
    Setting,
)


def fleet(size: int, seed: int = 20261124, *, hostile: bool = True) -> t.Dict[str, t.Any]:
    """A report of ``size`` hosts; with ``hostile``, one of them tries everything against whoever shows it."""
    dice = random.Random(seed)
    hosts = [_host(dice, number) for number in range(size)]
    if hostile and size > 1:
        _poison(hosts[size // 2])
    rules = [
        {"id": id_, "title": title, "severity": severity, "description": "", "remedy": helps, "not_remedy": does_not}
        for id_, severity, title, _share, helps, does_not in RULES
    ]
    return {
        "schema": 1,
        "collection": {"name": "nettune.tcp", "version": "0.1.0"},
        "generated": "2026-11-24T06:00:12Z",
        "policy": {"name": "baseline", "source": "nettune.tcp.tcp_audit/policies/baseline.yml"},
        "profile": "web",
        "inventory": "production",
        "check_mode": False,
        "from_cache": False,
        "previous": "2026-11-23T06:00:09Z",
        "summary": summarized(hosts),
        "rules": rules,
        "hosts": hosts,
    }


def summarized(hosts: t.Sequence[t.Mapping[str, t.Any]]) -> t.Dict[str, t.Any]:
    """What the report says of all hosts together."""
    judged = [host for host in hosts if host["outcome"] == "judged"]
    results = [result for host in hosts for result in host["results"]]
    failing = [host for host in judged if _has(host, "fail")]
    passing = [host for host in judged if not any(_has(host, status) for status in ("fail", "unknown", "error"))]
    findings = []
    for id_, severity, title, *_rest in RULES:
        number = sum(result["id"] == id_ and result["status"] == "fail" for result in results)
        findings += [{"id": id_, "title": title, "severity": severity, "hosts": number}] if number else []
    found = {finding["severity"] for finding in findings}
    outcomes = ("unreachable", "failed", "no_python", "missing")
    return {
        "verdict": "fail" if failing else "unknown" if len(passing) < len(hosts) else "pass",
        "worst": next((severity for severity in SEVERITIES if severity in found), None),
        "hosts": {
            "total": len(hosts),
            "judged": len(judged),
            "passing": len(passing),
            "failing": len(failing),
            "undecided": len(judged) - len(passing) - len(failing),
            **{outcome: sum(host["outcome"] == outcome for host in hosts) for outcome in outcomes},
            "incomplete": sum(bool(host["limited"]) for host in hosts),
            "stale": sum(host["stale"] for host in hosts),
        },
        "results": {
            status: sum(result["status"] == status for result in results)
            for status in ("pass", "fail", "unknown", "skip", "error", "waived")
        },
        "findings": findings,
        "history": {
            change: sum(result["history"] == change for result in results) for change in ("new", "fixed", "persisting")
        },
    }


def _has(host: t.Mapping[str, t.Any], status: str) -> bool:
    return any(result["status"] == status for result in host["results"])


def _host(dice: random.Random, number: int) -> t.Dict[str, t.Any]:
    group, site = dice.choice(GROUPS), dice.choice(SITES)
    host: t.Dict[str, t.Any] = {
        "name": f"{group}{number:05d}.{site}.example.net",
        "groups": [group, site],
        "outcome": "judged",
        "message": "",
        "collected": "2026-11-24T05:58:41Z",
        "age_s": dice.randrange(20, 300),
        "stale": False,
        "limited": None,
        "kernel": dice.choice(KERNELS),
        "uptime_s": dice.randrange(3600, 40_000_000),
        "boot_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "states": {},
        "listeners": [],
        "results": [],
        "drift": [],
    }
    if dice.random() < 0.04:
        outcome, message = dice.choice(
            (
                ("unreachable", UNREACHABLE[0]),
                ("unreachable", UNREACHABLE[0]),
                ("unreachable", UNREACHABLE[1]),
                ("failed", "nettune.tcp.tcp_facts: /proc is not mounted"),
                ("no_python", "/usr/bin/python3: not found"),
                ("missing", "not in the limit of this run"),
            )
        )
        host.update(
            outcome=outcome, message=message, collected=None, age_s=None, kernel=None, uptime_s=None, boot_id=None
        )
        return host
    if dice.random() < 0.02:
        host.update(stale=True, age_s=200_000, collected="2026-11-21T22:26:52Z")
    if dice.random() < 0.03:
        host["limited"] = {"processes": "processes of other users need root"}
    host["states"] = _states(dice)
    host["listeners"] = [_listener(dice, *server) for server in dice.sample(SERVERS, dice.randrange(1, 5))]
    healthy = dice.random() < 0.45
    host["results"] = [_result(dice, rule, healthy=healthy, limited=bool(host["limited"])) for rule in RULES]
    host["drift"] = [_drift(dice, setting, host["name"], healthy=healthy) for setting in SETTINGS]
    return host


def _states(dice: random.Random) -> t.Dict[str, int]:
    busy = int(dice.paretovariate(1.1) * 300)
    return {
        "ESTABLISHED": busy,
        "SYN_SENT": dice.randrange(0, 4),
        "SYN_RECV": dice.randrange(0, 30),
        "FIN_WAIT1": dice.randrange(0, 9),
        "FIN_WAIT2": dice.randrange(0, 90),
        "TIME_WAIT": int(busy * dice.random() * 3),
        "CLOSE": 0,
        "CLOSE_WAIT": dice.choice((0, 0, 0, 3, 12, 60_000 if dice.random() < 0.05 else 1)),
        "LAST_ACK": dice.randrange(0, 3),
        "LISTEN": dice.randrange(3, 14),
        "CLOSING": 0,
    }


def _listener(dice: random.Random, server: str, port: int, workers: int) -> t.Dict[str, t.Any]:
    backlog = dice.choice((128, 511, 4096, 65535))
    waiting = int(backlog * dice.choice((0.0, 0.0, 0.0, 0.0, 0.01, 0.2, 0.85, 1.0)) * (dice.random() > 0.5))
    return {
        "address": dice.choice(("0.0.0.0", "::", "127.0.0.1")),
        "port": port,
        "accept_queue": waiting + (waiting == backlog),
        "backlog": backlog,
        "syn_recv": dice.randrange(0, 12),
        "processes": [{"name": server, "pid": 900 + worker, "unit": f"{server}.service"} for worker in range(workers)],
    }


def _result(dice: random.Random, rule: RuleRow, *, healthy: bool, limited: bool) -> t.Dict[str, t.Any]:
    id_, _severity, _title, share, *_rest = rule
    result: t.Dict[str, t.Any] = {
        "id": id_,
        "status": "pass",
        "evidence": {"per_second": 0, "since_boot": dice.randrange(0, 9)},
        "message": "",
        "history": None,
        "waiver": None,
    }
    if not healthy and dice.random() < share * 1.8:
        result.update(status="fail", evidence=_evidence(dice, id_), history=dice.choice(("persisting",) * 9 + ("new",)))
        if dice.random() < 0.04:
            waiver = {"reason": "replaced in January, OPS-4711", "owner": "web team", "expires": "2027-01-31"}
            result.update(status="waived", history=None, waiver=waiver)
    elif limited and id_ in {"open-files", "worker-connections"}:
        result.update(status="unknown", evidence=None, message="needs listeners[].processes, which the facts lack")
    elif dice.random() < 0.004:
        result.update(history="fixed")
    elif id_ == "haproxy-backlog" and dice.random() < 0.6:
        result.update(status="skip", evidence=None, message="no HAProxy here")
    return result


def _evidence(dice: random.Random, id_: str) -> t.Any:
    if id_ in {"accept-queue-full", "open-files", "worker-connections"}:
        return [
            {
                "address": "0.0.0.0",
                "port": port,
                "accept_queue": dice.choice((129, 412, 512)),
                "backlog": 511,
                "process": "nginx",
                "unit": "nginx.service",
            }
            for port in dice.sample((80, 443, 8080), dice.randrange(1, 3))
        ]
    if id_ in {"accept-queue-overflow", "close-wait", "local-ports", "retransmits"}:
        return {"per_second": round(dice.random() * 90, 1), "since_boot": dice.randrange(900, 90_000)}
    return {"runtime": dice.choice((0, 128, 4096)), "boot": None, "source": "kernel default"}


def _drift(dice: random.Random, setting: Setting, host: str, *, healthy: bool) -> t.Dict[str, t.Any]:
    name, kind, want, other, source, owner, status, share = setting
    row: t.Dict[str, t.Any] = {"kind": kind, "name": name, "want": want, "reason": None, "owner": None, "remedy": None}
    if healthy or dice.random() >= share * 1.8:
        good = want.split(" ", 1)[-1]
        return {
            **row,
            "runtime": good,
            "boot": good,
            "source": "/etc/sysctl.d/zz-nettune-tcp.conf:3",
            "status": "compliant",
        }
    return {
        **row,
        "runtime": other,
        "boot": other,
        "source": source,
        "owner": owner,
        "status": status,
        "reason": f"{owner or 'another file'} sets it again at boot" if status == "overridden" else None,
        "remedy": f"ansible-playbook nettune.tcp.tune --become --limit {host}",
    }


def _poison(host: t.Dict[str, t.Any]) -> None:
    """Put text that means harm wherever a host has a say."""
    host.update(
        name=f"h{HOSTILE}", outcome="judged", kernel=HOSTILE, limited={HOSTILE: HOSTILE}, groups=[HOSTILE, "__proto__"]
    )
    waiver = {"reason": HOSTILE, "owner": HOSTILE, "expires": "2027-01-31"}
    host["results"] = [
        {
            "id": "somaxconn",
            "status": "fail",
            "evidence": [{"__proto__": HOSTILE, HOSTILE: HOSTILE}],
            "message": HOSTILE,
            "history": "new",
            "waiver": waiver,
        },
        {
            "id": "timestamps",
            "status": "error",
            "evidence": HOSTILE,
            "message": HOSTILE,
            "history": None,
            "waiver": None,
        },
    ]
    host["drift"] = [
        {
            **dict.fromkeys(("want", "runtime", "boot", "source", "reason", "owner", "remedy"), HOSTILE),
            "kind": "sysctl",
            "name": HOSTILE,
            "status": "overridden",
        }
    ]
    host["listeners"] = [
        {"address": HOSTILE, "port": 80, "accept_queue": 3, "backlog": 2, "syn_recv": 0, "processes": [HOSTILE]}
    ]
