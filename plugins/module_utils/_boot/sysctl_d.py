# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which value of a sysctl the next boot gives, and which file:line decides.

systemd-sysctl is what boots apply. ``sysctl --system`` of procps is what people and package scripts run, and reads
the same files by other rules; where the two disagree, a value that is there today is gone after the reboot.

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
globs off every key that is also set by its full name. procps before 4.0.0 knows no globs (but RHEL 9's 3.3.17 does),
systemd before 246 (RHEL 8) neither. The systemd credential ``sysctl.extra``, which exists only
while the service runs, and ``sysctl.KEY=VALUE`` on the kernel's command line, which any file overrides, are left out.
"""

from __future__ import annotations

import dataclasses
import posixpath
import typing as t

from . import sysctl_syntax as syntax
from .sysctl_tree import SYSCTL_CONF, Procps, SysctlFile, SysctlTree, read_tree, with_file

__all__ = ("BootValue", "Procps", "SysctlFile", "SysctlTree", "read_tree", "resolve", "with_file")


@dataclasses.dataclass(frozen=True)
class BootValue:
    """What the next boot gives one key; None is the kernel's own default, as no file sets the key.

    Values are as written in the file. Whether the kernel takes them is not known here.
    """

    value: str | None = None
    # "file:line"; of a line "-key" where that is why the value is None.
    source: str | None = None
    # "file:line value" of the definitions that systemd-sysctl reads and that lose, in the order they are read.
    shadowed: tuple[str, ...] = ()
    procps_value: str | None = None
    procps_source: str | None = None

    @property
    def differs(self) -> bool:
        """Whether ``sysctl --system`` leaves another value than the boot."""
        return _words(self.value) != _words(self.procps_value)


class _Line(t.NamedTuple):
    file: str
    setting: syntax.Setting

    @property
    def where(self) -> str:
        return f"{self.file}:{self.setting.line}"


def resolve(tree: SysctlTree, keys: t.Iterable[str]) -> dict[str, BootValue]:
    """The boot value of each key, by the key as given; dotted names and paths below /proc/sys are both fine."""
    wanted = {key: syntax.path_of(key) for key in keys}
    paths = frozenset(wanted.values())
    boot = _Systemd(tree, paths)
    by_hand = _Procps(tree, paths)
    return {key: _boot_value(boot, by_hand, path) for key, path in wanted.items()}


def _boot_value(boot: _Systemd, by_hand: _Procps, path: str) -> BootValue:
    winner = boot.winner(path)
    manual = by_hand.winner(path)
    return BootValue(
        value=winner.setting.value if winner else None,
        source=winner.where if winner else None,
        shadowed=tuple(f"{line.where} {line.setting.value}" for line in boot.losers(path, winner)),
        procps_value=manual.setting.value if manual else None,
        procps_source=manual.where if manual else None,
    )


class _Systemd:
    """All lines that concern the wanted paths, as systemd-sysctl keeps and applies them."""

    def __init__(self, tree: SysctlTree, paths: frozenset[str]) -> None:
        files = _drop_ins(file for file in tree.files if not posixpath.basename(file.path).startswith("."))
        self._lines = [line for line in _lines(files, syntax.systemd) if _concerns(line.setting.path, paths)]
        # One entry per path. An entry is applied in the place where it last got a different value.
        self._table: dict[str, _Line] = {}
        for line in self._lines:
            path, value = line.setting.path, line.setting.value
            if path in self._table and self._table[path].setting.value != value:
                del self._table[path]
            self._table[path] = line
        self._globs = _Globs(self._lines, braces=True)

    def winner(self, path: str) -> _Line | None:
        if path in self._table:
            return self._table[path]
        last = None
        for pattern, line in self._table.items():
            if line.setting.value is not None and self._globs.match(pattern, path):
                last = line
        return last

    def losers(self, path: str, winner: _Line | None) -> t.Iterator[_Line]:
        for line in self._lines:
            if line is winner or line.setting.value is None:
                continue
            if line.setting.path == path or self._globs.match(line.setting.path, path):
                yield line


class _Procps:
    """All lines that concern the wanted paths, as ``sysctl --system`` applies them: every one, in order."""

    def __init__(self, tree: SysctlTree, paths: frozenset[str]) -> None:
        files = _drop_ins(tree.files) + [file for file in tree.files if file.path == SYSCTL_CONF]
        read = syntax.procps4 if tree.procps.globs else syntax.procps3
        self._lines = [line for line in _lines(files, read) if _concerns(syntax.reached(line.setting.path), paths)]
        self._spelled = {line.setting.path for line in self._lines}
        self._globs = _Globs(self._lines if tree.procps.globs else [], braces=False)
        self._exclusions = [
            syntax.fnmatcher(line.setting.path)
            for line in self._lines
            if line.setting.value is None and tree.procps.glob_exclusions
        ]

    def winner(self, path: str) -> _Line | None:
        last = None
        for line in self._lines:
            if line.setting.value is not None and self._sets(line.setting.path, path):
                last = line
        return last

    def _sets(self, spelled: str, path: str) -> bool:
        if self._globs.match(spelled, path):
            path = syntax.spelled_like(spelled, path)
            return path not in self._spelled and not any(excluded(path) for excluded in self._exclusions)
        return syntax.reached(spelled) == path


class _Globs:
    """The globs among some lines, compiled once."""

    def __init__(self, lines: t.Iterable[_Line], *, braces: bool) -> None:
        patterns = {line.setting.path for line in lines if syntax.is_glob(line.setting.path)}
        self._match = {pattern: syntax.glob_matcher(pattern, braces=braces) for pattern in patterns}

    def match(self, pattern: str, path: str) -> bool:
        matcher = self._match.get(pattern)
        return matcher is not None and matcher(path)


def _drop_ins(files: t.Iterable[SysctlFile]) -> list[SysctlFile]:
    """One file per name, from the highest directory, in the order of the names' bytes."""
    chosen: dict[str, SysctlFile] = {}
    for file in files:
        if file.path != SYSCTL_CONF:
            chosen.setdefault(posixpath.basename(file.path), file)
    return [chosen[name] for name in sorted(chosen, key=lambda name: name.encode("utf-8", "surrogatepass"))]


def _lines(files: t.Iterable[SysctlFile], read: syntax.Reader) -> t.Iterator[_Line]:
    return (_Line(file.path, setting) for file in files for setting in read(file.text))


def _concerns(path: str, paths: frozenset[str]) -> bool:
    return path in paths or syntax.is_glob(path)


def _words(value: str | None) -> list[str] | None:
    return None if value is None else value.split()
