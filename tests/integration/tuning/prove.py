# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove on a host with systemd that what a run replaces is given back, byte for byte and value for value.

Usage: prove.py kinds | killed [EVERY] | remember | tune | restore

``kinds`` tunes and rolls back each kind of setting alone, and then all at once.  ``killed`` kills a run, and then a
rollback, at every system call that changes something, or at one in so many.  ``remember``, ``tune`` and ``restore`` do
one run with whatever the caller wants in between, such as a reboot.  Each prints what it has tried, as JSON, and exits
with 1 where anything differs.  It changes the host that it runs on: it refuses to run outside of a container.  Standard
library only and Python 3.8, as it also runs on old releases.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import pickle
import sys
import typing as t

from ansible_collections.nettune.tcp.tests.integration.sysctl.killed import kill_at_change
from ansible_collections.nettune.tcp.tests.integration.tuning import hosts

# Far below the hard limit of the lab's containers, which nobody in there may raise again.
FILES = 3000
SYSCTLS = {
    "sysctls": {
        "net.ipv4.tcp_fin_timeout": 30,
        "net.ipv4.ip_local_port_range": {"covers": [15000, 60999]},
        "net.ipv4.ip_local_reserved_ports": {"covers": ",".join(map(str, range(20001, 21201, 2)))},
    }
}
LIMITS = {"file_limits": [{"unit": "auto", "limit": {"at_least": FILES}}]}
BACKLOGS = {"backlogs": [{"server": "auto", "backlog": {"at_least": 9000}}]}
KINDS: t.Dict[str, t.Dict[str, t.Any]] = {
    "sysctls": SYSCTLS,
    "file limits": LIMITS,
    "backlogs": BACKLOGS,
    "all": {**SYSCTLS, **LIMITS, **BACKLOGS},
}
OURS = "/var/lib/nettune-tcp"
# What changes by itself.
NOISE = ("/var/lib/systemd", "/var/lib/private", "/var/lib/dbus", "/etc/mtab", "/etc/resolv.conf", "/etc/hosts")
MEMORY = pathlib.Path("/root/nettune-pristine")

State = t.Dict[str, t.Any]


def everything(*, processes: bool = True) -> State:
    """All that can differ; the limits of processes by pid, or only those that there are by name."""
    found = hosts.everything("/etc", "/var/lib")
    found["files"] = {path: one for path, one in found["files"].items() if not path.startswith((OURS, *NOISE))}
    found["limits"] = _limits()
    if not processes:
        # Other pids, and sockets of systemd itself, which has called listen() early in the boot.
        found["limits"] = sorted({(name, text) for (_pid, name), text in found["limits"].items()})
        found["queues"] = {place: backlog for place, backlog in found["queues"].items() if not place.startswith("/")}
    return found


def _limits() -> t.Dict[t.Tuple[int, str], str]:
    found: t.Dict[t.Tuple[int, str], str] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/limits"):
        try:
            name, text = (path.parent / "comm").read_text().strip(), path.read_text()
        except OSError:
            continue
        if name in SERVERS:
            found[int(path.parent.name), name] = next(line for line in text.splitlines() if "open files" in line)
    return found


SERVERS = ("nginx", "haproxy", "apache2", "lighttpd")


def differences(one: State, other: State) -> t.List[str]:
    """What differs, in a line each."""
    lines: t.List[str] = []
    for kind, was in one.items():
        now = other[kind]
        if isinstance(was, dict):
            keys = [key for key in {**was, **now} if was.get(key) != now.get(key)]
            lines += [f"{kind} {key}: {str(was.get(key))[:300]} became {str(now.get(key))[:300]}" for key in keys]
        elif was != now:
            lines.append(f"{kind}: {was} became {now}")
    return lines


def kinds() -> t.Tuple[t.Dict[str, t.Any], t.List[str]]:
    """Each kind alone, and all at once."""
    pristine = everything()
    told: t.Dict[str, t.Any] = {}
    wrong: t.List[str] = []
    for name, options in KINDS.items():
        done = hosts.tuning(label="prove", **options)
        told[name] = done["summary"]["changed"]
        again = hosts.tuning(label="prove", **options)
        wrong += [f"{name}: a second run changes something"] if again["changed"] else []
        hosts.rollback("prove")
        wrong += [f"{name}: {line}" for line in differences(pristine, everything())]
        wrong += [f"{name}: a second rollback changes something"] if hosts.rollback("prove")["changed"] else []
    return told, wrong


def killed() -> t.Tuple[t.Dict[str, t.Any], t.List[str]]:
    """A run of all kinds, and its rollback, killed at every change."""
    every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    pristine = everything()
    tried = {"run": 0, "rollback": 0}
    for what in tried:
        for call in itertools.count(1, every):
            if what == "rollback":
                hosts.tuning(**KINDS["all"])
            body = _run if what == "run" else _back
            ended = not kill_at_change(call, body)
            hosts.rollback("original")
            wrong = [f"{what} killed at {call}: {line}" for line in differences(pristine, everything())]
            if ended or wrong:
                break
            tried[what] += 1
            print(f"{what} {call}", file=sys.stderr, flush=True)
        if wrong:
            return tried, wrong
    return tried, []


def _run() -> None:
    hosts.tuning(**KINDS["all"])


def _back() -> None:
    hosts.rollback("original")


def remember() -> t.Tuple[t.Dict[str, t.Any], t.List[str]]:
    """Keep how it was."""
    MEMORY.write_bytes(pickle.dumps(everything(processes=False)))
    return {}, []


def tune() -> t.Tuple[t.Dict[str, t.Any], t.List[str]]:
    """One run of all kinds."""
    return hosts.tuning(label="prove", **KINDS["all"])["summary"], []


def restore() -> t.Tuple[t.Dict[str, t.Any], t.List[str]]:
    """Roll it back, and compare with how it was."""
    done = hosts.rollback("prove")
    pristine = pickle.loads(MEMORY.read_bytes())
    wrong = differences(pristine, everything(processes=False))
    wrong += ["a second rollback changes something"] if hosts.rollback("prove")["changed"] else []
    return done["summary"], wrong


ACTIONS = {"kinds": kinds, "killed": killed, "remember": remember, "tune": tune, "restore": restore}


def main() -> int:
    """Do what is asked."""
    if len(sys.argv) < 2 or sys.argv[1] not in ACTIONS:
        print(__doc__, file=sys.stderr)
        return 2
    if not os.path.exists("/run/.containerenv"):
        print("this is no container", file=sys.stderr)
        return 2
    told, wrong = ACTIONS[sys.argv[1]]()
    print(json.dumps(told))
    for line in wrong[:10]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
