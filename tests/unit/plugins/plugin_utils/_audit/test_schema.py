# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import clean, schema
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.unknown import Unknown, unsure
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils.fleets import ROOT

_TEXT = (ROOT / "plugins/modules/tcp_facts.py").read_text(encoding="utf-8").split('RETURN = r"""')[1]
DOCUMENTED = yaml.safe_load(_TEXT.split('"""')[0])["ansible_facts"]["contains"]["tcp"]["contains"]

# What the audit adds, or what a later look at the host does.
ADDED = {"since_last", "drift"}


def unknown(found: t.Any, path: str = "") -> t.List[str]:
    """The paths that are unknown in facts that have been brought."""
    if isinstance(found, Unknown):
        return [path]
    if isinstance(found, dict):
        return [one for name, item in found.items() for one in unknown(item, f"{path}.{name}" if path else name)]
    if isinstance(found, list):
        return [one for item in found for one in unknown(item, f"{path}[]")]
    return []


def test_rules_may_name_what_the_module_documents_and_nothing_else() -> None:
    assert set(schema.facts().fields) - ADDED == set(DOCUMENTED) - ADDED


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) - ADDED))
def test_the_documented_samples_are_whole(name: str) -> None:
    sample = DOCUMENTED[name]["sample"]
    assert unknown(schema.facts().fields[name].bring(sample), name) == []
    assert surplus(schema.facts().fields[name], sample, name) == []


def surplus(fact: schema.Fact, sample: t.Any, path: str) -> t.List[str]:
    """What a sample has that the schema does not know, by path."""
    if isinstance(fact, schema.List):
        return [one for item in sample for one in surplus(fact.item, item, f"{path}[]")]
    if isinstance(fact, schema.Named):
        foreign = [f"{path}.{name}" for name in sample if fact.keys and name not in fact.keys]
        return foreign + [one for name in sample for one in surplus(fact.item, sample[name], f"{path}.{name}")]
    if isinstance(fact, schema.Record) and isinstance(sample, dict):
        foreign = [f"{path}.{name}" for name in sample if name not in fact.fields]
        known = [name for name in sample if name in fact.fields]
        return foreign + [one for name in known for one in surplus(fact.fields[name], sample[name], f"{path}.{name}")]
    return []


@pytest.mark.parametrize(
    "raw, missing",
    [
        ({"listeners": [{"port": 80}]}, "listeners[].backlog"),
        ({"listeners": [{"backlog": None}]}, "listeners[].backlog"),
        ({"listeners": [5]}, "listeners[]"),
        ({"listeners": {}}, "listeners"),
        ({"files": []}, "files"),
        ({"files": {"max": "many"}}, "files.max"),
        ({"sysctls": 1}, "sysctls"),
        ({"kernel": 6}, "kernel"),
        ({}, "uptime"),
    ],
)
def test_what_is_not_as_documented_is_unknown(raw: t.Any, missing: str) -> None:
    assert missing in unknown(schema.facts().bring(raw))


@pytest.mark.parametrize(
    "raw, path",
    [
        ({"conntrack": None}, "conntrack"),
        ({"drift": None}, "drift"),
        ({"netns": None}, "netns"),
        ({"listeners": [{"processes": [{"nofile": {"soft": None}}]}]}, "listeners[].processes[].nofile.soft"),
        ({"sysctls": {"net.core.somaxconn": {"boot": None}}}, "sysctls.net.core.somaxconn.boot"),
    ],
)
def test_a_null_that_says_something_is_no_unknown(raw: t.Any, path: str) -> None:
    assert path not in unknown(schema.facts().bring(raw))


def test_a_state_that_no_socket_of_a_peer_has_is_zero() -> None:
    found = schema.facts().bring({"peers": [{"states": {"ESTABLISHED": 2}}]})
    assert found["peers"][0]["states"]["TIME_WAIT"] == 0


def test_a_process_without_a_count_is_one() -> None:
    [found] = schema.facts().bring({"listeners": [{"processes": [{"pid": 7}, {"pid": 8, "count": 4}]}]})["listeners"]
    assert [process["count"] for process in found["processes"]] == [1, 4]


def test_a_list_without_end_is_cut_and_may_not_be_whole() -> None:
    found = schema.facts().bring({"listeners": [{"port": port} for port in range(clean.MOST + 1)]})["listeners"]
    assert (len(found), unsure(found)) == (clean.MOST, frozenset({"listeners"}))
    assert not unsure(schema.facts().bring({"listeners": [{}] * clean.MOST})["listeners"])


def test_names_that_there_are_not_are_left_out_of_a_map() -> None:
    assert schema.facts().bring({"states": {"LISTEN": 1, "<script>": 2}})["states"] == {"LISTEN": 1}


def test_what_the_schema_does_not_know_is_left_out() -> None:
    assert "surprise" not in schema.facts().bring({"surprise": 1})
