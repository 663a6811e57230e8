# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A systemd unit as described by its files on disk, which is what the next start gives.

INTERFACE
    find(tree, unit) -> (name, files in systemd's order), the unit's own first, or None where there is no such unit
    usual(units) -> the first of these that this host has
    command(files, environment) -> the words of its ExecStart
    environment_of(tree, files) -> what Environment and EnvironmentFile give to it

Sources: systemd.unit(5) "Unit File Load Path", systemd.service(5) "Command Lines", systemd.exec(5).
"""

from __future__ import annotations

import os
import posixpath
import re
import shlex
import typing as t

from .._boot.unit_files import UnitFile, UnitFiles, drop_in_directories, parse
from .server import ConfigError
from .source import Tree, decode

LOOKUP = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def find(tree: Tree, unit: str) -> t.Optional[t.Tuple[str, t.List[UnitFile]]]:
    """The unit's name, which an alias is resolved to, and its files.  Raises ConfigError for a masked unit."""
    fragment = _fragment(tree, unit)
    if fragment is None:
        return None
    path, text = fragment
    name = _resolved(tree, path, unit)
    directories = drop_in_directories(LOOKUP, [name, unit] if name != unit else [unit])
    candidates = [
        UnitFile(f"{directory}/{one}", decode(tree.read(f"{directory}/{one}") or b""))
        for directory in directories
        for one in sorted(tree.names(directory))
        if one.endswith(".conf")
    ]
    return name, UnitFiles(UnitFile(path, text), tuple(directories), tuple(candidates)).in_order()


def usual(units: t.Sequence[str]) -> t.Optional[str]:
    """The first of these that this host has, masked or not; the first of all where it has none."""
    there = (unit for unit in units for directory in LOOKUP if os.path.lexists(f"{directory}/{unit}"))
    return next(iter(units), None) if len(units) < 2 else next(there, units[0])


def _fragment(tree: Tree, unit: str) -> t.Optional[t.Tuple[str, str]]:
    stem, _dot, kind = unit.rpartition(".")
    template = f"{stem.partition('@')[0]}@.{kind}"
    for name in [unit, template] if "@" in unit else [unit]:
        for directory in LOOKUP:
            path = f"{directory}/{name}"
            if tree.real(path) == "/dev/null":
                raise ConfigError(f"{unit} is masked", path)
            content = tree.read(path)
            if content is not None:
                return path, decode(content)
    return None


def _resolved(tree: Tree, path: str, unit: str) -> str:
    """The name of the file that a link leads to: an alias is the same unit under another name."""
    real = posixpath.basename(tree.real(path))
    return unit if "@." in real or real == posixpath.basename(path) else real


def environment_of(tree: Tree, files: t.Iterable[UnitFile]) -> t.Dict[str, str]:
    """The variables that the unit's processes are started with, as far as the unit sets them."""
    files = list(files)
    values: t.Dict[str, str] = {}
    for setting in (one for file in files for one in parse(file, "Service", "Environment")):
        if not setting.value:
            values.clear()
        values.update(_assignments(_words(setting.value, setting.source)))
    for setting in (one for file in files for one in parse(file, "Service", "EnvironmentFile")):
        content = tree.read(setting.value.lstrip("-")) if setting.value.lstrip("-").startswith("/") else None
        lines = [line.strip() for line in decode(content or b"").splitlines()]
        for line in lines:
            if line and line[0] not in "#;":
                values.update(_assignments([_unquoted(line)]))
    return values


def _assignments(words: t.Iterable[str]) -> t.Iterator[t.Tuple[str, str]]:
    for word in words:
        name, equals, value = word.partition("=")
        if equals and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            yield name, value


def _unquoted(line: str) -> str:
    name, _equals, value = line.partition("=")
    value = value.strip()
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return f"{name.strip()}={value[1:-1] if quoted else value}"


def command(files: t.Iterable[UnitFile], environment: t.Mapping[str, str]) -> t.List[str]:
    """The words of ExecStart with variables expanded; empty if there is none."""
    commands = [setting for file in files for setting in parse(file, "Service", "ExecStart")]
    if not commands or not commands[-1].value:
        return []
    words: t.List[str] = []
    for word in _words(commands[-1].value.lstrip("@-:+!"), commands[-1].source):
        if word.startswith("$") and not word.startswith("${"):
            words += _words(environment.get(word[1:], ""), commands[-1].source)
        else:
            words.append(_VARIABLE.sub(lambda name: environment.get(name[1], ""), word))
    return words


def _words(text: str, source: str) -> t.List[str]:
    try:
        return shlex.split(text)
    except ValueError as exc:
        path, _colon, line = source.rpartition(":")
        raise ConfigError(f"quotes are not closed: {exc}", path, int(line) if line.isdigit() else 0) from exc
