# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What pam_limits gives to the next login: open file limits from /etc/security/limits.conf and limits.d.

INTERFACE
    read_files() -> {path: text} in the order of pam_limits;  parse(files) -> LoginLimit, ...

Facts (Linux-PAM modules/pam_limits/pam_limits.c): of the lines for one domain and type the last counts, and ``-`` is
both types. A value is what strtoull() makes of it, which takes a negative number for a very large one; a word without
digits is skipped. Unlimited means fs.nr_open, but up to 1.5.1 a value that the kernel refuses. A hard limit above
fs.nr_open is refused (setrlimit(2), even for root), and then so is the login, except with Debian's
032_pam_limits_EPERM_NOT_FATAL; a soft one is cut to the hard one. systemd services are not affected.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

from .. import _files
from .._errors import NettuneError

FILE = "/etc/security/limits.conf"
DIRECTORY = "/etc/security/limits.d"

_UNLIMITED = frozenset(("-1", "-", "unlimited", "infinity"))
_INFINITY = 2**64 - 1
_NUMBER = re.compile(r"[ \t]*([+-]?)([0-9]+)")
_TYPES: t.Mapping[str, t.Tuple[str, ...]] = {"soft": ("soft",), "hard": ("hard",), "-": ("soft", "hard")}


@dataclass(frozen=True)
class LoginLimit:
    """An open file limit; ``domain`` says for whom, ``type`` is soft or hard, ``value`` None for no limit."""

    domain: str
    type: str
    value: t.Optional[int]
    source: str


def read_files(file: str = FILE, directory: str = DIRECTORY) -> t.Dict[str, str]:
    """The files that exist and are readable, in the order of pam_limits."""
    texts: t.Dict[str, str] = {}
    names = (name for name in _files.names(directory) if name.endswith(".conf") and not name.startswith("."))
    for path in [file, *(f"{directory}/{name}" for name in sorted(names, key=os.fsencode))]:
        try:
            content = _files.read(path, limit=_files.SMALL)
        except NettuneError:
            continue
        if content is not None:
            texts[path] = content.decode("utf-8", "replace")
    return texts


def parse(files: t.Mapping[str, str]) -> t.Tuple[LoginLimit, ...]:
    """The effective open file limits, by domain and type in the order of their first lines.  Pure."""
    limits: t.Dict[t.Tuple[str, str], LoginLimit] = {}
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), start=1):
            for limit in _limits(line, f"{path}:{number}"):
                limits[limit.domain, limit.type] = limit
    return tuple(limits.values())


def _limits(line: str, source: str) -> t.Iterator[LoginLimit]:
    words = line.partition("#")[0].strip().split(None, 3)
    # A domain with % only limits the number of logins.
    if len(words) < 4 or words[2].lower() != "nofile" or words[0].startswith("%"):
        return
    try:
        value = _value(words[3].strip().lower())
    except ValueError:
        return
    for kind in _TYPES.get(words[1].lower(), ()):
        yield LoginLimit(words[0], kind, value, source)


def _value(text: str) -> t.Optional[int]:
    match = _NUMBER.match(text)
    if text in _UNLIMITED:
        return None
    if match is None:
        raise ValueError(text)
    number = int(match[2])
    value = min(number, _INFINITY) if match[1] != "-" or number > _INFINITY else -number % 2**64
    return None if value == _INFINITY else value
