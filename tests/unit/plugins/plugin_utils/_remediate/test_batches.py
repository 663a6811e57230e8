# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate import batches
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.share import parse


@pytest.mark.parametrize(
    "hosts, sizes, expected",
    [
        (0, ["1"], []),
        (1, ["1", "5%"], [1]),
        (5, ["1", "5%", "10%", "25%"], [1, 1, 1, 1, 1]),
        (40, ["1", "5%", "10%", "25%"], [1, 2, 4, 10, 10, 10, 3]),
        (100, ["1", "5%", "10%", "25%", "100%"], [1, 5, 10, 25, 59]),
        (7, ["3"], [3, 3, 1]),
    ],
)
def test_sizes(hosts: int, sizes: t.List[str], expected: t.List[int]) -> None:
    names = [f"h{number}" for number in range(hosts)]
    cut = batches.cut(names, [parse(size, "batches") for size in sizes])
    assert [len(batch) for batch in cut] == expected
    assert [name for batch in cut for name in batch] == names


def test_canaries_come_first_and_only_those_that_are_there() -> None:
    assert batches.ordered(["a", "b", "c"], ["c", "x", "b"]) == ["c", "b", "a"]


@pytest.mark.parametrize(
    "most, expected",
    [(1, ["web9"]), (2, ["web9", "db1"]), (9, ["web9", "db1", "db2"])],
)
def test_who_is_like_the_batch_is_compared_with_it(most: int, expected: t.List[str]) -> None:
    groups = {"web1": {"web", "paris"}, "web9": {"web", "paris"}, "db1": {"db", "paris"}, "db2": {"db"}}
    assert batches.controls(["web1"], ["db1", "db2", "web9"], groups, most) == expected
