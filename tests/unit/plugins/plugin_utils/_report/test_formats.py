# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every format of reports, also of those whose hosts are hostile; what only one of them does stands below."""

from __future__ import annotations

import csv
import io
import json
import typing as t
from xml.etree import ElementTree

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import fleet
from ansible_collections.nettune.tcp.plugins.plugin_utils._report import (
    csv_table,
    markdown,
    openmetrics,
    sarif,
    terminal,
    text,
)
from ansible_collections.nettune.tcp.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils import fleets

Report = t.Dict[str, t.Any]

jsonschema = pytest.importorskip("jsonschema")

EVIL = (
    "<script>alert(1)</script> |=cmd|' /C calc'!A0 \x00\x1b[2J\uffff\ud800\u202e]]> & \"quoted\" {{ jinja }} "
    "@everyone `x` \\"
)


@pytest.fixture(name="report", scope="module")
def fixture_report() -> Report:
    return fleets.report(60, fleets.report(60))


@pytest.fixture(name="hostile", scope="module")
def fixture_hostile() -> Report:
    facts = fleets.facts()
    facts["listeners"][0].update(address=EVIL, accept_queue=500)
    facts["listeners"][0]["processes"][0].update(name=EVIL, unit=EVIL)
    facts["peers"] = [{**facts["peers"][0], "address": EVIL, "local_address": EVIL}] * 2
    facts.update(kernel=EVIL, boot_id=EVIL, drift=[{**fleets.DRIFT[1], "name": EVIL, "source": EVIL, "reason": EVIL}])
    facts["sysctls"]["net.ipv4.tcp_timestamps"] = {"runtime": EVIL, "boot": [EVIL], "source": EVIL, "scope": EVIL}
    facts["collected"]["limited"] = [EVIL]
    seen = [
        fleet.Seen(EVIL, "judged", [EVIL], facts=facts),
        fleet.Seen("=1+1", "unreachable", [], EVIL),
        fleet.Seen(" =1+1", "failed", [], "\n=1+1"),
        fleet.Seen("\uff1d1+1", "no_python", [], "\uff1d1+1"),
    ]
    about = {"collection": {"name": "n", "version": "1"}, "policy": {"name": "p", "source": "s"}, "inventory": "all"}
    request = fleet.Request(rules=fleets.rules(), about=about, generated=fleets.NOW)
    found: Report = json.loads(json.dumps(fleet.audit(request, seen)))
    return found


ALL = pytest.mark.parametrize("name", list(FORMATS))


@ALL
@pytest.mark.parametrize("hosts", [0, 1, 60])
def test_every_format_makes_any_report(name: str, hosts: int) -> None:
    assert FORMATS[name].render(fleets.report(hosts))


@ALL
def test_every_host_is_in_every_format(name: str, report: Report) -> None:
    made = FORMATS[name].render(report)
    # What is well is no result of SARIF, which is about findings.
    wanted = [host for host in report["hosts"] if name != "sarif" or host["outcome"] != "judged"]
    assert [host["name"] for host in wanted if host["name"] not in made] == []


@ALL
def test_every_format_tells_when_it_was_made(name: str, report: Report) -> None:
    made = FORMATS[name].render(report)
    assert ("1795521600" if name == "openmetrics" else "2026-11-24T12:00:00") in made


@ALL
def test_nothing_of_a_hostile_host_reaches_a_format_that_cannot_have_it(name: str, hostile: Report) -> None:
    made = FORMATS[name].render(hostile)
    assert [character for character in "\x00\x1b\uffff\ud800\u202e" if character in made] == []
    assert made.encode("utf-8")
    if name in ("html", "markdown", "junit"):
        assert "<script>alert" not in made


def test_a_terminal_gets_no_control_character(hostile: Report) -> None:
    assert all(line.isprintable() for line in terminal.render(hostile))


# What Jenkins' schema lets an element have: attributes that must be there, and that may, and elements.
_JUNIT: t.Mapping[str, t.Tuple[t.Set[str], t.Set[str], t.Set[str]]] = {
    "testsuites": (set(), {"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"skipped", "timestamp"}, {"properties", "testcase"}),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"name"}, {"classname"}, {"skipped", "error", "failure"}),
    **{name: (set(), {"type", "message"}, set()) for name in ("skipped", "error", "failure")},
}


@pytest.mark.parametrize("which", ["report", "hostile"])
def test_junit_is_as_jenkins_wants_it(which: str, request: pytest.FixtureRequest) -> None:
    root = ElementTree.fromstring(FORMATS["junit"].render(request.getfixturevalue(which)))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, children = _JUNIT[element.tag]
        assert required <= set(element.attrib) <= required | optional
        assert {child.tag for child in element} <= children


@pytest.mark.parametrize("which", ["report", "hostile"])
def test_junit_reads_as_others_read_it(which: str, request: pytest.FixtureRequest) -> None:
    junitparser = pytest.importorskip("junitparser")
    report = request.getfixturevalue(which)
    suites = junitparser.JUnitXml.fromstring(FORMATS["junit"].render(report).encode())
    assert [suite.name for suite in suites] == [host["name"] for host in report["hosts"]]
    results = report["summary"]["results"]
    assert suites.failures == results["fail"]
    assert suites.errors == results["error"] + len([h for h in report["hosts"] if h["outcome"] != "judged"])
    assert sum(suite.skipped for suite in suites) == results["unknown"] + results["waived"] + results["skip"]


def test_junit_says_why(report: Report) -> None:
    made = FORMATS["junit"].render(report)
    assert 'message="unreachable: Failed to connect to the host via ssh: timed out"' in made
    assert "Remedy: Raise the listener's backlog" in made
    assert 'message="unknown: not known: rates"' in made
    assert 'message="waived: waived by net until 2027-01-31: old load balancer"' in made or "waived: runtime 0" in made


@pytest.mark.parametrize(
    "cell",
    ["=1", "+1", "-1", "@x", " =1", "\u00a0=1", "\t=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "|cmd", "%x"],
)
def test_csv_runs_no_formula(cell: str) -> None:
    assert csv_table._cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "1", "web1", "'=1"])
def test_csv_leaves_other_text_alone(cell: str) -> None:
    assert csv_table._cell(cell) == cell


def test_csv_has_a_row_for_each_thing(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].render(report))))
    hosts = report["hosts"]
    assert len([row for row in rows if row["kind"] == "rule"]) == sum(len(host["results"]) for host in hosts)
    assert len([row for row in rows if row["kind"] == "sysctl"]) == sum(len(host["drift"]) for host in hosts)
    unreachable = next(row for row in rows if row["host"] == "web00007")
    assert (unreachable["kind"], unreachable["status"]) == ("host", "unreachable")
    assert {row["status"] for row in rows if row["kind"] == "host"} == {
        "unreachable",
        "no_python",
        "failed",
        "incomplete",
    }


def test_csv_of_hostile_hosts_has_no_formula(hostile: Report) -> None:
    for row in csv.reader(io.StringIO(FORMATS["csv"].render(hostile))):
        assert [cell for cell in row if cell.lstrip()[:1] in set("=+-@|%\uff1d") and cell] == []


@pytest.mark.parametrize(
    "raw, escaped",
    [
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("a|b", r"a\|b"),
        ("[x](y)", r"\[x\]\(y\)"),
        ("*a* _b_ `c` ~d~ #e ![f]", r"\*a\* \_b\_ \`c\` \~d\~ \#e \!\[f\]"),
        ("@team", "&#64;team"),
        ("\\", "\\\\"),
        ("web-1.example:80", "web-1.example:80"),
    ],
)
def test_markdown_escapes(raw: str, escaped: str) -> None:
    assert markdown._escape(raw) == escaped


def test_markdown_keeps_its_tables_whole(hostile: Report) -> None:
    widths: t.List[int] = []
    for line in FORMATS["markdown"].render(hostile).splitlines():
        cells = line.replace("\\\\", "").replace("\\|", "").count("|")
        widths = [*widths, cells] if line.startswith("|") else []
        assert len(set(widths)) <= 1


def test_json_is_the_report(report: Report, hostile: Report) -> None:
    for one in (report, hostile):
        assert json.loads(FORMATS["json"].render(one)) == one


def test_sarif_has_what_fails_and_what_is_waived(report: Report) -> None:
    [run] = json.loads(FORMATS["sarif"].render(report))["runs"]
    results = report["summary"]["results"]
    assert len(run["results"]) == results["fail"] + results["waived"]
    assert len([one for one in run["results"] if "suppressions" in one]) == results["waived"] == 1
    assert {one["baselineState"] for one in run["results"]} == {"unchanged"}
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 4
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]


def test_sarif_tells_what_is_mended() -> None:
    before, after = fleets.report(2), fleets.report(2)
    for result in after["hosts"][1]["results"]:
        if result["id"] == "profile":
            result.update(status="pass", history="fixed")
    [run] = json.loads(sarif.render(after))["runs"]
    assert before["summary"]["results"]["fail"] == len(run["results"])
    assert [one["message"]["text"] for one in run["results"] if one.get("baselineState") == "absent"]


# The parts of SARIF 2.1.0's schema that what is written must keep to.
_SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool"],
                "properties": {
                    "results": {
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "baselineState": {"enum": ["new", "unchanged", "updated", "absent"]},
                                "suppressions": {
                                    "items": {
                                        "required": ["kind"],
                                        "properties": {"kind": {"enum": ["inSource", "external"]}},
                                    }
                                },
                            },
                        }
                    }
                },
            }
        },
    },
}


@pytest.mark.parametrize("which", ["report", "hostile"])
def test_sarif_keeps_to_its_vocabulary(which: str, request: pytest.FixtureRequest) -> None:
    jsonschema.validate(json.loads(FORMATS["sarif"].render(request.getfixturevalue(which))), _SARIF)


@pytest.mark.parametrize("which", ["report", "hostile"])
def test_openmetrics_reads_as_others_read_it(which: str, request: pytest.FixtureRequest) -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    report = request.getfixturevalue(which)
    families = {family.name: family for family in parser.text_string_to_metric_families(openmetrics.render(report))}
    judged = {sample.labels["host"]: sample.value for sample in families["nettune_tcp_audit_host_judged"].samples}
    assert judged == {host["name"]: float(host["outcome"] == "judged") for host in report["hosts"]}


def test_openmetrics_counts_events_of_the_kernel(report: Report) -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    counted = json.loads(json.dumps(report))
    counted["hosts"][0]["counters"] = {"ListenOverflows": 7, "ListenDrops": None, "EstabResets": -1, "Invented": 3}
    for host in counted["hosts"][1:]:
        host["counters"] = {}
    families = {family.name: family for family in parser.text_string_to_metric_families(openmetrics.render(counted))}
    events = families["nettune_tcp_audit_host_events"]
    host = counted["hosts"][0]["name"]
    assert events.type == "counter"
    assert [(sample.name, sample.labels, sample.value) for sample in events.samples] == [
        ("nettune_tcp_audit_host_events_total", {"host": host, "event": "ListenOverflows"}, 7.0)
    ]


def test_openmetrics_has_the_local_ports_of_peers(report: Report) -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    families = {family.name: family for family in parser.text_string_to_metric_families(openmetrics.render(report))}
    found = {
        name: {sample.labels["host"]: (sample.labels, sample.value) for sample in family.samples}["web00000"]
        for name, family in families.items()
        if "_peer_" in name
    }
    labels = {"host": "web00000", "address": "10.0.0.5", "port": "3306"}
    assert found == {
        "nettune_tcp_audit_peer_local_ports_used": (labels, 812.0),
        "nettune_tcp_audit_peer_local_ports_available": (labels, 28232.0),
        "nettune_tcp_audit_peer_local_ports_utilization_ratio": (labels, 0.0288),
    }


def test_openmetrics_can_be_made_of_an_older_report(report: Report) -> None:
    hosts = [{name: host[name] for name in host if name != "peers"} for host in report["hosts"]]
    assert "_peer_local_ports_used{" not in openmetrics.render({**report, "hosts": hosts})


def test_openmetrics_has_the_fullest_socket_of_an_endpoint_and_the_fullest_endpoints(report: Report) -> None:
    def listener(port: int, accept_queue: t.Optional[int], backlog: t.Optional[int]) -> Report:
        return {"address": "::", "port": port, "accept_queue": accept_queue, "backlog": backlog}

    def values(field: str, *listeners: Report) -> t.List[t.Tuple[str, str]]:
        hosts = [{**report["hosts"][0], "listeners": listeners}]
        lines = openmetrics.render({**report, "hosts": hosts}).splitlines()
        found = [line.partition('port="')[2] for line in lines if f"_listener_{field}{{" in line]
        return [(one.partition('"')[0], one.partition(" ")[2]) for one in found]

    group = [listener(80, 5, 4096), listener(80, 100, 128), listener(80, 0, None)]
    assert values("accept_queue", *group) == [("80", "100")]
    assert values("backlog", *group) == [("80", "128")]
    assert values("backlog", listener(81, 3, None)) == []
    many = [listener(port, port, 5000) for port in range(2000)]
    assert [port for port, _value in values("backlog", *many)] == [str(port) for port in range(1999, 1899, -1)]


def test_openmetrics_tells_the_age_of_the_freshest_facts(report: Report) -> None:
    hosts = [{**report["hosts"][0], "age_s": age, "name": f"h{age}"} for age in (0.0, 7.5, None)]
    made = openmetrics.render({**report, "hosts": hosts})
    ages = [line for line in made.splitlines() if line.startswith("nettune_tcp_audit_host_facts_age_seconds{")]
    assert [line.partition("{")[2] for line in ages] == ['host="h0.0"} 0.0', 'host="h7.5"} 7.5']


def test_openmetrics_has_each_sample_once(report: Report) -> None:
    twice = json.loads(json.dumps(report))
    twice["hosts"][0]["listeners"] *= 2
    samples = [line.rsplit(" ", 1)[0] for line in openmetrics.render(twice).splitlines() if not line.startswith("#")]
    assert len(samples) == len(set(samples))
    assert openmetrics.render(twice).endswith("\n# EOF\n")


def test_openmetrics_escapes_labels() -> None:
    assert openmetrics._labels({"a": 'x"y\\z\n'}) == '{a="x\\"y\\\\z\\n"}'


@pytest.mark.parametrize("hosts", [1, 3, 4, 60, 1000])
def test_the_terminal_says_the_verdict_last_and_is_short_for_many(hosts: int) -> None:
    lines = terminal.render(fleets.report(hosts))
    assert lines[-1] == text.headline(fleets.report(hosts))
    assert max(map(len, lines)) <= 160
    assert hosts <= terminal.FEW or len(lines) <= terminal.MOST_LINES


def test_the_terminal_names_the_worst_first(report: Report) -> None:
    lines = terminal.render(report)
    worst = lines[lines.index("worst hosts:") + 1]
    assert worst == "  web00016: accept-queue-overflow, accept-queue-full, timestamps, boot-drift"
    assert "  web00007: unreachable: Failed to connect to the host via ssh: timed out" in lines
    assert "  and 17 more" in lines


def test_the_terminal_tells_all_of_few_hosts() -> None:
    said = "\n".join(terminal.render(fleets.report(3)))
    for expected in (
        "connections: 130 ESTABLISHED",
        "0.0.0.0:80                                500       511         0  nginx",
        "fail     high      accept-queue-full",
        "overridden         sysctl net.ipv4.tcp_example_overridden: want at least 16384",
    ):
        assert expected in said


@pytest.mark.parametrize(
    "evidence, said",
    [
        (None, "none"),
        ([], "none"),
        ("no data", "no data"),
        (0.5, "0.5"),
        (True, "true"),
        ({"per_second": 0.5, "boot": None}, "per_second 0.5, boot none"),
        ([{"port": 80}, {"port": 81}], "port 80; port 81"),
        ([[1, 2], "x"], "1; 2; x"),
    ],
)
def test_evidence_reads_like_a_sentence(evidence: t.Any, said: str) -> None:
    assert text.evidence_text(evidence) == said


def test_check_mode_and_the_cache_are_said() -> None:
    said = dict(text.provenance(fleets.report(1, check_mode=True, from_cache=True)))
    assert said["mode"] == "check mode"
    assert said["facts"] == "from the cache, no host was asked"


@pytest.mark.parametrize(
    "name, said",
    [
        ("html", "batch 1: overflow 0.310 a connection"),
        ("markdown", "| batch 1 | web00003, web00004 | fail. overflow 0.310 a connection. rolled back: web00003 |"),
        ("csv", '"web00003","remediation","batch 1","rolled_back"'),
        ("json", '"run":"remediate-20261124T061200Z-1f3a"'),
        ("sarif", '"run": "remediate-20261124T061200Z-1f3a"'),
        ("openmetrics", 'nettune_tcp_audit_remediation_hosts{state="rolled_back"} 1'),
    ],
)
def test_a_remediation_is_shown(name: str, said: str, report: Report) -> None:
    assert said not in FORMATS[name].render(report)
    assert said in FORMATS[name].render({**report, "remediation": fleets.REMEDIATION})


def test_a_remediation_is_shown_on_a_terminal_without_making_it_longer(report: Report) -> None:
    lines = terminal.render({**report, "remediation": fleets.REMEDIATION})
    assert len(lines) <= terminal.MOST_LINES
    [said] = [
        line for line in lines if line.startswith("remediation FAIL: run remediate-20261124T061200Z-1f3a, 60 hosts")
    ]
    at = lines.index(said)
    assert lines[at + 2] == "  batch 1: fail. overflow 0.310 a connection. rolled back: web00003"
    assert lines[at + 3] == "  batch 2: not started"


def test_what_a_remediation_tells_of_hosts_is_escaped(report: Report) -> None:
    evil = {**fleets.REMEDIATION, "why": EVIL, "hosts": [{"name": "=1+1", "state": EVIL, "why": EVIL, "batch": None}]}
    for name in ("html", "markdown"):
        assert "<script>alert" not in FORMATS[name].render({**report, "remediation": evil})
    [row] = [
        row
        for row in csv.reader(io.StringIO(csv_table.render({**report, "remediation": evil})))
        if row[1] == "remediation"
    ]
    assert row[0] == "'=1+1"


def test_the_terminal_tells_what_is_undecided_and_what_was_not_seen(report: Report) -> None:
    lines = terminal.render(report)
    at = lines.index("undecided:")
    assert lines[at + 1] == "  6 hosts      accept-queue-overflow: not known: rates"
    at = lines.index("seen in part:")
    assert lines[at + 1] == "  6 hosts      the open files of 31 processes could not be read, run as root"


def test_the_terminal_names_the_reports_before_the_verdict(report: Report) -> None:
    paths = [f"/{'x' * 200}/tcp-audit.{suffix}" for suffix in ("html", "json")]
    lines = terminal.render(report, paths)
    assert lines[-2:] == [f"report: {paths[0]} (and json)", text.headline(report)]
    assert len(lines) <= terminal.MOST_LINES


def test_policies_of_the_collection_are_told_by_name_and_others_by_path(report: Report) -> None:
    source = f"{text.SHIPPED}queues.yml, /srv/mine.yml"
    told = dict(text.provenance({**report, "policy": {"name": "queues, mine.yml", "source": source}}))
    assert told["policy"] == "queues, mine.yml (/srv/mine.yml)"


def test_kinds_of_hosts_that_sound_alike_are_told_apart() -> None:
    hosts = dict.fromkeys(("total", "failing", "failed", "no_python", "stale"), 2)
    counts = {**fleets.report(0)["summary"]["hosts"], **hosts}
    assert text.headline({"summary": {"verdict": "fail", "hosts": counts}}) == (
        "FAIL: 2 hosts, 2 failing, 2 whose facts could not be gathered, 2 without Python, 2 with stale facts"
    )
