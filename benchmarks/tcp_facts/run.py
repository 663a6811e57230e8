# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast TCP sockets are counted, against a C program that throws them away and against other tools.

    python3 benchmarks/tcp_facts/run.py --sockets 1000 100000 1000000

Needs root, cc, ip and ss; netstat, psutil and pyroute2 are measured where they are installed. The sockets are made in a
network namespace of their own. A million of them need some 4 GB of memory and 16 processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SETUP = r"""
ip link set lo up
ip -6 route add local fd00::/16 dev lo
sysctl -qw net.ipv4.tcp_tw_reuse=0 net.ipv4.tcp_max_tw_buckets=4000000 net.core.somaxconn=65535 \
  net.ipv4.tcp_max_syn_backlog=65535 net.ipv4.ip_local_port_range='1024 65535' \
  net.ipv4.ip_local_reserved_ports=8000-8199 net.ipv6.ip_nonlocal_bind=1
"""
PATIENCE = 120.0  # seconds
COUNT = "awk '{ states[$%d]++ } END { for (state in states) print state, states[state] }'"
SLOW = 5.0  # seconds


@dataclass(frozen=True)
class Result:
    """The best run of a tool: seconds, peak memory in MB where it is known, sockets by state where it tells them."""

    seconds: float
    peak: float | None = None
    states: dict[str, int] | None = None


@dataclass(frozen=True)
class Tool:
    """A way to count; a run returns None when the tool is not there. More than ``most`` sockets would take minutes."""

    name: str
    run: Callable[[], Result | None]
    most: int = sys.maxsize


@contextmanager
def sockets(populate: Path, count: int) -> Iterator[Callable[[], None]]:
    """That many sockets; call what is yielded to replace those whose time is over."""
    with subprocess.Popen(
        [populate, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines, orders = process.stdout, process.stdin

        def ready() -> None:
            if lines.readline() != "ready\n":
                sys.exit("the sockets could not be made")

        def top_up() -> None:
            orders.write("again\n")
            orders.flush()
            ready()

        ready()
        yield top_up
        process.stdin.close()


def floor(program: Path, column: int) -> Result:
    """Seconds of the C program, of one walk or of two."""
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return Result(float(output.split()[column]))


def python(what: str) -> Result | None:
    """A way of count.py in a fresh interpreter: its own time and memory."""
    output = _run([sys.executable, str(HERE / "count.py"), what])
    return Result(**json.loads(output)) if output else None


def whole_process(command: list[str]) -> Result:
    """A command from start to end."""
    start = time.perf_counter()
    output = _run(command)
    seconds = time.perf_counter() - start
    if output is None:
        return Result(seconds)
    states: Counter[str] = Counter()
    for line in output.splitlines():
        state, _blank, count = line.partition(" ")
        if count.isdigit():
            states[_public_name(state)] += int(count)
    return Result(seconds, states=dict(states))


def shell(needed: str, script: str) -> Result | None:
    """A pipeline from start to end, when its first program is installed."""
    return whole_process(["sh", "-c", script]) if shutil.which(needed) else None


def _run(command: list[str]) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    except subprocess.TimeoutExpired:
        return None


def _public_name(state: str) -> str:
    return {"ESTAB": "ESTABLISHED", "FIN_WAIT_1": "FIN_WAIT1", "FIN_WAIT_2": "FIN_WAIT2"}.get(
        state.replace("-", "_"), state.replace("-", "_")
    )


def tools(floor_program: Path) -> list[Tool]:
    """Everything that is measured; the first one is what the others are compared with."""
    return [
        Tool("C, dumps and throws away", lambda: floor(floor_program, 0)),
        Tool("C, one walk for each family", lambda: floor(floor_program, 1)),
        Tool("tcp_facts: everything about sockets", lambda: python("census")),
        Tool("tcp_facts: states", lambda: python("states")),
        Tool("tcp_facts: everything from /proc/net", lambda: python("procfs")),
        Tool("tcp_facts: accept queues", lambda: python("queues")),
        Tool("everything, whole process", lambda: whole_process([sys.executable, str(HERE / "count.py"), "census"])),
        Tool("states, whole process", lambda: whole_process([sys.executable, str(HERE / "count.py"), "states"])),
        Tool("ss -Htan | awk", lambda: shell("ss", f"ss -Htan | {COUNT % 1}")),
        Tool("ss -Htln | awk (accept queues)", lambda: shell("ss", f"ss -Htln | {COUNT % 1}")),
        Tool("netstat -ant | awk", lambda: shell("netstat", f"netstat -ant | {COUNT % 6}")),
        Tool("ss -s (no states)", lambda: shell("ss", "ss -s > /dev/null")),
        Tool("psutil.net_connections()", lambda: python("psutil")),
        Tool("pyroute2 DiagSocket", lambda: python("pyroute2"), most=100_000),
    ]


@contextmanager
def first_in_line(wanted: bool) -> Iterator[None]:
    """What is started here runs before all else on the machine, when that is wanted."""
    if wanted:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def measured(chosen: list[Tool], top_up: Callable[[], None], times: int, realtime: bool) -> dict[Tool, Result]:
    """The fastest run of each tool that is there.

    They take turns, so that a busy moment of the machine meets them all; slow ones have one turn only.
    """
    results: dict[Tool, list[Result]] = {tool: [] for tool in chosen}
    for turn in range(times):
        for tool, before in results.items():
            if turn and (not before or before[0].seconds > SLOW):
                continue
            top_up()
            with first_in_line(realtime):
                result = tool.run()
            if result is not None:
                before.append(result)
    return {tool: min(runs, key=lambda result: result.seconds) for tool, runs in results.items() if runs}


def table(count: int, everything: list[Tool], results: dict[Tool, Result]) -> str:
    """The results of one number of sockets in Markdown."""
    lines = [
        f"\n## {count} sockets\n",
        "| | seconds | x floor | peak MB | sockets seen |",
        "|---|---:|---:|---:|---:|",
    ]
    base = results[everything[0]].seconds
    for tool in everything:
        result = results.get(tool)
        if result is None:
            reason = "not installed" if count <= tool.most else "takes minutes"
            lines.append(f"| {tool.name} | {reason} | | | |")
            continue
        seconds = f"{result.seconds:.4f}" if result.seconds < PATIENCE else f"more than {PATIENCE:.0f}"
        peak = f"{result.peak:.0f}" if result.peak else ""
        seen = str(sum(result.states.values())) if result.states else ""
        lines.append(f"| {tool.name} | {seconds} | {result.seconds / base:.2f} | {peak} | {seen} |")
    return "\n".join(lines)


def measure(count: int, times: int, realtime: bool) -> None:
    """Make the sockets in this network namespace and print the table."""
    subprocess.run(["sh", "-ec", SETUP], check=True)
    with tempfile.TemporaryDirectory() as directory:
        for name in ("floor", "populate"):
            subprocess.run(["cc", "-O2", "-o", f"{directory}/{name}", HERE / f"{name}.c"], check=True)
        with sockets(Path(directory, "populate"), count) as top_up:
            everything = tools(Path(directory, "floor"))
            results = measured([tool for tool in everything if count <= tool.most], top_up, times, realtime)
    print(table(count, everything, results), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Count TCP sockets in several ways.")
    parser.add_argument("--sockets", type=int, nargs="+", default=[1000, 100_000], metavar="N")
    parser.add_argument("--times", type=int, default=3, help="the best of so many runs counts")
    parser.add_argument("--realtime", action="store_true", help="for a machine that has other work, too")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root, for a network namespace of its own")
    if arguments.inside:
        measure(arguments.sockets[0], arguments.times, arguments.realtime)
        return
    for count in arguments.sockets:
        again = [sys.executable, __file__, *sys.argv[1:], "--inside", "--sockets", str(count)]
        subprocess.run(["unshare", "--net", *again], check=True)


if __name__ == "__main__":
    main()
