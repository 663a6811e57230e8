# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts import limits
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.processes import Process

TABLE = {f"net.netfilter.nf_conntrack_{name}": value for name, value in (("count", "5"), ("max", "9"))}


def test_the_fullest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    full = [Process(1, "app", "app.service", 1024, 4096, 1024), Process(2, "b", None, 1024, 4096, 600)]
    monkeypatch.setattr(limits, "nearest_to_nofile", lambda _share: full)
    assert limits.process_files(1) == [
        {
            "pid": 1,
            "name": "app",
            "unit": "app.service",
            "nofile": {"soft": 1024, "hard": 4096, "used": 1024},
            "utilization": 1.0,
        }
    ]


@pytest.mark.parametrize(
    "values, expected",
    [({}, None), (TABLE, {"count": 5, "max": 9, "buckets": None})],
)
def test_conntrack_is_null_without_its_module(
    monkeypatch: pytest.MonkeyPatch, values: t.Dict[str, str], expected: t.Optional[t.Dict[str, t.Optional[int]]]
) -> None:
    monkeypatch.setattr(proc_sys, "read", values.get)
    assert limits.conntrack() == expected
