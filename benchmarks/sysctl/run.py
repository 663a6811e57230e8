# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twenty sysctls by one task of nettune.tcp.sysctl, and by a loop over ansible.posix.sysctl: how long does each take?

    python3 benchmarks/sysctl/run.py [--rounds 5]

Needs root, and ansible-playbook and the collection ansible.posix (the package "ansible" brings both) in the Python
that runs this.  Every measurement has a network and a mount namespace of its own, so this host is left alone.
A task's time is that of its play less that of a play without tasks; what its module adds, less that of a play that
pings.  Both by the clock and in CPU time, which tells more on a machine that has other things to do.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
HIDDEN = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/var/lib/nettune-tcp")
BODY_KEYS = 60

PROFILE: dict[str, int | str] = {
    "net.core.somaxconn": 65535,
    "net.ipv4.ip_local_port_range": "15000 60999",
    "net.ipv4.tcp_fin_timeout": 30,
    "net.ipv4.tcp_keepalive_intvl": 15,
    "net.ipv4.tcp_keepalive_probes": 5,
    "net.ipv4.tcp_keepalive_time": 600,
    "net.ipv4.tcp_max_syn_backlog": 65535,
    "net.ipv4.tcp_max_tw_buckets": 262144,
    "net.ipv4.tcp_migrate_req": 1,
    "net.ipv4.tcp_mtu_probing": 1,
    "net.ipv4.tcp_notsent_lowat": 131072,
    "net.ipv4.tcp_orphan_retries": 3,
    "net.ipv4.tcp_retries2": 8,
    "net.ipv4.tcp_rfc1337": 1,
    "net.ipv4.tcp_rmem": "4096 131072 67108864",
    "net.ipv4.tcp_slow_start_after_idle": 0,
    "net.ipv4.tcp_syn_retries": 4,
    "net.ipv4.tcp_synack_retries": 3,
    "net.ipv4.tcp_tw_reuse": 1,
    "net.ipv4.tcp_wmem": "4096 16384 67108864",
}
TASKS: dict[str, list[dict[str, t.Any]]] = {
    "nothing": [],
    "ping": [{"ansible.builtin.ping": {}}],
    "nettune.tcp.sysctl": [{"nettune.tcp.sysctl": {"settings": PROFILE}}],
    "ansible.posix.sysctl": [
        {
            "ansible.posix.sysctl": {
                "name": "{{ item.key }}",
                "value": "{{ item.value }}",
                "sysctl_file": "/etc/sysctl.d/90-profile.conf",
            },
            "loop": [{"key": key, "value": str(value)} for key, value in PROFILE.items()],
        }
    ],
}
OURS, THEIRS = "nettune.tcp.sysctl", "ansible.posix.sysctl"
RUNS = ("first", "converged")
CLOCKS = ("by the clock", "of the CPU")

Runs = dict[str, float]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured; medians are shown")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        json.dump(inside(arguments.inside), sys.stdout)
        return
    # Round by round, so that what else the machine does falls on all alike.
    rounds = [{name: measure(name) for name in (*TASKS, "body")} for _round in range(arguments.rounds)]
    report({name: [one[name] for one in rounds] for name in TASKS}, [one["body"] for one in rounds])


def measure(what: str) -> Runs:
    """Seconds by run and clock, in namespaces of their own."""
    command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, __file__, "--inside", what]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return t.cast("Runs", json.loads(done.stdout.splitlines()[-1]))


def inside(what: str) -> Runs:
    """The first run, which changes everything, and the second, which finds all as it should be."""
    for directory in HIDDEN:
        os.makedirs(directory, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", directory], check=True)
    with tempfile.TemporaryDirectory() as place:
        collection = pathlib.Path(place, "ansible_collections", "nettune")
        collection.mkdir(parents=True)
        (collection / "tcp").symlink_to(CHECKOUT)
        if what == "body":
            sys.path.insert(0, place)
            return body()
        return {
            f"{run} {clock}": seconds
            for run in RUNS
            for clock, seconds in zip(CLOCKS, play(pathlib.Path(place), what, must_change=run == "first"), strict=True)
        }


def play(place: pathlib.Path, what: str, *, must_change: bool) -> tuple[float, float]:
    """The seconds a play with these tasks takes, by the clock and of the CPU."""
    playbook = place / "play.yml"
    playbook.write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": TASKS[what]}])
    )
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(playbook)]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    began, used = time.perf_counter(), children()
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=settings(place)
    )
    seconds = time.perf_counter() - began, children() - used
    if done.returncode != 0 or (what in (OURS, THEIRS) and ("changed=1" in done.stdout) != must_change):
        sys.exit(f"the play of {what} did not go as it should:\n{done.stdout}")
    return seconds


def children() -> float:
    """The CPU seconds of all processes started from here that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def settings(place: pathlib.Path) -> dict[str, str]:
    """The environment of a play: nothing of this user's, our collection first."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(place),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_LOCAL_TEMP": str(place / "local"),
        "ANSIBLE_REMOTE_TEMP": str(place / "remote"),
    }


def body() -> Runs:
    """Seconds of the module's body alone for one key and for many, as a first run and as a converged one."""
    from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import apply  # noqa: PLC0415

    keys = [path for path in sorted(pathlib.Path("/proc/sys/net/ipv4").glob("tcp_*")) if path.stat().st_mode & 0o200]
    wanted = {"/".join(key.parts[3:]): key.read_text().strip() for key in keys if key.read_text().strip().isdigit()}
    found: Runs = {}
    for many, names in (("one", list(wanted)[:1]), ("many", list(wanted)[:BODY_KEYS])):
        params = {
            "settings": {name: wanted[name] for name in names},
            "file": f"/etc/sysctl.d/{many}.conf",
            "state": "present",
            "missing": "fail",
            "force": True,
            "purge": False,
            "load_modules": False,
            "netns": None,
        }
        for run in RUNS:
            began = time.perf_counter()
            apply.manage(apply.parse_request(params), check_mode=False)
            found[f"{many} {run}"] = time.perf_counter() - began
        found[f"{many} keys"] = len(names)
    return found


def report(plays: dict[str, list[Runs]], bodies: list[Runs]) -> None:
    """Medians, and how many times as long the others take."""
    middle = {name: medians(rounds) for name, rounds in plays.items()}
    print(f"{len(PROFILE)} keys, medians of {len(bodies)} rounds, in seconds\n")
    print(f"{'':40}{OURS:>20}{THEIRS:>22}{'ratio':>8}")
    for run in RUNS:
        for less, what in (("nothing", "task"), ("ping", "module")):
            for clock in CLOCKS:
                name = f"{run} {clock}"
                ours, theirs = (middle[of][name] - middle[less][name] for of in (OURS, THEIRS))
                print(f"{f'{run} run, the {what}, {clock}':40}{ours:>20.2f}{theirs:>22.2f}{theirs / ours:>8.1f}")
    found = medians(bodies)
    print("\nThe body of nettune.tcp.sysctl, in milliseconds")
    for run in RUNS:
        one, many = (found[f"{name} {run}"] * 1000 for name in ("one", "many"))
        each = (many - one) / (found["many keys"] - found["one keys"])
        print(f"{run:12}{one:8.2f} for one key {many:8.2f} for {found['many keys']:.0f} keys {each:8.3f} per added key")


def medians(rounds: list[Runs]) -> Runs:
    """The median of every number."""
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


if __name__ == "__main__":
    main()
