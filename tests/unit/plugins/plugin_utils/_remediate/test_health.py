# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate import health
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.health import Course, Limits, Sample, Traffic

LIMITS = Limits(min_connections=100, min_events=10, ratio=2.0, margin=0.01)
Pair = t.Tuple[int, int]  # connections, overflows


def traffic(connections: int, overflow: int) -> Traffic:
    return Traffic(connections, {**dict.fromkeys(health.MEASURES, 0), "overflow": overflow})


def course(before: Pair, since: Pair) -> Course:
    return Course(traffic(*before), traffic(*since))


@pytest.mark.parametrize(
    "before, since, control_before, control_since, verdict",
    [
        # nothing happens
        ((1000, 0), (1000, 0), (1000, 0), (1000, 0), "pass"),
        # it got worse, and the others did not
        ((1000, 0), (1000, 100), (1000, 0), (1000, 0), "fail"),
        # everybody got worse: the load, not the change
        ((1000, 0), (1000, 100), (1000, 0), (1000, 100), "pass"),
        # it was worse than the others before
        ((1000, 100), (1000, 100), (1000, 0), (1000, 0), "pass"),
        # it was worse before, and is far worse now
        ((1000, 100), (1000, 400), (1000, 0), (1000, 0), "fail"),
        # it got better
        ((1000, 100), (1000, 0), (1000, 0), (1000, 0), "pass"),
        # twice a rate that is high, but no more
        ((1000, 100), (1000, 200), (1000, 0), (1000, 0), "pass"),
        # too few events, too small a margin
        ((1000, 0), (1000, 9), (1000, 0), (1000, 0), "pass"),
        ((9000, 0), (9000, 80), (1000, 0), (1000, 0), "pass"),
        # no traffic is no verdict, whatever else
        ((1000, 0), (0, 0), (1000, 0), (1000, 0), "inconclusive"),
        ((1000, 0), (99, 90), (1000, 0), (1000, 0), "inconclusive"),
        ((1000, 0), (1000, 500), (1000, 0), (99, 0), "inconclusive"),
    ],
)
def test_verdict(before: Pair, since: Pair, control_before: Pair, control_since: Pair, verdict: str) -> None:
    found = health.judge({"a": course(before, since)}, {"c": course(control_before, control_since)}, LIMITS)
    assert found.verdict == verdict, found
    assert list(found.failed) == (["a"] if verdict == "fail" else [])


def test_one_bad_host_is_named_though_the_batch_is_well() -> None:
    good, bad = course((1000, 0), (1000, 0)), course((1000, 0), (1000, 30))
    found = health.judge({**{f"good{one}": good for one in range(9)}, "bad": bad}, {"c": good}, LIMITS)
    assert (found.verdict, list(found.failed)) == ("fail", ["bad"])
    assert "overflow 0.030 per connection (30 of 1000), expected 0.000" in found.why


def test_what_is_slight_but_everywhere_fails_the_batch() -> None:
    slight = course((300, 0), (300, 9))
    found = health.judge({f"h{one}": slight for one in range(9)}, {"c": course((900, 0), (900, 0))}, LIMITS)
    assert (found.verdict, found.failed) == ("fail", {})
    assert found.why.startswith("the batch as a whole: overflow 0.030")
    assert found.numbers["connections"] == {"batch": 2700, "control": 900}
    assert found.numbers["overflow"] == {"batch": 0.03, "batch_before": 0.0, "control": 0.0, "expected": 0.0}


@pytest.mark.parametrize("measure, counters", [(name, counters) for name, counters in health.MEASURES.items()])
def test_every_measure_counts(measure: str, counters: t.Tuple[str, ...]) -> None:
    def sample(events: int) -> Sample:
        return Sample("boot", {"PassiveOpens": 1000 * (events + 1), **dict.fromkeys(counters, 100 * events)})

    before, since = health.between(sample(0), sample(0)), health.between(sample(0), sample(1))
    assert before is not None
    assert since is not None
    calm = Course(traffic(1000, 0), traffic(1000, 0))
    found = health.judge({"a": Course(before, since)}, {"c": calm}, LIMITS)
    assert (found.verdict, measure in found.failed.get("a", "")) == ("fail", True)


@pytest.mark.parametrize(
    "first, second, expected",
    [
        (Sample("a", {"PassiveOpens": 5}), Sample("a", {"PassiveOpens": 9, "ActiveOpens": 1}), 5),
        (Sample("a", {"PassiveOpens": 5}), Sample("b", {"PassiveOpens": 9}), None),
        (Sample("a", {"PassiveOpens": 5}), Sample("a", {"PassiveOpens": 4}), None),
        (Sample("a", {}), Sample("a", {}), 0),
    ],
)
def test_between_samples(first: Sample, second: Sample, expected: t.Optional[int]) -> None:
    found = health.between(first, second)
    assert (found.connections if found else None) == expected
