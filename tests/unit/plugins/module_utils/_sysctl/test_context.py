# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import context
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.guards import Holder

# systemctl show --property=Id,LimitNOFILE '*.service', of systemd 252
SHOWN = """Id=nginx.service
LimitNOFILE=65535

Id=ssh.service
LimitNOFILE=524288

Id=docker.service
LimitNOFILE=infinity
"""


@pytest.mark.parametrize(
    "text, number",
    [
        ("6.1.0-35-amd64", (6, 1)),
        ("4.18.0-553.el8_10.x86_64", (4, 18)),
        ("3.10.0-1160.119.1.el7.x86_64", (3, 10)),
        ("7.2+", (7, 2)),
        ("", (0, 0)),
    ],
)
def test_releases(text: str, number: t.Tuple[int, int]) -> None:
    assert context.release(text) == number


def test_limits_of_units() -> None:
    assert list(context.parse_units(SHOWN)) == [Holder(65535, "nginx.service"), Holder(524288, "ssh.service")]
    assert list(context.parse_units("")) == []


def test_nothing_is_looked_at_for_keys_that_no_guard_compares() -> None:
    found = context.gather({"net.core.somaxconn"})
    assert (found.running, found.listening, found.most_files, found.open_files) == ({}, frozenset(), None, 0)
