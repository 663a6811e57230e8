# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Patterns of glob(3) and fnmatch(3), as glibc matches them in the C and C.UTF-8 locales.  Pure.

The text may be hostile: no pattern takes long.
"""

from __future__ import annotations

import re
import typing as t

from .sysctl_syntax import simplified

_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_ALTERNATIVES = 1000

# One character in brackets: plain, after a backslash, or as a collating symbol.
_CHARACTER = r"(?:\[\.(?P<{0}symbol>.)\.\]|\\(?P<{0}escaped>.)|(?P<{0}plain>.))"
_IN_BRACKETS = re.compile(
    r"\[:(?P<kind>[a-z]+):\]|" + _CHARACTER.format("low_") + r"(?:-(?!\])" + _CHARACTER.format("high_") + ")?",
    re.DOTALL,
)
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_NOTHING = "(?!)"


def spelled_like(pattern: str, path: str) -> str:
    """The path as glob(3) prints it, which keeps the empty parts of the pattern."""
    parts = iter(path.split("/"))
    return "/".join(part if part in ("", ".") else next(parts, "") for part in pattern.split("/"))


def glob_matcher(pattern: str, *, braces: bool) -> t.Callable[[str], bool]:
    """Whether a path matches a glob(3) pattern; with ``braces`` (systemd), ``{a,b}`` means either."""
    alternatives = [
        [re.compile(_component(part), re.DOTALL) for part in simplified(one).split("/")]
        for one in (_expand_braces(pattern) if braces else [pattern])
    ]

    def matches(path: str) -> bool:
        parts = path.split("/")
        return any(
            len(components) == len(parts) and all(one.fullmatch(part) for one, part in zip(components, parts))
            for components in alternatives
        )

    return matches


def fnmatcher(pattern: str) -> t.Callable[[str], bool]:
    """Whether a path matches a pattern of fnmatch(3) without flags, where a star matches slashes, too."""
    compiled = re.compile(_component(pattern), re.DOTALL)
    return lambda path: compiled.fullmatch(path) is not None


def _expand_braces(pattern: str) -> list[str]:
    """Innermost braces first; the number of alternatives is bounded."""
    done: list[str] = []
    todo = [pattern]
    while todo and len(done) + len(todo) < _MOST_ALTERNATIVES:
        one = todo.pop()
        braces = _BRACES.search(one)
        if braces is None or "," not in braces.group(1):
            done.append(one)
        else:
            todo += [one[: braces.start()] + choice + one[braces.end() :] for choice in braces.group(1).split(",")]
    return done + todo


def _component(pattern: str) -> str:
    """One part of a glob(3) pattern as a regular expression.

    What stands between two stars is matched where it first occurs, for good: without that, a hostile pattern would
    keep the regular expression trying all combinations.
    """
    pieces, at = [""], 0
    while at < len(pattern):
        char = pattern[at]
        expression, end = _bracket(pattern, at) if char == "[" else ("", -1)
        if end > 0:
            pieces[-1] += expression
            at = end
        elif char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        else:
            at += char == "\\" and at + 1 < len(pattern)
            pieces[-1] += re.escape(pattern[at])
        at += 1
    if len(pieces) == 1:
        return pieces[0]
    between = [f"(?=(?P<p{number}>.*?{piece}))(?P=p{number})" for number, piece in enumerate(pieces[1:-1])]
    return "".join([pieces[0], *between, ".*", pieces[-1]])


def _bracket(pattern: str, start: int) -> tuple[str, int]:
    """The bracket expression that opens at ``start`` as a regular expression for one character, and where it closes.

    If it never closes, returned as -1, ``[`` is an ordinary character.
    """
    negated = pattern[start + 1 : start + 2] in ("!", "^")
    first = at = start + 1 + negated
    parts: list[str] = []
    known = True
    while at < len(pattern):
        if pattern[at] == "]" and at > first:
            return _set_of("".join(parts), negated) if known else _NOTHING, at
        match = t.cast("re.Match[str]", _IN_BRACKETS.match(pattern, at))
        known = known and (match["kind"] is None or match["kind"] in _CLASSES)
        parts.append(_item(match))
        at = match.end()
    return "", -1


def _item(match: re.Match[str]) -> str:
    if match["kind"] is not None:
        return _CLASSES.get(match["kind"], "")
    low, high = (match[f"{end}_symbol"] or match[f"{end}_escaped"] or match[f"{end}_plain"] for end in ("low", "high"))
    if high is None:
        return re.escape(low)
    return f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""


def _set_of(parts: str, negated: bool) -> str:
    if negated:
        return f"[^{parts}]" if parts else "."
    return f"[{parts}]" if parts else _NOTHING
