# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Result, warnings and diff from rows and files."""

from __future__ import annotations

import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._backlog.plan import Row
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.report import diff, result


def row(before: t.Optional[int], after: t.Optional[int], status: str = "effective", **others: t.Any) -> Row:
    values: t.Dict[str, t.Any] = {
        "address": "0.0.0.0",
        "port": 80,
        "family": "inet",
        "configured_before": 511,
        "configured": 3000,
        "source": "/etc/x:1",
        "somaxconn": 4096,
        "reason": "because",
        **others,
    }
    return Row(backlog_before=before, backlog=after, status=status, **values)


def test_changed_means_a_file_or_the_kernel() -> None:
    assert not result([row(3000, 3000)], {}, {})["changed"]
    assert result([row(511, 3000)], {}, {})["changed"]
    found = result([row(3000, 3000)], {"/etc/x": b"a\n"}, {"/etc/x": b"b\n"})
    assert (found["changed"], found["files"]) == (True, ["/etc/x"])


def test_what_falls_short_is_warned_of_and_a_restart_is_named() -> None:
    found = result([row(511, 511, "restart_required"), row(None, None, "not_listening"), row(511, 3000)], {}, {})
    assert found["restart_required"]
    assert found["warnings"] == ["0.0.0.0:80 is restart_required: because"]


def test_what_a_restart_would_take_back_is_warned_of() -> None:
    found = result([row(511, 3000, family="inet6", address="::", configured=None)], {}, {})
    assert found["warnings"] == ["[::]:80: this server sets its own backlog again at its next start"]
    assert not result([row(3000, 3000, configured=None)], {}, {})["warnings"]


def test_a_configuration_without_listeners_is_warned_of() -> None:
    warnings = ["/etc/x configures no listener, so nothing was checked"]
    assert result([], {"/etc/x": b"", "/etc/y": b""}, {})["warnings"] == warnings


def test_the_diff_has_files_and_kernel() -> None:
    rows = [row(511, 3000), row(511, 511), row(511, 3000, family="unix", address="/run/x", port=0)]
    assert diff(rows, {"/etc/x": b"a\nb\n"}, {"/etc/x": b"a\nc\n", "/etc/new": b"d\n"}) == [
        {"before_header": "/etc/new", "after_header": "/etc/new", "before": "", "after": "d\n"},
        {"before_header": "/etc/x", "after_header": "/etc/x", "before": "a\nb\n", "after": "a\nc\n"},
        {
            "before_header": "kernel",
            "after_header": "kernel",
            "before": "0.0.0.0:80: backlog 511\n/run/x: backlog 511\n",
            "after": "0.0.0.0:80: backlog 3000\n/run/x: backlog 3000\n",
        },
    ]


def test_of_a_large_file_only_the_part_that_differs_is_shown() -> None:
    lines = [b"line %d\n" % number for number in range(20000)]
    before = b"".join(lines)
    after = b"".join([*lines[:9000], b"new\n", *lines[9001:]])
    [found] = diff([], {"/etc/x": before}, {"/etc/x": after})
    assert found["before"].splitlines() == [f"line {number}" for number in range(8997, 9004)]
    assert found["after"].splitlines()[3] == "new"
