# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The formats of a report: from its dictionary to a text."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from . import csv_table, html, json_data, junit, markdown, openmetrics, sarif
from .text import Report


@dataclass(frozen=True)
class Format:
    """How a report is written, and the ending of its file's name.

    A former one of which nothing is ``kept`` is removed: whoever reads its directory would read both.
    """

    render: t.Callable[[Report], str]
    suffix: str
    kept: bool = True


FORMATS: t.Mapping[str, Format] = {
    "html": Format(html.render, "html"),
    "markdown": Format(markdown.render, "md"),
    "csv": Format(csv_table.render, "csv"),
    "junit": Format(junit.render, "xml"),
    "json": Format(json_data.render, "json"),
    "sarif": Format(sarif.render, "sarif"),
    "openmetrics": Format(openmetrics.render, "prom", kept=False),
}
