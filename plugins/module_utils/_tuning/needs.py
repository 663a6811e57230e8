# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What backlogs and file limits need from the kernel, and from each other. Pure."""

from __future__ import annotations

import typing as t

from .._errors import BadRequest
from .._nofile.limits import LimitWant
from .._want import Want

SOMAXCONN, NR_OPEN = "net.core.somaxconn", "fs.nr_open"

# fs/file.c sysctl_nr_open
_FILES_BY_DEFAULT = 1048576


def floors(backlogs: t.Iterable[Want], limits: t.Iterable[LimitWant]) -> t.Dict[str, int]:
    """The minimum values, by key: one caps a queue, and the other is the most files a process may open.

    What the kernel gives by default is not a need.
    """
    needed = {
        SOMAXCONN: max((_floor(want) for want in backlogs), default=0),
        NR_OPEN: max((want.floor() for want in limits), default=0),
    }
    return {key: number for key, number in needed.items() if number > (_FILES_BY_DEFAULT if key == NR_OPEN else 0)}


def _floor(want: Want) -> int:
    return 0 if want.relation == "at_most" else t.cast("int", want.value[0])


def merged(
    wants: t.Mapping[str, t.Optional[Want]], needed: t.Mapping[str, int], exclude: t.Container[str]
) -> t.Dict[str, t.Optional[Want]]:
    """The wants with floors raised to what is needed.

    A want with exactly or at most stays as it is, and excluded keys are left alone.
    """
    result = {key: want for key, want in wants.items() if key not in exclude}
    for key, number in needed.items():
        want = result.get(key)
        if key in exclude or (want is not None and want.relation != "at_least"):
            continue
        result[key] = Want("at_least", want.target((number,)) if want else (number,))
    return result


def check_distinct(option: str, claims: t.Iterable[t.Mapping[t.Hashable, str]]) -> None:
    """Raise BadRequest if two entries of the option set the same thing: each would undo what the other does.

    ``claims`` are the things that each entry sets, with the name of each for people.
    """
    taken: t.Dict[t.Hashable, str] = {}
    for one in claims:
        both = sorted(name for thing, name in one.items() if thing in taken)
        if both:
            raise BadRequest(f"{option}: {both[0]} is set by two entries, leave one of them out")
        taken.update(one)
