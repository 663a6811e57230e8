# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The twenty sysctls of run.py on another host, where every round trip costs: how long does each way take?

    python3 benchmarks/sysctl/remote.py CONTAINER [--roles DIRECTORY] [--rounds 3]

CONTAINER is one of podman's that may write its own net.* sysctls. With --roles it is also done by the role
kernel_settings of linux-system-roles, if DIRECTORY holds it and the container has its packages: tuned,
python3-configobj and, on Debian, python3-apt. The container keeps what was set.

A task's time is that of its play less that of a play without tasks, by the clock. The first run changes everything,
the second finds all as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from run import CHECKOUT, OURS, PROFILE, RUNS, TASKS, settings

ROLE = "kernel_settings"
# What the ways leave behind; the profiles that tuned has by default verify what containers cannot have.
CLEAR = f"""
systemctl stop tuned 2>/dev/null
rm -rf /etc/sysctl.d/* /var/lib/nettune-tcp /etc/tuned/profiles/{ROLE} /etc/tuned/{ROLE}
[ ! -e /etc/tuned/active_profile ] || echo > /etc/tuned/active_profile
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("container")
    parser.add_argument("--roles", help="the directory that holds the role kernel_settings")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured; medians are shown")
    arguments = parser.parse_args()
    plays = dict(TASKS)
    if arguments.roles:
        wanted = [{"name": key, "value": value} for key, value in PROFILE.items()]
        role = {"ansible.builtin.include_role": {"name": ROLE}, "vars": {f"{ROLE}_sysctl": wanted}}
        plays[ROLE] = [role]
    reset = reset_script(arguments.container)
    with tempfile.TemporaryDirectory() as place:
        rounds = [
            {name: measure(pathlib.Path(place), arguments, tasks, reset) for name, tasks in plays.items()}
            for _round in range(arguments.rounds)
        ]
    report(rounds)


def reset_script(container: str) -> str:
    """Commands that clear away, and give the sysctls the values they have now."""
    now = {key: inside(container, f"cat /proc/sys/{key.replace('.', '/')}").strip() for key in PROFILE}
    return CLEAR + "\n".join(f"sysctl -qw {key}='{value}'" for key, value in now.items())


def inside(container: str, script: str) -> str:
    """What a shell in the container prints."""
    command = ["podman", "exec", container, "sh", "-c", script]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure(place: pathlib.Path, arguments: argparse.Namespace, tasks: t.Any, reset: str) -> dict[str, float]:
    """The seconds of a first run and of a converged one."""
    collection = place / "ansible_collections" / "nettune"
    collection.mkdir(parents=True, exist_ok=True)
    if not (collection / "tcp").exists():
        (collection / "tcp").symlink_to(CHECKOUT)
    playbook = place / "play.yml"
    playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    command = [sys.executable, "-m", "ansible", "playbook", "-i", f"{arguments.container},", str(playbook)]
    command += ["-c", "containers.podman.podman", "-e", "ansible_python_interpreter=/usr/bin/python3"]
    environment = {**settings(place), "ANSIBLE_ROLES_PATH": arguments.roles or ""}
    # On the container's own disk, where the connection puts files: its /tmp is a mount.
    environment["ANSIBLE_REMOTE_TEMP"] = "/root/.ansible/tmp"
    inside(arguments.container, reset)
    return {run: seconds(command, environment) for run in RUNS}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """How long a play takes by the clock."""
    began = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})
    took = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"a play failed:\n{done.stdout}{done.stderr}")
    return took


def report(rounds: list[dict[str, dict[str, float]]]) -> None:
    """Medians, and how many times as long the others take."""
    print(f"{len(PROFILE)} keys, medians of {len(rounds)} rounds, in seconds\n")
    print(f"{'':24}" + "".join(f"{run:>12}{'ratio':>8}" for run in RUNS))
    took = {name: {run: statistics.median(one[name][run] for one in rounds) for run in RUNS} for name in rounds[0]}
    for name in took:
        less = {run: took[name][run] - took["nothing"][run] for run in RUNS}
        ours = {run: took[OURS][run] - took["nothing"][run] for run in RUNS}
        print(f"{name:24}" + "".join(f"{less[run]:>12.2f}{less[run] / ours[run]:>8.1f}" for run in RUNS))


if __name__ == "__main__":
    main()
