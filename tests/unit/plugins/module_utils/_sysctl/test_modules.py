# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import modules


@pytest.mark.parametrize(
    "key, name",
    [
        ("net.netfilter.nf_conntrack_max", "nf_conntrack"),
        ("net.nf_conntrack_max", "nf_conntrack"),
        ("net.bridge.bridge-nf-call-iptables", "br_netfilter"),
        ("net.netfilter.nf_log_all_netns", None),
        ("net.core.somaxconn", None),
    ],
)
def test_keys_and_the_modules_that_bring_them(key: str, name: t.Optional[str]) -> None:
    module = modules.bringing(key)
    assert (module.name if module else None) == name


def test_names_survive_the_way_through_the_file() -> None:
    names = {"nf_conntrack", "br_netfilter"}
    content = modules.compose(names)
    assert content is not None
    assert modules.parse(content) == names
    assert modules.compose(set()) is None
    assert modules.parse(None) == frozenset()


def test_a_file_of_somebody_else_is_understood() -> None:
    assert modules.parse(b"# a\n; b\n\n  nf-conntrack \nbr_netfilter") == {"nf_conntrack", "br_netfilter"}


def test_what_is_not_loaded_as_a_module_is_not_late() -> None:
    assert modules.late_at_boot([]) == set()
    assert modules.late_at_boot(["no_such_module"]) == set()
