# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The drop-in file that this collection owns in a unit's directory: where it is, its text as data, and back."""

from __future__ import annotations

import typing as t

from .._boot.unit_files import UnitFile, parse
from .._errors import BadRequest
from .._kernel.rlimits import Limits
from .limits import parse_directive

KEY = "LimitNOFILE"
# Unit types that start processes: only these have the directive, in the section named after them.
SECTIONS = {kind: kind.capitalize() for kind in ("service", "socket", "mount", "swap")}

PLACE = "/etc/systemd/system"
_NAME = "zz-nettune-tcp.conf"
_MARK = "# Managed by Ansible with nettune.tcp.nofile."
_HEADER = f"{_MARK}  Changes made here by hand are lost.\n"
_QUIET = "# The script that starts the service would lower the limit again.\n"
_OWN_DIRECTORY = "# This directory was made for it, and goes with it.\n"


def directory_of(unit: str) -> str:
    """Where an administrator's drop-ins for a unit belong."""
    return f"{PLACE}/{unit}.d"


def path_of(unit: str) -> str:
    """Our drop-in for a unit."""
    return f"{directory_of(unit)}/{_NAME}"


def compose(limits: Limits, section: str, *, own_directory: bool, quiet: str = "") -> str:
    """The file's text; ``own_directory`` notes in it that the directory was created for it.

    ``quiet`` is the variable with the command by which the script that starts the service sets another limit.
    """
    note = _OWN_DIRECTORY if own_directory else ""
    environment = f"{_QUIET}Environment={quiet}=true\n" if quiet else ""
    return f"{_HEADER}{note}[{section}]\n{KEY}={limits}\n{environment}"


def owns_directory(text: t.Optional[str]) -> bool:
    """Whether the directory was created for this file."""
    return _OWN_DIRECTORY in (text or "")


def limits_in(text: t.Optional[str], path: str, section: str) -> t.Optional[Limits]:
    """The limits that our file sets, None without a file.  Raises BadRequest if the file is somebody else's."""
    if not text or not text.strip():
        return None
    if not text.startswith(_MARK):
        raise BadRequest(f"{path} exists and was not written by nettune.tcp.nofile: move it away", path=path)
    values = [parse_directive(setting.value) for setting in parse(UnitFile(path, text), section, KEY)]
    return values[-1] if values else None
