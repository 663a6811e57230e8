# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare what we read in unit files with what systemd reads, for many units with random drop-ins.

Usage: prove.py [--units N] [--seed S]

Needs root, and a systemd that may be told to read its files again: it is run in the containers of the lab. Everything
that it writes has a name of its own and is removed in the end. It prints how many units were compared, and exits with
1 after the first ones that differ. Standard library only and Python 3.8, as it also runs on old releases.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import typing as t
from dataclasses import dataclass

from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd, unit_files
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import Limits
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.limits import parse_directive

KEY = "LimitNOFILE"
PROPERTIES = ("Id", "FragmentPath", "LoadState", KEY, f"{KEY}Soft")
FRAGMENTS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
PLACES = (
    *FRAGMENTS,
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/etc/systemd/system.attached",
    "/run/systemd/transient",
)
FILES = ("a", "b", "zz", "Z", "10", "9", "a b", ".h", "\u00e4")
SECTIONS = (
    *["[Service]"] * 12,
    *("[Unit]", "[Install]", "[service]", "[Service", "[Service]x", "[X-A]", " [Service] ", "[Service ]", "[Socket]"),
)
NAMES = (*[KEY] * 7, "LimitNPROC", "limitnofile", f"{KEY} ", f" {KEY}", f"#{KEY}", f";{KEY}")
EQUALS = ("=", "=", "=", "= ", " = ", "")
VALUES = (
    *("300", "300:500", "", "infinity", "1024:infinity", "5:4", "0x20", "010", "0b11", "0o7", "9:", "7 8", "+6", "-1"),
    *("0o", "-0", "-0:7", "100:201:", "100::201", "1:2:3", "0o-0", "0o 7", "0b+1", "0x+1", "0o0x7", "3: 0o7", "- 0"),
    *("\u00a055", "55\u00a0", "55\f", "\v55", "55\x1c", "55\x85", "55\u2028", "\ufffe\udcff"),
    *(
        " 30:40 ",
        "30: 40",
        "30 :40",
        "1K",
        "abc",
        "'5'",
        "300:\\\n400",
        "300:\\\n# x\n 400",
        "300 \\\n",
        "300:\\ \n400",
    ),
)
LONG = 1 << 20  # so many bytes end the reading
ODDITIES = (
    *("#" + "x" * (LONG - 2), "#" + "x" * (LONG - 1), "#" + "x" * (LONG - 3) + "\u00e9", " " * LONG, "# \udcff"),
    *("x\\\n" + "y" * (LONG - 2), "x\\\n" + "y" * (LONG - 1)),
    *("# c \\", "garbage", "", "\\", "   ", "x\\", "; y", "ExecStartPre=-/bin/true \\", "\ufeff[Service]", "\f# z \\"),
)
ENDS = (*["\n"] * 12, "\r\n", "\r\n", "\r\n", "\r", "\n\r", "\0", "\n\0", "\n\n")


class Unit(t.NamedTuple):
    """The name of a unit, that of its own file, and those of which drop-ins count for it too."""

    name: str
    file: str
    generic: t.Tuple[str, ...]


@dataclass
class Tree:
    """Random files; ``made`` are their paths, to be removed again."""

    random: random.Random
    made: t.List[str]

    def unit(self, number: int) -> Unit:
        """Lay out one unit with up to six drop-ins."""
        base = f"nettune{number}"
        unit = self.random.choice(
            [
                Unit(f"{base}.service", f"{base}.service", ()),
                Unit(f"{base}-b-c.service", f"{base}-b-c.service", (f"{base}-b-.service", f"{base}-.service")),
                Unit(f"{base}@one.service", f"{base}@.service", (f"{base}@.service",)),
                Unit(
                    f"{base}-b@x-y.service",
                    f"{base}-b@.service",
                    (f"{base}-b@.service", f"{base}-.service", f"{base}-@x-y.service", f"{base}-@.service"),
                ),
                Unit(f"{base}--b.service", f"{base}--b.service", (f"{base}--.service", f"{base}-.service")),
                Unit(
                    f"{base}-b--@i.service",
                    f"{base}-b--@.service",
                    (f"{base}-b--@.service", f"{base}-b-.service", f"{base}-.service", f"{base}-b-@i.service"),
                ),
            ]
        )
        fragment = f"{self.random.choice(FRAGMENTS)}/{unit.file}"
        self._write(fragment, f"[Service]\nExecStart=/bin/true\n{self._text()}")
        for _ in range(self.random.randint(0, 6)):
            directory = f"{self.random.choice(PLACES)}/{self.random.choice([unit.name, *unit.generic])}.d"
            self._drop_in(f"{directory}/{self.random.choice(FILES)}.conf")
        return unit

    def clear(self) -> None:
        """Remove all files, and the directories that were made for them."""
        for path in self.made:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        for directory in {os.path.dirname(path) for path in self.made if os.path.dirname(path).endswith(".d")}:
            os.rmdir(directory)

    def _drop_in(self, path: str) -> None:
        if os.path.lexists(path):
            return
        kind = self.random.random()
        if kind < 0.12:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink("/dev/null" if kind < 0.08 else "/nowhere", path)
            self.made.append(path)
        elif kind < 0.16:
            os.makedirs(path)
            self.made.append(path)
        else:
            self._write(path, self._text())

    def _write(self, path: str, text: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
        self.made.append(path)

    def _text(self) -> str:
        lines: t.List[str] = []
        for _ in range(self.random.randint(0, 4)):
            lines.append(self.random.choice(SECTIONS))
            for _ in range(self.random.randint(0, 3)):
                lines.append("".join(self.random.choice(part) for part in (NAMES, EQUALS, VALUES)))
                if self.random.random() < 0.1:
                    lines.append(self.random.choice(ODDITIES))
        mark = self.random.choice(["", "", "", "\ufeff"])
        end = self.random.choice(["\n", "\n", "\r\n"])
        text = "".join(line + (self.random.choice(ENDS) if self.random.random() < 0.1 else end) for line in lines)
        return mark + (text.rstrip("\r\n") if self.random.random() < 0.5 else text)


@dataclass
class Comparison:
    """What was found: how many units were compared, how many of them a file gives a limit, and which differ."""

    compared: int = 0
    set_by_a_file: int = 0
    different: t.Tuple[str, ...] = ()


def compare(manager: systemd.Systemd, names: t.Sequence[str]) -> Comparison:
    """Read every unit in both ways."""
    of_manager = manager.show_manager(["UnitPath", f"Default{KEY}", f"Default{KEY}Soft"])
    default = _limits(of_manager, f"Default{KEY}")
    result = Comparison()
    for shown in manager.show(names, PROPERTIES):
        if shown["LoadState"] != "loaded":
            continue
        files = unit_files.read(shown["FragmentPath"], of_manager["UnitPath"].split(), [shown["Id"]])
        lines = [setting for setting in files.settings("Service", KEY) if parse_directive(setting.value)]
        ours = parse_directive(lines[-1].value) if lines else default
        theirs = _limits(shown, KEY)
        result.compared += 1
        result.set_by_a_file += bool(lines)
        if ours != theirs:
            texts = "".join(f"\n  {file.path} {file.text!r}" for file in files.in_order())
            result.different += (f"{shown['Id']}: {ours} is what we read, {theirs} what systemd does{texts}",)
    return result


def _limits(shown: systemd.Properties, key: str) -> t.Optional[Limits]:
    return parse_directive(f"{shown[f'{key}Soft']}:{shown[key]}")


def main() -> int:
    """Lay out, compare, clear away, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    manager = systemd.Systemd()
    tree = Tree(random.Random(arguments.seed), [])
    try:
        names = [tree.unit(number).name for number in range(arguments.units)]
        manager.daemon_reload()
        result = compare(manager, names)
    finally:
        tree.clear()
        manager.daemon_reload()
    print(json.dumps({"compared": result.compared, "set_by_a_file": result.set_by_a_file}))
    for different in result.different[:3]:
        print(different, file=sys.stderr)
    return 1 if result.different else 0


if __name__ == "__main__":
    sys.exit(main())
