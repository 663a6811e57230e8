# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Whether an audit's findings make the play fail, and how that is said in the last line.  Pure."""

from __future__ import annotations

import typing as t

from .policy import SEVERITIES


def failure(report: t.Mapping[str, t.Any], fail_on: str, *, unseen: bool) -> t.Optional[str]:
    """Why the play must fail: findings of the severity or above, or hosts that were not judged where that counts."""
    summary = report["summary"]
    reasons = []
    if fail_on != "none":
        grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        found = [finding["id"] for finding in summary["findings"] if finding["severity"] in grave]
        if found:
            reasons.append(f"findings of severity {fail_on} or above: {', '.join(found)}")
    missed = summary["hosts"]["total"] - summary["hosts"]["judged"]
    if unseen and missed:
        reasons.append(f"hosts that were not judged: {missed}")
    return "; ".join(reasons) or None
