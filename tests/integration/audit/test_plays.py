# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audits by ansible-playbook: whatever the play is like and the hosts are, there is a report, and it has them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ansible_collections.nettune.tcp.tests.integration.plays import COLLECTIONS

# Hosts that are this one, one without Python, one that cannot be reached, and one where nobody becomes another.
_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
HOSTS: t.Dict[str, t.Dict[str, t.Any]] = {
    "good1": _LOCAL,
    "good2": _LOCAL,
    "bare": {**_LOCAL, "ansible_python_interpreter": "/nonexistent/python3"},
    "gone": {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
    "odd": {**_LOCAL, "ansible_become": True, "ansible_become_user": "nobody", "ansible_become_exe": "/nonexistent"},
    "good3": _LOCAL,
}
OUTCOMES = {
    "bare": "no_python",
    "gone": "unreachable",
    "good1": "judged",
    "good2": "judged",
    "good3": "judged",
    "odd": "failed",
}
PLAYBOOK = "nettune.tcp.audit"


@dataclass(frozen=True)
class Ran:
    """What ansible-playbook printed, and where it ran."""

    code: int
    text: str
    place: Path

    def report(self, name: str = "tcp-audit.json") -> t.Dict[str, t.Any]:
        """The report in JSON."""
        found: t.Dict[str, t.Any] = json.loads((self.place / "reports" / name).read_text(encoding="utf-8"))
        return found

    def outcomes(self) -> t.Dict[str, str]:
        """How each host of the report is."""
        return {host["name"]: host["outcome"] for host in self.report()["hosts"]}


@pytest.fixture(name="place")
def fixture_place(tmp_path: Path) -> Path:
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": HOSTS}}), encoding="utf-8")
    return tmp_path


def run(place: Path, *options: str, playbook: str = PLAYBOOK, **play: t.Any) -> Ran:
    """Run the playbook, or the role in a play of one's own that has these keywords."""
    if play:
        role = {"hosts": "all", "gather_facts": False, "roles": ["nettune.tcp.tcp_audit"], **play}
        playbook = str(place / "play.yml")
        Path(playbook).write_text(yaml.safe_dump([role]), encoding="utf-8")
    (place / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    environment = {
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": os.environ.get("ANSIBLE_CACHE_PLUGIN_CONNECTION", str(place / "cache")),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CONFIG": str(place / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "PWD": str(place),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ansible",
            "playbook",
            "-i",
            "hosts.yml",
            "-e",
            "tcp_audit_interval=0.1",
            *options,
            playbook,
        ],
        cwd=place,
        env={**os.environ, **environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Ran(done.returncode, done.stdout, place)


@pytest.mark.parametrize(
    "play",
    [
        {},
        {"strategy": "linear"},
        {"serial": 2},
        {"serial": [1, "100%"]},
        {"strategy": "free"},
        {"strategy": "host_pinned", "serial": 4},
        {"order": "shuffle", "serial": 1},
    ],
    ids=str,
)
def test_every_host_is_accounted_for_under_every_strategy(play: t.Dict[str, t.Any], place: Path) -> None:
    ran = run(place, **play)
    assert ran.code == 0, ran.text
    assert ran.outcomes() == OUTCOMES
    messages = {host["name"]: str(host["message"]) for host in ran.report()["hosts"]}
    assert "Connection refused" in messages["gone"]
    assert "/nonexistent/python3" in messages["bare"]
    assert "/nonexistent: not found" in messages["odd"]


@pytest.mark.parametrize("limit", ["gone", "gone,bare", "good1:gone"])
def test_a_report_comes_however_few_hosts_there_are(limit: str, place: Path) -> None:
    ran = run(place, "--limit", limit)
    assert ran.code == 0, ran.text
    assert ran.outcomes() == {name: OUTCOMES[name] for name in limit.replace(":", ",").split(",")}
    assert ran.report()["inventory"] == f"all, limited to {limit}"
    assert ran.report()["summary"]["verdict"] != "pass"


def test_check_mode_reports_and_says_so(place: Path) -> None:
    ran = run(place, "--check", "--limit", "good1")
    assert ran.report()["check_mode"] is True
    assert "mode: check mode" in ran.text


FAILING = '[{id: never, title: Never, severity: high, that: "uptime < `0`", remedy: None.}]'


@pytest.mark.parametrize("fail_on, code", [("none", 0), ("critical", 0), ("high", 2), ("info", 2)], ids=str)
@pytest.mark.parametrize("play", [{"strategy": "linear"}, {"serial": 1}, {"strategy": "free"}], ids=str)
def test_findings_fail_the_play_after_the_report(
    fail_on: str, code: int, play: t.Dict[str, t.Any], place: Path
) -> None:
    variables = json.dumps({"tcp_audit_rules": yaml.safe_load(FAILING), "tcp_audit_fail_on": fail_on})
    ran = run(place, "-e", variables, "--limit", "good*", **play)
    assert ran.code == code, ran.text
    assert ran.outcomes() == {name: "judged" for name in OUTCOMES if name.startswith("good")}
    assert ran.report()["summary"]["hosts"]["failing"] == 3
    assert ("The play fails for findings of severity" in " ".join(ran.text.split())) == (code == 2)


def test_hosts_that_were_not_seen_fail_it_only_where_asked(place: Path) -> None:
    ran = run(place, "-e", "tcp_audit_fail_on_unseen=true", "--limit", "gone:good1")
    assert ran.code == 2
    assert "hosts that were not judged: 1" in " ".join(ran.text.split())
    assert ran.report()["summary"]["hosts"]["unreachable"] == 1


@pytest.mark.parametrize(
    "variable, said",
    [
        ("tcp_audit_exclude=syn-cookis", "no rule to exclude called 'syn-cookis'"),
        ("tcp_audit_thresholds=full=7", "threshold full is '7', and must be from"),
        ("tcp_audit_fail_in=high", "no variable 'tcp_audit_fail_in', did you mean tcp_audit_fail_on"),
        ("tcp_audit_fail_on=hihg", "fail_on must be one of"),
        ("tcp_audit_report_formats=htm", "report_formats must be one or more of"),
        ("tcp_audit_policy=basline", "no policy called 'basline'"),
        ("tcp_audit_policy=./my.yml", "the policy ./my.yml was not found"),
        ("tcp_audit_waivers=w.yml", "the file of waivers w.yml was not found"),
        ("tcp_audit_remediation=run.json", "the record of a remediation run.json was not found"),
        ("tcp_audit_remediation=hosts.yml", "hosts.yml is not the record of a remediation"),
        ("tcp_audit_policy=broken.yml", "broken.yml cannot be read: YAML parsing failed"),
        ("tcp_audit_interval=soon", "argument 'interval' is of type str"),
        ("tcp_audit_print=perhaps", "argument 'print' is of type str"),
        ("tcp_audit_from_cache=true", "from_cache needs a persistent fact cache"),
    ],
)
def test_what_is_wrong_is_said_before_any_host_is_asked_and_no_report_looks_new(
    variable: str, said: str, place: Path
) -> None:
    (place / "reports").mkdir()
    for suffix in ("json", "html", "xml"):
        (place / "reports" / f"tcp-audit.{suffix}").write_text("{}", encoding="utf-8")
    (place / "broken.yml").write_text("rules: [\n", encoding="utf-8")
    ran = run(place, "-e", variable)
    assert ran.code == 2
    assert said in " ".join(ran.text.split())
    assert "Gather the TCP facts" not in ran.text
    left = {path.name for path in (place / "reports").iterdir()}
    assert left == {f"tcp-audit.previous.{suffix}" for suffix in ("json", "html", "xml")}


def test_a_place_for_reports_that_cannot_be_written_is_said_before_any_host_is_asked(place: Path) -> None:
    ran = run(place, "-e", "tcp_audit_report_dir=hosts.yml/reports")
    assert ran.code == 2
    assert f"no report can be written to {place}/hosts.yml/reports: Not a directory" in " ".join(ran.text.split())
    assert "Gather the TCP facts" not in ran.text


def test_a_batch_tells_how_many_are_to_come_and_the_last_one_tells_all(place: Path) -> None:
    said = run(place, "--limit", "good*", serial=2).text
    assert "yet to be judged, in later batches: 1 host" in said
    assert said.count("policy: baseline") == 1
    assert said.index("later batches") < said.index("policy: baseline") < said.index("report: ")


@pytest.mark.parametrize("policy", ["my.yml", "./my.yml", "{place}/my.yml"])
def test_variables_may_be_texts_and_policies_paths(policy: str, place: Path) -> None:
    (place / "my.yml").write_text(f"rules: {FAILING}", encoding="utf-8")
    texts = {
        "policy": policy.format(place=place),
        "print": "no",
        "report_formats": "json,junit",
        "max_age": "60",
        "fail_on_unseen": "false",
        "exclude": "[]",
    }
    variables = [word for name, text in texts.items() for word in ("-e", f"tcp_audit_{name}={text}")]
    ran = run(place, *variables, "--limit", "good1")
    assert ran.code == 0, ran.text
    assert {path.name for path in (place / "reports").iterdir()} == {"tcp-audit.json", "tcp-audit.xml"}
    assert [rule["id"] for rule in ran.report()["rules"]] == ["never"]
    assert "FAIL: 1 host" not in ran.text


def test_waivers_hold_and_the_next_report_knows_the_one_before(place: Path) -> None:
    waiver = {"rule": "never", "hosts": "good1", "reason": "because", "owner": "me", "expires": "2999-01-01"}
    variables = {"tcp_audit_rules": yaml.safe_load(FAILING), "tcp_audit_waivers": [waiver], "tcp_audit_fail_on": "low"}
    limit = ("--limit", "good1:good2")
    assert run(place, "-e", json.dumps({**variables, "tcp_audit_waivers": []}), *limit).code == 2
    second = run(place, "-e", json.dumps(variables), *limit)
    never = [next(r for r in host["results"] if r["id"] == "never") for host in second.report()["hosts"]]
    assert [result["status"] for result in never] == ["waived", "fail"]
    assert [result["history"] for result in never] == ["persisting", "persisting"]
    assert second.report()["previous"] == second.report("tcp-audit.previous.json")["generated"]
    assert {result["since"] for result in never} == {second.report()["previous"]}
    assert run(place, "-e", json.dumps(variables), "--limit", "good1").code == 0


def test_rates_are_taken_since_the_report_before(place: Path) -> None:
    rule = '[{id: grown, title: G, severity: low, none: "since_last.counters", evidence: since_last, remedy: R.}]'
    rule = rule.replace('none: "since_last.counters"', 'that: "since_last.seconds < `0`"')
    statuses = []
    for _ in range(2):
        ran = run(place, "-e", json.dumps({"tcp_audit_rules": yaml.safe_load(rule)}), "--limit", "good1")
        [host] = ran.report()["hosts"]
        statuses.append(next(result for result in host["results"] if result["id"] == "grown"))
    assert [one["status"] for one in statuses] == ["unknown", "fail"]
    assert statuses[1]["evidence"]["seconds"] > 0
    assert "ListenOverflows" in statuses[1]["evidence"]["rates"]


def test_from_the_cache_no_host_is_asked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN", "jsonfile")
    assert run(place).code == 0
    offline = {"all": {"hosts": dict.fromkeys(HOSTS, HOSTS["gone"])}}
    (place / "hosts.yml").write_text(yaml.safe_dump(offline), encoding="utf-8")
    ran = run(place, "-e", "tcp_audit_from_cache=true", "-e", "tcp_audit_max_age=0")
    assert ran.code == 0, ran.text
    assert ran.outcomes() == {name: outcome if outcome == "judged" else "missing" for name, outcome in OUTCOMES.items()}
    assert ran.report()["from_cache"] is True
    assert ran.report()["summary"]["hosts"]["stale"] == 3
    assert "Gather the TCP facts" not in ran.text


def test_a_host_that_failed_before_the_role_is_in_the_report(place: Path) -> None:
    task = {"name": "Fail", "ansible.builtin.fail": {"msg": "no"}, "when": "inventory_hostname == 'good2'"}
    ran = run(place, "--limit", "good*", pre_tasks=[task])
    assert ran.outcomes() == {"good1": "judged", "good2": "failed", "good3": "judged"}


def test_other_tasks_may_use_the_result(place: Path) -> None:
    show = {"name": "Show", "ansible.builtin.debug": {"msg": "it is {{ tcp_audit_result.summary.verdict }}"}}
    ran = run(place, post_tasks=[show])
    assert f"it is {ran.report()['summary']['verdict']}" in ran.text


@pytest.mark.parametrize(
    "variables, profile, compared, status",
    [
        ({}, "auto", set(), "skip"),
        ({"tcp_tuning_profile": "web"}, "", set(), "skip"),
        ({"tcp_tuning_profile": "web"}, "auto", {"net.core.somaxconn", "net.ipv4.tcp_fin_timeout"}, "fail"),
        ({}, "web", {"net.core.somaxconn", "net.ipv4.tcp_fin_timeout"}, "fail"),
        ({"tcp_tuning_settings": {"net.core.somaxconn": {"at_least": 2**30}}}, "auto", {"net.core.somaxconn"}, "fail"),
        (
            {
                "tcp_tuning_profile": "web",
                "tcp_tuning_settings": {"net.ipv4.tcp_fin_timeout": {"at_most": 9999}},
                "tcp_tuning_exclude": ["net.core.somaxconn"],
            },
            "auto",
            {"net.ipv4.tcp_fin_timeout"},
            "fail",
        ),
    ],
)
def test_hosts_are_compared_as_their_variables_say(
    variables: t.Dict[str, t.Any], profile: str, compared: t.Set[str], status: str, place: Path
) -> None:
    inventory = {"all": {"hosts": {"good1": {**_LOCAL, "tcp_tuning_file_limits": [], **variables}}}}
    if not variables:
        del inventory["all"]["hosts"]["good1"]["tcp_tuning_file_limits"]
    (place / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    ran = run(place, "-e", f"tcp_audit_profile={profile}", "-e", '{"tcp_tuning_backlogs": []}' if variables else "{}")
    assert ran.code == 0, ran.text
    [host] = ran.report()["hosts"]
    assert host["message"] is None
    names = {row["name"] for row in host["drift"]} & {"net.core.somaxconn", "net.ipv4.tcp_fin_timeout"}
    assert names == compared
    assert next(result["status"] for result in host["results"] if result["id"] == "profile") == status


def test_a_profile_that_there_is_not_is_named(place: Path) -> None:
    ran = run(place, "-e", "tcp_audit_profile=wbe")
    assert "no profile called 'wbe', did you mean web" in " ".join(ran.text.split())
    hosts = {"good1": {**_LOCAL, "tcp_tuning_profile": "wbe"}, "good2": _LOCAL}
    (place / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
    ran = run(place)
    assert ran.outcomes() == {"good1": "failed", "good2": "judged"}
    assert "wbe" in str(ran.report()["hosts"][0]["message"])


def test_the_role_stands_beside_that_which_tunes(place: Path) -> None:
    ran = run(place, "--check", "--limit", "good1", roles=["nettune.tcp.tcp_tuning", "nettune.tcp.tcp_audit"])
    assert ran.code == 0, ran.text
    [host] = ran.report()["hosts"]
    assert "net.core.somaxconn" in {row["name"] for row in host["drift"]}
