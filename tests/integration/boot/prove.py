# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare what the resolver says about the next boot with what systemd-sysctl and ``sysctl --system`` really do.

    python3 prove.py --cases 500 --seed 1

Every case is a random tree of files, named by its seed. Prints one JSON object; exits with 1 if a case disagrees,
whose tree is then reduced to the lines that matter. Needs root and, beside Python's standard library, systemd and
procps; replaces nothing, as it makes namespaces of its own.

On another host or in a container, copy this directory and the directory ``_boot``, and name the directory that holds
``_boot``. A container may not make namespaces without CAP_SYS_ADMIN; with CAP_NET_ADMIN and a writable /proc/sys,
its own files and network will do, and are put back::

    python3 boot/prove.py --resolver . --in-place
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import re
import subprocess
import sys
import time
import typing as t

from machine import Machine, directories, interface, own_root, private_root
from trees import COMMON_VALUES, DROP_IN, Entry, generate, keys_for

HERE = os.path.dirname(os.path.abspath(__file__))
RESOLVER = os.path.join(HERE, "../../../plugins")

# What every key holds before the tools run. No line sets it.
UNTOUCHED = "7"
BRIDGES = ("br7", "eth0.5")

INTERFACES = ("all", "default", "lo", "br7", "eth0.5")

Mismatch = t.Dict[str, t.Any]


class Prover:
    """Runs cases on one machine."""

    def __init__(self, resolver: t.Any, machine: Machine, keys: t.Sequence[str]) -> None:
        self._resolver = resolver
        self._machine = machine
        self._keys = keys
        self.compared = 0
        self.set = 0
        self.refused = 0
        self.differing = 0
        self.predicted = 0

    def disagreements(self, entries: t.Sequence[Entry]) -> list[Mismatch]:
        """The keys of one tree for which the resolver and a tool disagree."""
        self._machine.lay_out(entries)
        tree = self._resolver.read_tree(self._machine.root or "/")
        predicted = self._resolver.resolve(tree, self._keys)
        found: list[Mismatch] = []
        for tool, run, value, source in (
            ("systemd-sysctl", self._machine.boot, "value", "source"),
            ("sysctl --system", self._machine.by_hand, "procps_value", "procps_source"),
        ):
            self._machine.set(dict.fromkeys(self._keys, UNTOUCHED))
            complaints = run()
            real = self._machine.values()
            for key in self._keys:
                wanted = getattr(predicted[key].taken(UNTOUCHED), value)
                if not self._agrees(wanted, real[key]):
                    where = getattr(predicted[key], source)
                    found.append(
                        {
                            "tool": tool,
                            "key": key,
                            "predicted": wanted,
                            "source": where,
                            "real": real[key],
                            "log": complaints,
                        }
                    )
        self.differing += sum(value.differs for value in predicted.values())
        return [*found, *self._unpredicted(tree, entries, predicted)]

    def _unpredicted(self, tree: t.Any, entries: t.Sequence[Entry], predicted: t.Mapping[str, t.Any]) -> list[Mismatch]:
        """Keys for which the tree with the drop-in differs from what was predicted before it was written."""
        text = next((entry.data for entry in entries if entry.path == DROP_IN and entry.kind == "file"), None)
        if text is None:
            return []
        before = self._resolver.with_file(tree, DROP_IN, None)
        after = self._resolver.with_file(before, DROP_IN, text.decode("utf-8", "backslashreplace"))
        with_drop_in = self._resolver.resolve(after, self._keys)
        self.predicted += len(with_drop_in)
        return [
            {"tool": "with_file", "key": key, "predicted": str(with_drop_in[key]), "real": str(predicted[key])}
            for key in self._keys
            if with_drop_in[key] != predicted[key]
        ]

    def _agrees(self, wanted: str | None, real: str) -> bool:
        self.compared += 1
        if wanted is None:
            return real == UNTOUCHED
        self.set += 1
        if wanted.isdigit():
            return real == wanted
        # The kernel refuses this one, and what another line set before stays.
        self.refused += 1
        number = re.match(r"\d*", wanted)
        return number is None or real != number[0] or real in COMMON_VALUES


def reduced(prover: Prover, entries: list[Entry]) -> list[Entry]:
    """The tree without the files and lines that are not needed for it to disagree."""
    for index in range(len(entries) - 1, -1, -1):
        without = entries[:index] + entries[index + 1 :]
        if prover.disagreements(without):
            entries = without
    for index, entry in enumerate(entries):
        lines = entry.data.splitlines(keepends=True) if entry.kind == "file" else []
        for number in range(len(lines) - 1, -1, -1):
            shorter = Entry(entry.path, "file", b"".join(lines[:number] + lines[number + 1 :]))
            without = [*entries[:index], shorter, *entries[index + 1 :]]
            if prover.disagreements(without):
                entries = without
                del lines[number]
    return entries


def prove(arguments: argparse.Namespace) -> dict[str, t.Any]:
    sys.path.insert(0, arguments.resolver)
    resolver = importlib.import_module("module_utils._boot.sysctl_d")
    syntax = importlib.import_module("module_utils._boot.sysctl_syntax")
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(own_root() if arguments.in_place else private_root())
        bridges = [name for name in BRIDGES if stack.enter_context(interface(name))]
        keys = keys_for(["all", "default", "lo", *bridges])
        machine = Machine(root, {key: syntax.path_of(key) for key in keys})
        stack.callback(machine.set, machine.values())
        prover = Prover(resolver, machine, keys)
        failed = []
        started = time.monotonic()
        for seed in range(arguments.seed, arguments.seed + arguments.cases):
            entries = generate(seed, keys, directories())
            if prover.disagreements(entries):
                small = reduced(prover, entries)
                failed.append(
                    {"seed": seed, "tree": [str(one) for one in small], "disagrees": prover.disagreements(small)}
                )
                if len(failed) == arguments.most_failures:
                    break
        elapsed = time.monotonic() - started
    return {
        "tools": [_version("systemctl"), _version("sysctl")],
        "directories": directories(),
        "bridges": bridges,
        "cases": arguments.cases,
        "seed": arguments.seed,
        "values_compared": prover.compared,
        "set_by_a_file": prover.set,
        "refused_by_kernel": prover.refused,
        "tools_differ": prover.differing,
        "predicted_by_with_file": prover.predicted,
        "seconds_per_case": round(elapsed / max(arguments.cases, 1), 4),
        "failed": failed,
    }


def _version(program: str) -> str:
    return subprocess.run([program, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()[0]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the resolver with the real tools.")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1, help="of the first case; the others follow")
    parser.add_argument("--resolver", default=RESOLVER, help="the directory that holds _boot")
    parser.add_argument("--in-place", action="store_true", help="use this container's own files and network")
    parser.add_argument("--most-failures", type=int, default=3)
    report = prove(parser.parse_args())
    print(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
