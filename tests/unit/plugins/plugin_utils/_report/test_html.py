# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t
from html.parser import HTMLParser

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._report import html
from ansible_collections.nettune.tcp.tests import fleet_reports


class Page(HTMLParser):
    """What a browser with scripting makes of a page: its elements, and what is in scripts, styles and noscript."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: t.List[t.Tuple[str, t.Dict[str, t.Optional[str]]]] = []
        self.contents: t.Dict[str, t.List[str]] = {}
        self.text: t.List[str] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: t.List[t.Tuple[str, t.Optional[str]]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag if tag in {"script", "style", "noscript"} else ""
        if tag == "noscript":
            self.set_cdata_mode(tag)

    def handle_endtag(self, _tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.contents.setdefault(self._open, []).append(data)
        else:
            self.text.append(data)

    @property
    def data(self) -> t.Any:
        return json.loads(self.contents["script"][0])

    @property
    def policy(self) -> str:
        return next(str(attrs["content"]) for tag, attrs in self.elements if tag == "meta" and "http-equiv" in attrs)


@pytest.fixture(name="report", scope="module")
def fixture_report() -> t.Dict[str, t.Any]:
    return fleet_reports.fleet(300)


@pytest.fixture(name="page", scope="module")
def fixture_page(report: t.Dict[str, t.Any]) -> Page:
    return Page(html.render(report))


def test_hostile_text_makes_no_element_and_no_script(page: Page) -> None:
    tags = [tag for tag, _attributes in page.elements]
    assert tags.count("script") == 2
    assert tags.count("noscript") == 1
    assert "img" not in tags
    assert not [name for _tag, attributes in page.elements for name in attributes if name.startswith("on")]
    plain = Page(page.contents["noscript"][0])
    assert {tag for tag, _attributes in plain.elements} == {"p", "table", "thead", "tbody", "tr", "th", "td"}


def test_the_policy_allows_the_page_s_own_script_and_style_alone(page: Page) -> None:
    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    directives = dict(directive.split(" ", 1) for directive in page.policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == digest(page.contents["script"][1])
    assert directives["style-src"] == digest(page.contents["style"][0])
    assert directives["require-trusted-types-for"] == "'script'"


def test_the_page_loads_nothing(report: t.Dict[str, t.Any]) -> None:
    text = html.render(report)
    own = text.replace(Page(text).contents["script"][0], "")
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']?(?:https?:|//)|url\(|@import|\bfetch\(|XMLHttp""", own)


@pytest.mark.parametrize("character", ["<", "\u2028", "\u2029", "\ud800", "\x1b", "\x00"])
def test_the_data_has_no_character_that_ends_a_script_or_cannot_be_written(character: str) -> None:
    report = fleet_reports.fleet(2, hostile=False)
    report["inventory"] = f"a{character}b"
    text = html.render(report)
    data = Page(text).contents["script"][0]
    assert character not in data
    assert json.loads(data)["about"]["inventory"] == f"a{'?' if character == chr(0xD800) else character}b"
    text.encode("utf-8")


def test_the_verdict_and_the_counts_stand_in_the_markup(page: Page, report: t.Dict[str, t.Any]) -> None:
    hosts = report["summary"]["hosts"]
    text = re.sub(r"\s+", " ", " ".join(page.text))
    assert f"Fail {hosts['failing']:,} of 300 hosts fail" in text
    assert f"{300 - hosts['judged']} were not seen" in text
    assert "2026-11-24 06:00 UTC" in text
    assert "production" in text


@pytest.mark.parametrize(
    "hosts, words",
    [
        ({"total": 1, "judged": 1, "passing": 1, "failing": 0}, "0 of 1 host fail"),
        ({"total": 2, "judged": 1, "passing": 0, "failing": 1}, "1 of 2 hosts fails; 1 was not seen"),
        ({"total": 9000, "judged": 9000, "passing": 0, "failing": 9000}, "9,000 of 9,000 hosts fail"),
    ],
)
def test_the_sentence_agrees_with_its_numbers(hosts: t.Dict[str, int], words: str) -> None:
    report = fleet_reports.fleet(2)
    report["summary"].update(hosts=hosts, worst=None)
    assert words in " ".join(Page(html.render(report)).text)


def test_without_scripting_every_failing_and_every_unseen_host_is_listed(
    page: Page, report: t.Dict[str, t.Any]
) -> None:
    plain = Page(page.contents["noscript"][0])
    listed = sum(tag == "tr" for tag, _attributes in plain.elements) - 1
    hosts = report["summary"]["hosts"]
    assert listed == hosts["failing"] + hosts["total"] - hosts["judged"]
    anchors = {attributes.get("id") for tag, attributes in plain.elements if tag == "tr"}
    unseen = next(host for host in report["hosts"] if host["outcome"] == "unreachable")
    assert f"host-{unseen['name']}" in anchors
    assert any("Connection timed out" in text for text in plain.text)


def test_without_scripting_a_fleet_without_findings_says_so() -> None:
    report = fleet_reports.fleet(0)
    assert "There are none." in Page(html.render(report)).contents["noscript"][0]


@pytest.mark.parametrize(
    "changed, shown",
    [
        ({"check_mode": True}, "check mode"),
        ({"from_cache": True}, "from the cache, no host was asked"),
        ({"profile": None}, None),
        ({"previous": None}, None),
    ],
)
def test_the_page_says_how_it_came_about(changed: t.Dict[str, t.Any], shown: t.Optional[str]) -> None:
    text = " ".join(Page(html.render({**fleet_reports.fleet(3), **changed})).text)
    assert shown is None or shown in text
    assert "None" not in text


def test_every_file_of_the_page_is_in_it() -> None:
    known = {*html._STYLES, *html._SCRIPTS}
    assert {path.name for path in html._PAGE.iterdir()} == known
    page = Page(html.render(fleet_reports.fleet(1)))
    shown = page.contents["style"][0] + page.contents["script"][1]
    for name in known:
        assert html._PAGE.joinpath(name).read_text(encoding="utf-8") in shown


def test_the_same_report_gives_the_same_page() -> None:
    assert html.render(fleet_reports.fleet(50)) == html.render(fleet_reports.fleet(50))


@pytest.mark.parametrize("size, limit", [(1_000, 2_000_000), (10_000, 15_000_000)])
def test_a_page_stays_small(size: int, limit: int) -> None:
    length = len(html.render(fleet_reports.fleet(size)).encode())
    print(f"{size} hosts: {length} bytes")
    assert length < limit
