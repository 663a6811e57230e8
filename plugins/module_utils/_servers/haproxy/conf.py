# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""HAProxy's configuration language, as far as keywords that decide about sockets.

INTERFACE
    read_file(path, text, model)   adds the sections of one file to a Model, as HAProxy adds one ``-f`` to the others

As HAProxy does it (src/cfgparse.c readcfgfile(), src/cfgparse-listen.c, src/cfgparse-global.c; 2.2 to 3.2). Conditional
blocks are not evaluated: what decides about sockets must not be in one.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ..server import ConfigError
from ..source import LONGEST, Lines
from .words import Word, cut

PROXIES = frozenset(("frontend", "listen", "log-forward"))
_SETTING = frozenset(("global", "defaults"))
_OTHERS = (
    "backend",
    "peers",
    "userlist",
    "resolvers",
    "mailers",
    "ring",
    "cache",
    "program",
    "http-errors",
    "fcgi-app",
)
_NEWER = ("crt-store", "traces", "log-profile", "acme")
_SECTIONS = PROXIES | _SETTING | frozenset((*_OTHERS, *_NEWER))
_KEYWORDS = frozenset(("bind", "backlog", "maxconn", "disabled", "enabled", "unix-bind"))
_TOLD = frozenset(("maxconn", "option", "no", "timeout", "ulimit-n", "fd-hard-limit"))
_TOLD_LINE = (
    r"(?:no\s+)?option\s+http(?:close|-server-close|-keep-alive)|timeout\s+http-keep-alive|ulimit-n|fd-hard-limit"
)
_ENVIRONMENT = frozenset(("setenv", "presetenv", "unsetenv", "resetenv"))
_CONDITIONS = frozenset((".if", ".elif", ".else", ".endif"))

# Lines whose first word may matter: a known one, or one that quotes, escapes or expands something.
_FIRST = "|".join(re.escape(word) for word in sorted(_SECTIONS | _KEYWORDS | _ENVIRONMENT | _CONDITIONS))
_LINE = re.compile(
    rf"^[ \t\v\f\r]*(?=(?:{_FIRST}|{_TOLD_LINE})(?:\s|#|\Z)|[^\s#]*[\"'\\$])([^\n]*)",
    re.MULTILINE | re.ASCII,
)
# ``bind`` options that take a value, which is then not an option itself (2.6 and 3.0, the bind_kws tables).
_WITH_VALUE = frozenset(
    """accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file ciphers
    ciphersuites client-sigalgs crl-file crt crt-ignore-err crt-list curves default-crt ecdhe expose-fd gid group
    guid-prefix id interface level maxconn mode mss name namespace nbconn nice npn process proto quic-cc-algo
    quic-socket severity-output shards sigalgs ssl-max-ver ssl-min-ver tcp-ut thread tls-ticket-keys uid user
    verify""".split()
)

Environment = t.MutableMapping[str, str]


class Number(t.NamedTuple):
    """A number, the line it is on, and its position in the file."""

    value: int
    path: str
    line: int
    start: int
    end: int


class Statement(t.NamedTuple):
    """The words of a line, empty for an unknown one, and its file:line."""

    words: t.List[str]
    source: str


@dataclass
class Bind:
    """One ``bind`` line.  ``start`` is where the line begins in its file."""

    path: str
    line: int
    start: int
    address: Word
    backlog: t.Optional[Number] = None
    maxconn: int = 0


@dataclass
class Section:
    """One section. Numbers are None, or 0, if it sets none; a ``defaults`` passes its own to those after it.

    ``own_backlog`` is the line in the section itself, ``backlog`` that or the one of its defaults.  ``statements`` are
    the lines about connections, those of its defaults first.
    """

    kind: str
    path: str
    own_backlog: t.Optional[Number] = None
    backlog: t.Optional[Number] = None
    maxconn: int = 0
    disabled: bool = False
    statements: t.List[Statement] = field(default_factory=list)
    binds: t.List[Bind] = field(default_factory=list)


@dataclass
class Model:
    """The combined content of all files.  ``maxconn`` is the global one, 0 for none."""

    environment: Environment
    sections: t.List[Section] = field(default_factory=list)
    maxconn: int = 0
    unix_prefix: str = ""
    defaults: t.Dict[str, Section] = field(default_factory=dict)  # by name
    last_defaults: t.Optional[Section] = None


def read_file(path: str, text: str, model: Model) -> None:
    """Add one file's content. Raises ConfigError with file and line."""
    _Reader(path, text, model).run()


class _Reader:
    """One pass over one file."""

    def __init__(self, path: str, text: str, model: Model) -> None:
        self._path = path
        self._text = text
        self._model = model
        self._line_of = Lines(text)
        self._line = 0
        self._start = 0
        self._conditions: t.List[int] = []
        # A section, or a line of one that begins in a conditional block.
        self._section: t.Union[Section, int, None] = None

    def run(self) -> None:
        """Read the file."""
        for match in _LINE.finditer(self._text):
            self._start, self._line = match.start(), self._line_of(match.start(1))
            words = self._words(match.start(1), match[1])
            name = words[0].value if words else None
            if name in _CONDITIONS:
                self._condition(name)
            elif name in _SECTIONS:
                self._begin(name, words)
            elif name in _KEYWORDS or name in _ENVIRONMENT:
                self._keyword(name, words)
            if name in _TOLD and isinstance(self._section, Section) and not self._conditions:
                self._section.statements.append(
                    Statement([word.value or "" for word in words], f"{self._path}:{self._line}")
                )
        if self._conditions:
            raise ConfigError(".if is never closed", self._path, self._conditions[-1])

    def _fail(self, message: str) -> t.NoReturn:
        raise ConfigError(message, self._path, self._line)

    def _words(self, start: int, line: str) -> t.List[Word]:
        try:
            return cut(line.partition("\r")[0], start, self._model.environment)
        except ValueError as exc:
            self._fail(str(exc))

    def _condition(self, name: str) -> None:
        if name == ".if":
            self._conditions.append(self._line)
        elif not self._conditions:
            self._fail(f"{name} without .if")
        elif name == ".endif":
            self._conditions.pop()

    def _begin(self, kind: str, words: t.List[Word]) -> None:
        if self._conditions:
            if kind in PROXIES | _SETTING:
                self._fail(f"{kind} is in a conditional block, which is not evaluated")
            self._section = self._line
            return
        values = [self._value(word) for word in words[1:]]
        section = Section(kind, self._path)
        base = self._base(kind, values)
        if base:
            section.backlog, section.maxconn, section.disabled = base.backlog, base.maxconn, base.disabled
            section.statements = list(base.statements)
        if kind == "log-forward":
            section.maxconn = 10  # src/log.c cfg_parse_log_forward()
        if kind == "defaults":
            self._model.last_defaults = section
            self._model.defaults["" if values[:1] == ["from"] else "".join(values[:1])] = section
        self._model.sections.append(section)
        self._section = section

    def _base(self, kind: str, values: t.List[str]) -> t.Optional[Section]:
        """The defaults that are named after ``from``, or the last ones for a proxy."""
        if "from" in values[:2]:
            name = "".join(values[values.index("from") + 1 :][:1])
            return self._model.defaults.get(name) or self._fail(f"there is no defaults section {name!r}")
        return self._model.last_defaults if kind in ("frontend", "listen") else None

    def _keyword(self, name: str, words: t.List[Word]) -> None:
        section = self._section
        if isinstance(section, Section) and section.kind not in PROXIES | _SETTING:
            return
        if self._conditions or isinstance(section, int):
            self._fail(f"{name} is in or after a conditional block, which is not evaluated")
        if section is None:
            self._fail(f"{name} is outside any section")
        if section.kind == "global":
            self._global(name, words)
        elif name == "bind":
            self._bind(section, words)
        else:
            self._proxy(section, name, words)

    def _global(self, name: str, words: t.List[Word]) -> None:
        model = self._model
        if name == "maxconn":
            # The first one counts (src/cfgparse-global.c).
            model.maxconn = model.maxconn or self._number(words, 1).value
        elif name == "unix-bind":
            values = [self._value(word) for word in words]
            model.unix_prefix = next((after for one, after in zip(values, values[1:]) if one == "prefix"), "")
        elif name.endswith("env"):
            self._environ(name, [self._value(word) for word in words[1:]])

    def _environ(self, name: str, values: t.List[str]) -> None:
        environment = self._model.environment
        if sum(len(value) for value in values) > LONGEST:
            self._fail(f"more than {LONGEST} characters")
        if name == "setenv" and len(values) > 1:
            environment[values[0]] = values[1]
        elif name == "presetenv" and len(values) > 1:
            environment.setdefault(values[0], values[1])
        elif name == "unsetenv":
            for value in values:
                environment.pop(value, None)
        elif name == "resetenv":
            for value in set(environment).difference(values):
                del environment[value]

    def _proxy(self, section: Section, name: str, words: t.List[Word]) -> None:
        if name == "backlog":
            section.own_backlog = section.backlog = self._number(words, 1)
        elif name == "maxconn":
            section.maxconn = self._number(words, 1).value
        elif name in ("disabled", "enabled"):
            section.disabled = name == "disabled"

    def _bind(self, section: Section, words: t.List[Word]) -> None:
        if section.kind == "defaults":
            self._fail("bind is not allowed in defaults")
        if len(words) < 2:
            self._fail("bind lacks its address")
        bind = Bind(self._path, self._line, self._start, words[1])
        at = 2
        while at < len(words):
            name = words[at].value
            if name == "backlog":
                bind.backlog = self._number(words, at + 1)
            elif name == "maxconn":
                bind.maxconn = self._number(words, at + 1).value
            at += 2 if name in _WITH_VALUE else 1
        section.binds.append(bind)

    def _value(self, word: Word) -> str:
        if word.value is None:
            self._fail(f"a variable in {self._text[word.start : word.end]} is not known")
        return word.value

    def _number(self, words: t.List[Word], at: int) -> Number:
        """A number as atol() reads it; it must be one, and not negative."""
        value = self._value(words[at]) if at < len(words) else ""
        digits = re.match(r"[ \t]*\+?([0-9]{1,10})(?![0-9])", value)
        if digits is None:
            self._fail(f"{words[at - 1].value} needs a number, not {value!r}")
        return Number(int(digits[1]), self._path, self._line, words[at].start, words[at].end)
