# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with four servers in four units by the role tcp_tuning, by hand, and against a ping: what does each take?

    python3 benchmarks/role/run.py [--rounds 3] [--pipelining] [--delay 0 20 50]

Needs root, podman, runc, mmdebstrap, an SSH client, and the package "ansible" in the Python that runs this.  Hosts are
systemd containers that are reached by SSH; this machine is left alone.

Plays are timed whole, from the start of ansible-playbook to its end, with an SSH connection that stands.  The first
run changes everything, the second finds all as it should be.  A remote execution is a module that is started there.
Each delay, the time in milliseconds that a packet takes there and back, has a table of its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import re
import statistics
import sys
import typing as t

from container import HERE, Container, Play, build, started

OURS, BY_HAND, PING = "role", "by_hand", "ping"
RUNS = ("first", "converged")
MODULE = re.compile(r"SSH: EXEC .*/usr/bin/python3")
REPEATS = 9  # of a module on the host

Costs = dict[str, list[Play]]


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured; medians are shown")
    parser.add_argument("--pipelining", action="store_true", help="send modules by the connection that starts them")
    parser.add_argument("--delay", type=float, nargs="+", default=[0], help="round-trip times, in milliseconds")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root, for containers and their network namespaces")
    build()
    found: dict[float, Costs] = {delay: {} for delay in arguments.delay}
    modules: list[dict[str, t.Any]] = []
    # Round by round, so that what else the machine does falls on all alike.
    for last in (number == arguments.rounds for number in range(1, arguments.rounds + 1)):
        for delay, name in itertools.product(arguments.delay, (OURS, BY_HAND)):
            with started(pipelining=arguments.pipelining, delay=delay) as container:
                measure(container, name, found[delay])
                if last:
                    count(container, name, found[delay])
                if last and name == OURS:
                    modules = kept(container)
    print(f"Linux {platform.release()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{arguments.rounds} rounds, medians in seconds")
    for delay, costs in found.items():
        print(f"\n{delay:g} ms away and back\n")
        report(costs)
    print("\n| module | zip, bytes | file sent, bytes | CPU on the host |\n|---|---:|---:|---:|")
    for one in modules:
        print(f"| {one['name']} | {one['zip']} | {one['file']} | {one['seconds']:.3f} |")


def measure(container: Container, name: str, found: Costs) -> None:
    """A play twice on a fresh container, and the pings before each of the two runs and behind them."""
    for what in (PING, f"{name} first", PING, f"{name} converged", PING):
        play = container.play(what.split()[0])
        print(f"{what}: {play.wall:.2f}, CPU {play.processor:.2f}", file=sys.stderr, flush=True)
        if what != PING and ("changed=0" in play.said) == what.endswith("first"):
            sys.exit(f"{what} did not go as it should:\n{play.said}")
        found.setdefault(what, []).append(play)


def count(container: Container, name: str, found: Costs) -> None:
    """The same converged once more, untimed, with every command that is sent."""
    for what in (name, PING):
        found[f"{what} told"] = [container.play(what, "-vvv")]


def kept(container: Container) -> list[dict[str, t.Any]]:
    """The modules of a ping and of the converged role, as they are left on the host, and what they take there."""
    for name in (PING, OURS):
        container.play(name, ANSIBLE_KEEP_REMOTE_FILES="True", ANSIBLE_PIPELINING="False")
    script = (HERE / "cpu.py").read_text(encoding="utf-8")
    said = container.run("/usr/bin/python3", "-", str(REPEATS), given=script)
    return t.cast("list[dict[str, t.Any]]", json.loads(said))


def report(found: Costs) -> None:
    """A row for each play; ratios are those of the clock."""
    ping = wall(found[PING])
    print("| play | wall | controller's CPU | remote executions | times ping | times the role |")
    print("|---|---:|---:|---:|---:|---:|")
    rows = [(PING, PING), *((f"{name} {run}", name) for run in RUNS for name in (OURS, BY_HAND))]
    for what, name in rows:
        plays = found[what]
        executions = "" if what.endswith("first") else str(len(MODULE.findall(found[f"{name} told"][0].said)))
        run = what.split()[-1]
        ratio = "" if what == PING else f"{wall(plays) / wall(found[f'{OURS} {run}']):.1f}"
        processor = statistics.median(play.processor for play in plays)
        print(f"| {what} | {wall(plays):.2f} | {processor:.2f} | {executions} | {wall(plays) / ping:.1f} | {ratio} |")


def wall(plays: list[Play]) -> float:
    """The median by the clock."""
    return statistics.median(play.wall for play in plays)


if __name__ == "__main__":
    main()
