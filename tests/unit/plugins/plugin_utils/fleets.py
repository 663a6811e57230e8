# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host as tcp_facts returns them, and reports of fleets of any size with every kind of host."""

from __future__ import annotations

import copy
import datetime
import json
import typing as t
from pathlib import Path

import yaml

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import fleet, history, policy, waivers

ROOT = Path(__file__).parents[4]
NOW = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.timezone.utc)
BASELINE = yaml.safe_load((ROOT / "roles/tcp_audit/policies/baseline.yml").read_text(encoding="utf-8"))

Facts = t.Dict[str, t.Any]

_DOCUMENTATION = (ROOT / "plugins/modules/tcp_facts.py").read_text(encoding="utf-8").split('RETURN = r"""')[1]
_DOCUMENTED = yaml.safe_load(_DOCUMENTATION.split('"""')[0])["ansible_facts"]["contains"]["tcp"]["contains"]


def facts(**changed: t.Any) -> Facts:
    """The samples that the module's documentation shows, on a host where nothing is wrong."""
    found: Facts = {name: copy.deepcopy(spec["sample"]) for name, spec in _DOCUMENTED.items() if name != "drift"}
    found["sysctls"] = {
        key: {"runtime": value, "boot": value, "source": "/etc/sysctl.d/50-tcp.conf:1", "scope": "netns"}
        for key, value in _SYSCTLS.items()
    }
    found["counters"] = dict.fromkeys(_COUNTERS, 0)
    found["rates"] = dict.fromkeys(_COUNTERS, 0.0)
    found["servers"], found["login_limits"] = [], []
    found["collected"] = {**found["collected"], "at": "2026-11-24T11:59:00Z", "limited": []}
    return {**found, **changed}


_SYSCTLS = {
    "net.core.somaxconn": 16384,
    "net.ipv4.tcp_syncookies": 1,
    "net.ipv4.tcp_timestamps": 1,
    "net.ipv4.tcp_abort_on_overflow": 0,
    "net.ipv4.tcp_max_orphans": 65536,
    "net.ipv4.tcp_max_tw_buckets": 65536,
    "net.ipv4.tcp_mem": [92160, 122880, 184320],
    "net.ipv4.tcp_migrate_req": 0,
}
_COUNTERS = (
    *("ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPTimeWaitOverflow", "TCPAbortOnMemory", "PassiveOpens"),
    *("SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed", "RetransSegs", "TCPSynRetrans", "OutSegs"),
)


def seen(number: int) -> fleet.Seen:
    """One host of the fleet: what is wrong with it goes by its number, and most are well."""
    name, groups = f"web{number:05}", ["web", f"rack{number % 40}"]
    if number % 50 == 7:
        return fleet.Seen(name, "unreachable", groups, "Failed to connect to the host via ssh: timed out")
    if number % 100 == 13:
        return fleet.Seen(name, "no_python", groups, "/bin/sh: 1: /usr/bin/python3: not found")
    if number % 100 == 17:
        return fleet.Seen(name, "failed", groups, "the kernel answers no sock_diag & has no <proc>")
    found = facts()
    if number % 5 == 1:
        found["listeners"][0]["accept_queue"] = 500
        found["rates"]["ListenOverflows"] = 12.5
    if number % 7 == 2:
        found["sysctls"]["net.ipv4.tcp_timestamps"]["runtime"] = 0
    if number % 11 == 3:
        found["rates"] = None
        found["collected"]["limited"] = ["the open files of 31 processes could not be read, run as root"]
    if number % 4 == 1:
        found["drift"] = DRIFT
    return fleet.Seen(name, "judged", groups, facts=found)


DRIFT = [
    {
        "kind": "sysctl",
        "name": f"net.ipv4.tcp_example_{status}",
        "want": "at least 16384",
        "runtime_before": 4096,
        "runtime": 4096,
        "boot_before": 4096,
        "boot": 16384,
        "source": "/etc/sysctl.d/99-vendor.conf:3",
        "status": status,
        "reason": "tuned, with the profile x, sets it to 4096" if status == "overridden" else None,
    }
    for status in ("ok", "changed", "overridden", "clamped", "stale", "restart_required", "skipped")
]


REMEDIATION: t.Dict[str, t.Any] = {
    "run": "remediate-20261124T061200Z-1f3a",
    "started": "2026-11-24T06:12:00Z",
    "finished": "2026-11-24T06:31:00Z",
    "verdict": "fail",
    "why": "batch 1: overflow 0.310 a connection",
    "fleet": 60,
    "budget": 3,
    "states": {"converged": 55, "rolled_back": 1, "tuned": 3, "unreachable": 1},
    "batches": [
        {
            "name": "canaries",
            "hosts": ["web00001"],
            "controls": ["web00002"],
            "verdict": "pass",
            "why": "no worse than the control hosts",
            "numbers": {"overflow": {"batch": 0.0, "control": 0.0}},
            "done": "kept",
        },
        {
            "name": "batch 1",
            "hosts": ["web00003", "web00004"],
            "controls": [],
            "verdict": "fail",
            "why": "overflow 0.310 a connection",
            "numbers": {},
            "done": "rolled back: web00003",
        },
        {"name": "batch 2", "hosts": ["web00005"], "controls": [], "verdict": "", "why": "", "numbers": {}, "done": ""},
    ],
    "hosts": [
        {"name": "web00001", "state": "tuned", "why": "", "batch": "canaries"},
        {"name": "web00003", "state": "rolled_back", "why": "batch 1: overflow 0.310", "batch": "batch 1"},
        {"name": "web00007", "state": "unreachable", "why": "timed out", "batch": None},
    ],
}


def rules(**options: t.Any) -> t.List[policy.Rule]:
    """The rules of the baseline policy."""
    return policy.parse_policy(BASELINE, **options)


def report(hosts: int = 10, former: t.Optional[fleet.Report] = None, **about: t.Any) -> fleet.Report:
    """The report about so many hosts, as JSON gives it back."""
    request = fleet.Request(
        rules=rules(),
        about={
            "collection": {"name": "nettune.tcp", "version": "0.1.0"},
            "policy": {"name": "baseline", "source": "policies/baseline.yml"},
            "profile": "web",
            "inventory": "all",
            **about,
        },
        generated=NOW,
        waivers=waivers.parse_waivers([_WAIVER], [rule.id for rule in rules()]),
        history=history.History(former),
        max_age=3600,
    )
    found: fleet.Report = json.loads(json.dumps(fleet.audit(request, map(seen, range(hosts)))))
    return found


_WAIVER = {
    "rule": "timestamps",
    "hosts": "rack2",
    "reason": "old load balancer",
    "owner": "net",
    "expires": "2027-01-31",
}
