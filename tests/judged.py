# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the policies that the role has by default find in facts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.judge import bring, judge
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.options import SPEC
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.policy import combine, parse_policy

Facts = t.Dict[str, t.Any]
Findings = t.Dict[str, t.Any]

_POLICIES = Path(__file__).parents[1] / "roles" / "tcp_audit" / "policies"
POLICY = combine(yaml.safe_load((_POLICIES / f"{name}.yml").read_text()) for name in SPEC["policy"]["default"])
# It compares with the files of the host, which are not those of a namespace or of a limit that was lowered for a test.
_OF_FILES = ("boot-drift",)


def findings(facts: Facts, thresholds: t.Optional[t.Mapping[str, float]] = None) -> Findings:
    """The evidence of every rule that failed, by the rule's id."""
    results = judge(bring(facts), parse_policy(POLICY, (), _OF_FILES, thresholds))
    assert not [result for result in results if result["status"] == "error"]
    return {result["id"]: result["evidence"] for result in results if result["status"] == "fail"}
