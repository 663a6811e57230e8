# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The directives of one httpd configuration file that can affect sockets, and their words.

INTERFACE
    directives(path, text) -> Directive, ...   names and rests of what begins a line, sections included
    words(directive, variables)                the rest, unquoted, with variables put in

As httpd does it (2.4, server/config.c, server/util.c): a backslash at the end of a line joins the next one, even after
a comment.
"""

from __future__ import annotations

import re
import typing as t

from ..server import ConfigError
from ..source import LONGEST, Lines

BLANKS = " \t\n\v\f\r"  # isspace(3) in the C locale

SETTINGS = (
    "maxrequestworkers",
    "maxclients",
    "threadsperchild",
    "serverlimit",
    "keepalive",
    "keepalivetimeout",
    "maxkeepaliverequests",
)

# Only lines that begin with one of these matter; all others are skipped unread.
_START = re.compile(
    r"^[ \t\v\f\r]*(?:(?P<name>listen(?:backlog)?|include(?:optional)?|(?:un)?define|loadmodule|serverroot"
    rf"|{'|'.join(SETTINGS)})(?=\s|$|\\)"
    r"|(?P<section></?[^\s>]*))",
    re.IGNORECASE | re.MULTILINE | re.ASCII,
)
# As ap_getword_conf() cuts them: a quote at the beginning reaches to the next one, or to the end.
_WORD = re.compile(
    r"""(?P<quote>["'])(?P<inner>(?:\\(?:(?P=quote)|\\)|(?!(?P=quote)).)*)(?:(?P=quote)|\Z)"""
    r"""|(?P<bare>[^ \t\n\v\f\r]+)""",
    re.DOTALL,
)
_JOINED = re.compile(r"\\\r?\n")
VARIABLE = re.compile(r"\$\{([^}]*)\}")
_RAW = ("<macro", "<perl", "<lua")  # their text is not read as directives in place

Variables = t.Mapping[str, str]


class Directive(t.NamedTuple):
    """One directive: ``name`` in lower case, ``rest`` after it without line ends.

    ``start`` is where the rest begins in the text of its file, ``end`` where the directive ends, before the line end.
    """

    path: str
    line: int
    name: str
    rest: str
    start: int
    end: int


def words(directive: Directive, variables: Variables, *, lenient: bool = False) -> t.List[str]:
    """The words after a directive, unquoted, with variables expanded.

    Raises ConfigError for an unknown variable; if ``lenient``, it stays as written.
    """
    values: t.List[str] = []
    for cut in _WORD.finditer(directive.rest):
        word = re.sub(rf"\\([\\{cut['quote'] or ''}])", r"\1", cut["inner"] if cut["quote"] else cut["bare"])
        try:
            values.append(_expanded(word, directive, variables))
        except ConfigError:
            if not lenient:
                raise
            values.append(word)
    return values


def _expanded(word: str, directive: Directive, variables: Variables) -> str:
    length = 0

    def value(match: t.Match[str]) -> str:
        nonlocal length
        if match[1] not in variables:
            raise ConfigError(f"the variable ${{{match[1]}}} is not known", directive.path, directive.line)
        length += len(variables[match[1]])
        if length > LONGEST:
            raise ConfigError(f"variables expand to more than {LONGEST} characters", directive.path, directive.line)
        return variables[match[1]]

    return VARIABLE.sub(value, word)


def directives(path: str, text: str) -> t.Iterator[Directive]:
    """The directives of one file that can matter, sections included.  The text of raw sections is left out."""
    line_of = Lines(text)
    position = 0
    while True:
        match = _START.search(text, position)
        if match is None:
            return
        if text.endswith(("\\\n", "\\\r\n"), 0, match.start()):
            position = _end(text, match.end()) + 1
            continue
        name = (match["name"] or match["section"]).lower()
        end = _end(text, match.end())
        rest = _JOINED.sub("", text[match.end() : end]).strip(BLANKS)
        directive = Directive(path, line_of(match.end()), name, rest, match.end(), end)
        yield directive
        position = _behind(text, directive) if name.startswith(_RAW) else end


def _end(text: str, position: int) -> int:
    """Where the directive that reaches this position ends."""
    while True:
        end = text.find("\n", position)
        if end < 0:
            return len(text)
        if not text.endswith(("\\", "\\\r"), 0, end):
            return end
        position = end + 1


def _behind(text: str, section: Directive) -> int:
    """Where a raw section ends. Raises ConfigError if a macro sets sockets."""
    closed = re.compile(rf"^[ \t]*</{re.escape(section.name[1:])}>", re.IGNORECASE | re.MULTILINE).search(
        text, section.end
    )
    if closed is None:
        raise ConfigError(f"{section.name}> is never closed", section.path, section.line)
    inner = re.compile(r"^[ \t]*listen(?:backlog)?\s", re.IGNORECASE | re.MULTILINE).search(
        text, section.end, closed.start()
    )
    if inner and section.name == "<macro":
        raise ConfigError(
            "a socket is set in a macro, which is not followed", section.path, Lines(text)(inner.end() - 1)
        )
    return closed.start()
