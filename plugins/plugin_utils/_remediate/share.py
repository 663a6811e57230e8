# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Numbers of hosts, absolute or as a share of all. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .errors import RemediateError

_TEXT = re.compile(r"([0-9]{1,9}) *(%?)\Z")


@dataclass(frozen=True)
class Share:
    """A number of hosts, or a percentage."""

    number: int
    percent: bool = False

    def of(self, hosts: int) -> int:
        """How many hosts that is; a share is rounded down."""
        return hosts * self.number // 100 if self.percent else self.number


def parse(value: t.Any, name: str) -> Share:
    """From ``3`` or ``10%``.  Raises RemediateError naming the option."""
    match = None if isinstance(value, bool) else _TEXT.match(str(value).strip())
    if match is None or (match[2] and int(match[1]) > 100):
        raise RemediateError(f"{name} takes a number of hosts, or a share such as 10%, not {value!r}")
    return Share(int(match[1]), bool(match[2]))
