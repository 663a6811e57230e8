# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way is gone for which listener, and what it is called afterwards."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import plan as planning
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.plan import Observed, Plan
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_want

ENDPOINT = ("inet", "0.0.0.0", 80)


def observed(configured: t.Optional[int], *backlogs: int, **others: t.Any) -> Observed:
    return Observed(ENDPOINT, () if configured is None else (configured,), "/etc/x.conf:1", backlogs, **others)


def make(want: t.Any, one: Observed, *, somaxconn: int = 4096, apply: str = "auto", relists: bool = True) -> Plan:
    return planning.make(parse_want(want), [one], somaxconn, apply=apply, reload_listens=relists)


@pytest.mark.parametrize(
    "want, configured, backlog, number",
    [
        (3000, 511, 511, 3000),
        (300, 511, 511, 300),
        ({"at_least": 3000}, 511, 511, 3000),
        ({"at_least": 3000}, 5000, 511, 5000),
        ({"at_most": 3000}, 5000, 4096, 3000),
        ({"at_most": 3000}, 511, 511, 511),
        # without a configuration it is the kernel that has more or less already
        ({"at_least": 3000}, None, 4000, 4000),
        ({"at_least": 3000}, None, 511, 3000),
        # nor does a number that the server computes tell
        ({"at_least": 3000}, 0, 4000, 4000),
        ({"at_least": 3000}, 0, 511, 3000),
        ({"at_most": 3000}, 0, 4000, 3000),
    ],
)
def test_the_number_keeps_what_is_wanted_already(
    want: t.Any, configured: t.Optional[int], backlog: int, number: int
) -> None:
    [entry] = make(want, observed(configured, backlog)).entries
    assert entry.number == number
    assert entry.edited == (configured is not None and configured != number)


@pytest.mark.parametrize(
    "before, somaxconn, relists, ways",
    [
        # a reload would do it, and touch what need not be touched
        (observed(511, 511), 4096, True, ("live",)),
        (observed(511, 511), 4096, False, ("live",)),
        # listen() from outside cannot be: nginx calls it when it is reloaded and the number has changed, others do not
        (observed(511, 511, blocked="no right"), 4096, True, ("reload", "live")),
        (observed(511, 511, blocked="no right"), 4096, False, ("live",)),
        (observed(3000, 511, blocked="no right"), 4096, True, ("live",)),
        # the number is there, only somaxconn was raised since
        (observed(3000, 511), 4096, True, ("live",)),
        # nothing to do in the kernel
        (observed(3000, 3000), 4096, True, ()),
        (observed(511, 3000), 4096, True, ()),
        (observed(511), 4096, True, ()),
        # the kernel gives no more
        (observed(3000, 1000), 1000, True, ()),
        # one of several sockets is short
        (observed(3000, 3000, 511), 4096, True, ("live",)),
    ],
)
def test_auto_is_the_least_that_works(before: Observed, somaxconn: int, relists: bool, ways: t.Tuple[str, ...]) -> None:
    assert make({"at_least": 3000}, before, somaxconn=somaxconn, relists=relists).ways == ways


@pytest.mark.parametrize(
    "apply, configured, backlogs, relists, ways",
    [
        ("live", 511, [511], True, ("live",)),
        ("live", 511, [3000], True, ()),
        ("reload", 511, [511], True, ("reload",)),
        ("reload", 511, [511], False, ("reload",)),
        ("reload", 511, [3000], False, ("reload",)),
        ("reload", 3000, [511], True, ("reload",)),
        ("reload", 3000, [511], False, ()),
        ("reload", 511, [], True, ()),
        ("restart", 3000, [511], False, ("restart",)),
        ("restart", 511, [3000], False, ("restart",)),
        ("restart", 3000, [3000], False, ()),
        ("restart", 511, [], False, ()),
        ("none", 511, [511], True, ()),
    ],
)
def test_what_is_asked_for_is_done_where_it_is_of_use(
    apply: str, configured: int, backlogs: t.List[int], relists: bool, ways: t.Tuple[str, ...]
) -> None:
    assert make({"at_least": 3000}, observed(configured, *backlogs), apply=apply, relists=relists).ways == ways


@pytest.mark.parametrize(
    "want, backlog, somaxconn, needs",
    [
        (3000, 511, 4096, True),
        (3000, 3000, 4096, False),
        ({"at_least": 3000}, 4000, 4096, False),
        ({"at_most": 300}, 4000, 4096, True),
        # not all of it, but more than now
        (3000, 511, 1000, True),
        (3000, 1000, 1000, False),
        # somaxconn was lowered since: listen() would take away
        (3000, 2000, 1000, False),
        ({"at_least": 3000}, 2000, 1000, False),
    ],
)
def test_listen_is_called_where_it_helps(want: t.Any, backlog: int, somaxconn: int, needs: bool) -> None:
    [entry] = make(want, observed(3000, backlog), somaxconn=somaxconn).entries
    assert entry.needs_listen == needs


@pytest.mark.parametrize(
    "apply, before, relists, expected",
    [
        ("auto", observed(511, 511), True, (3000,)),
        ("auto", observed(511, 511, 3500), True, (3000, 3500)),
        ("reload", observed(511, 511, 3500), True, (3000, 3000)),
        ("auto", observed(511, 511, 3500), False, (3000, 3500)),
        ("auto", observed(511, 511, blocked="no right"), True, (3000,)),
        ("auto", observed(511, 511, blocked="no right"), False, (511,)),
        ("reload", observed(511, 511), False, (511,)),
        ("restart", observed(511, 511), False, (3000,)),
        ("none", observed(511, 511), True, (511,)),
        ("auto", observed(511), True, ()),
        ("auto", observed(None, 511), False, (3000,)),
    ],
)
def test_check_mode_predicts(apply: str, before: Observed, relists: bool, expected: t.Tuple[int, ...]) -> None:
    plan = make({"at_least": 3000}, before, apply=apply, relists=relists)
    assert planning.predict(plan) == {ENDPOINT: expected}


@pytest.mark.parametrize(
    "apply, before, backlogs, somaxconn, status, reason",
    [
        ("auto", observed(511, 511), [3000], 4096, "effective", ""),
        ("auto", observed(511, 511), [4000], 4096, "effective", ""),
        (
            "auto",
            observed(511, 511),
            [1000],
            1000,
            "clamped_by_somaxconn",
            "net.core.somaxconn = 1000: raise that to 3000",
        ),
        ("auto", observed(511, 511), [2000], 1000, "clamped_by_somaxconn", "raise that to 3000"),
        ("auto", observed(511, 511, blocked="no right"), [511], 4096, "restart_required", "no right"),
        ("live", observed(511, 511), [511], 4096, "restart_required", "had no effect"),
        ("reload", observed(511, 511), [511], 4096, "stale", "use apply=live or restart"),
        ("reload", observed(511, 511, blocked="no right"), [511], 4096, "restart_required", "no right"),
        ("none", observed(511, 511), [511], 4096, "stale", "use apply=live or restart"),
        ("none", observed(511, 511, blocked="no right"), [511], 4096, "stale", "a backlog other than 3000"),
        ("auto", observed(511, 511), [3000, 511], 4096, "restart_required", "had no effect"),
        ("auto", observed(511), [], 4096, "not_listening", "nothing listens here"),
    ],
)
def test_the_verdict_is_of_what_was_read_back(
    apply: str, before: Observed, backlogs: t.List[int], somaxconn: int, status: str, reason: str
) -> None:
    plan = make({"at_least": 3000}, before, apply=apply, somaxconn=somaxconn)
    after = replace(before, asked=(3000,), backlogs=tuple(backlogs))
    row = planning.verdict(plan, plan.entries[0], after, somaxconn)
    assert (row.status, row.backlog) == (status, min(backlogs) if backlogs else None)
    assert reason in row.reason
    assert (row.configured_before, row.configured, row.somaxconn) == (511, 3000, somaxconn)


def test_another_program_on_the_port_is_named() -> None:
    before = observed(511, stranger="apache2 (pid 7)")
    plan = make({"at_least": 3000}, before)
    row = planning.verdict(plan, plan.entries[0], before, 4096)
    assert (row.status, row.reason) == ("not_listening", "apache2 (pid 7) holds this address and port")


def test_directives_for_one_place_keep_their_own_numbers() -> None:
    plan = make({"at_least": 3000}, Observed(ENDPOINT, (100, 5000), "/etc/x.conf:1", (100, 4096)), somaxconn=8192)
    [entry] = plan.entries
    assert (entry.numbers, entry.number, entry.observed.configured, entry.edited) == ((3000, 5000), 5000, 100, True)
    assert planning.predict(plan) == {ENDPOINT: (5000, 4096)}
