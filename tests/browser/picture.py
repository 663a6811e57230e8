# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make docs/images/report.png, what is seen first of a report: run as a module, by its full name."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright import sync_api

from ansible_collections.nettune.tcp.plugins.plugin_utils._report import html
from ansible_collections.nettune.tcp.tests import fleet_reports
from ansible_collections.nettune.tcp.tests.browser.conftest import launch

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "report.png"


def main() -> None:
    """Draw what is seen first of the report of a thousand hosts."""
    with tempfile.TemporaryDirectory() as directory, sync_api.sync_playwright() as playwright:
        report = Path(directory, "report.html")
        report.write_text(html.render(fleet_reports.fleet(1_000, hostile=False)), encoding="utf-8")
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1400, "height": 760}, color_scheme="light")
        page.clock.set_fixed_time("2026-11-24T07:00:00Z")
        page.goto(report.as_uri())
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
