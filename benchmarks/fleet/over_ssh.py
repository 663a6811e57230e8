# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each host of a fleet costs its controller, over real SSH connections: ping, facts, audit, converged tuning.

    python3 tools/environment.py test python benchmarks/fleet/over_ssh.py [--hosts 30] [--rounds 3]

Needs root, ip, sshd and ssh.  The hosts are those of tests/integration/remediate: network namespaces of this machine,
each with an sshd of its own.  Every play connects anew.  CPU time is that of ansible-playbook and all that it starts,
the SSH clients too that stay behind; bytes are those that go over the hosts' links in either direction, with all
headers.  Both are medians, for each host.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import platform
import resource
import statistics
import sys
import time
import typing as t
from dataclasses import dataclass

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / ".work/collections"))

from ansible_collections.nettune.tcp.tests.integration.remediate.fleet import Fleet, Host  # noqa: E402

PR_SET_CHILD_SUBREAPER = 36
INSIDE = "NETTUNE_BENCHMARK_INSIDE"
PING = {"hosts": "all", "gather_facts": False, "tasks": [{"name": "Ping", "ansible.builtin.ping": None}]}
FACTS = {**PING, "tasks": [{"name": "Gather", "nettune.tcp.tcp_facts": None}]}
AUDIT, TUNE = "nettune.tcp.audit", "nettune.tcp.tune"
VARIABLES = {"tcp_tuning_profile": "conservative", "tcp_audit_report_formats": ["html", "json"]}
TARGETS = {"audit": 1.5, "converged tune": 2.5}


@dataclass(frozen=True)
class Cost:
    """What a play took for each host: CPU seconds of the controller, and bytes on the wire."""

    cpu: float
    wire: float


def links() -> int:
    """Bytes so far on the links of all hosts, in both directions."""
    lines = pathlib.Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()
    fields = (line.replace(":", " ").split() for line in lines if line.lstrip().startswith("host"))
    return sum(int(field[1]) + int(field[9]) for field in fields)


def processor() -> float:
    """CPU seconds of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(fleet: Fleet, playbook: str) -> Cost:
    """Run a play that must end well, and wait for the SSH clients that it leaves behind."""
    before, wire = processor(), links()
    code, printed = fleet.play(playbook, **VARIABLES)
    wire = links() - wire
    if code != 0:
        sys.exit(f"{playbook} failed:\n{printed}")
    fleet.disconnect()
    reap({host.process.pid for host in fleet.hosts.values() if host.process})
    return Cost((processor() - before) / len(fleet.hosts), wire / len(fleet.hosts))


def reap(others: t.Collection[int]) -> None:
    """Wait for every child but those."""
    while waiting := [child for child in children() if child not in others]:
        for child in waiting:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        time.sleep(0.05)


def children() -> t.List[int]:
    """The processes right below this one, those too that lost their parent."""
    return [int(pid) for pid in pathlib.Path("/proc/self/task", str(os.getpid()), "children").read_text().split()]


def run(hosts: int, rounds: int) -> None:
    """Measure round by round, so that what else the machine does falls on all alike, and print a table."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    found: t.Dict[str, t.List[Cost]] = {}
    with Fleet([Host(f"web{number}", idle=True) for number in range(1, hosts + 1)]) as fleet:
        plays = {"ping": PING, "facts": FACTS}
        for name, play in plays.items():
            (fleet.directory / f"{name}.json").write_text(json.dumps([play]), encoding="utf-8")
        files = {name: str(fleet.directory / f"{name}.json") for name in plays}
        measure(fleet, TUNE)
        for _round in range(rounds):
            for name, playbook in {**files, "audit": AUDIT, "converged tune": TUNE}.items():
                found.setdefault(name, []).append(measure(fleet, playbook))
                print(f"{name}: {found[name][-1]}", file=sys.stderr, flush=True)
    report(found, hosts, rounds)


def report(found: t.Mapping[str, t.Sequence[Cost]], hosts: int, rounds: int) -> None:
    """The table, and how the targets were met."""
    print(f"{hosts} hosts, {rounds} rounds, Linux {platform.release()}, {os.cpu_count()} processors")
    print("\n| play | controller CPU, s a host | beside ping | target | bytes a host |\n|---|---:|---:|---:|---:|")
    ping = statistics.median(cost.cpu for cost in found["ping"])
    for name, costs in found.items():
        cpu, wire = (
            statistics.median(values) for values in zip(*((cost.cpu, cost.wire) for cost in costs), strict=True)
        )
        target = f"{TARGETS[name]:.1f}" if name in TARGETS else ""
        print(f"| {name} | {cpu:.3f} | {cpu / ping:.2f} | {target} | {wire:.0f} |")


def main() -> None:
    """Measure in namespaces of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root, for network namespaces")
    if INSIDE not in os.environ:
        script = 'ip link set lo up && exec "$@"'
        again = [sys.executable, *sys.argv]
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "sh", "-c", script, "sh", *again])
    run(options.hosts, options.rounds)


if __name__ == "__main__":
    main()
