# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import cache_loader

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import hosts
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import AuditError

FACTS = {"tcp": {"uptime": 1.0}}


class HostVars(t.Dict[str, t.Any]):
    """Ansible's, as far as it is used: whoever takes an item templates it, and that costs too much."""

    def raw_get(self, name: str) -> t.Any:
        """What the inventory and the play have of the host."""
        return super().__getitem__(name)

    def __getitem__(self, name: str) -> t.Any:
        raise AssertionError("this would be templated")


def play(results: t.Mapping[str, t.Any], active: t.Optional[t.List[str]] = None) -> t.Dict[str, t.Any]:
    known = {
        name: {"group_names": ["web"], **({} if result is None else {"got": result})}
        for name, result in results.items()
    }
    return {
        "hostvars": HostVars(known),
        "ansible_play_hosts_all": list(results),
        "ansible_play_hosts": list(results) if active is None else active,
    }


@pytest.mark.parametrize(
    "result, outcome, message",
    [
        ({"ansible_facts": FACTS}, "judged", None),
        (None, "missing", "its facts were not gathered in this run"),
        ({"skipped": True}, "missing", "its facts were not gathered in this run"),
        ("text", "missing", "its facts were not gathered in this run"),
        ({"unreachable": True, "msg": "no route"}, "unreachable", "no route"),
        ({"failed": True, "msg": "no netlink", "module_stderr": " oops\n"}, "failed", "no netlink: oops"),
        ({"failed": True, "msg": "Task failed: no route."}, "failed", "no route"),
        (
            {
                "failed": True,
                "msg": "no json.",
                "module_stderr": "Traceback (most recent call last):\n  x\nMemoryError\n",
            },
            "failed",
            "no json: MemoryError",
        ),
        ({"failed": True}, "failed", "no reason was given"),
        ({"failed": True, "msg": "The module interpreter '/x/python3' was not found."}, "no_python", None),
        ({"failed": True, "msg": "x", "module_stderr": "/bin/sh: 1: /usr/bin/python3: not found"}, "no_python", None),
        ({"failed": True, "msg": "sh: python3.9: command not found"}, "no_python", None),
        ({"failed": True, "msg": "nginx: not found"}, "failed", "nginx: not found"),
        ({"ansible_facts": {"other": 1}}, "missing", "there are no facts of nettune.tcp.tcp_facts"),
        ({"ansible_facts": None}, "missing", "there are no facts of nettune.tcp.tcp_facts"),
        ({"ansible_facts": {"tcp": 5}}, "missing", "there are no facts of nettune.tcp.tcp_facts"),
    ],
)
def test_the_registered_result_tells_how_a_host_is(result: t.Any, outcome: str, message: t.Optional[str]) -> None:
    [seen] = hosts.Play(play({"h": result}), "got")
    assert (seen.name, seen.outcome, list(seen.groups)) == ("h", outcome, ["web"])
    assert message is None or seen.message == message
    assert seen.facts == (FACTS["tcp"] if outcome == "judged" else {})


def test_a_host_that_has_left_the_play_has_failed() -> None:
    [seen] = hosts.Play(play({"h": None}, active=[]), "got")
    assert (seen.outcome, seen.message) == ("failed", "it failed, or could not be reached, earlier in the play")


@pytest.mark.parametrize(
    "results, active, waits",
    [
        ({"a": {}, "b": {}}, None, False),
        ({"a": {}, "b": None}, None, True),
        ({"a": None, "b": {}}, None, True),
        ({"a": {}, "b": None}, ["a"], False),
        ({"a": {}}, [], False),
    ],
)
def test_hosts_that_still_take_part_are_waited_for(results: t.Any, active: t.Any, waits: bool) -> None:
    assert hosts.waiting(play(results, active), "got") is waits
    found = hosts.Play(play(results, active), "got")
    assert len(list(found)) == len(results)
    assert bool(found.waiting) is waits


class Cache:
    """A fact cache that lasts, and counts how many were made."""

    made = 0
    _persistent = True

    def __init__(self) -> None:
        type(self).made += 1

    def get(self, name: str) -> t.Any:
        """The facts of all hosts whose names are known here."""
        if name == "corrupt":
            raise AnsibleError("corrupt file")
        return {"good": FACTS, "other": {"os": "x"}}[name]


def cached(names: t.List[str]) -> t.Dict[str, t.Any]:
    return {"ansible_play_hosts_all": names, "groups": {"all": names, "web": ["good"], "b": ["good"], "ungrouped": []}}


def test_the_cache_tells_how_a_host_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_loader, "get", lambda _name: Cache())
    found = {seen.name: seen for seen in hosts.of_cache(cached(["good", "other", "gone", "corrupt"]))}
    assert {name: seen.outcome for name, seen in found.items()} == {
        "good": "judged",
        "other": "missing",
        "gone": "missing",
        "corrupt": "failed",
    }
    assert list(found["good"].groups) == ["b", "web"]
    assert "expired" in str(found["gone"].message)
    assert "corrupt file" in str(found["corrupt"].message)


def test_a_cache_that_keeps_all_it_has_read_is_let_go_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_loader, "get", lambda _name: Cache())
    monkeypatch.setattr(Cache, "made", 0)
    assert len(list(hosts.of_cache(cached(["good"] * 1001)))) == 1001
    assert Cache.made == 3


@pytest.mark.parametrize("cache", [None, type("Memory", (), {"_persistent": False})()])
def test_a_cache_that_keeps_nothing_is_refused(cache: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_loader, "get", lambda _name: cache)
    with pytest.raises(AuditError, match="needs a persistent fact cache"):
        list(hosts.of_cache(cached(["good"])))
