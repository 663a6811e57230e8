# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts.rates import Sample, per_second, retransmitted


def test_growth_per_second_and_null_where_it_cannot_be_told() -> None:
    first = Sample(10.0, {"grew": 100, "same": 7, "wrapped": 50, "gone": 1})
    second = Sample(12.0, {"grew": 150, "same": 7, "wrapped": 3, "new": 9})
    assert per_second(first, second) == {"grew": 25.0, "same": 0.0, "wrapped": None, "new": None}


def test_no_time_no_rate() -> None:
    assert per_second(Sample(1.0, {"a": 1}), Sample(1.0, {"a": 2})) == {"a": None}


@pytest.mark.parametrize(
    "counts, share",
    [
        pytest.param({"RetransSegs": 50, "TCPSynRetrans": 0, "OutSegs": 50}, 0.5, id="half"),
        pytest.param({"RetransSegs": 50, "TCPSynRetrans": 50, "OutSegs": 50}, 0.0, id="handshakes-alone"),
        pytest.param({"RetransSegs": 5, "TCPSynRetrans": 9, "OutSegs": 50}, 0.0, id="counted-between-two-reads"),
        pytest.param({"RetransSegs": 0, "TCPSynRetrans": 0, "OutSegs": 0}, None, id="nothing-sent"),
        pytest.param({"RetransSegs": 5, "OutSegs": 50}, None, id="a-kernel-without"),
        pytest.param({"RetransSegs": None, "TCPSynRetrans": 0, "OutSegs": 50}, None, id="went-backwards"),
        pytest.param(None, None, id="one-sample"),
    ],
)
def test_share_of_what_is_sent_again(
    counts: t.Optional[t.Dict[str, t.Optional[float]]], share: t.Optional[float]
) -> None:
    assert retransmitted(counts) == share
