# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Whether hosts do worse since a change than hosts without it, over the same interval. Pure.

Every rate is a number of events per connection that came in, went out or was dropped in the interval. Hosts of a batch
may have done worse than the others even before the change, which may be why it is made. So the expected rate of a host
is that of the control hosts, or its own earlier one plus the increase on the control hosts, whichever is higher. A host
fails if a rate exceeds that by a factor *and* by a margin, with a minimum of events: a rare event that happens twice
instead of once proves nothing. Hosts can fail alone, and the batch as a whole, which shows what is slight but
everywhere.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Counters = t.Mapping[str, int]

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"

# Events by the kernel's counters. ListenDrops includes ListenOverflows and everything else dropped at a listener.
MEASURES = {
    "overflow": ("ListenDrops",),
    "reset": ("EstabResets",),
    "refused": ("OutRsts",),
    "connect_failure": ("AttemptFails",),
}
_CONNECTIONS = ("PassiveOpens", "ActiveOpens", "ListenDrops")


@dataclass(frozen=True)
class Limits:
    """When a difference counts; ``margin`` is in events per connection."""

    min_connections: int = 100
    min_events: int = 10
    ratio: float = 2.0
    margin: float = 0.01


@dataclass(frozen=True)
class Sample:
    """The counters of a host at a moment, with its boot."""

    boot_id: str
    counters: Counters


@dataclass(frozen=True)
class Traffic:
    """What happened between two samples, on one host or several."""

    connections: int = 0
    events: t.Mapping[str, int] = field(default_factory=dict)

    def rate(self, name: str) -> float:
        """Events per connection; 0 if there was none."""
        return self.events.get(name, 0) / self.connections if self.connections else 0.0

    def __add__(self, other: Traffic) -> Traffic:
        mine, theirs = self.events, other.events
        return Traffic(
            self.connections + other.connections, {name: mine.get(name, 0) + theirs.get(name, 0) for name in MEASURES}
        )


@dataclass(frozen=True)
class Course:
    """What happened on a host before and since the change."""

    before: Traffic
    since: Traffic

    def __add__(self, other: Course) -> Course:
        return Course(self.before + other.before, self.since + other.since)


@dataclass(frozen=True)
class Health:
    """The verdict on a batch, why, which hosts have failed and how, and the numbers behind it."""

    verdict: str
    why: str
    failed: t.Mapping[str, str]
    numbers: t.Mapping[str, t.Any]


def between(first: Sample, second: Sample) -> t.Optional[Traffic]:
    """What happened in between; None if the host was rebooted, or its counters went backwards."""
    if first.boot_id != second.boot_id:
        return None
    grown = {name: value - first.counters.get(name, 0) for name, value in second.counters.items()}
    wanted = {*_CONNECTIONS, *(counter for names in MEASURES.values() for counter in names)}
    if any(grown.get(name, 0) < 0 for name in wanted):
        return None
    events = {name: sum(grown.get(one, 0) for one in counters) for name, counters in MEASURES.items()}
    return Traffic(sum(grown.get(name, 0) for name in _CONNECTIONS), events)


def judge(hosts: t.Mapping[str, Course], controls: t.Mapping[str, Course], limits: Limits) -> Health:
    """Compare the hosts of a batch with the control hosts."""
    nothing = Course(Traffic(), Traffic())
    batch, control = sum(hosts.values(), nothing), sum(controls.values(), nothing)
    failed = {name: text for name, course in hosts.items() if (text := _worse(course, control, limits))}
    together = _worse(batch, control, limits)
    numbers = _numbers(batch, control)
    too_few = _too_few(batch, control, limits)
    if too_few:
        return Health(INCONCLUSIVE, too_few, {}, numbers)
    if failed or together:
        why = "; ".join(f"{name}: {text}" for name, text in failed.items()) or f"the batch as a whole: {together}"
        return Health(FAIL, why, failed, numbers)
    return Health(PASS, "no worse than the control hosts", {}, numbers)


def _too_few(batch: Course, control: Course, limits: Limits) -> str:
    for what, course in (("the batch", batch), ("the control hosts", control)):
        if course.since.connections < limits.min_connections:
            return f"{what} had {course.since.connections} connections, {limits.min_connections} are needed"
    return ""


def _worse(course: Course, control: Course, limits: Limits) -> str:
    said = []
    for name in MEASURES:
        rate, expected = course.since.rate(name), _expected(name, course, control)
        events = course.since.events.get(name, 0)
        if events >= limits.min_events and rate > expected * limits.ratio and rate > expected + limits.margin:
            said.append(
                f"{name} {rate:.3f} per connection ({events} of {course.since.connections}), expected {expected:.3f},"
                f" control hosts {control.since.rate(name):.3f}"
            )
    return ", ".join(said)


def _expected(name: str, course: Course, control: Course) -> float:
    gained = max(0.0, control.since.rate(name) - control.before.rate(name))
    return max(control.since.rate(name), course.before.rate(name) + gained)


def _numbers(batch: Course, control: Course) -> t.Dict[str, t.Any]:
    found: t.Dict[str, t.Any] = {
        "connections": {"batch": batch.since.connections, "control": control.since.connections}
    }
    for name in MEASURES:
        found[name] = {
            "batch": round(batch.since.rate(name), 4),
            "batch_before": round(batch.before.rate(name), 4),
            "control": round(control.since.rate(name), 4),
            "expected": round(_expected(name, batch, control), 4),
        }
    return found
