# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import drift

ROW = {
    "kind": "sysctl",
    "name": "net.core.somaxconn",
    "want": 9,
    "runtime_before": 1,
    "runtime": 1,
    "boot_before": 1,
    "boot": 1,
    "source": None,
    "status": "ok",
    "reason": None,
}


def row(**changed: t.Any) -> t.Dict[str, t.Any]:
    [only] = drift.drift([{**ROW, **changed}], "web1", {})
    return only


@pytest.mark.parametrize(
    "changed, status",
    [
        ({}, "compliant"),
        ({"status": "changed", "runtime": 9}, "drift_runtime"),
        ({"status": "changed", "runtime": 9, "boot": 9}, "drift_runtime"),
        ({"status": "changed", "boot": 9}, "drift_boot"),
        ({"status": "changed"}, "drift_runtime"),
        ({"status": "skipped"}, "skipped"),
        ({"status": "refused"}, "skipped"),
        ({"status": "not_listening"}, "skipped"),
        ({"status": "read_only"}, "drift_runtime"),
        ({"status": "limited"}, "clamped"),
        ({"status": "clamped"}, "clamped"),
        ({"status": "stale"}, "stale"),
        ({"status": "restart_required"}, "restart_required"),
        ({"status": "overridden"}, "overridden"),
        ({"status": "never seen"}, "unknown"),
        ({"status": None}, "unknown"),
    ],
)
def test_statuses(changed: t.Dict[str, t.Any], status: str) -> None:
    assert row(**changed)["status"] == status


@pytest.mark.parametrize(
    "changed, owner",
    [
        ({"source": "/etc/sysctl.d/99-x.conf:3"}, "/etc/sysctl.d/99-x.conf:3"),
        ({"source": "/etc/sysctl.d/zz-nettune-tcp.conf:1"}, "nettune.tcp"),
        ({"source": "/x:1", "reason": "tuned, with the profile y, sets it"}, "tuned"),
        ({"reason": "kube-proxy runs here and may raise it"}, "kube-proxy"),
        ({"owner": "somebody", "source": "/x:1"}, "somebody"),
        ({}, "the kernel's default"),
        ({"kind": "backlog"}, None),
        ({"status": "ok", "source": "/x:1"}, None),
    ],
)
def test_the_owner_of_what_differs(changed: t.Dict[str, t.Any], owner: t.Optional[str]) -> None:
    assert row(**{"status": "overridden", **changed})["owner"] == owner


@pytest.mark.parametrize(
    "changed, remedy",
    [
        ({"status": "changed"}, "ansible-playbook nettune.tcp.tune --become --limit web1"),
        (
            {"status": "overridden", "source": "/x:1"},
            "remove net.core.somaxconn from /x:1, or set the same value there",
        ),
        ({"status": "restart_required", "name": "nginx.service"}, "systemctl restart nginx.service"),
        ({"status": "restart_required", "name": "x; curl evil"}, "systemctl restart 'x; curl evil'"),
        ({"status": "ok"}, None),
        ({"status": "skipped"}, None),
    ],
)
def test_what_mends_it(changed: t.Dict[str, t.Any], remedy: t.Optional[str]) -> None:
    assert row(**changed)["remedy"] == remedy


def test_the_source_is_the_one_that_decides_now() -> None:
    new = {**ROW, "status": "changed", "source": "/etc/sysctl.d/zz-nettune-tcp.conf:1"}
    old = "/etc/sysctl.d/50-old.conf:2"
    [known] = drift.drift([new], "h", {"net.core.somaxconn": old})
    [unset] = drift.drift([new], "h", {"net.core.somaxconn": None})
    assert (known["source"], known["owner"]) == (old, old)
    assert (unset["source"], unset["owner"]) == (None, "the kernel's default")


def test_a_row_tells_what_is_and_not_what_would_be() -> None:
    found = row(status="changed", runtime=9, boot=9)
    assert (found["want"], found["runtime"], found["boot"]) == (9, 1, 1)


def test_the_worst_stands_first_and_nothing_is_no_row() -> None:
    rows = [
        ROW,
        {**ROW, "status": "changed", "name": "b"},
        {**ROW, "status": "overridden"},
        {**ROW, "status": "changed", "name": "a"},
    ]
    found = drift.drift(rows, "h", {})
    assert [(one["status"], one["name"]) for one in found] == [
        ("drift_runtime", "a"),
        ("drift_runtime", "b"),
        ("overridden", "net.core.somaxconn"),
        ("compliant", "net.core.somaxconn"),
    ]
    assert drift.drift(None, "h", {}) == []
