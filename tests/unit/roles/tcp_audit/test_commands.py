# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that rules give as a remedy are such that the modules take them, and do no harm."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import lookup
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_want
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils.fleets import ROOT

_COMMAND = re.compile(r"-m nettune\.tcp\.(\w+) -a '([^']*)'")
POLICIES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]
    for path in sorted((ROOT / "roles/tcp_audit/policies").glob("*.yml"))
}
COMMANDS = [
    pytest.param(module, arguments, id=f"{rule['id']}-{module}")
    for rules in POLICIES.values()
    for rule in rules
    for module, arguments in _COMMAND.findall(rule["remedy"])
]


def _options(module: str) -> t.Mapping[str, t.Any]:
    text = (ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8").split('DOCUMENTATION = r"""')[1]
    return t.cast("t.Mapping[str, t.Any]", yaml.safe_load(text.split('"""')[0])["options"])


@pytest.mark.parametrize("module, arguments", COMMANDS)
def test_a_module_takes_the_command(module: str, arguments: str) -> None:
    given = json.loads(arguments)
    assert set(given) <= set(_options(module))
    for key, want in given.get("settings", {}).items():
        parse_want(want)
        assert not lookup(key).capacity or "at_least" in want, "what is a capacity is never lowered"


@pytest.mark.parametrize("name", ["connections", "queues", "limits"])
def test_a_diagnosis_says_what_it_is_and_what_does_not_help(name: str) -> None:
    for rule in POLICIES[name]:
        assert rule["description"].endswith("."), rule["id"]
        assert rule["not_remedy"].endswith("."), rule["id"]
