# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.nettune.tcp.plugins.module_utils._plan import Row, diff, rows_as_data

CHANGED = Row("at least 2", [1, 2], 2, None, 2, "/f:1", "changed", "")
SAME = Row("exactly 1", 1, 1, 1, 1, "/f:2", "ok", "")


def test_the_diff_shows_only_what_differs_runtime_and_boot_apart() -> None:
    shown = diff({"b": CHANGED, "a": SAME}, header="sysctl")
    assert shown["before"] == "b: runtime 1 2, boot unset\n"
    assert shown["after"] == "b: runtime 2, boot 2\n"
    assert shown["before_header"] == shown["after_header"] == "sysctl"


def test_rows_are_data_in_order() -> None:
    data = rows_as_data({"b": CHANGED, "a": SAME})
    assert list(data) == ["a", "b"]
    assert data["a"]["status"] == "ok"
