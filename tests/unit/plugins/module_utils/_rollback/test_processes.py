# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import identity, proc_sys, rlimits
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.cgroups import Member
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.holders import Holder
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.identity import Identity
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import Limits
from ansible_collections.nettune.tcp.plugins.module_utils._record import entries
from ansible_collections.nettune.tcp.plugins.module_utils._record.fold import Thing
from ansible_collections.nettune.tcp.plugins.module_utils._rollback import processes

ROOT, USER = (0, 0, 0), (1000, 1000, 1000)


@pytest.mark.parametrize(
    "uids, unit, recorded, taken",
    [
        (ROOT, "nginx.service", "nginx.service", True),
        (ROOT, None, None, True),
        (USER, "nginx.service", "nginx.service", True),
        (USER, "user@1000.service", "nginx.service", False),
        (USER, "user@1000.service", None, False),
        # Where there is no systemd, nobody has a unit.
        (USER, None, None, False),
        (USER, None, "nginx.service", False),
        (None, None, None, False),
    ],
)
def test_who_has_a_servers_endpoint_now_is_that_server_only_by_user_or_unit(
    uids: t.Optional[t.Tuple[int, ...]],
    unit: t.Optional[str],
    recorded: t.Optional[str],
    taken: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity, "trusted_uids", lambda: frozenset((0,)))
    found = Identity(7, 1, 1, "nginx", uids, unit) if uids else None
    monkeypatch.setattr(identity, "look", lambda _pid: found)
    thing = Thing(entries.BACKLOG, "0.0.0.0:80", {"unit": recorded}, 511, (4096,))
    assert processes._servers(Holder(7, "nginx", unit, 3), thing) is taken


def test_what_nobody_can_be_seen_to_hold_is_no_servers() -> None:
    assert not processes._servers(None, Thing(entries.BACKLOG, "0.0.0.0:80", {"unit": None}, 511, (4096,)))


def test_a_main_process_had_what_its_unit_gives_and_another_one_may_have_raised_that() -> None:
    at_start, master, worker, unknown = (
        Thing(entries.LIMIT, "haproxy.service", where, before, ("8000:20000",))
        for where, before in (
            ({}, "1024:20000"),
            ({"pid": 7}, "1000:20000"),
            ({"pid": 8}, "2028:20000"),
            ({"pid": 9}, "?"),
        )
    )
    things = (unknown, master, worker, at_start)
    assert processes.likely(things, main=True)[0] is at_start
    assert processes.likely(things, main=False) == [worker, at_start, master, unknown]


def test_what_a_conflict_says_of_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    member = Member(7, "nginx", Limits(1800, 1800), 3, 0.0)
    monkeypatch.setattr(proc_sys, "boot_id", lambda: "boot")
    thing = Thing(entries.LIMIT, "nginx.service", {"pid": 7}, "1024:20000", ("1800:1800",))
    cases = [
        (replace(thing, foreign=("1500:2000",)), "and somebody changed it to 1500:2000 between the runs"),
        (replace(thing, left=("3000:3000",)), "but was left as 3000"),
    ]
    for one, said in cases:
        assert processes._limit("nginx.service", one, member).conflict.startswith("nginx.service is now 1800")
        assert said in processes._limit("nginx.service", one, member).conflict


@pytest.mark.parametrize(
    "raise_hard, used, before, state, reason",
    [
        (True, 3, "1024:20000", "ours", ""),
        (False, 3, "1024:1800", "ours", ""),
        (False, 3, "1024:20000", "stays", "its hard limit 1800 cannot become 20000 again without CAP_SYS_RESOURCE"),
        (True, 1500, "1024:20000", "stays", "nginx (pid 7) has 1500 files open"),
    ],
)
def test_a_process_that_cannot_have_its_limit_back_is_foretold(
    raise_hard: bool, used: int, before: str, state: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights = rlimits.Rights(raise_hard=raise_hard, any_process=True, any_user=True, uid=0, gid=0)
    monkeypatch.setattr(rlimits, "rights", lambda: rights)
    monkeypatch.setattr(proc_sys, "boot_id", lambda: "boot")
    thing = Thing(entries.LIMIT, "nginx.service", {"pid": 7}, before, ("1800:1800",))
    item = processes._limit("nginx.service", thing, Member(7, "nginx", Limits(1800, 1800), used, 0.0))
    assert (item.state, item.reason) == (state, reason)
