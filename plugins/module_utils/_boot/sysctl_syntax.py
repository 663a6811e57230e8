# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""How the lines of a sysctl.d file are read: once by systemd-sysctl, once by procps.

The two agree on ``key = value``, ``-key = value`` (failures do not matter), ``-key`` (keep globs off this key) and on
comments, and disagree on the oddities. Sources: systemd 247, 252, 257 and 262 (src/sysctl/sysctl.c,
src/basic/fileio.c, src/basic/sysctl-util.c), procps 3.3.17 and 4.0.0 to 4.0.7 (sysctl.c) and what RHEL 9 puts on top
of 3.3.17. Neither knows line continuation or comments behind a value.
"""

from __future__ import annotations

import re
import typing as t

# What each of them strips from both ends of a line, a key and a value.
_SYSTEMD_BLANKS = " \t\n\r"
_C_BLANKS = " \t\n\v\f\r"

_GLOB = re.compile(r"[*?\[]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_SWAP_SEPARATORS = str.maketrans("./", "/.")


# The number of a line, the path below /proc/sys that it names, possibly a glob, and the value, which is None where the
# line only excludes the path.
Setting = t.Tuple[int, str, t.Optional[str]]

Reader = t.Callable[[str], t.Iterator[Setting]]


def is_glob(path: str) -> bool:
    """Whether systemd and procps 4 expand this path over the keys that exist."""
    return _GLOB.search(path) is not None


def as_spelled(key: str) -> str:
    """The path below /proc/sys that a key spells.

    The first separator decides: after a dot, all dots and slashes change places (``net.ipv4.conf.eth0/5.tag`` speaks
    of the interface ``eth0.5``); after a slash, the key is a path already.
    """
    dot, slash = key.find("."), key.find("/")
    return key.translate(_SWAP_SEPARATORS) if dot >= 0 and (slash < 0 or dot < slash) else key


def simplified(path: str) -> str:
    """The path without empty parts and ``.`` parts."""
    if "//" in path or "/." in path or path[:1] in ("/", ".") or path[-1:] == "/":
        return "/".join(part for part in path.split("/") if part not in ("", "."))
    return path


def path_of(key: str) -> str:
    """A key as people write it, to its path below /proc/sys, with which settings can be compared."""
    return simplified(as_spelled(key))


def systemd(text: str) -> t.Iterator[Setting]:
    """Read a file as systemd-sysctl does. CR and NUL end a line as well; an empty value is a value."""
    for number, line in _systemd_lines(text):
        name, equals, value = line.strip(_SYSTEMD_BLANKS).partition("=")
        if name[:1] in ("#", ";") or not (equals or name[:1] == "-"):
            continue
        name = name[1:] if name[:1] == "-" else name
        yield number, path_of(name.strip(_SYSTEMD_BLANKS)), value.strip(_SYSTEMD_BLANKS) if equals else None


def procps4(text: str) -> t.Iterator[Setting]:
    """Read a file as procps 4 does. A key keeps its spelling, blanks behind the ``-`` belong to the key."""
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, value = _c_string(line).lstrip(_C_BLANKS).partition("=")
        if name[:1] in ("#", ";") or not (equals or name[:1] == "-"):
            continue
        # The sign is dropped where the line is parsed and once more where the path is built.
        for _pass in range(2):
            name = name[1:] if name[:1] == "-" else name
        yield number, as_spelled(name.rstrip(_C_BLANKS)), value.strip(_C_BLANKS) if equals else None


def procps3(text: str) -> t.Iterator[Setting]:
    """Read a file as procps 3.3 does, which skips lines without a value; a glob is a key that does not exist."""
    for number, line in enumerate(text.split("\n"), 1):
        line = _c_string(line).rstrip(_SYSTEMD_BLANKS).lstrip(" \t")
        if line[:1] in ("#", ";"):
            continue
        name, _equals, value = line.lstrip("=").partition("=")
        value = value.lstrip("\r").partition("\r")[0].lstrip(" \t")
        if not value or is_glob(name):
            continue
        name = name[1:] if name[:1] == "-" else name
        yield number, as_spelled(name.rstrip(_SYSTEMD_BLANKS)), value


def reached(spelled: str) -> str:
    """The path that the kernel makes of a spelling, which procps hands over as it is; ``..`` is not followed."""
    return spelled if spelled.endswith("/") else simplified(spelled)


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


def _systemd_lines(text: str) -> t.Iterator[tuple[int, str]]:
    """Numbers count the lines an editor shows, also where CR or NUL make several lines of one."""
    lines = enumerate(text.split("\n"), 1)
    if "\r" not in text and "\0" not in text:
        return lines
    return ((number, piece) for number, line in lines for piece in re.split("[\r\0]", line))


def _c_string(line: str) -> str:
    return line.partition("\0")[0]


def _expand_braces(pattern: str) -> list[str]:
    """Innermost braces first; the number of alternatives is bounded, since the text may be hostile."""
    done: list[str] = []
    todo = [pattern]
    while todo and len(done) + len(todo) < 1000:
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
        end = _bracket_end(pattern, at) if char == "[" else -1
        if end > 0:
            pieces[-1] += _bracket(pattern[at + 1 : end])
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


def _bracket_end(pattern: str, start: int) -> int:
    """Where the bracket expression that opens at ``start`` closes, or -1 where ``[`` is an ordinary character."""
    first = start + 2 if pattern[start + 1 : start + 2] in ("!", "^") else start + 1
    return pattern.find("]", first + 1)


def _bracket(body: str) -> str:
    """The inside of a bracket expression, characters and ranges, as a regular expression for one character."""
    negated = body[:1] in ("!", "^")
    body = body[1:] if negated else body
    parts, at = "", 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            if body[at] <= body[at + 2]:
                parts += f"{re.escape(body[at])}-{re.escape(body[at + 2])}"
            at += 3
        else:
            parts += re.escape(body[at])
            at += 1
    if negated:
        return f"[^{parts}]" if parts else "."
    return f"[{parts}]" if parts else "(?!)"
