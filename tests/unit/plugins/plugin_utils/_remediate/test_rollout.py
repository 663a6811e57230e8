# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate import options, record, rollout, survey, telling
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.health import Limits
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.record import Record
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.share import Share

ROW = {"kind": "sysctl", "name": "k", "runtime_before": 1, "runtime": 2, "boot_before": None, "boot": 2}
DRIFTED = {"changed": True, "settings": [{**ROW, "status": "changed"}], "run": "R"}
FINE = {"changed": False, "settings": [{**ROW, "status": "ok"}]}
AWAY = {"unreachable": True, "msg": "no route"}
BROKEN = {"failed": True, "msg": "refused"}
BOTH = {"changed": True, "settings": [{**ROW, "status": "changed"}, {**ROW, "status": "overridden", "reason": "tuned"}]}
LATE = {**DRIFTED, "latest_run": {"id": "X", "seconds_ago": 59}}
LOCKED = {"changed": False, "settings": [{**ROW, "status": "read_only", "reason": "locked"}]}

ASKED = options.Asked(
    sizes=(Share(1), Share(2)),
    canaries=(),
    max_hosts=Share(100),
    budget=Share(1),
    cooldown=60,
    controls=2,
    limits=Limits(),
    goes_on_inconclusive=False,
    takes_back_run=False,
    confirm=0,
)
CALM, BAD = {"PassiveOpens": 1000}, {"PassiveOpens": 1000, "ListenDrops": 900}


def planned(surveyed: t.Dict[str, t.Any], asked: options.Asked = ASKED, budget: int = 1) -> Record:
    new = Record("run", "now", len(surveyed), budget, {name: survey.Host(name, survey.FAILED) for name in surveyed})
    return rollout.plan(new, asked, surveyed, {})


def fleet(drifted: int = 5) -> t.Dict[str, t.Any]:
    return {**{f"d{one}": DRIFTED for one in range(1, drifted + 1)}, "f1": FINE, "f2": FINE}


def seen(known: Record, number: int, tuned: t.Any = None, since: t.Any = None, checks: t.Any = ()) -> rollout.Seen:
    names = [*known.batches[number].hosts, *known.batches[number].controls]
    zero = {name: {"boot_id": "b", "counters": {}} for name in names}
    middle = {name: {"boot_id": "b", "counters": CALM} for name in names}
    last = {name: {"boot_id": "b", "counters": {"PassiveOpens": 2000}} for name in names}
    results = dict.fromkeys(known.batches[number].hosts, DRIFTED)
    return rollout.Seen(zero, middle, {**last, **(since or {})}, {**results, **(tuned or {})}, checks)


@pytest.mark.parametrize(
    "result, state, why",
    [
        (DRIFTED, "drifted", ""),
        (FINE, "converged", ""),
        (AWAY, "unreachable", "no route"),
        (BROKEN, "failed", "refused"),
        (None, "failed", "it took no part"),
        ({"skipped": True}, "failed", "it took no part"),
        (BOTH, "contested", "k: tuned"),
        (LATE, "cooling", "run X was 59 of 60 seconds ago"),
        ({**LATE, "latest_run": {"id": "X", "seconds_ago": 60}}, "drifted", ""),
        (LOCKED, "converged", "k is read_only: locked"),
        ({"changed": False, "settings": [{**ROW, "status": "skipped"}]}, "converged", ""),
    ],
)
def test_what_a_host_is(result: t.Any, state: str, why: str) -> None:
    host = survey.classify("h", result, 60)
    assert (host.state, host.why[: len(why)]) == (state, why)
    assert host.changes == (
        ("sysctl k: runtime 1 -> 2, boot unset -> 2",)
        if "changed" in str(result)[:12] and result.get("changed")
        else ()
    )


def test_a_plan() -> None:
    known = planned({"away": AWAY, **fleet(), "both": BOTH}, replace(ASKED, canaries=("d3",), max_hosts=Share(4)))
    assert [batch.hosts for batch in known.batches] == [("d3",), ("d1", "d2"), ("d4",)]
    assert known.hosts["d5"].state == "left"
    assert known.hosts["d4"].batch == "batch 3"
    for batch in known.batches:
        assert len(batch.controls) == 2
        assert all(known.hosts[name].state in survey.UNTOUCHED for name in batch.controls)
    told = "\n".join(telling.planned(known))
    assert "canaries: d3, compared with" in told
    assert "  d3: sysctl k: runtime 1 -> 2" in told
    assert "away unreachable: no route" in told


def test_where_all_are_tuned_the_last_are_compared_with_the_first() -> None:
    known = planned({"d1": DRIFTED, "d2": DRIFTED, "d3": DRIFTED})
    assert [batch.controls for batch in known.batches] == [("d2", "d3"), ("d1",)]


@pytest.mark.parametrize("away, verdict, batches", [(1, record.RUNNING, 3), (2, "fail", 0)])
def test_the_budget_counts_from_the_start(away: int, verdict: str, batches: int) -> None:
    known = planned({**{f"a{one}": AWAY for one in range(away)}, **fleet()})
    assert (known.verdict, len(known.batches)) == (verdict, batches)
    assert verdict != "fail" or "a1 (unreachable: no route)" in known.why


CHECK_FAILED = [{"d1": {"failed": True, "msg": "503"}, "d2": {"failed": True, "msg": "503"}}]


@pytest.mark.parametrize(
    "number, options_, seen_, verdict, back",
    [
        (0, {}, {}, "pass", ()),
        (0, {}, {"since": {"d1": {"boot_id": "b", "counters": {**BAD, "PassiveOpens": 1100}}}}, "fail", ("d1",)),
        (0, {}, {"since": {"d1": {"boot_id": "other", "counters": CALM}}}, "fail", ("d1",)),
        (0, {}, {"since": {"d1": AWAY}}, "fail", ("d1",)),
        (0, {}, {"checks": CHECK_FAILED}, "fail", ("d1",)),
        (1, {"takes_back_run": True}, {"checks": CHECK_FAILED}, "fail", ("d1", "d2", "d3")),
        # what failed has put everything back itself; who can tell of what is away?
        (0, {}, {"tuned": {"d1": BROKEN}}, "fail", ()),
        (0, {}, {"tuned": {"d1": {**BROKEN, "not_restored": ["k"]}}}, "fail", ("d1",)),
        (0, {}, {"tuned": {"d1": AWAY}}, "fail", ("d1",)),
        # no canary: as long as the budget lasts
        (1, {}, {"tuned": {"d2": BROKEN}}, "pass", ()),
        (1, {}, {"tuned": {"d2": BROKEN, "d3": BROKEN}}, "fail", ()),
        (1, {}, {"tuned": {"d2": BROKEN, "d3": FINE}}, "inconclusive", ()),
        (0, {}, {"tuned": {"d1": FINE}}, "pass", ()),
        (0, {}, {"since": {"d1": {"boot_id": "b", "counters": CALM}}}, "inconclusive", ("d1",)),
        (0, {"goes_on_inconclusive": True}, {"since": {"d1": {"boot_id": "b", "counters": CALM}}}, "pass", ()),
    ],
)
def test_a_batch_is_judged(number: int, options_: t.Any, seen_: t.Any, verdict: str, back: t.Tuple[str, ...]) -> None:
    known = planned(fleet())
    if number:
        known = known.with_hosts(replace(known.hosts["d1"], state=survey.TUNED, run="R"))
    judged, decision = rollout.judge(known, number, replace(ASKED, **options_), seen(known, number, **seen_))
    assert (decision.verdict, decision.roll_back) == (verdict, back), judged.batches[number]
    assert judged.batches[number].verdict == verdict


def test_one_canary_that_fails_is_enough() -> None:
    known = planned(fleet(), replace(ASKED, sizes=(Share(2),)), budget=5)
    judged, decision = rollout.judge(known, 0, ASKED, seen(known, 0, tuned={"d1": BROKEN}))
    assert (decision.verdict, decision.roll_back) == ("fail", ("d2",))
    assert judged.batches[0].why == "a canary failed: d1 failed: refused"


def test_the_budget_counts_over_all_batches() -> None:
    known = planned(fleet())
    judged, decision = rollout.judge(known, 1, ASKED, seen(known, 1, tuned={"d2": AWAY}))
    assert decision.verdict == "pass"
    settled = rollout.settle(judged, 1, {}, {})
    assert settled.verdict == record.RUNNING
    judged, decision = rollout.judge(settled, 2, ASKED, seen(settled, 2, tuned={"d4": BROKEN}))
    assert (decision.verdict, decision.roll_back) == ("fail", ("d5",))
    assert all(name in judged.batches[2].why for name in ("d2 (unreachable: no route)", "d4 (failed: refused)"))


def test_what_is_not_confirmed_counts_too() -> None:
    known = planned(fleet())
    judged, decision = rollout.judge(known, 1, replace(ASKED, confirm=300), seen(known, 1))
    assert decision.confirm == ("d2", "d3")
    one = rollout.settle(judged, 1, {"d2": AWAY, "d3": {"changed": True}}, {})
    assert (one.verdict, one.hosts["d2"].state, one.hosts["d3"].state) == (record.RUNNING, "unconfirmed", "tuned")
    both = rollout.settle(judged, 1, {"d2": AWAY, "d3": AWAY}, {})
    assert both.verdict == "fail"


@pytest.mark.parametrize(
    "sizes, number, away, why",
    [
        ((1, 2), 0, ["d1"], "no host of canaries could be confirmed: d1 unconfirmed: it rolls itself back: no route"),
        ((2, 2), 0, ["d2"], "a canary could not be confirmed: d2 unconfirmed"),
        ((1, 2), 1, ["d2", "d3"], "no host of batch 2 could be confirmed: d2"),
        ((1, 2), 1, ["d2"], ""),
    ],
)
def test_hosts_cut_off_stop_the_run_whatever_the_budget(
    sizes: t.Tuple[int, ...], number: int, away: t.List[str], why: str
) -> None:
    asked = replace(ASKED, confirm=300, sizes=tuple(map(Share, sizes)))
    known = planned(fleet(), asked, budget=5)
    judged, _decision = rollout.judge(known, number, asked, seen(known, number))
    settled = rollout.settle(judged, number, dict.fromkeys(away, AWAY), {})
    assert settled.verdict == ("fail" if why else record.RUNNING)
    assert settled.why.startswith(why)
    assert settled.hosts["d5"].state == ("left" if why else "drifted")


def test_a_host_that_was_not_confirmed_in_time_is_rolled_back() -> None:
    known = planned(fleet())
    late = {"failed": True, "msg": "it cannot be confirmed", "undone_by": "20260314T101500.123456Z-77e0"}
    judged, _decision = rollout.judge(known, 0, replace(ASKED, confirm=300), seen(known, 0))
    settled = rollout.settle(judged, 0, {"d1": late}, {})
    assert settled.hosts["d1"].state == "rolled_back"
    assert settled.batches[0].done == "not confirmed: d1"
    assert "tcp_remediate_confirm is too short" in settled.hosts["d1"].why


def test_a_run_that_rolled_back_has_failed_and_says_who() -> None:
    known = planned(fleet())
    bad = {"d1": {"boot_id": "b", "counters": {**BAD, "PassiveOpens": 1100}}}
    judged, _decision = rollout.judge(known, 0, ASKED, seen(known, 0, since=bad))
    settled = rollout.settle(judged, 0, {}, {"d1": {"changed": True}})
    assert (settled.verdict, settled.hosts["d1"].state, settled.hosts["d2"].state) == ("fail", "rolled_back", "left")
    assert "d1: overflow 0.900 per connection (900 of 1000)" in settled.why
    stuck = rollout.settle(judged, 0, {}, {"d1": AWAY})
    assert (stuck.hosts["d1"].state, stuck.hosts["d1"].why) == ("unreachable", "NOT rolled back: no route")
    assert "d1: NOT rolled back: no route" in stuck.why


@pytest.mark.parametrize("away, verdict", [(0, "pass"), (1, "fail")])
def test_only_a_run_without_a_bad_host_passes(away: int, verdict: str) -> None:
    known = planned({**fleet(0), **{f"a{one}": AWAY for one in range(away)}})
    assert rollout.finish(known).verdict == verdict


def test_the_record_is_read_as_it_was_written(tmp_path: pathlib.Path) -> None:
    known = planned({**fleet(), "both": BOTH})
    judged, _decision = rollout.judge(known, 0, ASKED, seen(known, 0))
    record.save(tmp_path / "new", judged)
    assert record.load(tmp_path / "new", "run") == judged
    data = json.loads((tmp_path / "new" / "run.json").read_text())
    assert {"run", "started", "verdict", "batches", "hosts"} <= set(data)
    assert {"name", "hosts", "verdict", "numbers", "done"} <= set(data["batches"][0])


def test_a_run_whose_controller_died_is_told_with_the_way_back(tmp_path: pathlib.Path) -> None:
    assert record.unfinished(tmp_path / "new") == ""
    first, second = (replace(planned(fleet()), run=f"remediate-2026010{day}T000000Z-aaaa") for day in (1, 2))
    record.save(tmp_path, first)
    assert record.unfinished(tmp_path) == first.run
    assert f"-e before={first.run}" in telling.unfinished(first.run)[0]
    record.save(tmp_path, rollout.finish(second))
    assert record.unfinished(tmp_path) == ""
    record.path(tmp_path, "remediate-20260103T000000Z-aaaa").write_text("{")
    assert (record.unfinished(tmp_path), telling.unfinished("")) == ("", [])


def test_a_reason_comes_without_the_words_before_all_reasons() -> None:
    away = {"unreachable": True, "msg": "Task failed: Module failed: no\n  route"}
    assert survey.trouble(away) == ("unreachable", "no route")


def test_the_end_of_a_run_is_told_batch_by_batch() -> None:
    known = planned(fleet())
    judged, _decision = rollout.judge(known, 0, ASKED, seen(known, 0))
    settled = rollout.settle(judged, 0, {}, {})
    told = telling.finished(replace(settled, verdict="fail", why="enough"))
    assert "canaries: pass; no worse than the control hosts; kept" in told
    assert "batch 2: not reached" in told
    assert told[-2:] == [
        "to roll back what was tuned: ansible-playbook nettune.tcp.rollback -e before=run",
        "FAIL: enough",
    ]


@pytest.mark.parametrize(
    "result, said",
    [
        (
            {"msg": "non-zero return code", "rc": 3, "stderr": "x\nno  route\n\n", "stdout": "y"},
            "non-zero return code 3: no route",
        ),
        ({"msg": "non-zero return code", "rc": 3, "stderr": "", "stdout": "bad"}, "non-zero return code 3: bad"),
        ({"msg": "non-zero return code", "rc": 1, "stdout": "x" * 3000}, f"non-zero return code 1: {'x' * 200}..."),
        ({"msg": "non-zero return code", "rc": 1, "stdout": ""}, "non-zero return code"),
        ({"msg": "it timed out."}, "it timed out"),
    ],
)
def test_what_a_command_says_is_told_in_short(result: t.Dict[str, t.Any], said: str) -> None:
    assert survey.said_by_command(result) == said
