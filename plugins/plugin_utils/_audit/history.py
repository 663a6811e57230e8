# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The report before this one: what is new, what is mended, and how fast counters grew in between.  Pure."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

Report = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]

_FAILED = frozenset({"fail", "waived"})


class History:
    """A former report, or none, by host and rule."""

    def __init__(self, report: t.Optional[Report] = None) -> None:
        self.generated: t.Optional[str] = (report or {}).get("generated")
        self._hosts: t.Mapping[str, t.Mapping[str, t.Any]] = {
            host["name"]: {**host, "results": {result["id"]: result for result in host.get("results", ())}}
            for host in (report or {}).get("hosts", ())
        }

    def mark(self, host: str, result: Result, generated: str) -> None:
        """Give the result its ``history`` and ``since``: null where the host was not judged by the rule before."""
        before = self._hosts.get(host, {}).get("results", {}).get(result["id"])
        failed = result["status"] in _FAILED
        result["since"] = generated if failed else None
        if before is None:
            return
        if failed and before["status"] in _FAILED:
            result["history"] = "persisting"
            result["since"] = before.get("since") or self.generated
        elif failed and before["status"] == "pass":
            result["history"] = "new"
        elif result["status"] == "pass" and before["status"] in _FAILED:
            result["history"] = "fixed"

    def since_last(self, host: str, facts: t.Mapping[str, t.Any]) -> t.Optional[t.Dict[str, t.Any]]:
        """How much the counters have grown, and how fast; None where the boot is another, or nothing was kept.

        The uptimes tell the time between, since the clocks of hosts may differ.
        """
        before = self._hosts.get(host, {})
        counters, old = facts.get("counters"), before.get("counters")
        if not counters or not old or before.get("boot_id") != facts.get("boot_id"):
            return None
        seconds = _number(facts.get("uptime")) - _number(before.get("uptime_s"))
        if seconds <= 0:
            return None
        grown = {name: value - old[name] for name, value in counters.items() if _grew(old.get(name), value)}
        rates = {name: round(value / seconds, 3) for name, value in grown.items()}
        return {"seconds": round(seconds, 1), "counters": grown, "rates": rates}


def _number(value: t.Any) -> float:
    return value if isinstance(value, (int, float)) else 0.0


def _grew(before: t.Any, now: t.Any) -> bool:
    return isinstance(before, int) and isinstance(now, int) and now >= before


def read(path: Path) -> History:
    """The report at the path; one that is not there or no report of ours makes no history."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return History(report) if isinstance(report, dict) and report.get("schema") == 1 else History()
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return History()
