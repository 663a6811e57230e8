# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Findings that somebody has accepted until a day, with a reason.  Pure."""

from __future__ import annotations

import collections.abc
import datetime
import fnmatch
import typing as t
from dataclasses import dataclass

from .clean import clean
from .errors import AuditError, unknown

_FIELDS = ("rule", "hosts", "reason", "owner", "expires")


@dataclass(frozen=True)
class Waiver:
    """One rule that may fail on hosts, which are patterns of names of hosts and groups, through the day ``expires``."""

    rule: str
    hosts: t.Sequence[str]
    reason: str
    owner: str
    expires: datetime.date

    def covers(self, host: str, groups: t.Iterable[str]) -> bool:
        """Whether it speaks of the host, by its name or one of its groups."""
        names = (host, *groups, "all")
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.hosts for name in names)

    def data(self) -> t.Dict[str, str]:
        """What a report tells of it."""
        return {"reason": self.reason, "owner": self.owner, "expires": self.expires.isoformat()}


def parse_waivers(raw: t.Any, rules: t.Collection[str]) -> t.List[Waiver]:
    """Raises AuditError, which names the waiver and the field."""
    if not isinstance(raw, collections.abc.Sequence) or isinstance(raw, str):
        raise AuditError("waivers are a list of dictionaries")
    return [_parse(number, waiver, rules) for number, waiver in enumerate(raw, start=1)]


def _parse(number: int, raw: t.Any, rules: t.Collection[str]) -> Waiver:
    name = f"waiver number {number}"
    if not isinstance(raw, collections.abc.Mapping):
        raise AuditError(f"{name} is not a dictionary")
    for field in raw:
        if field not in _FIELDS:
            raise AuditError(f"{name} has " + unknown("an unknown field", str(field), _FIELDS))
    missing = [field for field in _FIELDS if not raw.get(field)]
    if missing:
        raise AuditError(f"{name} lacks {', '.join(missing)}")
    if raw["rule"] not in rules:
        raise AuditError(f"{name}: " + unknown("there is no rule called", str(raw["rule"]), rules))
    return Waiver(
        rule=str(raw["rule"]),
        hosts=_patterns(raw["hosts"]),
        reason=clean(str(raw["reason"])),
        owner=clean(str(raw["owner"])),
        expires=_day(name, raw["expires"]),
    )


def _patterns(raw: t.Any) -> t.Sequence[str]:
    words = raw.replace(":", ",").split(",") if isinstance(raw, str) else raw
    return [str(word).strip() for word in words]


def _day(name: str, raw: t.Any) -> datetime.date:
    if isinstance(raw, datetime.datetime):
        return raw.date()
    if isinstance(raw, datetime.date):
        return raw
    try:
        return datetime.date.fromisoformat(str(raw))
    except ValueError as exc:
        raise AuditError(f"{name}: expires is {raw!r}, and must be a day like 2027-01-31") from exc


def waive(result: t.Dict[str, t.Any], waivers: t.Iterable[Waiver], today: datetime.date) -> None:
    """Mark a failure that one of the waivers of its rule and host covers; with an expired one it fails, and says so."""
    waiver = max(waivers, key=lambda waiver: waiver.expires, default=None)
    if waiver is None or result["status"] != "fail":
        return
    result["waiver"] = waiver.data()
    if waiver.expires >= today:
        result["status"] = "waived"
    else:
        result["message"] = f"the waiver of {waiver.owner} expired on {waiver.expires}: {waiver.reason}"
