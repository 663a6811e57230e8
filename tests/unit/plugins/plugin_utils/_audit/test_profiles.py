# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import profiles
from ansible_collections.nettune.tcp.tests import profiles as shipped
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils.fleets import ROOT

LIMITS = [{"unit": "auto", "limit": 5}]
RAW: t.Dict[str, t.Any] = {
    "base": {"sysctls": {"a": {"want": 1, "why": "x"}, "b": {"want": 1}}, "file_limits": LIMITS},
    "mid": {"inherits": ["base"], "sysctls": {"b": {"want": 2}}, "backlogs": [{"server": "auto", "backlog": 7}]},
    "top": {"inherits": ["mid"], "sysctls": {"c": {"want": {"at_least": 3}}}},
    "own": {"inherits": ["base"], "sysctls": {}, "file_limits": [{"unit": "x", "limit": 9}]},
}


@pytest.fixture(name="found")
def fixture_found(tmp_path: Path) -> t.Dict[str, t.Any]:
    for name, profile in RAW.items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    return profiles.read(tmp_path)


@pytest.mark.parametrize(
    "name, wants",
    [
        ("base", {"sysctls": {"a": 1, "b": 1}, "file_limits": LIMITS, "backlogs": []}),
        ("mid", {"sysctls": {"a": 1, "b": 2}, "file_limits": LIMITS, "backlogs": [{"server": "auto", "backlog": 7}]}),
        (
            "top",
            {
                "sysctls": {"a": 1, "b": 2, "c": {"at_least": 3}},
                "file_limits": LIMITS,
                "backlogs": [{"server": "auto", "backlog": 7}],
            },
        ),
        ("own", {"sysctls": {"a": 1, "b": 1}, "file_limits": [{"unit": "x", "limit": 9}], "backlogs": []}),
    ],
)
def test_a_profile_has_what_it_builds_on(name: str, wants: t.Any, found: t.Dict[str, t.Any]) -> None:
    assert found[name] == wants


def test_the_profiles_that_are_shipped_want_what_the_role_takes_of_them() -> None:
    found = profiles.read(ROOT / "roles/tcp_tuning/profiles")
    assert {
        (name, key): want for name, wants in found.items() for key, want in wants["sysctls"].items()
    } == shipped.WANTS
    assert found["web"]["file_limits"]
    assert found["web"]["backlogs"]
