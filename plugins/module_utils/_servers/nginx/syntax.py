# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""nginx's configuration language, read as nginx reads it, down to directives about listening and connections.

INTERFACE
    parse(content) -> Directive, ...    only listen, include, SETTINGS, and the blocks events, http, stream, mail,
                                        server; all else is skipped by the rules of the language.  Raises SyntaxFault
                                        with the line.
    words(content, start) -> Word, ...  one directive's words with their places, to edit it

Rules: ngx_conf_file.c ngx_conf_read_token, and for Lua blocks lua-nginx-module ngx_http_lua_util.c / _lex.
"""

from __future__ import annotations

import functools
import re
import typing as t

SETTINGS = (
    b"worker_processes",
    b"worker_connections",
    b"worker_rlimit_nofile",
    b"keepalive_timeout",
    b"keepalive_requests",
)
_BLOCKS = frozenset((b"events", b"http", b"stream", b"mail", b"server"))
_KEPT = frozenset((b"listen", b"include", *SETTINGS))

# What nearly all of a configuration is, in one step each: a directive up to its ; or {, the end of a block, a comment.
# Not in it: quotes elsewhere than at the start of a word, with escapes inside, and comments within a directive.
_PLAIN = re.compile(
    rb"""[ \t\r\n]*(?:
        ([^ \t\r\n;{}"'\#\\$]+)(?=[ \t\r\n;{])
        ([^;{}"'\#\\]*(?:(?:\\.|(?<=[ \t\r\n])(?:"[^"\\]*"|'[^'\\]*')(?=[ \t\r\n;{]))[^;{}"'\#\\]*)*)
        ([;{])
        |(\})|\#[^\n]*)""",
    re.DOTALL | re.VERBOSE,
)
_HARD = re.compile(rb"""["'\\]""")
_SPACE = re.compile(rb"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE = re.compile(rb"(?:[^ \t\r\n;{\\$]+|\\.|\$\{?)+", re.DOTALL)
_QUOTED = {
    b'"': re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL),
    b"'": re.compile(rb"'([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL),
}
_ESCAPE = re.compile(rb"\\([\"'\\trn])")
_ESCAPED = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}

# Lua: braces count, except in strings, long brackets and comments.
_LUA = re.compile(
    rb"""[^{}\[\]"'-]+ | --\[(?P<comment>=*)\[ | --[^\n]* | \[(?P<long>=*)\[ | (?P<open>\{) | (?P<close>\})
    | "[^"\\]*(?:\\.[^"\\]*)*" | '[^'\\]*(?:\\.[^'\\]*)*' | .""",
    re.DOTALL | re.VERBOSE,
)


class SyntaxFault(Exception):
    """Something nginx would not read either; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Directive(t.NamedTuple):
    """One directive: ``start`` is the place of its name, ``end`` that after its ``;`` or ``{``.

    ``block`` holds the kept directives inside, None for a directive that ends with ``;``.
    """

    name: bytes
    words: t.Tuple[bytes, ...]
    line: int
    start: int
    end: int
    block: t.Optional[t.Tuple[Directive, ...]]


class Word(t.NamedTuple):
    """One word of a directive: its value without quotes, and its place with them."""

    value: bytes
    start: int
    end: int


class _Head(t.NamedTuple):
    """A directive up to its end; ``name`` is ``}`` for the end of a block and empty for a comment."""

    name: bytes
    words: t.Tuple[bytes, ...]
    opens: bool
    start: int
    end: int


@functools.lru_cache(maxsize=None)
def parse(content: bytes) -> t.Tuple[Directive, ...]:
    """The directives of one file that concern listening and connections, in their order."""
    return _Parser(content).block(None)


class _Parser:
    """One pass over one file."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.position = 0
        self._counted = 0
        self._line = 1

    def block(self, opened: t.Optional[int]) -> t.Tuple[Directive, ...]:
        """Directives up to the ``}`` of the block that ``opened`` in this line, or for None to the end of the file."""
        kept: t.List[Directive] = []
        while True:
            head = self._head()
            if head is None and opened is not None:
                raise SyntaxFault("this block is never closed", opened)
            if head is not None and head.name == b"}" and opened is None:
                raise SyntaxFault('unexpected "}"', self.line)
            if head is None or head.name == b"}":
                return tuple(kept)
            if head.opens and head.name not in _BLOCKS:
                self._skip_block(head)
            elif head.opens:
                line = self._line_of(head.start)
                kept.append(Directive(head.name, head.words, line, head.start, head.end, self.block(line)))
            elif head.name in _KEPT:
                line = self._line_of(head.start)
                kept.append(Directive(head.name, head.words, line, head.start, head.end, None))

    @property
    def line(self) -> int:
        """The line of the current position."""
        return self._line_of(self.position)

    def _line_of(self, place: int) -> int:
        # Counted onwards from the last place, since a count from the start for each would be quadratic.
        if place >= self._counted:
            self._line += self.content.count(b"\n", self._counted, place)
        else:
            self._line -= self.content.count(b"\n", place, self._counted)
        self._counted = place
        return self._line

    def _head(self) -> t.Optional[_Head]:
        """The next directive or ``}``; None at the end."""
        while True:
            found = _PLAIN.match(self.content, self.position)
            if found is None:
                return self._hard_head()
            name, rest, end, close = found.groups()
            if close is not None:
                self.position = found.end()
                return _Head(b"}", (), False, found.end() - 1, found.end())
            if name is not None:
                if (end == b"{" and rest.endswith(b"$")) or (name in _KEPT and _HARD.search(rest)):
                    return self._hard_head()
                self.position = found.end()
                words = tuple(rest.split()) if name in _KEPT else ()
                return _Head(name, words, end == b"{", found.start(1), found.end())
            self.position = found.end()

    def _hard_head(self) -> t.Optional[_Head]:
        """The same, word by word, for directives with quotes, escapes, variables in braces, comments within."""
        found = _read_words(self.content, self.position)
        self.position = found.end
        if found.fault:
            raise SyntaxFault(found.fault, self.line)
        if not found.words:
            return None
        name, rest = found.words[0], found.words[1:]
        return _Head(name.value, tuple(word.value for word in rest), found.opens, name.start, found.end)

    def _skip_block(self, head: _Head) -> None:
        if head.name.endswith(b"_by_lua_block"):
            self._skip_lua(head)
            return
        depth = 1
        while depth:
            inner = self._head()
            if inner is None:
                raise SyntaxFault("this block is never closed", self._line_of(head.start))
            if inner.name == b"}":
                depth -= 1
            elif inner.opens and inner.name.endswith(b"_by_lua_block"):
                self._skip_lua(inner)
            elif inner.opens:
                depth += 1

    def _skip_lua(self, head: _Head) -> None:
        depth = 1
        while depth:
            found = _LUA.match(self.content, self.position)
            if found is None:
                raise SyntaxFault("this Lua block is never closed", self._line_of(head.start))
            self.position = found.end()
            level = found["long"] if found["long"] is not None else found["comment"]
            if level is not None:
                end = self.content.find(b"]" + level + b"]", self.position)
                if end < 0:
                    raise SyntaxFault("a long bracket of Lua is not closed", self.line)
                self.position = end + len(level) + 2
            depth += (found["open"] is not None) - (found["close"] is not None)


class _Words(t.NamedTuple):
    words: t.Tuple[Word, ...]
    opens: bool
    end: int
    fault: str


def words(content: bytes, start: int) -> t.Tuple[Word, ...]:
    """The words of the directive that starts here, its name first."""
    return _read_words(content, start).words


def _read_words(content: bytes, place: int) -> _Words:
    found: t.List[Word] = []
    while True:
        place = t.cast("re.Match[bytes]", _SPACE.match(content, place)).end()
        here = content[place : place + 1]
        if here in (b"", b"}", b";", b"{"):
            return _finish(found, here, place)
        word = _word(content, place, here)
        if word is None:
            return _Words(
                (), False, place, "a quote is not closed" if here in _QUOTED else "unexpected end after a backslash"
            )
        found.append(word)
        place = word.end
        if here in _QUOTED and content[place : place + 1] not in (b"", b" ", b"\t", b"\r", b"\n", b";", b"{", b")"):
            return _Words((), False, place, "unexpected text after a closing quote")


def _finish(found: t.List[Word], here: bytes, place: int) -> _Words:
    """What ends a directive, or ends where no directive has begun."""
    fault = ""
    if here == b"}" and not found:
        return _Words((Word(b"}", place, place + 1),), False, place + 1, "")
    if here == b"" and found:
        fault = 'unexpected end of file, expecting ";" or "}"'
    elif here == b"}" or (here and not found):
        fault = f'unexpected "{here.decode()}"'
    return _Words(tuple(found), here == b"{", place + len(here), fault)


def _word(content: bytes, place: int, here: bytes) -> t.Optional[Word]:
    quoted = _QUOTED.get(here)
    found = quoted.match(content, place) if quoted else _BARE.match(content, place)
    if found is None:
        return None
    raw = found[1] if quoted else found[0]
    value = _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), raw) if b"\\" in raw else raw
    return Word(value, place, found.end())
