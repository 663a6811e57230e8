# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""nginx's configuration language, read as nginx reads it, for directives about listening and connections.

INTERFACE
    parse(content) -> Directive, ...    only listen, include, SETTINGS, and the blocks events, http, stream, mail,
                                        server; all else is skipped by the rules of the language.  Raises SyntaxFault
                                        with the line.
    words(content, start) -> Word, ...  one directive's words with their positions, to edit it

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

# Nearly all of a configuration, matched in one step each: a directive up to its ; or {, the end of a block, a comment.
# Not covered: quotes other than at the start of a word or with escapes, and comments within a directive.
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
_BEHIND_QUOTE = frozenset((b"", b" ", b"\t", b"\r", b"\n", b";", b"{", b")"))
_ESCAPE = re.compile(rb"\\([\"'\\trn])")
_ESCAPED = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}

# Lua: braces count, except in strings, long brackets and comments.
_LUA = re.compile(
    rb"""[^{}\[\]"'-]+ | --\[(?P<comment>=*)\[ | --[^\n]* | \[(?P<long>=*)\[ | (?P<open>\{) | (?P<close>\})
    | "[^"\\]*(?:\\.[^"\\]*)*" | '[^'\\]*(?:\\.[^'\\]*)*' | .""",
    re.DOTALL | re.VERBOSE,
)


class SyntaxFault(Exception):
    """Something that nginx would not accept either; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Directive(t.NamedTuple):
    """One directive: ``start`` is the position of its name, ``end`` that after its ``;`` or ``{``.

    ``block`` holds the kept directives inside, None for a directive that ends with ``;``.
    """

    name: bytes
    words: t.Tuple[bytes, ...]
    line: int
    start: int
    end: int
    block: t.Optional[t.Tuple[Directive, ...]]


class Word(t.NamedTuple):
    """One word of a directive: its value without quotes, and its position with them."""

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

    def _line_of(self, position: int) -> int:
        # Counted onwards from the last position, since counting from the start each time would be quadratic.
        if position >= self._counted:
            self._line += self.content.count(b"\n", self._counted, position)
        else:
            self._line -= self.content.count(b"\n", position, self._counted)
        self._counted = position
        return self._line

    def _head(self) -> t.Optional[_Head]:
        """The next directive or ``}``; None at the end."""
        while True:
            match = _PLAIN.match(self.content, self.position)
            if match is None:
                return self._hard_head()
            name, rest, end, close = match.groups()
            if close is not None:
                self.position = match.end()
                return _Head(b"}", (), False, match.end() - 1, match.end())
            if name is not None:
                if (end == b"{" and rest.endswith(b"$")) or (name in _KEPT and _HARD.search(rest)):
                    return self._hard_head()
                self.position = match.end()
                words = tuple(rest.split()) if name in _KEPT else ()
                return _Head(name, words, end == b"{", match.start(1), match.end())
            self.position = match.end()

    def _hard_head(self) -> t.Optional[_Head]:
        """The same, word by word, for directives with quotes, escapes, variables in braces, comments within."""
        head = _read_words(self.content, self.position)
        self.position = head.end
        if head.fault:
            raise SyntaxFault(head.fault, self.line)
        if not head.words:
            return None
        name, rest = head.words[0], head.words[1:]
        return _Head(name.value, tuple(word.value for word in rest), head.opens, name.start, head.end)

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
            match = _LUA.match(self.content, self.position)
            if match is None:
                raise SyntaxFault("this Lua block is never closed", self._line_of(head.start))
            self.position = match.end()
            level = match["long"] if match["long"] is not None else match["comment"]
            if level is not None:
                end = self.content.find(b"]" + level + b"]", self.position)
                if end < 0:
                    raise SyntaxFault("a long bracket of Lua is not closed", self.line)
                self.position = end + len(level) + 2
            depth += (match["open"] is not None) - (match["close"] is not None)


class _Words(t.NamedTuple):
    words: t.Tuple[Word, ...]
    opens: bool
    end: int
    fault: str


def words(content: bytes, start: int) -> t.Tuple[Word, ...]:
    """The words of the directive that starts here, its name first."""
    return _read_words(content, start).words


def _read_words(content: bytes, position: int) -> _Words:
    words_read: t.List[Word] = []
    while True:
        position = t.cast("re.Match[bytes]", _SPACE.match(content, position)).end()
        here = content[position : position + 1]
        if here in (b"", b"}", b";", b"{"):
            return _finish(words_read, here, position)
        word = _word(content, position, here)
        if word is None:
            return _Words(
                (), False, position, "a quote is not closed" if here in _QUOTED else "unexpected end after a backslash"
            )
        words_read.append(word)
        position = word.end
        if here in _QUOTED and content[position : position + 1] not in _BEHIND_QUOTE:
            return _Words((), False, position, "unexpected text after a closing quote")


def _finish(words_read: t.List[Word], here: bytes, position: int) -> _Words:
    """What ends a directive, or ends without one having begun."""
    fault = ""
    if here == b"}" and not words_read:
        return _Words((Word(b"}", position, position + 1),), False, position + 1, "")
    if here == b"" and words_read:
        fault = 'unexpected end of file, expecting ";" or "}"'
    elif here == b"}" or (here and not words_read):
        fault = f'unexpected "{here.decode()}"'
    return _Words(tuple(words_read), here == b"{", position + len(here), fault)


def _word(content: bytes, position: int, here: bytes) -> t.Optional[Word]:
    quoted = _QUOTED.get(here)
    match = quoted.match(content, position) if quoted else _BARE.match(content, position)
    if match is None:
        return None
    raw = match[1] if quoted else match[0]
    value = _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), raw) if b"\\" in raw else raw
    return Word(value, position, match.end())
