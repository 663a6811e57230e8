# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The report as it is, with a line for each host: ``docs/audit-report.schema.json`` describes it."""

from __future__ import annotations

import json

from .text import Report


def render(report: Report) -> str:
    """Hosts come last, so that a reader who wants the summary need not read them."""
    head = _dumps({name: value for name, value in report.items() if name != "hosts"})
    hosts = ",\n".join(map(_dumps, report["hosts"]))
    return f'{head[:-1]},"hosts":[\n{hosts}\n]}}\n'


# Without blanks, which would be a tenth of the report of a large fleet.
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
