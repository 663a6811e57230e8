# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import failing, fleet, history
from ansible_collections.nettune.tcp.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils import fleets

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads((fleets.ROOT / "docs/audit-report.schema.json").read_text(encoding="utf-8"))


def audit(*seen: fleet.Seen, **options: t.Any) -> fleet.Report:
    about = {"collection": {"name": "n", "version": "1"}, "policy": {"name": "p", "source": "s"}, "inventory": "all"}
    request = fleet.Request(rules=fleets.rules(), about=about, generated=fleets.NOW, **options)
    return fleet.audit(request, seen)


def judged(name: str = "h", **changed: t.Any) -> fleet.Seen:
    return fleet.Seen(name, "judged", ["web"], facts=fleets.facts(**changed))


def only(report: fleet.Report, rule: str) -> t.Dict[str, t.Any]:
    return next(result for result in report["hosts"][0]["results"] if result["id"] == rule)


@pytest.mark.parametrize("hosts", [0, 1, 100])
def test_the_report_is_as_its_schema_says(hosts: int) -> None:
    jsonschema.validate(fleets.report(hosts), SCHEMA)
    jsonschema.validate(fleets.report(hosts, fleets.report(hosts)), SCHEMA)


def test_a_report_with_a_remediation_is_as_its_schema_says() -> None:
    jsonschema.validate({**fleets.report(3), "remediation": fleets.REMEDIATION}, SCHEMA)


def test_the_schema_finds_what_is_wrong() -> None:
    report = fleets.report(1)
    report["hosts"][0]["outcome"] = "lost"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, SCHEMA)


def test_every_host_is_there_once_and_sorted() -> None:
    report = audit(judged("b"), fleet.Seen("c", "unreachable", [], "no route"), judged("a"), fleet.Seen("d", "missing"))
    assert [(host["name"], host["outcome"], host["message"]) for host in report["hosts"]] == [
        ("a", "judged", None),
        ("b", "judged", None),
        ("c", "unreachable", "no route"),
        ("d", "missing", None),
    ]
    assert report["summary"]["verdict"] == "unknown"


@pytest.mark.parametrize(
    "seen, verdict, counted",
    [
        ([judged()], "pass", {"passing": 1}),
        ([judged(rates=None)], "unknown", {"undecided": 1}),
        ([judged(states="?"), judged("x", conntrack="?")], "pass", {"passing": 2}),
        ([judged(), fleet.Seen("x", "no_python")], "unknown", {"passing": 1, "no_python": 1}),
        ([], "unknown", {}),
    ],
)
def test_the_verdict(seen: t.List[fleet.Seen], verdict: str, counted: t.Dict[str, int]) -> None:
    summary = audit(*seen)["summary"]
    assert summary["verdict"] == verdict
    for kind in ("passing", "undecided", "failing", "no_python"):
        assert summary["hosts"][kind] == counted.get(kind, 0), kind


def test_findings_are_counted_by_host_the_severest_first() -> None:
    bad = fleets.facts()["rates"]
    wrong = {"net.ipv4.tcp_timestamps": {"runtime": 0, "boot": 0, "source": None, "scope": "netns"}}
    report = audit(
        judged("a", rates={**bad, "ListenOverflows": 1.0}),
        judged("b", sysctls={**fleets.facts()["sysctls"], **wrong}),
        judged("c", sysctls={**fleets.facts()["sysctls"], **wrong}),
    )
    assert [(one["id"], one["hosts"]) for one in report["summary"]["findings"]] == [
        ("accept-queue-overflow", 1),
        ("timestamps", 2),
    ]
    assert (report["summary"]["worst"], report["summary"]["verdict"]) == ("high", "fail")


@pytest.mark.parametrize(
    "at, max_age, age, stale",
    [
        ("2026-11-24T11:59:00Z", 60, 60.0, False),
        ("2026-11-24T11:58:59Z", 60, 61.0, True),
        ("2026-11-25T00:00:00Z", 60, 0.0, False),
        (None, 60, None, True),
        ("yesterday", 60, None, True),
        ("yesterday", None, None, False),
    ],
)
def test_facts_grow_stale(at: t.Optional[str], max_age: t.Optional[float], age: t.Optional[float], stale: bool) -> None:
    collected = {**fleets.facts()["collected"], "at": at}
    report = audit(judged(collected=collected), max_age=max_age)
    host = report["hosts"][0]
    assert (host["age_s"], host["stale"], report["summary"]["hosts"]["stale"]) == (age, stale, int(stale))


def test_what_could_not_be_gathered_is_shown() -> None:
    limited = {**fleets.facts()["collected"], "limited": ["no\x1b root"]}
    report = audit(judged(collected=limited))
    assert report["hosts"][0]["limited"] == ["no\ufffd root"]
    assert report["summary"]["hosts"]["incomplete"] == 1


def test_growth_since_the_former_report_is_a_fact() -> None:
    before = history.History(json.loads(json.dumps(audit(judged(uptime=86390.17)))))
    after = audit(judged(counters={**fleets.facts()["counters"], "ListenOverflows": 50}), history=before)
    assert after["previous"] == before.generated
    assert before.since_last("h", fleets.facts())["seconds"] == 10.0  # type: ignore[index]


def test_drift_is_rows_and_a_rule() -> None:
    assert only(audit(judged()), "profile")["status"] == "skip"
    rows = fleets.DRIFT
    found = audit(judged(drift=rows))
    assert only(found, "profile")["status"] == "fail"
    assert [row["status"] for row in found["hosts"][0]["drift"]][-1] == "compliant"
    assert only(audit(judged(drift=rows[:1])), "profile")["status"] == "pass"
    assert only(audit(judged(drift=[{**rows[0], "status": "odd"}])), "profile")["status"] == "unknown"


def test_facts_that_cannot_be_read_fail_that_host_alone() -> None:
    deep: t.Any = []
    for _ in range(100000):
        deep = [deep]
    looped = fleets.facts()
    looped["servers"] = [{"settings": {"option": {"value": deep, "source": None}}}]
    report = audit(fleet.Seen("bad", "judged", facts=looped), judged("good"))
    assert [host["outcome"] for host in report["hosts"]] == ["failed", "judged"]
    assert "cannot be read" in report["hosts"][0]["message"]


def peer(port: float, utilization: t.Any, address: t.Any = "10.0.0.5", **changed: t.Any) -> t.Dict[str, t.Any]:
    return {**fleets.facts()["peers"][0], "address": address, "port": port, "utilization": utilization, **changed}


@pytest.mark.parametrize(
    "peers, shown",
    [
        ([peer(1, 0.2), peer(2, 0.9), peer(3, 0.01), peer(4, 0.3)], [(2, 0.9), (4, 0.3), (1, 0.2)]),
        ([peer(1, 0.0099), peer(2, 0.01)], [(2, 0.01)]),
        ([peer(1, 0.2), peer(1, 0.9), peer(1.0, 0.8), peer(1, 0.5, "10.0.0.6")], [(1, 0.9), (1, 0.5)]),
        ([peer(1, "1.0"), peer(2, None), peer(3, 1.0, local_ports_used=[9]), peer(4, 1.0, address=None)], []),
        ([peer(port, 0.5) for port in range(3000)], [(0, 0.5), (1, 0.5), (2, 0.5)]),
        ([5, None, {}, peer(1, 0.5)], [(1, 0.5)]),
        ({"a": 1}, []),
        (None, []),
    ],
)
def test_the_few_peers_with_the_most_local_ports_are_kept(peers: t.Any, shown: t.List[t.Tuple[int, float]]) -> None:
    report = audit(judged(peers=peers))
    jsonschema.validate(report, SCHEMA)
    [host] = report["hosts"]
    assert host["outcome"] == "judged"
    assert [(row["port"], row["utilization"]) for row in host["peers"]] == shown


_HUGE = 10**400
_ROW = fleets.DRIFT[1]


@pytest.mark.parametrize(
    "lies, outcome",
    [
        ({"listeners": [{**fleets.facts()["listeners"][0], "accept_queue": _HUGE}]}, "judged"),
        ({"states": {"ESTABLISHED": _HUGE}}, "judged"),
        ({"counters": {"ListenOverflows": _HUGE}}, "failed"),
        ({"uptime": _HUGE}, "failed"),
        ({"drift": [{**_ROW, "name": ["a"]}, _ROW]}, "judged"),
        ({"drift": [{**_ROW, "kind": ["a"]}]}, "failed"),
        ({"drift": [{**_ROW, "kind": "anything"}]}, "failed"),
        ({"drift": [{name: _ROW[name] for name in _ROW if name != "kind"}]}, "failed"),
    ],
)
def test_no_host_can_break_the_report_of_all(lies: t.Dict[str, t.Any], outcome: str) -> None:
    before = history.History(json.loads(json.dumps(audit(judged("bad", uptime=1.0)))))
    report = audit(judged("bad", **lies), judged("good"), history=before)
    jsonschema.validate(json.loads(json.dumps(report)), SCHEMA)
    assert [host["outcome"] for host in report["hosts"]] == [outcome, "judged"]
    assert str(_HUGE) not in "".join(made.render(report) for made in FORMATS.values())


def test_the_time_is_in_utc() -> None:
    east = datetime.timezone(datetime.timedelta(hours=2))
    request = fleet.Request([], {}, datetime.datetime(2026, 11, 24, 1, tzinfo=east))
    assert request.stamp == "2026-11-23T23:00:00Z"


SUMMARY = {
    "findings": [{"id": "a", "severity": "high"}, {"id": "b", "severity": "low"}],
    "hosts": {"total": 3, "judged": 2},
}


@pytest.mark.parametrize(
    "fail_on, unseen, why",
    [
        ("none", False, None),
        ("critical", False, None),
        ("high", False, "findings of severity high or above: a"),
        ("low", False, "findings of severity low or above: a, b"),
        ("info", True, "findings of severity info or above: a, b; hosts that were not judged: 1"),
        ("none", True, "hosts that were not judged: 1"),
    ],
)
def test_what_makes_the_play_fail(fail_on: str, unseen: bool, why: t.Optional[str]) -> None:
    assert failing.failure({"summary": SUMMARY}, fail_on, unseen=unseen) == why
