# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.guards import Change, refusal
from ansible_collections.nettune.tcp.plugins.module_utils._want import Value


@pytest.mark.parametrize(
    "key, before, after, said",
    [
        ("net.ipv4.tcp_tw_recycle", (0,), (1,), "NAT"),
        ("net.ipv4.tcp_tw_recycle", (1,), (0,), None),
        ("net.ipv4.tcp_timestamps", (1,), (0,), "PAWS"),
        ("net.ipv4.tcp_timestamps", (1,), (2,), None),
        ("net.ipv4.tcp_timestamps", (0,), (0,), None),
        ("net.ipv4.tcp_abort_on_overflow", (0,), (1,), "burst"),
        ("net.ipv4.tcp_syncookies", (1,), (2,), "tests"),
        ("net.ipv4.tcp_syncookies", (1,), (0,), "drops SYNs"),
        ("net.ipv4.tcp_syncookies", (0,), (1,), None),
        ("net.core.somaxconn", (4096,), (1024,), "4096 to 1024"),
        ("net.core.somaxconn", (4096,), (8192,), None),
        ("net.ipv4.tcp_max_tw_buckets", (131072,), (5000,), "131072 to 5000"),
        ("fs.file-max", (9223372036854775807,), (1048576,), "9223372036854775807"),
        ("net.ipv4.tcp_rmem", (4096, 131072, 33554432), (4096, 87380, 33554432), "lower"),
        ("net.ipv4.tcp_fin_timeout", (60,), (0,), "no sense"),
        ("net.ipv4.tcp_fin_timeout", (60,), (30,), None),
        ("net.ipv4.tcp_max_orphans", (131072,), (-1,), "no sense"),
        ("net.ipv4.tcp_congestion_control", ("cubic",), ("bbr",), None),
        ("vm.swappiness", (60,), (1,), None),
    ],
)
def test_harm_is_refused_with_the_reason(key: str, before: Value, after: Value, said: t.Optional[str]) -> None:
    reason = refusal(Change(key, before, after))
    assert (reason is None) == (said is None)
    assert said is None or (reason is not None and said in reason)
