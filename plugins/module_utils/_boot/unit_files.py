# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which line of which file decides a directive of a systemd unit: systemd.unit(5), its parser and its search order.

Sources: systemd 257 src/shared/conf-parser.c (``config_parse``), src/basic/fileio.c (``read_line_full``),
src/shared/dropin.c (``unit_file_find_dirs``) and src/basic/conf-files.c; every rule was tested with systemd 257.
"""

from __future__ import annotations

import math
import os
import re
import typing as t
from dataclasses import dataclass, replace

from .. import _files
from .._errors import NettuneError

_LARGEST = 4 << 20  # bytes of a file; larger than any hand-written one
_COMMENT = ("#", ";")
# What systemd strips; other blanks, such as a form feed or a no-break space, count as letters.
_BLANKS = " \t\n\r"
_END_OF_LINE = re.compile("\n\r?\0?|\r\n?\0?|\0")
# A line of this many bytes ends the reading of a file, and so does a longer continued one.
_TOO_LONG = 1 << 20
# So does invalid UTF-8, or an invalid character (unichar_is_valid() in src/basic/utf8.c).
_NO_CHARACTER = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)
# The first one in a file is skipped, whichever line it is on.
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class UnitFile:
    """A file that may configure a unit. ``text`` is empty if the file masks others of its name."""

    path: str
    text: str


@dataclass(frozen=True)
class Setting:
    """A value as it is written, and where."""

    value: str
    source: str


@dataclass(frozen=True)
class UnitFiles:
    """Everything that may configure a unit: its own file and every drop-in, including masked ones.

    ``directories`` are those searched for drop-ins, the one that wins among equal names first. ``changed`` is when any
    of it was last written, moved, linked or removed, in seconds since the epoch.
    """

    fragment: t.Optional[UnitFile]
    directories: t.Tuple[str, ...]
    candidates: t.Tuple[UnitFile, ...]
    changed: float = 0.0

    def in_order(self) -> t.List[UnitFile]:
        """The files that systemd reads, in the order it reads them: a later line replaces an earlier one."""
        rank = {directory: number for number, directory in enumerate(self.directories)}
        by_name: t.Dict[str, UnitFile] = {}
        for file in sorted(self.candidates, key=lambda file: rank[os.path.dirname(file.path)]):
            by_name.setdefault(os.path.basename(file.path), file)
        fragment = [self.fragment] if self.fragment else []
        return fragment + [by_name[name] for name in sorted(by_name, key=os.fsencode)]

    def settings(self, section: str, key: str) -> t.List[Setting]:
        """All lines that set the key, in the order in which they count."""
        return [setting for file in self.in_order() for setting in parse(file, section, key)]

    def with_drop_in(self, path: str, text: t.Optional[str]) -> UnitFiles:
        """The same with this drop-in in place, or without it for None, changed later than everything else."""
        others = tuple(file for file in self.candidates if file.path != path)
        new = () if text is None else (UnitFile(path, text),)
        return replace(self, candidates=others + new, changed=math.inf)


def parse(file: UnitFile, section: str, key: str) -> t.Iterator[Setting]:
    """The lines of one file that set the key in the section. What systemd considers an error ends the file."""
    if key not in file.text:
        return
    current = ""
    for number, line in _logical_lines(file.text):
        if _NO_CHARACTER.search(line) or (line.startswith("[") and not line.endswith("]")):
            return
        if line.startswith("["):
            current = line[1:-1]
            continue
        name, equals, value = line.partition("=")
        if equals and current == section and name.strip(_BLANKS) == key:
            yield Setting(value.strip(_BLANKS), f"{file.path}:{number}")


def _logical_lines(text: str) -> t.Iterator[t.Tuple[int, str]]:
    """Lines with their continuations, and where they begin; comments are skipped, even inside a continuation."""
    begun: t.Optional[int] = None
    parts: t.List[str] = []
    for number, raw in _lines(text):
        line = raw.lstrip(_BLANKS)
        if _bytes(raw) >= _TOO_LONG or sum(map(_bytes, [*parts, line])) > _TOO_LONG:
            return
        if line.startswith(_COMMENT):
            continue
        begun = number if begun is None else begun
        parts.append(line)
        if (len(line) - len(line.rstrip("\\"))) % 2:
            parts[-1] = f"{line[:-1]} "
            continue
        yield begun, "".join(parts).strip(_BLANKS)
        begun, parts = None, []
    if begun is not None:
        yield begun, "".join(parts).strip(_BLANKS)


def _lines(text: str) -> t.Iterator[t.Tuple[int, str]]:
    """Lines, numbered as in an editor, which does not end lines at CR or NUL."""
    number, start, marked = 1, 0, False
    while start < len(text):
        end = _END_OF_LINE.search(text, start)
        line = text[start : end.start() if end else len(text)]
        if not marked and line.lstrip(_BLANKS).startswith(_BYTE_ORDER_MARK):
            marked, line = True, line.lstrip(_BLANKS)[1:]
        yield number, line
        if not end:
            return
        number, start = number + end[0].count("\n"), end.end()


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def drop_in_directories(lookup: t.Iterable[str], names: t.Sequence[str]) -> t.List[str]:
    """Where to look for drop-ins of a unit, the directory that wins among equal file names first.

    ``lookup`` is systemd's UnitPath, ``names`` the unit's name and then its aliases.
    """
    directories: t.Dict[str, None] = {}
    lookup = list(lookup)
    for name in names:
        for directory in lookup:
            for generic in _ever_more_generic(name):
                directories.setdefault(f"{directory}/{generic}.d")
    for directory in lookup:
        directories.setdefault(f"{directory}/{names[0].rpartition('.')[2]}.d")
    return list(directories)


def _ever_more_generic(name: str) -> t.Iterator[str]:
    """``foo-bar@1.service``, then its template and what is more general than that, then ``foo-@1.service``."""
    yield name
    stem, _dot, kind = name.rpartition(".")
    prefix, at, instance = stem.partition("@")
    if instance:
        yield from _ever_more_generic(f"{prefix}@.{kind}")
    # A single dash at the end belongs to the name; only what precedes another one is more general.
    shorter, dash, _rest = prefix[: -1 if prefix.endswith("-") else None].rpartition("-")
    if shorter:
        yield from _ever_more_generic(f"{shorter}{dash}{at if instance else ''}{instance}.{kind}")


def read(fragment: str, lookup: t.Iterable[str], names: t.Sequence[str]) -> UnitFiles:
    """All files that may configure a unit; ``fragment`` is its own file, empty if it has none."""
    directories = drop_in_directories(lookup, names)
    # Files below /run come and go with every transient unit.
    persistent = [directory for directory in lookup if not directory.startswith("/run/")]
    return _read(fragment, directories, persistent)


def read_manager(name: str = "system.conf", directories: t.Sequence[str] = ()) -> UnitFiles:
    """The manager's own configuration and its drop-ins, as systemd-system.conf(5) orders them."""
    directories = directories or [f"{root}/systemd" for root in ("/etc", "/run", "/usr/local/lib", "/usr/lib")]
    main = next((path for path in (f"{directory}/{name}" for directory in directories) if os.path.isfile(path)), "")
    return _read(main, [f"{directory}/{name}.d" for directory in directories], [])


def _read(main: str, directories: t.Sequence[str], others: t.Sequence[str]) -> UnitFiles:
    candidates = tuple(file for directory in directories for file in _drop_ins(directory))
    paths = [main, *others, *directories, *(file.path for file in candidates)]
    changed = max((_changed(path) for path in paths if path), default=0.0)
    return UnitFiles(_file(main) if main else None, tuple(directories), candidates, changed)


def _changed(path: str) -> float:
    """When a file, its link target, or the entries of a directory were changed; 0 if there is none."""
    try:
        return max(os.lstat(path).st_ctime, os.stat(path).st_ctime)
    except OSError:
        return 0.0


def _drop_ins(directory: str) -> t.Iterator[UnitFile]:
    for name in sorted(_files.names(directory)):
        if name.endswith(".conf") and not name.startswith("."):
            path = f"{directory}/{name}"
            # A directory, or a link to nowhere, masks other files of its name too.
            yield _file(path) or UnitFile(path, "")


def _file(path: str) -> t.Optional[UnitFile]:
    try:
        content = _files.read(path, limit=_LARGEST)
    except NettuneError:
        if os.path.isfile(path):
            raise
        return None
    return None if content is None else UnitFile(path, content.decode("utf-8", "surrogateescape"))
