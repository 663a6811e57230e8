# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What clients notice when a backlog is raised, and what a longer queue is worth to them.

    python3 benchmarks/listen_backlog/run.py [--rounds 3] [--picture FILE.svg]

Needs root, nginx, Apache, HAProxy and ab.  Every measurement has a network namespace of its own.

The first table: while clients ask, the backlog goes from 128 to 4096, by the module with apply=auto, or by an edit and
a restart; with nginx by a reload as well.  2,000 connections are kept open and asked in turn, 100 more come and go as
fast as they are served.  Attempts that failed are tried again after 0.1 s, and a request takes from its first attempt.

The second table: 60,000 requests by 8,000 clients at once, each on a connection of its own, to nginx with one worker.
With --picture only this is measured, and drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import typing as t

import picture

HERE = pathlib.Path(__file__).resolve().parent
WAYS = {
    "nginx": ("auto", "reload", "restart"),
    "nginx reuseport": ("auto", "reload", "restart"),
    "apache": ("auto", "restart"),
    "haproxy": ("auto", "restart"),
}
BACKLOGS = ("128", "65535")
TIMES = ("p99", "longest")

Measured = dict[str, float]


def main() -> None:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--picture", type=pathlib.Path, help="where to draw how long the requests of a burst took")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    if os.geteuid() != 0:
        sys.exit("needs root, for network namespaces of its own")
    print(f"Linux {platform.release()}, {os.cpu_count()} processors; counts of {rounds} rounds, times are medians\n")
    changes = [(server, way) for server, ways in WAYS.items() for way in ways]
    bursts = [("burst", backlog) for backlog in BACKLOGS]
    pairs = bursts if arguments.picture else changes + bursts
    # Round by round, so that what else the machine does falls on all alike.
    found: dict[tuple[str, str], list[Measured]] = {pair: [] for pair in pairs}
    for _round in range(rounds):
        for server, way in pairs:
            found[server, way].append(measure(server, way))
    results = {pair: together(measured) for pair, measured in found.items()}
    if arguments.picture:
        arguments.picture.write_text(drawn(results, rounds))
    else:
        report_changes(results)
    report_bursts(results)


def measure(*arguments: str) -> Measured:
    """One measurement, in a namespace of its own, with this checkout as the collection."""
    with tempfile.TemporaryDirectory() as place:
        collection = pathlib.Path(place, "ansible_collections", "nettune")
        collection.mkdir(parents=True)
        (collection / "tcp").symlink_to(HERE.parents[1])
        inside = 'ip link set lo up && exec "$@"'
        command = ["unshare", "--net", "sh", "-c", inside, "sh", sys.executable, str(HERE / "measure.py"), *arguments]
        environment = {**os.environ, "PYTHONPATH": place}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return t.cast("Measured", json.loads(done.stdout))


def together(measured: list[Measured]) -> Measured:
    """All rounds as one: the median of times, the sum of counts."""
    return {
        name: (statistics.median if is_time(name) else sum)([one[name] for one in measured]) for name in measured[0]
    }


def is_time(name: str) -> bool:
    """Whether a figure is in milliseconds."""
    return name == "longest" or (name[0] == "p" and name[1:].isdigit())


def drawn(found: dict[tuple[str, str], Measured], rounds: int) -> str:
    """The picture of the bursts."""
    kinds: tuple[t.Literal["before", "after"], ...] = ("before", "after")
    curves = []
    for kind, backlog in zip(kinds, BACKLOGS, strict=True):
        one = found["burst", backlog]
        times = [one[f"p{percentage}"] for percentage in range(100)] + [one["longest"]]
        note = f"{one['overflows'] / rounds:,.0f} overflows"
        curves.append(picture.Curve(kind, f"backlog {int(backlog):,}", note, times))
    subtitle = (
        f"nginx, one worker, 60,000 connections of 8,000 clients at once; Linux {platform.release().split('-')[0]}"
    )
    return picture.draw("The same burst, before and after the accept queue was raised", subtitle, curves)


def report_changes(found: dict[tuple[str, str], Measured]) -> None:
    """The first table in Markdown; times in milliseconds."""
    # A connection that is reset has two ends, of which one or both count it (EstabResets).
    print("| | requests | refused | cut off | idle ones closed | ends reset | p99 ms | longest ms | processes |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for server, ways in WAYS.items():
        for way in ways:
            one = found[server, way]
            counts = " | ".join(f"{one[name]:.0f}" for name in ("requests", "refused", "cut", "closed", "resets"))
            print(f"| {server}, {way} | {counts} | {one['p99']:.0f} | {one['longest']:.0f} | {processes(one)} |")
    for server in WAYS:
        ratio = found[server, "restart"]["longest"] / found[server, "auto"]["longest"]
        print(f"{server}: by a restart the longest request takes {ratio:.1f} times as long")
    print()


def report_bursts(found: dict[tuple[str, str], Measured]) -> None:
    """The second table in Markdown; times in milliseconds."""
    print("| backlog | overflows | failed | p99 ms | longest ms |\n|---|---:|---:|---:|---:|")
    for backlog in BACKLOGS:
        one = found["burst", backlog]
        print(f"| {backlog} | {' | '.join(f'{one[name]:.0f}' for name in ('overflows', 'failed', *TIMES))} |")
    few, many = (found["burst", backlog]["longest"] for backlog in BACKLOGS)
    print(f"With the short queue the longest request takes {few / many:.1f} times as long")


def processes(one: Measured) -> str:
    """Which of the server's processes the change has replaced."""
    if not one["new"]:
        return "the same"
    return "all new" if one["new"] == one["processes"] else "new workers"


if __name__ == "__main__":
    main()
