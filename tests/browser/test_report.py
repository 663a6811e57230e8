# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody sees, finds and can do in the report of a fleet."""

from __future__ import annotations

import copy
import time
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._report import html
from ansible_collections.nettune.tcp.tests import fleet_reports
from ansible_collections.nettune.tcp.tests.browser.conftest import DESK, PHONE, Open, Reader
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils import fleets

AXE = Path(__file__).parents[2] / ".work" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
FLEET = fleet_reports.fleet(300)
FAILING = [host for host in FLEET["hosts"] if any(result["status"] == "fail" for result in host["results"])]
HOSTILE = next(host["name"] for host in FLEET["hosts"] if "<script>" in host["name"])
WORST = "accept-queue-overflow"
SETTING = "setting-sysctl%3Anet.core.somaxconn"


def address(name: str) -> str:
    return f"#host-{quote(name.encode('utf-8', 'replace').decode(), safe='')}"


VIEWS = {
    "overview": "#overview",
    "hosts": "#hosts",
    "all hosts": "#hosts?show=all",
    "not seen": "#hosts?show=unseen",
    "rules": "#rules",
    "groups": "#rules?by=group",
    "each host": "#rules?by=host&hosts=all&columns=all",
    "settings": "#settings",
    "host": address(FAILING[0]["name"]),
    "hostile host": address(HOSTILE),
    "rule": f"#rule-{WORST}",
    "setting": f"#{SETTING}",
    "no such host": "#host-nobody",
}
LOOKS = [
    pytest.param(screen, scheme, id=f"{screen[0]}-{scheme}") for screen in (DESK, PHONE) for scheme in ("light", "dark")
]


@pytest.mark.parametrize("screen, scheme", LOOKS)
def test_every_view_is_accessible_and_fits_the_screen(read: Open, screen: t.Tuple[int, int], scheme: str) -> None:
    reader = read(screen=screen, color_scheme=scheme)
    reader.page.evaluate(AXE.read_text(encoding="utf-8"))
    problems = []
    for name, anchor in VIEWS.items():
        reader.turn(anchor)
        if reader.overflow() > 0:
            problems.append(f"{name}: {reader.overflow()} pixels too wide")
        problems += [f"{name}: {found}" for found in violations(reader)]
    assert problems == []


def violations(reader: Reader) -> t.List[str]:
    """What axe-core finds, with the first element of each kind."""
    found = reader.page.evaluate("axe.run().then(result => result.violations)")
    return [f"{each['id']} {each['nodes'][0]['html'][:200]} {each['nodes'][0].get('failureSummary')}" for each in found]


def test_the_first_screen_is_the_answer(read: Open) -> None:
    reader = read()
    seen = reader.page.evaluate(
        "[...document.querySelectorAll('h1, h2, tbody a')]"
        ".filter(each => each.getBoundingClientRect().bottom < innerHeight).map(each => each.textContent)"
    )
    counts = FLEET["summary"]["hosts"]
    assert f"{counts['failing']} of 300 hosts fail" in seen[0]
    assert {"Findings", "Worst hosts"} <= {text.split("all")[0] for text in seen}
    most_severe = next(rule["title"] for rule in FLEET["rules"] if rule["id"] == WORST)
    assert most_severe in seen


def test_hosts_that_fail_are_listed_first_and_alone(read: Open) -> None:
    reader = read(anchor="#hosts")
    assert f"{len(FAILING)} hosts of 300" in reader.page.get_by_role("status").first.inner_text()
    assert all("fail" in row for row in reader.rows())
    assert "critical" in reader.rows()[0]


@pytest.mark.parametrize(
    "label, option, kept",
    [
        ("Show", "not seen", lambda host: host["outcome"] != "judged"),
        ("Show", "all hosts", bool),
        (
            "Show",
            "passing",
            lambda host: (
                host["results"] and all(r["status"] not in {"fail", "error", "unknown"} for r in host["results"])
            ),
        ),
        ("Severity", "critical", lambda host: any(r["id"] == WORST and r["status"] == "fail" for r in host["results"])),
    ],
)
def test_hosts_are_filtered(read: Open, label: str, option: str, kept: t.Callable[[t.Any], bool]) -> None:
    reader = read(anchor="#hosts")
    reader.page.get_by_label(label, exact=True).select_option(label=option)
    expected = sum(map(bool, map(kept, FLEET["hosts"])))
    assert expected
    assert f"{expected} host" in reader.page.get_by_role("status").first.inner_text()
    chosen = reader.page.url
    reader.page.reload()
    assert f"{expected} host" in reader.page.get_by_role("status").first.inner_text()
    assert reader.page.url == chosen


def test_hosts_are_filtered_by_group_and_rule(read: Open) -> None:
    reader = read(anchor="#hosts")
    reader.page.get_by_label("Rule not met", exact=True).select_option(value="somaxconn")
    reader.page.get_by_label("Group", exact=True).select_option(value="web")
    expected = [
        host
        for host in FLEET["hosts"]
        if "web" in host["groups"] and any(r["id"] == "somaxconn" and r["status"] == "fail" for r in host["results"])
    ]
    assert f"{len(expected)} host" in reader.page.get_by_role("status").first.inner_text()


def test_hosts_are_searched(read: Open) -> None:
    reader = read(anchor="#hosts?show=all")
    name = FLEET["hosts"][7]["name"]
    reader.page.get_by_label("Search").fill(name[:-12].upper())
    reader.page.get_by_text("1 host of 300").wait_for()
    assert name in reader.rows()[0].replace("\n", "")
    reader.page.get_by_label("Search").fill("no such thing")
    reader.page.get_by_text("No host matches").wait_for()
    reader.page.get_by_role("button", name="Show all hosts").click()
    reader.page.get_by_text("300 hosts of 300").wait_for()


def test_hosts_are_sorted_and_turned_page_by_page(read: Open) -> None:
    reader = read(anchor="#hosts?show=all")
    reader.page.get_by_role("button", name="Host", exact=True).click()
    names = sorted(host["name"] for host in FLEET["hosts"])
    first = reader.page.locator("tbody a.name").first
    assert first.text_content() == names[0]
    assert reader.page.evaluate("document.activeElement.textContent").startswith("Host")
    reader.page.get_by_role("button", name="Next").click()
    assert first.text_content() == names[50]
    assert reader.page.evaluate("document.activeElement.textContent") == "Next"


def test_hosts_can_be_handed_to_limit(read: Open) -> None:
    reader = read(anchor="#hosts?show=unseen")
    reader.page.get_by_text("with --limit").click()
    names = reader.page.get_by_label("Pattern for --limit").input_value().split(",")
    assert sorted(names) == sorted(host["name"] for host in FLEET["hosts"] if host["outcome"] != "judged")


def test_columns_can_be_left_out(read: Open) -> None:
    reader = read(anchor="#hosts")
    reader.page.get_by_text("Columns").click()
    reader.page.get_by_role("checkbox", name="Connections").uncheck()
    assert "Connections" not in reader.page.locator("main thead").inner_text()


def test_the_keyboard_reaches_everything_in_order(read: Open) -> None:
    reader = read()
    press = reader.page.keyboard.press
    press("Tab")
    assert reader.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    press("Enter")
    assert reader.page.evaluate("document.activeElement.id") == "content"
    press("/")
    assert reader.page.evaluate("document.activeElement.name") == "q"
    reader.page.keyboard.type(FAILING[0]["name"].split(".")[0])
    reader.page.get_by_text("1 host of 300").wait_for()
    reader.page.locator("tbody a.name").first.focus()
    press("Enter")
    heading = reader.page.locator("h2.title")
    heading.wait_for()
    assert FAILING[0]["name"] in heading.inner_text()
    assert reader.page.evaluate("document.activeElement.tagName") == "H2"
    assert FAILING[0]["name"] in reader.page.title()
    reader.page.get_by_role("link", name="Hosts").last.focus()
    press("Enter")
    reader.page.get_by_text("1 host of 300").wait_for()


def test_a_host_s_address_leads_to_all_there_is_about_it(read: Open) -> None:
    host = next(each for each in FAILING if any(row["owner"] for row in each["drift"]))
    reader = read(anchor=address(host["name"]))
    text = reader.page.locator("main").inner_text()
    failing = [result["id"] for result in host["results"] if result["status"] == "fail"]
    for rule in FLEET["rules"]:
        if rule["id"] in failing:
            assert rule["title"] in text
            assert rule["remedy"].split("`", 1)[0] in text
    drifted = next(row for row in host["drift"] if row["owner"])
    assert f"({drifted['owner']})" in text or drifted["owner"] == drifted["source"]
    assert f"--limit {host['name']}" in text
    assert host["boot_id"] in text
    assert f"{host['states']['TIME_WAIT']:,}" in text


def test_a_rule_s_address_leads_to_its_hosts_and_back(read: Open) -> None:
    reader = read(anchor=f"#rule-{WORST}")
    text = reader.page.locator("main").inner_text()
    assert "what does not" in text
    assert "Raising net.core.somaxconn alone" in text
    expected = sum(r["id"] == WORST and r["status"] == "fail" for host in FLEET["hosts"] for r in host["results"])
    assert f"fail {expected}" in " ".join(text.split())
    reader.page.locator("tbody a.name").first.click()
    reader.page.locator(f"a[href='#rule-{WORST}']").first.click()
    reader.page.get_by_role("link", name="Rules").last.click()
    assert reader.page.url.endswith("#rules")


def test_hosts_that_look_the_same_share_a_row(read: Open) -> None:
    reader = read(anchor="#rules")
    board = reader.page.locator("table.board tbody")
    assert board.locator("tr").count() <= 40
    board.locator("summary").first.click()
    names = board.locator(".names").first.locator("a").all_text_contents()
    patterns = {
        tuple((r["id"], r["status"]) for r in host["results"] if r["status"] not in {"pass", "skip"})
        for host in FAILING
        if host["name"] in names
    }
    assert len(names) > 1
    assert len(patterns) == 1


def test_what_hosts_say_is_text_and_nothing_else(read: Open) -> None:
    reader = read()
    for anchor in VIEWS.values():
        reader.open(anchor)
        assert reader.page.locator("img").count() == 0
        assert reader.page.locator("script").count() == 2
    reader.turn(address(HOSTILE))
    assert "onerror=alert(1)" in reader.page.locator("h2.title").inner_text()


def remediated(path: Path) -> t.Tuple[Path, t.List[str]]:
    """The file of a report with the record of a remediation, and the hosts that it speaks of."""
    names = [host["name"] for host in FLEET["hosts"][:4]]
    run = copy.deepcopy(fleets.REMEDIATION)
    for batch, hosts in zip(run["batches"], (names[:1], names[1:3], ["gone.example.net"])):
        batch["hosts"] = hosts
    run["batches"][0]["numbers"] = {
        "connections": {"batch": 18211, "control": 17904},
        "overflow": {"batch": 0.0, "batch_before": 0.12, "control": 0.1, "expected": 0.12},
    }
    for host, name in zip(run["hosts"], names):
        host["name"] = name
    path.write_text(html.render({**FLEET, "remediation": run}), encoding="utf-8")
    return path, names


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["1440", "390"])
def test_a_run_of_remediation_is_shown_first(read: Open, tmp_path: Path, screen: t.Tuple[int, int]) -> None:
    reader = read(5, screen=screen)
    reader.path, names = remediated(tmp_path / "remediated.html")
    reader.open()
    first = reader.page.locator("main section").first
    for folded in first.locator("details > summary").all():
        folded.click()
    first.get_by_text("timed out").wait_for()
    said = first.inner_text()
    for words in (
        *("Remediation", "fail", "overflow 0.310 a connection", "rolled back: web00003", "not started"),
        *("2 hosts", names[0], "what was measured", "batch before", "timed out"),
    ):
        assert words in said
    assert reader.overflow() == 0
    reader.page.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(reader) == []


def test_a_host_tells_what_a_remediation_did_there(read: Open, tmp_path: Path) -> None:
    reader = read(5)
    reader.path, names = remediated(tmp_path / "remediated.html")
    reader.open(address(names[1]))
    assert "rolled back in batch 1: batch 1: overflow 0.310" in reader.page.locator("article").inner_text()
    reader.turn(address(names[3]))
    assert "remediation" not in reader.page.locator("article dl.terms").first.inner_text()


def test_a_large_fleets_page_says_where_the_evidence_of_passes_is(read: Open) -> None:
    said = "shows no evidence for rules that pass"
    reader = read(300)
    reader.open("#rules")
    reader.page.locator("main tbody th a").last.click()
    for tab in reader.page.locator("ul.tabs a").all():
        tab.click()
        shown = reader.page.locator("main").inner_text()
        assert (said in shown) == ("status=pass" in reader.page.url or "status=skip" in reader.page.url)


def test_an_old_report_says_so(read: Open) -> None:
    reader = read()
    reader.page.clock.install(time="2026-11-24T07:00:00Z")
    reader.open()
    assert not reader.page.locator("#age").is_visible()
    reader.page.clock.set_fixed_time("2026-11-28T06:00:12Z")
    reader.open()
    assert "This report is 4 d old" in reader.page.locator("#age").inner_text()


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["1440", "390"])
def test_without_scripting_the_verdict_and_the_hosts_remain(read: Open, screen: t.Tuple[int, int]) -> None:
    reader = read(screen=screen, java_script_enabled=False)
    rows = reader.page.locator("table.plain tbody tr")
    unseen = sum(host["outcome"] != "judged" for host in FLEET["hosts"])
    assert rows.count() == len(FAILING) + unseen
    assert "hosts fail" in reader.page.locator("h1").inner_text()
    width = reader.page.locator("table.plain").bounding_box()
    assert width is not None
    assert width["x"] + width["width"] <= screen[0]


def test_a_thousand_hosts_are_printed_on_a_few_pages(read: Open) -> None:
    reader = read(1_000)
    document = reader.page.pdf(prefer_css_page_size=True)
    pages = document.count(b"/Type /Page\n") + document.count(b"/Type /Page ")
    print(f"{pages} pages")
    assert 1 < pages <= 20
    assert "none" not in reader.page.evaluate("getComputedStyle(document.querySelector('main')).display")


@pytest.mark.parametrize("size", [1_000, 10_000])
def test_a_large_fleet_is_drawn_a_page_at_a_time(read: Open, size: int, reports: t.Callable[[int], Path]) -> None:
    reader = read(5)
    reader.path = reports(size)
    began = time.monotonic()
    reader.open()
    took = {"load": time.monotonic() - began}
    for anchor in ("#hosts?show=all", "#rules", "#settings", f"#rule-{WORST}", "#hosts"):
        began = time.monotonic()
        reader.turn(anchor)
        took[anchor] = time.monotonic() - began
        assert reader.page.evaluate("document.querySelectorAll('*').length") < 6_000
    print(
        f"{size} hosts, {reader.path.stat().st_size} bytes:",
        *(f"{name} {seconds:.2f} s" for name, seconds in took.items()),
    )
