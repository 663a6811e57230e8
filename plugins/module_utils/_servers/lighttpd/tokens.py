# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The tokens of lighttpd's configuration language, as src/configfile.c config_tokenizer() cuts them (1.4.59 to 1.4.79).

INTERFACE
    tokens(path, text, line_of) -> Token, ...   the last one, of no kind, is the end of the file
"""

from __future__ import annotations

import re
import typing as t

from ..server import ConfigError
from ..source import Lines

_TOKEN = re.compile(
    r"""(?P<skip>(?:[ \t\u00a0]|\#[^\r\n]*)+) | (?P<end>[\r\n]) | (?P<quote>") | (?P<number>[0-9]+)
    | (?P<key>[A-Za-z._-][A-Za-z0-9._-]*) | (?P<sign>==|!=|=~|!~|=\^|=\$|=>|\+=|:=|[=+{}\[\](),$])""",
    re.VERBOSE,
)


class Token(t.NamedTuple):
    """One token; ``text`` is that of a string without its quotes."""

    kind: str  # end, string, number, key, sign, or nothing at the end of the file
    text: str
    start: int
    end: int

    @property
    def sign(self) -> str:
        """The sign, empty for everything else."""
        return self.text if self.kind == "sign" else ""


def tokens(path: str, text: str, line_of: Lines) -> t.Iterator[Token]:
    """Cut one file.  Raises ConfigError for what lighttpd cannot read either.

    Outside all parentheses a comma counts as a blank.
    """
    position = depth = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConfigError(f"unexpected {text[position]!r}", path, line_of(position))
        kind, start, position = match.lastgroup or "", match.start(), match.end()
        if kind == "quote":
            position = _string_end(text, position)
            if position < 0:
                raise ConfigError("a string is not closed", path, line_of(start))
            yield Token("string", text[start + 1 : position - 1].replace('\\"', '"'), start, position)
        elif kind != "skip" and (match[0] != "," or depth):
            depth += {"(": 1, ")": -1}.get(match[0], 0)
            yield Token(kind, match[0], start, position)
    yield Token("", "", position, position)


def _string_end(text: str, position: int) -> int:
    """The position after the quote that closes a string; a backslash before a quote escapes it."""
    end = text.find('"', position)
    while end > position and text[end - 1] == "\\":
        end = text.find('"', end + 1)
    return end + 1 if end >= 0 else -1
