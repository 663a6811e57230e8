# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.sysctl_d import BootValue
from ansible_collections.nettune.tcp.plugins.module_utils._record import entries
from ansible_collections.nettune.tcp.plugins.module_utils._record.fold import Thing
from ansible_collections.nettune.tcp.plugins.module_utils._rollback.item import BACK, CHANGED, OURS, STAYS, Item, judge
from ansible_collections.nettune.tcp.plugins.module_utils._rollback.rows import conflicts, diff, rows


@pytest.mark.parametrize(
    "present, left, foreign, expected",
    [
        ("a", ("b",), (), BACK),
        ("b", ("b",), (), OURS),
        ("c", ("b", "c"), (), OURS),
        ("x", ("b",), (), CHANGED),
        ("b", ("b",), ("x",), CHANGED),
        ("a", ("b",), ("x",), BACK),
    ],
)
def test_whose_a_state_is(present: str, left: t.Tuple[str, ...], foreign: t.Tuple[str, ...], expected: str) -> None:
    assert judge(Thing(entries.SYSCTL, "k", {}, "a", left, "", foreign), present) == expected


def item(state: str, kind: str = entries.SYSCTL, **fields: t.Any) -> Item:
    return Item(kind, "k", state, 2, 1, lambda: 1, left=3, **fields)


@pytest.mark.parametrize(
    "one, now, expected",
    [
        (item(OURS), 1, ("changed", "")),
        (item(OURS), 2, ("limited", "it could not be restored")),
        (item(BACK), 1, ("ok", "")),
        (item(STAYS, status="limited", reason="used"), 2, ("limited", "used")),
    ],
)
def test_rows(one: Item, now: int, expected: t.Tuple[str, str]) -> None:
    boot = {"k": BootValue("9", "/etc/f:1")}
    [row] = rows([one], [now], {}, boot)
    assert (row["status"], row["reason"]) == expected
    assert (row["want"], row["runtime_before"], row["runtime"]) == ("exactly 1", 2, now)
    assert (row["boot_before"], row["boot"], row["source"]) == (None, "9", "/etc/f:1")


def test_files_are_of_the_next_start() -> None:
    [row] = rows([item(OURS, entries.FILE)], [1], {}, {})
    assert (row["runtime_before"], row["runtime"]) == (None, None)
    assert (row["boot_before"], row["boot"], row["source"]) == (2, 1, "k")


def test_processes_that_fare_alike_share_a_row() -> None:
    assert len(rows([item(OURS, entries.LIMIT)] * 3 + [item(BACK, entries.LIMIT)], [1, 1, 1, 1], {}, {})) == 2


@pytest.mark.parametrize(
    "foreign, said",
    [
        (None, "k is now 2, but was left as 3; 1 would be restored"),
        (7, "k is now 2, and somebody changed it to 7 between the runs; 1 would be restored"),
    ],
)
def test_conflicts_name_all_values(foreign: t.Optional[int], said: str) -> None:
    [row] = conflicts([item(CHANGED, foreign=foreign)] * 2)
    assert (row["status"], row["reason"]) == ("refused", said)


def test_conflicts_about_what_does_not_exist() -> None:
    gone = Item(entries.FILE, "/etc/f", CHANGED, None, "a file", lambda: None, left="ours")
    new = Item(entries.FILE, "/etc/f", CHANGED, "theirs", None, lambda: None, left="ours")
    assert [row["reason"] for row in conflicts([gone, new])] == [
        "/etc/f is now absent, but was left as ours; a file would be restored",
        "/etc/f is now theirs, but was left as ours; it would be removed",
    ]


def test_diff() -> None:
    shown = diff(rows([item(OURS), item(BACK)], [1, 2], {}, {}))
    assert (shown["before"], shown["after"]) == ("sysctl k: runtime 2\n", "sysctl k: runtime 1\n")
