# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Byte for byte: what a rollback gives back, on a host that systemd has booted.

Usage: prove.py kinds | killed EVERY | remember | compare | compare-booted

``kinds`` tunes and rolls back each kind of setting alone, and then all at once.  ``killed`` kills a run, and then a
rollback, at one in EVERY of the system calls that change something.  ``remember`` keeps how the host is, and then
``compare`` tells what is not so any more; after a reboot, ``compare-booted`` does, as processes have other pids.  Each
prints what it has tried, as JSON, and exits with 1 where anything differs.  It changes the host that it runs on: it
refuses to run outside of a container.  Standard library only and Python 3.8, as it also runs on old releases.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pickle
import sys
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import cgroups, proc_sys
from ansible_collections.nettune.tcp.tests.integration.sysctl.killed import kill_at_change
from ansible_collections.nettune.tcp.tests.integration.tuning import hosts

# Far below the hard limit of the lab's containers, which nobody in there may raise again.
FILES = {"at_least": 3000}
QUEUE = {"at_least": 9000}
SYSCTLS = {
    "sysctls": {
        "net.ipv4.tcp_fin_timeout": 30,
        "net.ipv4.ip_local_port_range": {"covers": [15000, 60999]},
        "net.ipv4.ip_local_reserved_ports": {"covers": ",".join(map(str, range(20001, 21201, 2)))},
    }
}
LIMITS = {"file_limits": [{"unit": "auto", "limit": FILES}, {"unit": "app.service", "limit": FILES}]}
BACKLOGS = {
    "backlogs": [
        {"server": "auto", "backlog": QUEUE},
        {"server": "systemd_socket", "unit": "app.socket", "backlog": QUEUE},
        {"server": "any", "listen": ["3000"], "backlog": 5000},
    ]
}
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
Proof = t.Tuple[t.Dict[str, t.Any], t.List[str]]


def everything() -> State:
    """All that can differ: files, every sysctl of the network, limits of the services' processes, and queues."""
    found = hosts.everything("/etc", "/var/lib")
    found["files"] = {path: one for path, one in found["files"].items() if not path.startswith((OURS, *NOISE))}
    found["sysctls"].update(_network())
    found["limits"] = _limits()
    return found


def _network() -> t.Dict[str, t.Optional[str]]:
    top = pathlib.Path("/proc/sys")
    found: t.Dict[str, t.Optional[str]] = {}
    for path in (top / "net").rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o400:
            key = proc_sys.canonical(str(path.relative_to(top)))
            # An address's secret that was never set has no value.
            with contextlib.suppress(KernelRefused):
                found[key] = proc_sys.read(key)
    return found


def _limits() -> t.Dict[t.Tuple[str, int], str]:
    """All limits of each process that belongs to a service, but those of systemd's own."""
    found: t.Dict[t.Tuple[str, int], str] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/limits"):
        pid = int(path.parent.name)
        unit = cgroups.unit_of(pid) or ""
        if unit.endswith(".service") and not unit.startswith("systemd-"):
            try:
                found[unit, pid] = path.read_text()
            except OSError:
                continue
    return found


def _as_booted(state: State) -> State:
    """What a reboot leaves alike: no pids, and no sockets of systemd itself, which are older than any setting."""
    limits = sorted({(unit, text) for (unit, _pid), text in state["limits"].items()})
    queues = {place: backlog for place, backlog in state["queues"].items() if not place.startswith("/")}
    return {**state, "limits": limits, "queues": queues}


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


def kinds() -> Proof:
    """Each kind alone, and all at once."""
    pristine = everything()
    told: t.Dict[str, t.Any] = {}
    wrong: t.List[str] = []
    for name, options in KINDS.items():
        done = hosts.tuning(label="prove", **options)
        told[name] = done["summary"]["changed"]
        wrong += [] if told[name] and differences(pristine, everything()) else [f"{name}: nothing was tuned"]
        again = hosts.tuning(label="prove", **options)
        wrong += [f"{name}: a second run changes something"] if again["changed"] else []
        hosts.rollback("prove")
        wrong += [f"{name}: {line}" for line in differences(pristine, everything())]
        wrong += [f"{name}: a second rollback changes something"] if hosts.rollback("prove")["changed"] else []
    return told, wrong


def killed(every: str) -> Proof:
    """A run of all kinds, and its rollback, killed at many of their changes."""
    pristine = everything()
    calls = {}
    for what in ("run", "rollback"):
        calls[what] = 0
        ended = False
        while not ended:
            if what == "rollback":
                hosts.tuning(**KINDS["all"])
                ended = not kill_at_change(calls[what] + 1, lambda: hosts.rollback("original"))
            else:
                ended = not kill_at_change(calls[what] + 1, lambda: hosts.tuning(**KINDS["all"]))
            hosts.rollback("original")
            wrong = differences(pristine, everything())
            if wrong:
                return calls, [f"{what} killed at {calls[what] + 1}: {line}" for line in wrong]
            calls[what] += int(every)
    return calls, []


def remember() -> Proof:
    """Keep how it is."""
    pristine = everything()
    MEMORY.write_bytes(pickle.dumps(pristine))
    return {kind: len(found) for kind, found in pristine.items()}, []


def compare() -> Proof:
    """Tell what is not as it was."""
    return _compared(lambda state: state)


def compare_booted() -> Proof:
    """The same after a reboot."""
    return _compared(_as_booted)


def _compared(view: t.Callable[[State], State]) -> Proof:
    was, now = pickle.loads(MEMORY.read_bytes()), everything()
    return {kind: len(found) for kind, found in now.items()}, differences(view(was), view(now))


ACTIONS: t.Dict[str, t.Callable[..., Proof]] = {
    "kinds": kinds,
    "killed": killed,
    "remember": remember,
    "compare": compare,
    "compare-booted": compare_booted,
}


def main() -> int:
    """Do what is asked."""
    if len(sys.argv) != (3 if sys.argv[1:2] == ["killed"] else 2) or sys.argv[1] not in ACTIONS:
        print(__doc__, file=sys.stderr)
        return 2
    if not os.path.exists("/run/.containerenv"):
        print("this is no container", file=sys.stderr)
        return 2
    told, wrong = ACTIONS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(told))
    for line in wrong[:10]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
