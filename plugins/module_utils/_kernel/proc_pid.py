# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The processes that can be seen in /proc.

INTERFACE
    pids(root="/proc")         -> the processes that can be seen, in order
    name_of(pid, root="/proc") -> the name of a process, empty when it is gone
"""

from __future__ import annotations

import os
import typing as t

from .. import _files


def pids(root: str = "/proc") -> t.List[int]:
    """The processes that can be seen, in order."""
    return sorted(int(entry.name) for entry in os.scandir(root) if entry.name.isdigit())


def name_of(pid: int, root: str = "/proc") -> str:
    """The name of a process, empty when it is gone."""
    return _files.text(f"{root}/{pid}/comm").rstrip("\n")
