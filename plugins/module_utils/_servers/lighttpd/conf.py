# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""lighttpd's configuration language, evaluated as far as needed for sockets.

INTERFACE
    evaluate(tree, main) -> Scope, ...   the global scope, then the conditional ones in lighttpd's order

As lighttpd does it (1.4.59 to 1.4.79: src/configfile.c, src/configparser.y): a repeated condition continues its scope,
``=`` assigns once, variables are looked up outwards, includes are read into the scope where they are. The output of a
command for ``include_shell`` is read from the tree under :func:`shell_path`.
"""

from __future__ import annotations

import posixpath
import typing as t
from dataclasses import dataclass, field

from ..server import ConfigError
from ..source import LONGEST, Budget, Lines, Tree, decode, glob, is_pattern
from .tokens import Token, tokens

DEEPEST = 100  # nested blocks and includes; a real configuration has fewer
_ELSE = frozenset(("else", "elif", "elsif", "elseif"))
_COMPARE = frozenset(("==", "!=", "=~", "!~", "=^", "=$"))
_ASSIGN = frozenset(("=", ":=", "+="))

# What is unknown without running lighttpd, such as env.X, and arrays, which decide about no socket.
Value = t.Union[str, int, None]


def shell_path(command: str) -> str:
    """The path in the tree for the output of a command."""
    return f"include_shell {command}"


class Assigned(t.NamedTuple):
    """The last assignment of a name in a scope; ``start`` is where its operator is, ``end`` after its value."""

    value: Value
    path: str
    line: int
    start: int
    end: int


class Block(t.NamedTuple):
    """A block of a scope; ``start`` is the position after its ``{``."""

    path: str
    line: int
    start: int


@dataclass
class Scope:
    """The global scope, or that of a condition; ``socket`` is the address in ``$SERVER["socket"] == "address"``."""

    outer: t.Optional[Scope] = None
    socket: t.Optional[str] = None
    values: t.Dict[str, Assigned] = field(default_factory=dict)
    blocks: t.List[Block] = field(default_factory=list)
    inner: t.Dict[t.Tuple[str, str, str, Value], Scope] = field(default_factory=dict)


def evaluate(tree: Tree, main: str) -> t.List[Scope]:
    """Read a configuration from its main file.  Raises ConfigError with file and line."""
    reader = _Reader(tree, posixpath.dirname(main))
    reader.file(main, None)
    return reader.scopes


class _Reader:
    """The scopes that all files contribute to."""

    def __init__(self, tree: Tree, base: str) -> None:
        self.tree = tree
        self.base = base
        self.scopes = [Scope()]
        self.scope = self.scopes[0]
        self._budget = Budget()
        self._depth = 0

    def file(self, path: str, by: t.Optional[t.Tuple[str, int]]) -> None:
        """Read one file into the scope that is open."""
        content = self.tree.read(path)
        if content is None:
            raise ConfigError(f"{path} does not exist", *(by or (path,)))
        self._budget.spend(path, content)
        self.deeper(1, path, 0)
        _File(self, path, decode(content)).statements()
        self.deeper(-1, path, 0)

    def deeper(self, change: int, path: str, line: int) -> None:
        """Count nested blocks and includes."""
        self._depth += change
        if self._depth > DEEPEST:
            raise ConfigError(f"blocks and includes are nested more than {DEEPEST} deep", path, line)


class _File:
    """One pass over one file."""

    def __init__(self, reader: _Reader, path: str, text: str) -> None:
        self._reader = reader
        self._path = path
        self._line_of = Lines(text)
        self._tokens = tokens(path, text, self._line_of)
        self._end = 0  # of the last token taken
        self._next = next(self._tokens)

    def statements(self) -> None:
        """Read statements to the end of the file."""
        outer: t.List[t.Tuple[Scope, int]] = []
        while self._next.kind:
            token = self._take()
            if token.sign == "}":
                if not outer:
                    self._fail("a } closes nothing", token)
                self._reader.scope = outer.pop()[0]
                self._reader.deeper(-1, self._path, 0)
            elif token.kind != "end":
                opened = self._statement(token)
                if opened:
                    outer.append((self._reader.scope, self._line_of(token.start)))
                    self._reader.scope = opened
        if outer:
            raise ConfigError("a { is never closed", self._path, outer[-1][1])

    def _statement(self, token: Token) -> t.Optional[Scope]:
        """One statement; the scope whose block it opens, if any."""
        if token.sign == "$":
            return self._condition(token)
        if token.kind != "key":
            self._fail(f"unexpected {token.text!r}", token)
        if token.text in _ELSE or token.text == "if":
            return self._otherwise(token)
        if token.text == "global" and self._skip_to("{"):
            return self._block(self._reader.scopes[0], token)
        if token.text in ("include", "include_shell"):
            self._include(token)
        else:
            self._assignment(token)
        return None

    def _otherwise(self, token: Token) -> t.Optional[Scope]:
        """After an ``else`` comes another condition, a meaningless ``if``, or the block itself."""
        following = self._take()
        if following.sign == "$" or (following.kind, following.text) == ("key", "if"):
            return self._statement(following)
        if following.sign != "{":
            self._fail(f"unexpected {following.text!r} after {token.text}", following)
        scope = Scope(outer=self._reader.scope)
        return self._block(scope, token)

    def _condition(self, token: Token) -> Scope:
        name = self._expect("key").text
        self._expect("sign", "[")
        tag = str(self._expression()[0])
        self._expect("sign", "]")
        comparison = self._take().sign
        if comparison not in _COMPARE:
            self._fail(f"{comparison!r} compares nothing", token)
        value, _end = self._expression()
        sockets = (name, tag, comparison) == ("SERVER", "socket", "==")
        if sockets and not isinstance(value, str):
            self._fail("only the running server knows this address", token)
        self._expect("sign", "{")
        outer = self._reader.scope
        key = (name, tag, comparison, value)
        if key not in outer.inner or value is None:
            outer.inner[key] = Scope(outer=outer, socket=str(value) if sockets else None)
            self._reader.scopes.append(outer.inner[key])
        return self._block(outer.inner[key], token)

    def _block(self, scope: Scope, token: Token) -> Scope:
        self._reader.deeper(1, self._path, self._line_of(token.start))
        scope.blocks.append(Block(self._path, self._line_of(token.start), self._end))
        return scope

    def _include(self, token: Token) -> None:
        value, _end = self._expression()
        line = self._line_of(token.start)
        if not isinstance(value, str):
            self._fail(f"only the running server knows what {token.text} reads here", token)
        if token.text == "include_shell":
            self._reader.file(shell_path(value), (self._path, line))
            return
        if value.startswith(("./", "../")):
            self._fail("this path depends on where lighttpd is started", token)
        pattern = posixpath.normpath(posixpath.join(self._reader.base, value))
        for path in glob(self._reader.tree, pattern, braces=True) if is_pattern(pattern) else [pattern]:
            self._reader.file(path, (self._path, line))

    def _assignment(self, token: Token) -> None:
        operator = self._take()
        if operator.sign not in _ASSIGN:
            self._fail(f"{token.text} is not assigned anything", token)
        value, end = self._expression()
        name = token.text if "." in token.text else f"var.{token.text}"
        values = self._reader.scope.values
        if operator.sign == "=" and name in values:
            self._fail(f"{name} is assigned twice, first in {values[name].path}:{values[name].line}", token)
        if operator.sign == "+=":
            before = self._known(name)
            value = _sum(before.value, value) if before else value
        values[name] = Assigned(value, self._path, self._line_of(token.start), operator.start, end)

    def _known(self, name: str) -> t.Optional[Assigned]:
        scope: t.Optional[Scope] = self._reader.scope
        while scope:
            if name in scope.values:
                return scope.values[name]
            scope = scope.outer
        return None

    def _expression(self) -> t.Tuple[Value, int]:
        """Values joined by ``+``, and where they end."""
        value = self._value()
        end = self._end
        while self._skip_to("+"):
            value, end = _sum(value, self._value()), self._end
        return value, end

    def _value(self) -> Value:
        token = self._take()
        if token.kind == "string":
            return token.text
        if token.kind == "number":
            return int(token.text[:18])
        if token.kind == "key":
            known = self._known(token.text if "." in token.text else f"var.{token.text}")
            return known.value if known else None
        if token.sign != "(":
            self._fail("a value is missing" if token.kind in ("", "end") else f"unexpected {token.text!r}", token)
        self._skip_array(token)
        return None

    def _skip_array(self, opened: Token) -> None:
        depth = 1
        while depth:
            token = self._take()
            if not token.kind:
                self._fail("a ( is never closed", opened)
            depth += {"(": 1, ")": -1}.get(token.sign, 0)

    def _take(self) -> Token:
        token = self._next
        if token.kind:
            self._end = token.end
            self._next = next(self._tokens)
        return token

    def _skip_to(self, sign: str) -> bool:
        """Whether this sign follows; it is then consumed."""
        follows = self._next.sign == sign
        if follows:
            self._take()
        return follows

    def _expect(self, kind: str, text: t.Optional[str] = None) -> Token:
        token = self._take()
        if token.kind != kind or (text is not None and token.text != text):
            self._fail(f"{text or f'a {kind}'} is missing", token)
        return token

    def _fail(self, message: str, token: Token) -> t.NoReturn:
        raise ConfigError(message, self._path, self._line_of(token.start))


def _sum(left: Value, right: Value) -> Value:
    """``left + right``: numbers are added, everything else is concatenated."""
    if left is None or right is None:
        return None
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    joined = f"{left}{right}"
    return joined if len(joined) < LONGEST else None
