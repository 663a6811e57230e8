# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The files of an nginx configuration: reading them all, and walking through them as nginx does.

Rules (ngx_conf_file.c ngx_conf_include, ngx_files.c ngx_open_glob): a path is relative to the directory of the main
file; one with ``*``, ``?`` or ``[`` is a pattern, whose files come in the order of their bytes and may be none; one
without must exist.
"""

from __future__ import annotations

import fnmatch
import functools
import glob
import os
import typing as t

from ..._errors import MissingRight
from ..server import Config, ConfigError
from ..source import Disk
from .syntax import Directive, SyntaxFault, parse

MODULES = ("http", "stream", "mail")
_DEPTH = 64  # of includes; nginx itself gives up when it has no file descriptors left
_CONTEXTS = frozenset(((b"", b"events"), (b"", b"http"), (b"http", b"server")))
_PATTERN = frozenset("*?[")


class ServerBlock(t.NamedTuple):
    """One server as nginx meets it: ``listens`` may come from other files than the block."""

    module: str
    file: str
    directive: Directive
    listens: t.List[t.Tuple[str, Directive]]


class Said(t.NamedTuple):
    """A directive and the block it stands in, empty for none."""

    context: bytes
    file: str
    directive: Directive


_Expand = t.Callable[[str, str, int], t.Iterable[t.Tuple[str, bytes]]]


def read(main: str) -> Config:
    """Read the main file and all that it includes where servers are."""
    files: t.Dict[str, bytes] = {}
    main = os.path.abspath(main)
    base = os.path.dirname(main)

    def load(path: str, file: str, line: int) -> bytes:
        if path not in files:
            files[path] = _content(path, file, line)
        return files[path]

    @functools.lru_cache(maxsize=None)
    def found(pattern: str) -> t.Tuple[str, ...]:
        return tuple(sorted(filter(os.path.isfile, glob.glob(pattern)), key=os.fsencode))

    def expand(argument: str, file: str, line: int) -> t.Iterable[t.Tuple[str, bytes]]:
        path = os.path.join(base, argument)
        paths = found(path) if _PATTERN & set(path) else (path,)
        return ((one, load(one, file, line)) for one in paths)

    _drain(_servers(main, load(main, main, 0), expand))
    return Config(main, files)


def walk(config: Config) -> t.Iterator[ServerBlock]:
    """Every server of a configuration that has been read, in nginx's order.  Raises ConfigError."""
    return _servers(config.main, config.files[config.main], _within(config))


def said(config: Config, names: t.Container[bytes]) -> t.Iterator[Said]:
    """Where directives of these names stand in the main context, in events, in http and in its servers."""
    expand = _within(config)
    outer = _directives(config.main, config.files[config.main], expand)
    return (one for one in _said(outer, b"", expand) if one.directive.name in names)


def _said(directives: t.Iterable[t.Tuple[str, Directive]], context: bytes, expand: _Expand) -> t.Iterator[Said]:
    for file, directive in directives:
        yield Said(context, file, directive)
        if (context, directive.name) in _CONTEXTS:
            yield from _said(_expanded(file, directive.block or (), expand), directive.name, expand)


def _within(config: Config) -> _Expand:
    """Includes answered from the files that have been read."""
    base = os.path.dirname(config.main)
    by_directory: t.Dict[str, t.List[str]] = {}
    for path in sorted(config.files, key=os.fsencode):
        by_directory.setdefault(os.path.dirname(path), []).append(path)

    @functools.lru_cache(maxsize=None)
    def found(pattern: str) -> t.Tuple[str, ...]:
        directory, name = os.path.split(pattern)
        within = (
            [directory] if not _PATTERN & set(directory) else [one for one in by_directory if _same(one, directory)]
        )
        return tuple(
            path for one in within for path in by_directory.get(one, ()) if _match(os.path.basename(path), name)
        )

    def expand(argument: str, file: str, line: int) -> t.Iterable[t.Tuple[str, bytes]]:
        path = os.path.join(base, argument)
        if _PATTERN & set(path):
            return [(one, config.files[one]) for one in found(path)]
        if path not in config.files:
            raise ConfigError(f"{path} is included and does not exist", file, line)
        return [(path, config.files[path])]

    return expand


def _drain(servers: t.Iterator[ServerBlock]) -> None:
    for _server in servers:
        pass


def _same(directory: str, pattern: str) -> bool:
    parts, patterns = directory.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(_match, parts, patterns))


def _match(name: str, pattern: str) -> bool:
    """glob(3): a leading dot is matched by a dot only."""
    return (not name.startswith(".") or pattern.startswith(".")) and fnmatch.fnmatchcase(name, pattern)


def _content(path: str, file: str, line: int) -> bytes:
    try:
        return Disk().answer(path)
    except PermissionError as exc:
        raise MissingRight(f"{path} cannot be read: {exc.strerror}", file=path) from exc
    except (OSError, ValueError) as exc:
        what = f"{path} cannot be read" if line else "cannot be read"
        raise ConfigError(f"{what}: {getattr(exc, 'strerror', None) or exc}", file, line) from exc


def _directives(file: str, content: bytes, expand: _Expand, depth: int = 0) -> t.Iterator[t.Tuple[str, Directive]]:
    """The directives of a file, those of included files in their place."""
    try:
        directives = parse(content)
    except SyntaxFault as exc:
        raise ConfigError(str(exc), file, exc.line) from exc
    return _expanded(file, directives, expand, depth)


def _expanded(
    file: str, directives: t.Sequence[Directive], expand: _Expand, depth: int = 0
) -> t.Iterator[t.Tuple[str, Directive]]:
    for directive in directives:
        if directive.name != b"include":
            yield file, directive
            continue
        if len(directive.words) != 1:
            raise ConfigError("include takes one path", file, directive.line)
        if depth == _DEPTH:
            raise ConfigError(f"files include each other, {_DEPTH} deep", file, directive.line)
        for path, content in expand(os.fsdecode(directive.words[0]), file, directive.line):
            yield from _directives(path, content, expand, depth + 1)


def _servers(main: str, content: bytes, expand: _Expand) -> t.Iterator[ServerBlock]:
    for file, outer in _directives(main, content, expand):
        module = outer.name.decode()
        if module not in MODULES or outer.block is None:
            continue
        for inner_file, inner in _expanded(file, outer.block, expand):
            if inner.name == b"server" and inner.block is not None:
                listens = [
                    (where, directive)
                    for where, directive in _expanded(inner_file, inner.block, expand)
                    if directive.name == b"listen"
                ]
                yield ServerBlock(module, inner_file, inner, listens)
