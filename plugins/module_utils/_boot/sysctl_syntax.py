# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""How the lines of a sysctl.d file are read: once by systemd-sysctl, once by procps.

The two agree on ``key = value``, ``-key = value`` (failures do not matter), ``-key`` (exclude this key from globs) and
comments, and disagree on the oddities. Sources: systemd 247, 252, 257 and 262 (src/sysctl/sysctl.c, src/basic/fileio.c,
src/basic/sysctl-util.c), procps 3.3.17 and 4.0.0 to 4.0.7 (sysctl.c) and what RHEL 9 puts on top of 3.3.17. Neither
knows line continuation or trailing comments.
"""

from __future__ import annotations

import re
import typing as t

# systemd stops reading a file at a line of this many bytes (LONG_LINE_MAX in its src/basic/fileio.h).
_TOO_LONG = 1 << 20

# What each of them strips from both ends of a line, a key and a value.
_SYSTEMD_BLANKS = " \t\n\r"
_C_BLANKS = " \t\n\v\f\r"

_GLOB = re.compile(r"[*?\[]")
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

    The first separator decides: after a dot, all dots and slashes are swapped (``net.ipv4.conf.eth0/5.tag`` speaks of
    the interface ``eth0.5``); after a slash, the key is a path already.
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
    """Read a file as systemd-sysctl does. CR and NUL end a line as well; an empty value is a value.

    A line of a megabyte ends the file, as an error does; what precedes it counts.
    """
    for number, line in _systemd_lines(text):
        if _is_too_long(line):
            return
        name, equals, value = line.strip(_SYSTEMD_BLANKS).partition("=")
        if name[:1] in ("#", ";") or not (equals or name[:1] == "-"):
            continue
        name = name[1:] if name[:1] == "-" else name
        yield number, path_of(name.strip(_SYSTEMD_BLANKS)), value.strip(_SYSTEMD_BLANKS) if equals else None


def procps4(text: str) -> t.Iterator[Setting]:
    """Read a file as procps 4 does. A key keeps its spelling, blanks after the ``-`` belong to the key."""
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, value = _c_string(line).lstrip(_C_BLANKS).partition("=")
        if name[:1] in ("#", ";") or not (equals or name[:1] == "-"):
            continue
        # The sign is dropped when the line is parsed, and again when the path is built.
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
    """The path that the kernel makes of a spelling, which procps passes on as it is; ``..`` is not followed."""
    return spelled if spelled.endswith("/") else simplified(spelled)


def _systemd_lines(text: str) -> t.Iterator[tuple[int, str]]:
    """Numbers count the lines an editor shows, even if CR or NUL split one into several."""
    lines = enumerate(text.split("\n"), 1)
    if "\r" not in text and "\0" not in text:
        return lines
    return ((number, piece) for number, line in lines for piece in re.split("[\r\0]", line))


def _is_too_long(line: str) -> bool:
    return 4 * len(line) >= _TOO_LONG and len(line.encode("utf-8", "surrogatepass")) >= _TOO_LONG


def _c_string(line: str) -> str:
    return line.partition("\0")[0]
