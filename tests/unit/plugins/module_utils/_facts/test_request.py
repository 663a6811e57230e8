# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import SUBSETS, parse_request, parse_subsets

ALL = frozenset(SUBSETS)


@pytest.mark.parametrize(
    "names, subsets",
    [
        (["all"], ALL),
        ([], ALL),
        (["min"], {"states", "counters"}),
        (["states"], {"states"}),
        (["!peers"], ALL - {"peers"}),
        (["all", "!peers", "!clients"], ALL - {"peers", "clients"}),
        (["!all", "states"], {"states"}),
        (["!all"], set()),
        (["min", "conntrack"], {"states", "counters", "conntrack"}),
        (["!min"], ALL - {"states", "counters"}),
        (["queues"], {"queues"}),
        (["all", "!listeners", "queues"], ALL - {"listeners"} | {"queues"}),
        (["!queues"], ALL),
    ],
)
def test_subsets(names: t.List[str], subsets: t.Set[str]) -> None:
    assert parse_subsets(names) == subsets


@pytest.mark.parametrize(
    "names, subsets",
    [(["summary"], set()), (["summary", "states"], {"states"}), (["all", "summary"], ALL), (["!peers"], None)],
)
def test_a_summary_is_made_where_its_name_is(names: t.List[str], subsets: t.Optional[t.Set[str]]) -> None:
    request = parse_request({"gather_subset": names, "top": 10, "interval": 0.0, "netns": None})
    assert request.summary == (subsets is not None)
    assert request.subsets == (ALL - {"peers"} if subsets is None else subsets)


@pytest.mark.parametrize("names", [["!summary"], ["state"], ["!!states"], [""], ["!"]])
def test_an_unknown_subset_is_named(names: t.List[str]) -> None:
    with pytest.raises(BadRequest, match="not a subset"):
        parse_subsets(names)


@pytest.mark.parametrize("wrong", [{"top": -1}, {"interval": -0.5}, {"interval": 1e9}, {"interval": float("nan")}])
def test_numbers_out_of_range_are_refused(wrong: t.Dict[str, t.Any]) -> None:
    with pytest.raises(BadRequest, match=next(iter(wrong))):
        parse_request({"gather_subset": ["all"], "top": 10, "interval": 0.0, "netns": None, **wrong})
