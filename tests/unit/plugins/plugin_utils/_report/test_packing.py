# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._report import packing
from ansible_collections.nettune.tcp.tests import fleet_reports


def unpacked(data: t.Dict[str, t.Any]) -> t.List[t.Dict[str, t.Any]]:
    """The hosts again, with results and drift in full."""

    def row(kind: str, numbers: t.Optional[t.List[int]]) -> t.Dict[str, t.Any]:
        padded = [*(numbers or ()), *[0] * len(data["fields"][kind])]
        return {field: data["values"][number] for field, number in zip(data["fields"][kind], padded)}

    hosts = [dict(zip(data["fields"]["host"], values)) for values in data["hosts"]]
    for host in hosts:
        host["results"] = [row("result", data["results"][number]) for number in host["results"]]
        host["drift"] = [row("drift", data["drift"][number]) for number in host["drift"]]
        host["states"] = dict(zip(data["states"], host["states"]))
        host.update((field, data["values"][host[field]]) for field in packing.SHARED)
    return hosts


def test_what_is_packed_can_be_unpacked() -> None:
    report = fleet_reports.fleet(40, hostile=False)
    for packed, host in zip(unpacked(packing.pack(report)), report["hosts"]):
        assert packed["name"] == host["name"]
        assert packed["groups"] == host["groups"]
        assert packed["outcome"] == host["outcome"]
        assert packed["states"] == host["states"]
        for found, result in zip(packed["results"], host["results"]):
            assert found["rule"] == result["id"]
            assert {name: found[name] or None for name in result if name != "id"} == {
                name: result[name] or None for name in result if name != "id"
            }


def test_what_hosts_have_in_common_is_written_once() -> None:
    one, many = (len(json.dumps(packing.pack(repeated(number)))) for number in (1, 1_000))
    assert (many - one) / 999 < 800


def repeated(number: int) -> t.Dict[str, t.Any]:
    report = fleet_reports.fleet(30, hostile=False)
    host = next(host for host in report["hosts"] if host["drift"])
    return {**report, "hosts": [host] * number}


def test_the_command_for_a_host_is_shared_by_all_hosts() -> None:
    report = fleet_reports.fleet(100, hostile=False)
    packed = packing.pack(report)
    remedies = {row["remedy"] for host in unpacked(packed) for row in host["drift"]}
    assert remedies == {None, "ansible-playbook nettune.tcp.tune --become --limit {host}"}


@pytest.mark.parametrize(
    "size, kept", [(packing.EVIDENCE_OF_PASSES_UP_TO, True), (packing.EVIDENCE_OF_PASSES_UP_TO + 1, False)]
)
def test_a_large_fleet_leaves_out_the_evidence_of_what_is_in_order(size: int, kept: bool) -> None:
    packed = packing.pack(fleet_reports.fleet(size, hostile=False))
    passes = [result for host in unpacked(packed) for result in host["results"] if result["status"] == "pass"]
    fails = [result for host in unpacked(packed) for result in host["results"] if result["status"] == "fail"]
    assert all(bool(result["evidence"]) == kept for result in passes)
    assert all(result["evidence"] for result in fails)
    assert packed["evidence_of_passes"] == kept


def test_the_fullest_listeners_are_kept_and_the_others_counted() -> None:
    report = fleet_reports.fleet(30, hostile=False)
    host = next(host for host in report["hosts"] if host["outcome"] == "judged")
    host["listeners"] = [
        {"address": "::", "port": port, "accept_queue": port, "backlog": 100, "syn_recv": 0, "processes": []}
        for port in range(1, packing.LISTENERS + 4)
    ]
    packed = packing.pack({**report, "hosts": [host]})
    found = dict(zip(packed["fields"]["host"], packed["hosts"][0]))
    assert [listener[1] for listener in found["listeners"]][:2] == [packing.LISTENERS + 3, packing.LISTENERS + 2]
    assert (len(found["listeners"]), found["more_listeners"]) == (packing.LISTENERS, 3)


@pytest.mark.parametrize(
    "processes, text",
    [
        (None, None),
        ([], None),
        (["sshd"], "sshd"),
        ([{"name": "nginx", "unit": "nginx.service"}] * 3, "nginx (nginx.service) x 3"),
        (
            [{"name": "nginx", "unit": "nginx.service", "count": 8}, {"name": "a", "unit": None}],
            "nginx (nginx.service) x 8, a",
        ),
        ([{"name": "a", "unit": None}, {"name": "b", "unit": None}], "a, b"),
    ],
)
def test_processes_are_named_once(processes: t.Any, text: t.Optional[str]) -> None:
    report = fleet_reports.fleet(1, hostile=False)
    report["hosts"][0]["listeners"] = [
        {"address": "::", "port": 80, "accept_queue": 0, "backlog": 1, "processes": processes}
    ]
    packed = packing.pack(report)
    listener = dict(zip(packed["fields"]["host"], packed["hosts"][0]))["listeners"][0]
    assert packed["values"][listener[-1]] == text


@pytest.mark.parametrize(
    "want, text",
    [
        ({"at_least": 65535}, "at_least 65535"),
        ({"covers": [10240, 65000]}, "covers 10240 65000"),
        ([4096, 131072, 6291456], "4096 131072 6291456"),
        (1, 1),
        (None, None),
    ],
)
def test_wants_are_shown_as_they_are_written(want: t.Any, text: t.Any) -> None:
    report = fleet_reports.fleet(1, hostile=False)
    report["hosts"][0]["drift"] = [{"kind": "sysctl", "name": "x", "want": want, "status": "compliant"}]
    (host,) = unpacked(packing.pack(report))
    assert host["drift"][0]["want"] == text


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_what_json_has_no_number_for_does_not_break_the_page(number: float) -> None:
    report = fleet_reports.fleet(1, hostile=False)
    report["hosts"][0].update(
        age_s=number, results=[{"id": "timestamps", "status": "fail", "evidence": {"ratio": number}}]
    )
    json.dumps(packing.pack(report), allow_nan=False)


def test_a_result_of_a_rule_that_the_report_does_not_name_is_shown() -> None:
    report = fleet_reports.fleet(1, hostile=False)
    report["hosts"][0]["results"] = [{"id": "own-rule", "status": "fail", "evidence": None}]
    assert packing.pack(report)["rules"][-1]["id"] == "own-rule"
