# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate import share
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.errors import RemediateError


@pytest.mark.parametrize(
    "value, of_30, of_3",
    [(1, 1, 1), ("2", 2, 2), ("10%", 3, 0), ("25 %", 7, 0), ("100%", 30, 3), (0, 0, 0), ("0%", 0, 0)],
)
def test_of_so_many_hosts(value: t.Any, of_30: int, of_3: int) -> None:
    parsed = share.parse(value, "budget")
    assert (parsed.of(30), parsed.of(3)) == (of_30, of_3)


@pytest.mark.parametrize("value", ["", "-1", "1.5", "101%", "a", True, None, "10 hosts", [1]])
def test_what_is_none(value: t.Any) -> None:
    with pytest.raises(RemediateError, match="budget takes"):
        share.parse(value, "budget")
