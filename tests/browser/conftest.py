# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of fleets, opened in Debian's Chromium as a user opens them: as files."""

from __future__ import annotations

import os
import shutil
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright import sync_api

from ansible_collections.nettune.tcp.plugins.plugin_utils._report import html
from ansible_collections.nettune.tcp.tests import fleet_reports

DESK, PHONE = (1440, 900), (390, 844)


@dataclass
class Reader:
    """Somebody who reads a report; what the browser complains of is in ``complaints``."""

    page: sync_api.Page
    path: Path
    complaints: t.List[str] = field(default_factory=list)

    def open(self, anchor: str = "") -> Reader:
        """Load the report at an anchor such as ``#hosts?show=all``."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.path.as_uri()}{anchor}")
        return self

    def turn(self, anchor: str) -> Reader:
        """Go to an anchor of the report that is open, as a link does."""
        self.page.evaluate(
            "to => new Promise(done => { addEventListener('hashchange', done, {once: true}); location.hash = to; })",
            anchor,
        )
        return self

    def overflow(self) -> int:
        """How many pixels the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def rows(self) -> t.List[str]:
        """The text of the rows of the first table."""
        return self.page.locator("main table").first.locator("tbody tr").all_inner_texts()


Open = t.Callable[..., Reader]


@pytest.fixture(scope="session", name="reports")
def fixture_reports(tmp_path_factory: pytest.TempPathFactory) -> t.Callable[[int], Path]:
    """The file with the report of a fleet of so many hosts."""
    directory = tmp_path_factory.mktemp("reports")

    def make(size: int) -> Path:
        path = directory / f"{size}.html"
        if not path.exists():
            path.write_text(html.render(fleet_reports.fleet(size)), encoding="utf-8")
        return path

    return make


def launch(playwright: sync_api.Playwright) -> sync_api.Browser:
    """Debian's Chromium, which asks nobody for anything."""
    options = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium's own refuses to work for root
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)


@pytest.fixture(scope="session", name="chromium")
def fixture_chromium() -> t.Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(name="read")
def fixture_read(chromium: sync_api.Browser, reports: t.Callable[[int], Path]) -> t.Iterator[Open]:
    """Open the report of a fleet; at the end of the test the browser must have had nothing to complain of."""
    readers: t.List[Reader] = []

    def read(size: int = 300, anchor: str = "", **settings: t.Any) -> Reader:
        width, height = settings.pop("screen", DESK)
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        context.set_default_timeout(10_000)  # milliseconds
        reader = Reader(context.new_page(), reports(size))
        reader.page.on("console", lambda message: reader.complaints.append(message.text))
        reader.page.on("pageerror", lambda error: reader.complaints.append(str(error)))
        reader.page.on(
            "request", lambda asked: reader.complaints.append(asked.url) if asked.url.startswith("http") else None
        )
        readers.append(reader)
        return reader.open(anchor)

    yield read
    for reader in readers:
        reader.page.context.close()
    assert [complaint for reader in readers for complaint in reader.complaints] == []
