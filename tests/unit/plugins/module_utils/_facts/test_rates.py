# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.nettune.tcp.plugins.module_utils._facts.rates import Sample, per_second


def test_growth_per_second_and_null_where_it_cannot_be_told() -> None:
    first = Sample(10.0, {"grew": 100, "same": 7, "wrapped": 50, "gone": 1})
    second = Sample(12.0, {"grew": 150, "same": 7, "wrapped": 3, "new": 9})
    assert per_second(first, second) == {"grew": 25.0, "same": 0.0, "wrapped": None, "new": None}


def test_no_time_no_rate() -> None:
    assert per_second(Sample(1.0, {"a": 1}), Sample(1.0, {"a": 2})) == {"a": None}
