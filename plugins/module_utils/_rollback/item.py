# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One object to roll back: what it is now, what it should be, and whether anybody else has changed it since."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._plan import Plain
from .._record.fold import Thing
from .._transaction import Step

_LONGEST = 120  # characters

# Nothing to do; there is a step back; somebody else has changed it; it must stay as it is.
BACK, OURS, CHANGED, STAYS = "back", "ours", "changed", "stays"


@dataclass(frozen=True)
class Item:
    """``present``, ``left`` and ``goal`` are for people.  ``look`` reads the present state again.

    ``foreign`` is what somebody else changed it to between two of our runs, None if nobody did.

    ``status`` and ``reason`` are those of a row for what stays.  ``sure`` means that a step which did not fail has
    worked; processes may also be gone. ``diff`` shows what somebody has changed in a file.
    """

    kind: str
    name: str
    state: str
    present: Plain
    goal: Plain
    look: t.Callable[[], Plain]
    step: t.Optional[Step] = None
    left: Plain = None
    foreign: Plain = None
    status: str = "ok"
    reason: str = ""
    sure: bool = True
    diff: t.Optional[t.Dict[str, str]] = None

    @property
    def conflict(self) -> str:
        """What somebody else has done, for people."""
        now = f"{self.name} is now {short(self.present)}"
        if self.foreign is not None:
            return f"{now}, and somebody changed it to {short(self.foreign)} between the runs"
        return f"{now}, but was left as {short(self.left)}"


def short(value: Plain) -> str:
    """A value for a message: sets of ports may be very long, and None stands for what does not exist."""
    text = "absent" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def judge(thing: Thing, present: t.Any) -> str:
    """Whether the observed state of an object is ours to replace."""
    if thing.is_given_back(present):
        return BACK
    return OURS if thing.is_ours(present) else CHANGED
