# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What to do about each listener, and how to judge it afterwards.  Pure.

A backlog has three places: the number in the configuration, the number the running server gave to listen(2), and the
limit in the kernel, which is the second capped at net.core.somaxconn as it was at that call.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._want import Want
from . import request as asked
from .sockets import Endpoint

EFFECTIVE, CLAMPED, STALE = "effective", "clamped_by_somaxconn", "stale"
RESTART_REQUIRED, NOT_LISTENING = "restart_required", "not_listening"

# What is tried, in this order, to apply a configured backlog. listen() from outside touches nothing else, while a
# reload replaces workers: it closes connections that clients keep open, and resets requests in flight. So reload is
# used only if listen() is impossible, and only if it makes the server call listen() again, which every server tested
# does at most when the number in its configuration has changed.
_AUTO = {True: (asked.RELOAD, asked.LIVE), False: (asked.LIVE,)}


@dataclass(frozen=True)
class Observed:
    """One endpoint where a server listens, as observed.

    ``asked`` are the numbers that the server would give to listen(2), one for each directive: 0 when only the server
    can tell, none without configuration.  ``backlogs`` are the limits in force, one for each socket; empty where the
    server does not listen.  ``stranger`` is another program that listens there instead; ``elsewhere`` is the server if
    it runs in another network namespace; ``blocked`` is why the sockets cannot be changed from outside.
    """

    endpoint: Endpoint
    asked: t.Tuple[int, ...]
    source: t.Optional[str]
    backlogs: t.Tuple[int, ...]
    stranger: str = ""
    blocked: str = ""
    elsewhere: str = ""

    @property
    def configured(self) -> t.Optional[int]:
        """The number in the configuration, the smallest if several directives open the endpoint."""
        return min(self.asked, default=None)

    @property
    def backlog(self) -> t.Optional[int]:
        """The limit in force, the smallest if several sockets share the endpoint."""
        return min(self.backlogs, default=None)


@dataclass(frozen=True)
class Entry:
    """An endpoint with what is planned for it.

    ``numbers`` are to be configured, one for each directive; ``number`` is that for listen(), and ``expected`` what
    the kernel makes of it.
    """

    want: Want
    observed: Observed
    numbers: t.Tuple[int, ...]
    number: int
    expected: int

    @property
    def needs_listen(self) -> bool:
        """Whether the server, or somebody else, has to call listen() on any of its sockets."""
        return any(self.helps(one) for one in self.observed.backlogs)

    def helps(self, backlog: int) -> bool:
        """Whether listen() would help: if somaxconn has been lowered since, it would shorten the queue."""
        closer = abs(self.expected - self.number) < abs(backlog - self.number)
        return not self.want.satisfied_by((backlog,)) and closer

    @property
    def edited(self) -> bool:
        """Whether the configuration has to change."""
        return bool(self.observed.asked) and self.observed.asked != self.numbers


@dataclass(frozen=True)
class Plan:
    """Everything that would be done: which numbers are configured, and how they are applied.

    ``somaxconn`` is what the kernel caps them at. ``reload_listens``: on a reload the server calls listen() where the
    number has changed since it read it.
    """

    entries: t.Tuple[Entry, ...]
    ways: t.Tuple[str, ...]
    reload_listens: bool
    somaxconn: int

    @property
    def needing(self) -> t.Tuple[Entry, ...]:
        """The listeners that listen() has to be called on."""
        return tuple(entry for entry in self.entries if entry.needs_listen)

    def relists(self, entry: Entry) -> bool:
        """Whether the server itself calls listen() here when it is reloaded or restarted."""
        return asked.RESTART in self.ways or (asked.RELOAD in self.ways and self.reload_listens and entry.edited)

    def may_relist(self, entry: Entry) -> bool:
        """Whether it might: the number may be one that it has not read yet."""
        return asked.RELOAD in self.ways and self.reload_listens and entry.needs_listen


def make(want: Want, observed: t.Iterable[Observed], somaxconn: int, *, apply: str, reload_listens: bool) -> Plan:
    """Plan for these listeners."""
    entries = tuple(_entry(want, one, somaxconn) for one in observed)
    return Plan(entries, _ways(entries, apply, reload_listens), reload_listens, somaxconn)


def _entry(want: Want, observed: Observed, somaxconn: int) -> Entry:
    numbers = tuple(_target(want, asked or observed.backlog) for asked in observed.asked or (0,))
    number = max(numbers)
    return Entry(want, observed, numbers, number, min(number, somaxconn))


def _target(want: Want, known: t.Optional[int]) -> int:
    target = want.target() if known is None else want.target((known,))
    return t.cast("int", target[0])


@dataclass(frozen=True)
class Original:
    """What an endpoint had before it was first managed: the numbers of its directives, and its queue if it listened."""

    asked: t.Tuple[int, ...]
    backlog: t.Optional[int]


def make_absent(
    observed: t.Iterable[Observed],
    somaxconn: int,
    known: t.Mapping[Endpoint, Original],
    *,
    apply: str,
    reload_listens: bool,
) -> Plan:
    """Plan to restore what these listeners had; those without a record stay as they are."""
    entries = tuple(_entry_absent(one, somaxconn, known.get(one.endpoint)) for one in observed)
    return Plan(entries, _ways(entries, apply, reload_listens), reload_listens, somaxconn)


def _entry_absent(observed: Observed, somaxconn: int, original: t.Optional[Original]) -> Entry:
    numbers = original.asked if original and len(original.asked) == len(observed.asked) else observed.asked
    backlog = original.backlog if original else None
    if backlog is None:
        # It did not listen then, or is unchanged.
        backlog = min(max(numbers, default=0), somaxconn) if original else observed.backlog
    number = backlog or 0
    return Entry(Want("exactly", (number,)), observed, numbers or (number,), number, number)


def _ways(entries: t.Sequence[Entry], apply: str, reload_listens: bool) -> t.Tuple[str, ...]:
    needing = [entry for entry in entries if entry.needs_listen]
    if apply == asked.AUTO:
        return _AUTO[reload_listens and any(one.edited and one.observed.blocked for one in needing)] if needing else ()
    edited = any(entry.edited and entry.observed.backlogs for entry in entries)
    useful = {
        asked.LIVE: bool(needing),
        asked.RELOAD: edited or (bool(needing) and reload_listens),
        asked.RESTART: edited or bool(needing),
        asked.NONE: False,
    }
    return (apply,) if useful[apply] else ()


def predict(plan: Plan) -> t.Dict[Endpoint, t.Tuple[int, ...]]:
    """The limits in force after the plan, by endpoint."""
    return {entry.observed.endpoint: _predicted(plan, entry) for entry in plan.entries}


def _predicted(plan: Plan, entry: Entry) -> t.Tuple[int, ...]:
    backlogs = entry.observed.backlogs
    if plan.relists(entry):
        return (entry.expected,) * len(backlogs)
    if asked.LIVE not in plan.ways or entry.observed.blocked:
        return backlogs
    return tuple(entry.expected if entry.helps(one) else one for one in backlogs)


@dataclass(frozen=True)
class Row:
    """The result for one listener."""

    address: str
    port: int
    family: str
    configured_before: t.Optional[int]
    configured: t.Optional[int]
    source: t.Optional[str]
    somaxconn: int
    backlog_before: t.Optional[int]
    backlog: t.Optional[int]
    status: str
    reason: str


def verdict(plan: Plan, entry: Entry, after: Observed, somaxconn: int) -> Row:
    """Judge one listener by what was read back, or in check mode by what was predicted."""
    observed = entry.observed
    status, reason = _judge(plan, entry, after, somaxconn)
    family, address, port = observed.endpoint
    return Row(
        address,
        port,
        family,
        observed.configured,
        after.configured,
        after.source,
        somaxconn,
        observed.backlog,
        after.backlog,
        status,
        reason,
    )


def _judge(plan: Plan, entry: Entry, after: Observed, somaxconn: int) -> t.Tuple[str, str]:
    if after.stranger:
        return NOT_LISTENING, f"{after.stranger} holds this address and port"
    if after.backlog is None:
        elsewhere = f"; {after.elsewhere} runs in another network namespace" if after.elsewhere else ""
        return NOT_LISTENING, f"nothing listens here now{elsewhere}"
    if all(entry.want.satisfied_by((one,)) for one in after.backlogs):
        return EFFECTIVE, ""
    there = replace(entry, expected=min(entry.number, somaxconn))
    if any(there.helps(one) for one in after.backlogs):
        return _short(entry, after, plan.ways)
    return CLAMPED, f"the kernel caps {entry.number} at net.core.somaxconn = {somaxconn}: raise that to {entry.number}"


def _short(entry: Entry, after: Observed, ways: t.Sequence[str]) -> t.Tuple[str, str]:
    """The kernel would give more if the server called listen() again."""
    if asked.LIVE in ways or (ways and after.blocked):
        why = after.blocked or "calling listen() had no effect"
        return RESTART_REQUIRED, f"the server must reopen the socket: {why}"
    if asked.RELOAD in ways:
        return STALE, "the server did not call listen() again on reload: use apply=live or restart it"
    return (
        STALE,
        f"the socket was opened with a backlog other than {entry.number}: use apply=live or restart the server",
    )
