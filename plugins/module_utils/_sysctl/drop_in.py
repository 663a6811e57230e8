# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The drop-in file that this collection owns below /etc/sysctl.d: its text as data, and back."""

from __future__ import annotations

import typing as t

from .._errors import BadRequest
from .._kernel import proc_sys

_MARK = "# Managed by Ansible with nettune.tcp.sysctl."
_HEADER = f"{_MARK}  Changes made here by hand are lost.\n"


def is_ours(text: str) -> bool:
    """Whether a file was written by this module."""
    return text.startswith(_MARK)


def parse(text: t.Optional[str], path: str) -> t.Dict[str, str]:
    """The settings in our file, by canonical key.  Raises BadRequest if the file is somebody else's."""
    if not text or not text.strip():
        return {}
    if not is_ours(text):
        raise BadRequest(f"{path} exists and was not written by nettune.tcp.sysctl: name another file", path=path)
    settings: t.Dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            settings[_canonical(key.strip())] = value.strip()
    return settings


def compose(settings: t.Mapping[str, str]) -> t.Optional[str]:
    """The file's text, sorted; None, meaning no file, if nothing is left to set."""
    if not settings:
        return None
    return _HEADER + "".join(f"{key} = {settings[key]}\n" for key in sorted(settings))


def _canonical(name: str) -> str:
    """One spelling, so that a line added by hand does not count as a second one of the same key."""
    try:
        return proc_sys.canonical(name.lstrip("-"))
    except BadRequest:
        return name
