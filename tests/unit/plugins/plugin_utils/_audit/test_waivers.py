# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import waivers
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import AuditError

TODAY = datetime.date(2026, 11, 24)


def waiver(**fields: t.Any) -> t.Dict[str, t.Any]:
    return {"rule": "r", "hosts": "web*", "reason": "old", "owner": "net", "expires": "2027-01-31", **fields}


def parse(*raw: t.Any) -> t.List[waivers.Waiver]:
    return waivers.parse_waivers(list(raw), {"r", "rule-of-two"})


@pytest.mark.parametrize(
    "raw, said",
    [
        ("text", "waiver number 1 is not a dictionary"),
        (waiver(rule="rr"), "no rule called 'rr'"),
        (waiver(owner=""), "waiver number 1 lacks owner"),
        ({"rule": "r"}, "lacks hosts, reason, owner, expires"),
        (waiver(expire="x"), "unknown field 'expire', did you mean expires"),
        (waiver(expires="soon"), "expires is 'soon', and must be a day like"),
        (waiver(expires="2027-02-30"), "2027-02-30"),
    ],
)
def test_a_wrong_waiver_is_named(raw: t.Any, said: str) -> None:
    with pytest.raises(AuditError, match=said):
        parse(raw)


def test_waivers_are_a_list() -> None:
    with pytest.raises(AuditError, match="are a list"):
        waivers.parse_waivers({"rule": "r"}, {"r"})


@pytest.mark.parametrize(
    "hosts, host, groups, covers",
    [
        ("web*", "web1", [], True),
        ("web*", "db1", [], False),
        ("db,web*", "web1", [], True),
        ("db:web1", "web1", [], True),
        (["db*", "web1"], "web1", [], True),
        ("rack3", "web1", ["rack3"], True),
        ("rack?", "web1", ["rack3"], True),
        ("all", "web1", [], True),
        ("*", "web1", [], True),
        ("web", "web1", [], False),
        ("WEB1", "web1", [], False),
        ("web[12]", "web2", [], True),
    ],
)
def test_hosts_are_patterns_of_names_and_groups(hosts: t.Any, host: str, groups: t.List[str], covers: bool) -> None:
    [only] = parse(waiver(hosts=hosts))
    assert only.covers(host, groups) is covers


@pytest.mark.parametrize(
    "expires, status, message",
    [
        ("2026-11-24", "waived", None),
        (datetime.date(2026, 11, 25), "waived", None),
        (datetime.datetime(2026, 11, 25, 1, tzinfo=datetime.timezone.utc), "waived", None),
        ("2026-11-23", "fail", "the waiver of net expired on 2026-11-23: old"),
    ],
)
def test_a_waiver_holds_through_its_last_day(expires: t.Any, status: str, message: t.Optional[str]) -> None:
    result: t.Dict[str, t.Any] = {"status": "fail", "message": None, "waiver": None}
    waivers.waive(result, parse(waiver(expires=expires)), TODAY)
    assert (result["status"], result["message"]) == (status, message)
    assert result["waiver"] == {"reason": "old", "owner": "net", "expires": str(expires)[:10]}


def test_the_one_that_holds_longest_counts() -> None:
    result: t.Dict[str, t.Any] = {"status": "fail", "message": None, "waiver": None}
    waivers.waive(result, parse(waiver(expires="2026-01-01"), waiver(owner="new"), waiver(expires="2026-02-01")), TODAY)
    assert (result["status"], result["waiver"]["owner"]) == ("waived", "new")


@pytest.mark.parametrize("status", ["pass", "unknown", "error", "skip"])
def test_only_a_failure_is_waived(status: str) -> None:
    result = {"status": status, "message": None, "waiver": None}
    waivers.waive(result, parse(waiver()), TODAY)
    assert result == {"status": status, "message": None, "waiver": None}
