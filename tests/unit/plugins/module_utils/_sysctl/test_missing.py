# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import missing


@pytest.mark.parametrize(
    "key, in_namespace, module, said",
    [
        ("net.ipv4.tcp_tw_recycle", False, None, "does not exist in this kernel, it was removed in Linux 4.12"),
        ("net.ipv4.tcp_nonsense", True, None, "does not exist in this kernel"),
        ("net.ipv4.tcp_mem", True, None, "is host-wide: this network namespace has none of its own"),
        ("net.ipv4.tcp_mem", False, None, "does not exist in this kernel"),
        ("fs.no-such", True, None, "does not exist in this kernel"),
        ("net.ipv4.conf.eth0/5.rp_filter", False, None, "there is no interface eth0.5 here"),
        ("net.ipv6.neigh.eth1.gc_stale_time", True, None, "there is no interface eth1 here"),
        (
            "net.netfilter.nf_conntrack_max",
            False,
            "nf_conntrack",
            "is provided by the module nf_conntrack, which is not",
        ),
    ],
)
def test_reasons_are_told_apart(key: str, in_namespace: bool, module: t.Optional[str], said: str) -> None:
    assert missing.reason(key, in_namespace=in_namespace, module=module).startswith(said)
