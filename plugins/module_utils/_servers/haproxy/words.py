# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The words of a line of HAProxy's configuration, with their positions.

INTERFACE
    cut(line, offset, environment) -> Word, ...   up to the comment, quotes and escapes undone, variables put in
    expand(text, environment)                     variables in an address, which HAProxy expands once more

As HAProxy does it (src/tools.c parse_line() and env_expand(), 2.6 and 3.0).
"""

from __future__ import annotations

import re
import typing as t

from ..source import LONGEST

_SPACE = " \t\n\v\f\r"  # isspace(3) in the C locale
_BARE = re.compile(r"[^ \t\n\v\f\r]+")
_SPECIAL = re.compile(r"[\\\"'$]")
_PLAIN = re.compile(r"[^ \t\n\v\f\r\\\"'#$]+")
_QUOTED_PLAIN = re.compile(r"[^\\\"$]+")
_BLANK = re.compile(r"[ \t\n\v\f\r]+")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([\\ tnr#'\"$]))")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}
_VARIABLE = re.compile(r"\$(?:\{(\.?[A-Za-z_][A-Za-z0-9_]*)(\[\*\])?(?:-([^}]*))?\}|(\.?[A-Za-z_][A-Za-z0-9_]*))")


class Word(t.NamedTuple):
    """One word: its value, None if a variable in it is unknown, and its position in the file, including quotes."""

    value: t.Optional[str]
    start: int
    end: int


def cut(line: str, offset: int, environment: t.Mapping[str, str]) -> t.List[Word]:
    """The words of one line, up to its comment.  Raises ValueError for quotes and variables that are not closed."""
    if not _SPECIAL.search(line):
        bare = _BARE.finditer(line.partition("#")[0])
        return [Word(match[0], offset + match.start(), offset + match.end()) for match in bare]
    words: t.List[Word] = []
    position = 0
    while True:
        blank = _BLANK.match(line, position)
        position = blank.end() if blank else position
        if position >= len(line) or line[position] == "#":
            return words
        pieces, end = _word(line, position, environment)
        known = None not in pieces
        values = _values(pieces) if known else [None]
        words += [Word(value, offset + position, offset + end) for value in values]
        position = end


# A piece is text, None for an unknown variable, or a list of words if one variable expands to several.
_Piece = t.Union[str, None, t.List[str]]


def _values(pieces: t.List[_Piece]) -> t.List[str]:
    values = [""]
    for piece in pieces:
        several = piece if isinstance(piece, list) else [piece or ""]
        values[-1] += "".join(several[:1])
        values += several[1:]
    return values


def _word(line: str, position: int, environment: t.Mapping[str, str]) -> t.Tuple[t.List[_Piece], int]:
    pieces: t.List[_Piece] = []
    length = 0
    quoted = False
    while position < len(line):
        char = line[position]
        if not quoted and (char in _SPACE or char == "#"):
            break
        if char == '"':
            quoted = not quoted
            position += 1
            continue
        piece, position = _piece(line, position, quoted, environment)
        pieces.append(piece)
        length += len(piece or ()) if char == "$" else 0
        if length > LONGEST:
            raise ValueError(f"variables expand to more than {LONGEST} characters")
    if quoted:
        raise ValueError('a " is not closed')
    return pieces, position


def _piece(line: str, position: int, quoted: bool, environment: t.Mapping[str, str]) -> t.Tuple[_Piece, int]:
    char = line[position]
    plain = (_QUOTED_PLAIN if quoted else _PLAIN).match(line, position)
    if plain:
        return plain[0], plain.end()
    if char == "'" and not quoted:
        end = line.find("'", position + 1)
        if end < 0:
            raise ValueError("a ' is not closed")
        return line[position + 1 : end], end + 1
    if char == "\\":
        return _escape(line, position, quoted)
    if char == "$" and quoted:
        return _variable(line, position, environment)
    return char, position + 1


def _escape(line: str, position: int, quoted: bool) -> t.Tuple[str, int]:
    match = _ESCAPE.match(line, position)
    if match is None or (match[2] == "$" and not quoted):
        return "\\", position + 1
    if match[1]:
        return chr(int(match[1], 16)), match.end()
    return _ESCAPED.get(match[2], match[2]), match.end()


def _variable(line: str, position: int, environment: t.Mapping[str, str]) -> t.Tuple[_Piece, int]:
    match = _VARIABLE.match(line, position)
    if match is None:
        raise ValueError("a $ is not followed by a variable")
    value: t.Optional[str] = environment.get(match[1] or match[4], match[3])
    return (value.split() if value is not None and match[2] else value), match.end()


def expand(text: str, environment: t.Mapping[str, str]) -> t.Optional[str]:
    """The text with its variables expanded, None if one is unknown."""
    values = [environment.get(match[1] or match[4], match[3]) for match in _VARIABLE.finditer(text)]
    if None in values or sum(len(value or "") for value in values) > LONGEST:
        return None
    return _VARIABLE.sub(lambda match: environment.get(match[1] or match[4], match[3]), text)
