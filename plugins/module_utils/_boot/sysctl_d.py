# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which value of a sysctl the next boot gives, and which file:line decides.

systemd-sysctl is what a boot applies. ``sysctl --system`` of procps is what people and package scripts run, and it
reads the same files by different rules; where the two disagree, today's value is gone after the reboot.

=====================  ==========================================  ======================================
rule                   systemd-sysctl                              sysctl --system
=====================  ==========================================  ======================================
/etc/sysctl.conf       not read (but see 99-sysctl.conf)           read after all others
hidden ``.x.conf``     skipped                                     read
``-key``               takes an earlier ``key = v`` back           only keeps globs off the key
``-glob``              takes the same ``glob = v`` back            keeps globs off what it matches (4.0.5 on)
glob against glob      the later *different* value wins            the later one wins
key spelled oddly      the same key (``/net//core/somaxconn``)     a key of its own as far as globs go
=====================  ==========================================  ======================================

Both take one file per name, from the highest directory, order the files by name, let a later line win, and keep
globs off every key that is also set by its full name. Since systemd 258, a circular link, or one to below a file, no
longer masks the files of its name (257 and 262 were tested; conf-files.c was rewritten between them). procps
before 4.0.0 knows no globs (but RHEL 9's 3.3.17 does), systemd before 246 (RHEL 8) neither. The systemd credential
``sysctl.extra``, which exists only while the service runs, and ``sysctl.KEY=VALUE`` on the kernel's command line,
which any file overrides, are left out.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from . import kernel_numbers
from . import sysctl_globs as globs
from . import sysctl_syntax as syntax
from .sysctl_tree import (
    SYSCTL_CONF,
    Procps,
    SysctlFile,
    SysctlTree,
    Systemd,
    after_reboot,
    is_transient,
    read_tree,
    with_file,
)

__all__ = (
    "BootValue",
    "Procps",
    "SysctlFile",
    "SysctlTree",
    "Systemd",
    "next_boot",
    "read_tree",
    "resolve",
    "with_file",
)


@dataclasses.dataclass(frozen=True)
class BootValue:
    """What the next boot gives one key; None is the kernel's default, as no file sets the key.

    Values are as written in the file, until ``taken`` tells what the kernel makes of them.  Where a tuple is too short
    it leaves the rest of what it holds, which is not known here.
    """

    value: str | None = None
    # "file:line"; of a line "-key" where that is why the value is None.
    source: str | None = None
    # "file:line value" of the definitions that systemd-sysctl reads and that lose, in the order they are read.
    shadowed: tuple[str, ...] = ()
    procps_value: str | None = None
    procps_source: str | None = None
    # If a file below /run decides otherwise until it is gone with this boot: which one, for people; else empty.
    until_reboot: str = ""

    @property
    def differs(self) -> bool:
        """Whether ``sysctl --system`` leaves a different value from the boot."""
        return _words(self.value) != _words(self.procps_value)

    def taken(self, held: str | None) -> BootValue:
        """The same as the kernel takes it, for a key that holds such a value now."""
        if held is None:
            return self
        return dataclasses.replace(
            self,
            value=None if self.value is None else kernel_numbers.taken(self.value, held),
            procps_value=None if self.procps_value is None else kernel_numbers.taken(self.procps_value, held),
        )


def next_boot(tree: SysctlTree, keys: t.Iterable[str]) -> dict[str, BootValue]:
    """What the next boot gives each key: :func:`resolve` without what lies below /run, which every boot finds empty."""
    keys = list(keys)
    later = after_reboot(tree)
    values = resolve(later, keys)
    if later == tree:
        return values
    now = resolve(tree, keys)
    return {
        key: dataclasses.replace(value, until_reboot=_until_reboot(tree, value, now[key]))
        for key, value in values.items()
    }


def _until_reboot(tree: SysctlTree, later: BootValue, now: BootValue) -> str:
    if _words(now.value) == _words(later.value):
        return ""
    names = {posixpath.basename(file.path): file.path for file in reversed(tree.files) if is_transient(file)}
    loser = (later.source or "").rpartition(":")[0]
    mask = names.get(posixpath.basename(loser))
    if mask and not (now.source or "").startswith(f"{mask}:"):
        return f"until the reboot, {mask} masks {loser}"
    return f"until the reboot, systemd-sysctl gives {now.value}, from {now.source}"


def resolve(tree: SysctlTree, keys: t.Iterable[str]) -> dict[str, BootValue]:
    """What the two tools make of the current files, by the key as given, dotted or a path below /proc/sys."""
    wanted = {key: syntax.path_of(key) for key in keys}
    paths = frozenset(wanted.values())
    boot = _Systemd(tree, paths)
    by_hand = _Procps(tree, paths)
    return {key: _boot_value(boot, by_hand, path) for key, path in wanted.items()}


def _boot_value(boot: _Systemd, by_hand: _Procps, path: str) -> BootValue:
    winner = boot.winner(path)
    manual = by_hand.winner(path)
    return BootValue(
        value=winner.value if winner else None,
        source=winner.where if winner else None,
        shadowed=tuple(f"{line.where} {line.value}" for line in boot.losers(path, winner)),
        procps_value=manual.value if manual else None,
        procps_source=manual.where if manual else None,
    )


class _Line(t.NamedTuple):
    """One setting and where it stands; lines compare by the order in which they are read."""

    order: int
    file: str
    number: int
    path: str
    value: str | None

    @property
    def where(self) -> str:
        return f"{self.file}:{self.number}"


class _Systemd:
    """The lines for the wanted paths, as systemd-sysctl keeps and applies them."""

    def __init__(self, tree: SysctlTree, paths: frozenset[str]) -> None:
        files = _drop_ins(
            file
            for file in tree.files
            if not posixpath.basename(file.path).startswith(".")
            and (file.leads_somewhere or tree.systemd.endless_links_mask)
        )
        self._lines = _Lines(files, syntax.systemd, paths, braces=True)
        # One entry per glob, which is applied in the place where it last got a different value.
        self._table: dict[str, _Line] = {}
        for line in self._lines.globs:
            if line.path in self._table and self._table[line.path].value != line.value:
                del self._table[line.path]
            self._table[line.path] = line

    def winner(self, path: str) -> _Line | None:
        exact = self._lines.exact.get(path)
        if exact:
            return exact[-1]
        for line in reversed(list(self._table.values())):
            if line.value is not None and self._lines.match(line, path):
                return line
        return None

    def losers(self, path: str, winner: _Line | None) -> list[_Line]:
        return [line for line in self._lines.about(path) if line is not winner and line.value is not None]


class _Procps:
    """The lines for the wanted paths, as ``sysctl --system`` applies them: every one, in order."""

    def __init__(self, tree: SysctlTree, paths: frozenset[str]) -> None:
        files = _drop_ins(tree.files) + [file for file in tree.files if file.path == SYSCTL_CONF]
        self._lines = _Lines(files, syntax.procps4 if tree.procps.globs else syntax.procps3, paths, braces=False)
        self._exclusions = [
            globs.fnmatcher(line.path)
            for line in self._lines.globs
            if line.value is None and tree.procps.glob_exclusions
        ]

    def winner(self, path: str) -> _Line | None:
        for line in reversed(self._lines.about(path)):
            if line.value is not None and not self._kept_off(line, path):
                return line
        return None

    def _kept_off(self, line: _Line, path: str) -> bool:
        """Whether a glob skips a path that it matches: other lines are compared with what glob(3) prints."""
        if not syntax.is_glob(line.path):
            return False
        printed = globs.spelled_like(line.path, path)
        return any(one.path == printed for one in self._lines.exact.get(path, ())) or any(
            excluded(printed) for excluded in self._exclusions
        )


class _Lines:
    """The lines for some paths, to be found by path."""

    def __init__(
        self, files: t.Iterable[SysctlFile], read: syntax.Reader, paths: frozenset[str], *, braces: bool
    ) -> None:
        # By the path that the kernel makes of the spelling.
        self.exact: dict[str, list[_Line]] = {}
        self.globs: list[_Line] = []
        settings = ((file.path, *setting) for file in files for setting in read(file.text))
        for order, (file, number, path, value) in enumerate(settings):
            reached = syntax.reached(path)
            if reached in paths:
                self.exact.setdefault(reached, []).append(_Line(order, file, number, path, value))
            elif syntax.is_glob(path):
                self.globs.append(_Line(order, file, number, path, value))
        patterns = {line.path for line in self.globs}
        self._matchers = {pattern: globs.glob_matcher(pattern, braces=braces) for pattern in patterns}

    def match(self, line: _Line, path: str) -> bool:
        return self._matchers[line.path](path)

    def about(self, path: str) -> list[_Line]:
        """All lines that name the path, in order."""
        patterns = {pattern for pattern, matches in self._matchers.items() if matches(path)}
        return sorted([*self.exact.get(path, ()), *(line for line in self.globs if line.path in patterns)])


def _drop_ins(files: t.Iterable[SysctlFile]) -> list[SysctlFile]:
    """One file per name, from the highest directory, in the order of the names' bytes."""
    chosen: dict[str, SysctlFile] = {}
    for file in files:
        if file.path != SYSCTL_CONF:
            chosen.setdefault(posixpath.basename(file.path), file)
    return [chosen[name] for name in sorted(chosen, key=lambda name: name.encode("utf-8", "surrogatepass"))]


def _words(value: str | None) -> list[str] | None:
    return None if value is None else re.split("[ \t]+", value.strip(" \t"))
