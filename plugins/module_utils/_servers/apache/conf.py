# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""httpd's configuration language, as far as directives that decide about sockets.

INTERFACE
    walk(tree, main, root, environment) -> Directives   what the configuration says in all its files

As httpd does it (2.4, server/config.c, server/core.c): sections are closed in the file that opens them; Include,
Define, LoadModule and the conditional sections take effect where they are, all other directives once everything has
been read.
"""

from __future__ import annotations

import posixpath
import re
import typing as t
from collections import ChainMap
from dataclasses import dataclass, field

from ..server import ConfigError
from ..source import Budget, Tree, decode, glob, is_pattern
from .words import BLANKS, SETTINGS, VARIABLE, Directive, Variables, directives, words

DEPTH = 128  # AP_MAX_INCLUDE_DEPTH and AP_MAX_INCLUDE_DIR_DEPTH

_SOCKETS = frozenset(("listen", "listenbacklog"))
_CONDITIONS = frozenset(("<ifmodule", "<ifdefine", "<iffile", "<ifversion"))

# Built into httpd on every distribution, so that no LoadModule names them (``apache2 -l``, ``httpd -l``).
_BUILT_IN = frozenset(("core.c", "core_module", "mod_so.c", "so_module", "http_core.c", "http_module")) | frozenset(
    name
    for module in ("watchdog", "log_config", "logio", "version", "unixd")
    for name in (f"mod_{module}.c", f"{module}_module")
)


@dataclass
class Directives:
    """What a configuration says: the directives about sockets in httpd's order, and where files are picked up.

    ``globs`` are the patterns of includes outside all sections. ``settings`` are the directives about connections, each
    with the section it is in, such as ``<virtualhost``, empty for none; if only the running server knows whether they
    apply, they do. ``modules`` are the names by which ``<IfModule>`` knows the modules.
    """

    sockets: t.List[Directive] = field(default_factory=list)
    globs: t.List[str] = field(default_factory=list)
    variables: t.Dict[str, str] = field(default_factory=dict)
    settings: t.List[t.Tuple[str, Directive]] = field(default_factory=list)
    modules: t.Set[str] = field(default_factory=set)


class _Section(t.NamedTuple):
    """An open section; ``taken`` and ``bars`` count those around it too.

    ``taken`` is None if only the running server knows, ``unknown`` is then the section that decides; ``bars`` is a
    section that may not define sockets, such as a virtual host.
    """

    name: str
    line: int
    taken: t.Optional[bool]
    unknown: str
    bars: str


_OUTSIDE = _Section("", 0, True, "", "")


def walk(tree: Tree, main: str, root: str, environment: t.Dict[str, str], defines: t.Iterable[str] = ()) -> Directives:
    """Read a configuration from its main file.  Relative paths are below ``root`` until ServerRoot says otherwise.

    ``environment`` holds the variables httpd is started with, ``defines`` the names given by -D.
    """
    walker = _Walker(tree, root, environment, defines)
    walker.file(main)
    walker.directives.variables.update({**environment, **walker.values})
    walker.directives.modules = walker.modules
    return walker.directives


class _Walker:
    """One pass over all files."""

    def __init__(self, tree: Tree, root: str, environment: t.Dict[str, str], defines: t.Iterable[str]) -> None:
        self.directives = Directives()
        self.values: t.Dict[str, str] = {}
        self.modules = set(_BUILT_IN)
        self._defined = set(defines)
        self._tree = tree
        self._root = root
        self._environment = environment
        self._budget = Budget()
        self._sections: t.List[_Section] = []
        self._depth = 0

    def file(self, path: str, by: t.Optional[Directive] = None) -> None:
        """Read one file, and what it includes."""
        content = self._tree.read(path)
        if content is None:
            raise ConfigError(f"{path} does not exist", *((by.path, by.line) if by else (path,)))
        self._budget.spend(path, content)
        outer = len(self._sections)
        for directive in directives(path, decode(content)):
            if directive.name.startswith("</"):
                self._close(directive, outer)
            elif directive.name.startswith("<"):
                self._open(directive)
            elif self._around().taken is not False:
                self._read(directive)
        if len(self._sections) > outer:
            section = self._sections[-1]
            raise ConfigError(f"{section.name}> is never closed", path, section.line)

    def _around(self) -> _Section:
        return self._sections[-1] if self._sections else _OUTSIDE

    def _open(self, section: Directive) -> None:
        outer = self._around()
        name, taken, unknown, bars = section.name, outer.taken, outer.unknown, outer.bars
        if name not in _CONDITIONS:
            bars = bars or name
        elif taken is not False:
            holds = self._condition(section)
            unknown = unknown or (name if holds is None else "")
            taken = False if holds is False else None if unknown else True
        self._sections.append(_Section(name, section.line, taken, unknown, bars))

    def _close(self, end: Directive, outer: int) -> None:
        opened = self._sections[-1] if len(self._sections) > outer else None
        if opened is None or opened.name[1:] != end.name[2:]:
            expected = f"</{opened.name[1:]}>, which line {opened.line} opens," if opened else "no end of a section"
            raise ConfigError(f"{end.name}> stands where {expected} is expected", end.path, end.line)
        self._sections.pop()

    def _condition(self, section: Directive) -> t.Optional[bool]:
        if not section.rest.endswith(">"):
            raise ConfigError(f"{section.name} lacks its >", section.path, section.line)
        rest = section.rest[:-1].strip(BLANKS)
        negated = rest.startswith("!")
        argument = words(section._replace(rest=rest[negated:].lstrip(BLANKS)), self._variables())
        if not argument:
            raise ConfigError(f"{section.name} lacks its argument", section.path, section.line)
        taken = self._judge(section.name, argument)
        return None if taken is None else taken != negated

    def _judge(self, name: str, argument: t.List[str]) -> t.Optional[bool]:
        if name == "<ifmodule":
            return argument[0] in self.modules
        if name == "<ifdefine":
            return argument[0] in self._defined
        return _version(argument) if name == "<ifversion" else None

    def _variables(self) -> Variables:
        return ChainMap(self.values, self._environment)

    def _read(self, directive: Directive) -> None:
        if directive.name in _SOCKETS:
            self._socket(directive)
            return
        if directive.name in SETTINGS:
            self.directives.settings.append((self._around().bars, directive))
            return
        arguments = words(directive, self._variables(), lenient=directive.name in ("define", "loadmodule"))
        if not arguments:
            raise ConfigError(f"{directive.name} lacks its argument", directive.path, directive.line)
        if directive.name.startswith("include"):
            self._include(directive, arguments[0])
        elif self._around().taken:
            self._remember(directive.name, arguments)

    def _socket(self, directive: Directive) -> None:
        section = self._around()
        if section.bars:
            raise ConfigError(f"{directive.name} is not allowed in {section.bars}>", directive.path, directive.line)
        if section.unknown:
            message = f"only the running server knows whether {section.unknown}> holds here"
            raise ConfigError(message, directive.path, directive.line)
        self.directives.sockets.append(directive)

    def _remember(self, name: str, arguments: t.List[str]) -> None:
        if name == "define":
            self._defined.add(arguments[0])
            if len(arguments) > 1 and not VARIABLE.search(arguments[1]):
                self.values[arguments[0]] = arguments[1]
        elif name == "undefine":
            self._defined.discard(arguments[0])
            self.values.pop(arguments[0], None)
        elif name == "serverroot":
            self._root = arguments[0]
        elif len(arguments) > 1:
            self.modules |= {arguments[0], posixpath.basename(arguments[1]).partition(".")[0] + ".c"}

    def _include(self, directive: Directive, argument: str) -> None:
        pattern = posixpath.normpath(posixpath.join(self._root, argument))
        optional = directive.name == "includeoptional"
        matching = list(glob(self._tree, pattern))
        if not self._sections:
            self.directives.globs.append(pattern)
        if is_pattern(pattern) and not matching and not optional:
            raise ConfigError(f"nothing matches {pattern}", directive.path, directive.line)
        self._depth += 1
        if self._depth > DEPTH:
            raise ConfigError(f"includes are nested more than {DEPTH} deep", directive.path, directive.line)
        for path in (path for one in matching for path in self._below(one, directive)):
            if not optional or self._tree.read(path) is not None:
                self.file(path, directive)
        self._depth -= 1

    def _below(self, path: str, directive: Directive, depth: int = 0) -> t.Iterator[str]:
        if not self._tree.is_directory(path):
            yield path
            return
        if depth > DEPTH:
            raise ConfigError(f"{path} is nested too deep", directive.path, directive.line)
        names = sorted(self._tree.names(path))
        if not names:
            self._tree.keep(path)
        for name in names:
            yield from self._below(posixpath.join(path, name), directive, depth + 1)


def _version(argument: t.List[str]) -> t.Optional[bool]:
    """Whether httpd 2.4 fits ``>= 2.4``; None if its patch level, or a regular expression, decides."""
    operator, _blank, version = " ".join(argument).rpartition(" ")
    numbers = (
        [int(number) for number in version.split(".")]
        if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", version)
        else []
    )
    if not numbers or operator not in (">", ">=", "<", "<="):
        return None
    if numbers[:2] == [2, 4] and len(numbers) == 3 and numbers[2] > 0:
        return None
    return (numbers <= [2, 4, 0]) == operator.startswith(">")
