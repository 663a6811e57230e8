# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.plan import KeyPlan, Observed, Plan
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.records import Records
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_want

A, B = "net.core.somaxconn", "net.ipv4.tcp_fin_timeout"
MAX = "net.netfilter.nf_conntrack_max"


def plan(**keys: t.Optional[str]) -> Plan:
    """A plan with these lines; None drops a key."""
    names = {"a": A, "b": B, "max": MAX}
    return Plan(
        {names[key]: KeyPlan(names[key], parse_want(line) if line else None, line=line) for key, line in keys.items()}
    )


def test_the_first_value_is_the_original_and_stays_it() -> None:
    first = Records({}, {}).after(plan(a="8192"), {A: Observed("4096")})
    assert first == Records({A: "8192"}, {A: "4096"})
    second = first.after(plan(a="16384", b="30"), {A: Observed("8192", original="4096"), B: Observed("60")})
    assert second == Records({A: "16384", B: "30"}, {A: "4096", B: "60"})


def test_what_is_dropped_is_forgotten_unless_it_could_not_be_given_back() -> None:
    records = Records({A: "8192", B: "30"}, {A: "4096", B: "60"})
    assert records.after(plan(a=None), {A: Observed("8192")}) == Records({B: "30"}, {B: "60"})
    stuck = Plan({A: KeyPlan(A, None, status="read_only")})
    assert records.after(stuck, {A: Observed("8192")}) == Records({B: "30"}, {A: "4096", B: "60"})


def test_a_key_that_is_gone_keeps_its_line_and_gets_no_original() -> None:
    records = Records({A: "8192"}, {})
    skipped = Plan({A: KeyPlan(A, parse_want(8192), line="8192", status="skipped")})
    assert records.after(skipped, {A: Observed(None)}) == records


def test_modules_come_and_go_with_the_keys_that_need_them() -> None:
    observed = {A: Observed("4096"), MAX: Observed("1")}
    with_module = Records({}, {}).after(plan(a="8192", max="2"), observed, {"nf_conntrack", "br_netfilter"})
    assert with_module.modules == {"nf_conntrack"}
    assert with_module.after(plan(a="9000"), observed).modules == {"nf_conntrack"}
    assert with_module.after(plan(max=None), observed).modules == frozenset()
