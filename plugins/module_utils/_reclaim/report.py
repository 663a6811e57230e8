# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What nettune.tcp.tcp_reclaim returns, from what matched and what happened to it. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import asdict, dataclass, field

from .._kernel.descriptors import Descriptor
from .._kernel.tcp_socket import STATES, address_text, endpoint_text, family_name
from .match import Choice, Connection
from .request import Request

# The outcome for a connection that was to be closed; in check mode the prediction.
CLOSED, GONE, CHANGED, REFUSED = "closed", "gone", "changed", "refused"

Holders = t.Mapping[int, t.Tuple[Descriptor, ...]]


@dataclass(frozen=True)
class Seen:
    """What matches, and what was not judged: how many have an unknown idle time, and how many are our own.

    ``consistent`` is false if sockets came and went too fast for a complete dump.
    """

    choice: Choice
    idle_unknown: int = 0
    own: int = 0
    consistent: bool = True


@dataclass(frozen=True)
class Process:
    """A process that holds a socket; it may have chosen its name itself."""

    pid: int
    name: str
    unit: t.Optional[str]


@dataclass(frozen=True)
class Outcome:
    """A run: who held what was to be closed (``holders``), and who still holds what was closed (``held``), by inode."""

    request: Request
    seen: Seen
    fates: t.Sequence[t.Tuple[Connection, str]]
    holders: Holders = field(default_factory=dict)
    held: Holders = field(default_factory=dict)
    processes: t.Mapping[int, Process] = field(default_factory=dict)

    @property
    def closed(self) -> t.List[Connection]:
        """Those that we have closed."""
        return [one for one, fate in self.fates if fate == CLOSED]

    def count(self, fate: str) -> int:
        """How many had this outcome."""
        return sum(one == fate for _connection, one in self.fates)

    @property
    def beyond(self) -> int:
        """How many exceed ``keep`` but stay because of ``max``."""
        return max(0, self.seen.choice.total - self.request.keep) - len(self.fates)


def result(outcome: Outcome) -> t.Dict[str, t.Any]:
    """The module's result."""
    closed, matched = outcome.closed, outcome.seen.choice.matched
    return {
        "changed": bool(closed),
        "matched": outcome.seen.choice.total,
        "states": {state: matched[state] for state in STATES if matched.get(state)},
        "destroyed": len(closed),
        "spared": {fate: outcome.count(fate) for fate in (GONE, CHANGED, REFUSED)},
        "beyond_max": outcome.beyond,
        "idle_unknown": outcome.seen.idle_unknown,
        "v4_mapped": sum(one.mapped for one in closed),
        "descriptors_still_held": _still_held(outcome),
        "samples": [_sample(outcome, one) for one in closed[: outcome.request.samples]],
        "diff": _diff(outcome),
        "warnings": list(warnings(outcome)),
    }


def _still_held(outcome: Outcome) -> t.List[t.Dict[str, t.Any]]:
    """One entry for each process, the most descriptors first."""
    counts = Counter(one.pid for held in outcome.held.values() for one in held)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{**asdict(outcome.processes[pid]), "count": count} for pid, count in ordered]


def _sample(outcome: Outcome, one: Connection) -> t.Dict[str, t.Any]:
    idle = one.idle(outcome.request.idle_by)
    pids = sorted({holder.pid for holder in outcome.holders.get(one.inode, ())})
    return {
        "state": one.state,
        "family": one.family,
        "local_address": address_text(one.local[0]),
        "local_port": one.local[1],
        "remote_address": address_text(one.remote[0]),
        "remote_port": one.remote[1],
        "v4_mapped": one.mapped,
        "idle": None if idle is None else idle / 1000,
        "uid": one.uid if one.inode else None,
        "processes": [asdict(outcome.processes[pid]) for pid in pids],
    }


def warnings(outcome: Outcome) -> t.Iterator[str]:
    """What a person should know although the module has not failed."""
    held = _still_held(outcome)
    if held:
        first = held[0]
        owner = f"{first['name']} (pid {first['pid']}, {first['unit'] or 'no unit'})"
        total = _many(sum(row["count"] for row in held), "descriptor")
        yield (
            f"{total} of these sockets still open, {first['count']} of them in {owner}: the addresses and ports are"
            " free, the open files are not, and only the application can close them"
        )
    mapped = sum(one.mapped for one in outcome.closed)
    if mapped:
        yield f"{mapped} of these are IPv4 connections of IPv6 sockets, which IPv4 addresses also match"
    if outcome.seen.idle_unknown:
        yield f"{_many(outcome.seen.idle_unknown, 'socket')} left open, as the kernel does not report the idle time"
    if outcome.seen.own:
        yield f"{_many(outcome.seen.own, 'socket')} left open, as this task's connection or its parents use them"
    if outcome.beyond:
        yield f"{_many(outcome.beyond, 'more socket')} left open, as one run closes at most max={outcome.request.max}"
    if outcome.count(REFUSED):
        yield f"{_many(outcome.count(REFUSED), 'socket')} still there, although reported as closed by the kernel"
    if not outcome.seen.consistent:
        yield "sockets came and went too fast for a consistent dump: more may match than are counted"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _diff(outcome: Outcome) -> t.Dict[str, str]:
    matched, closed = outcome.seen.choice.matched, outcome.closed
    left = Counter(matched)
    left.subtract(one.state for one in closed)
    gone = [_line(one) for one in closed[: outcome.request.samples]]
    if len(closed) > len(gone):
        gone.append(f"... and {len(closed) - len(gone)} more\n")
    return {
        "before_header": "matching sockets",
        "after_header": "matching sockets",
        "before": _counts(matched) + "".join(gone) if closed else "",
        "after": _counts(left) if closed else "",
    }


def _counts(counts: t.Mapping[str, int]) -> str:
    return "".join(f"{state}: {counts[state]}\n" for state in STATES if state in counts)


def _line(one: Connection) -> str:
    return f"{one.state} {_endpoint(one.local)} {_endpoint(one.remote)}\n"


def _endpoint(endpoint: t.Tuple[bytes, int]) -> str:
    return endpoint_text(family_name(endpoint[0]), address_text(endpoint[0]), endpoint[1])
