# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The files of an nginx configuration: reading them all, and walking through them as nginx does.

Rules (ngx_conf_file.c ngx_conf_include, ngx_files.c ngx_open_glob): a path is relative to the directory of the main
file; one with ``*``, ``?`` or ``[`` is a pattern, whose files come in byte order and may be none; one without must
exist.
"""

from __future__ import annotations

import functools
import os
import posixpath
import typing as t

from ..server import Config, ConfigError
from ..source import Budget, Memory, Tree, glob
from .syntax import Directive, SyntaxFault, parse

MODULES = ("http", "stream", "mail")
_DEPTH = 64  # of includes; nginx itself gives up when it runs out of file descriptors
_CONTEXTS = frozenset(((b"", b"events"), (b"", b"http"), (b"http", b"server")))
_PATTERN = frozenset("*?[")
_INCLUDES = 1_000_000  # of files, most of which are read once and included by many servers


class ServerBlock(t.NamedTuple):
    """One server as nginx meets it: ``listens`` may come from other files than the block."""

    module: str
    file: str
    directive: Directive
    listens: t.List[t.Tuple[str, Directive]]


class Statement(t.NamedTuple):
    """A directive and the block it is in, empty for none."""

    context: bytes
    file: str
    directive: Directive


_Expand = t.Callable[[str, str, int], t.Iterable[t.Tuple[str, bytes]]]


def walk(tree: Tree, main: str) -> t.Iterator[ServerBlock]:
    """Every server of a configuration, in nginx's order; its files are read on the way.  Raises ConfigError."""
    return _servers(main, _main(tree, main), _within(tree, main))


def statements(config: Config, names: t.Container[bytes]) -> t.Iterator[Statement]:
    """Where directives with these names are in the main context, in events, in http and in its servers."""
    tree = Memory(config.files)
    expand = _within(tree, config.main)
    outer = _directives(config.main, _main(tree, config.main), expand)
    return (one for one in _statements(outer, b"", expand) if one.directive.name in names)


def _statements(
    directives: t.Iterable[t.Tuple[str, Directive]], context: bytes, expand: _Expand
) -> t.Iterator[Statement]:
    for file, directive in directives:
        yield Statement(context, file, directive)
        if (context, directive.name) in _CONTEXTS:
            yield from _statements(_expanded(file, directive.block or (), expand), directive.name, expand)


def _main(tree: Tree, main: str) -> bytes:
    content = tree.read(main)
    if content is None:
        raise ConfigError("cannot be read: No such file or directory", main)
    return content


def _within(tree: Tree, main: str) -> _Expand:
    """Includes, answered from the tree."""
    base = posixpath.dirname(main)
    budget = Budget(_INCLUDES)

    @functools.lru_cache(maxsize=None)
    def matching(pattern: str) -> t.Tuple[str, ...]:
        return tuple(path for path in sorted(glob(tree, pattern), key=os.fsencode) if not tree.is_directory(path))

    def expand(argument: str, file: str, line: int) -> t.Iterator[t.Tuple[str, bytes]]:
        """One after the other, so that what a file includes is read before the next file."""
        path = posixpath.join(base, argument)
        one_file = not _PATTERN & set(path)
        for one in (path,) if one_file else matching(path):
            content = tree.read(one)
            if content is not None:
                budget.spend(one)
                yield one, content
            elif one_file:
                raise ConfigError(f"{path} cannot be read: No such file or directory", file, line)

    return expand


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
