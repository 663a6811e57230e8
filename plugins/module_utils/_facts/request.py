# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The request to nettune.tcp.tcp_facts. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import BadRequest
from .._tuning import apply as tuning
from .._tuning.options import checked

SUBSETS = (
    "states",
    "peers",
    "clients",
    "listeners",
    "holders",
    "servers",
    "counters",
    "sysctls",
    "limits",
    "conntrack",
    "runs",
)
QUEUES = "queues"
SUMMARY = "summary"
_MINIMUM = frozenset({"states", "counters"})


@dataclass(frozen=True)
class Request:
    """``interval`` is the time between two samples of the counters, in seconds, 0 for one sample.

    ``compare`` is what the host should have, None if not requested. ``summary``: also all of them in one fact, which
    only its own name requests.
    """

    subsets: t.FrozenSet[str]
    top: int
    interval: float
    netns: t.Optional[str]
    compare: t.Optional[tuning.Request] = None
    summary: bool = False


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming what is wrong."""
    if params["top"] < 0:
        raise BadRequest(f"top must not be negative, got {params['top']}")
    if not 0 <= params["interval"] <= 3600:
        raise BadRequest(f"interval must be between 0 and 3600 seconds, got {params['interval']}")
    names = [name for name in params["gather_subset"] if name != SUMMARY]
    summary = len(names) < len(params["gather_subset"])
    return Request(
        parse_subsets(names) if names or not summary else frozenset(),
        params["top"],
        params["interval"],
        params["netns"],
        _parse_compare(params.get("compare"), params["netns"]),
        summary,
    )


def _parse_compare(given: t.Optional[t.Mapping[str, t.Any]], netns: t.Optional[str]) -> t.Optional[tuning.Request]:
    if given is None:
        return None
    if netns is not None:
        raise BadRequest("compare concerns the host, it makes no sense with netns")
    return tuning.parse_request(checked(given, "compare"))


def parse_subsets(names: t.Sequence[str]) -> t.FrozenSet[str]:
    """``all``, ``min``, names, and ``!name`` to exclude one; nothing but exclusions means all except them.

    As with M(ansible.builtin.setup), ``!all`` still keeps what is named along with it.  ``all`` lacks what others tell
    in more words: ``queues``.
    """
    names_alone = {name: frozenset({name}) for name in (*SUBSETS, QUEUES)}
    groups = {"all": frozenset(SUBSETS), "min": _MINIMUM, **names_alone}
    wanted: t.Set[str] = set()
    unwanted: t.Set[str] = set()
    for name in names:
        bare = name[1:] if name.startswith("!") else name
        if bare not in groups:
            known = ", ".join((*SUBSETS, QUEUES, SUMMARY))
            raise BadRequest(f"{name!r} is not a subset: {known}, min, all, or one prefixed with !")
        if bare == name:
            wanted |= groups[bare]
        elif bare != "all":
            unwanted |= groups[bare]
    if not wanted and "!all" not in names:
        wanted = set(SUBSETS)
    return frozenset(wanted - unwanted)
