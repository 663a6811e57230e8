# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.limits import parse_limit
from ansible_collections.nettune.tcp.plugins.module_utils._tuning.needs import (
    NR_OPEN,
    SOMAXCONN,
    check_distinct,
    floors,
    merged,
)
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_want


@pytest.mark.parametrize(
    "backlogs, limits, expected",
    [
        ([], [], {}),
        ([4096], [], {SOMAXCONN: 4096}),
        ([9, {"at_least": 30000}], [], {SOMAXCONN: 30000}),
        # What at_most names is never needed.
        ([{"at_most": 70000}], [], {}),
        # That many are allowed wherever nobody sets it.
        ([], [1048576], {}),
        ([], [1048577], {NR_OPEN: 1048577}),
        ([], [{"soft": 1024, "hard": {"at_least": 2000000}}], {NR_OPEN: 2000000}),
        ([], [{"at_most": 2000000}], {}),
        ([5000], [2000000], {SOMAXCONN: 5000, NR_OPEN: 2000000}),
    ],
)
def test_floors(backlogs: t.List[t.Any], limits: t.List[t.Any], expected: t.Dict[str, int]) -> None:
    assert floors(map(parse_want, backlogs), map(parse_limit, limits)) == expected


@pytest.mark.parametrize(
    "want, needed, exclude, expected",
    [
        (None, {SOMAXCONN: 5000}, (), "at least 5000"),
        ({"at_least": 4096}, {SOMAXCONN: 5000}, (), "at least 5000"),
        ({"at_least": 8192}, {SOMAXCONN: 5000}, (), "at least 8192"),
        (4096, {SOMAXCONN: 5000}, (), "exactly 4096"),
        ({"at_most": 4096}, {SOMAXCONN: 5000}, (), "at most 4096"),
        ({"at_least": 4096}, {SOMAXCONN: 5000}, (SOMAXCONN,), "None"),
        (None, {SOMAXCONN: 5000}, (SOMAXCONN,), "None"),
        ({"at_least": 4096}, {}, (), "at least 4096"),
    ],
)
def test_floors_are_merged_into_what_is_asked(
    want: t.Any, needed: t.Dict[str, int], exclude: t.Tuple[str, ...], expected: str
) -> None:
    wants = {} if want is None else {SOMAXCONN: parse_want(want)}
    assert str(merged(wants, needed, exclude).get(SOMAXCONN)) == expected


def test_what_two_entries_set_is_named() -> None:
    check_distinct("backlogs", [{1: "a:80", 2: "b:80"}, {3: "a:81"}])
    with pytest.raises(BadRequest, match="backlogs: b:80 is set by two entries"):
        check_distinct("backlogs", [{1: "a:80", 2: "b:80"}, {2: "b:80", 3: "c:80"}])
