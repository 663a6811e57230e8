# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils import _expressions


@pytest.mark.parametrize(
    "expression, found",
    [
        ("ratio(`1`, `4`)", 0.25),
        ("ratio(`1`, `0`)", None),
        ("ratio(nothing, `4`)", None),
        ("entries(o)", [{"key": "a", "value": 1}]),
        ("entries(nothing)", None),
    ],
)
def test_added_functions(expression: str, found: t.Any) -> None:
    assert _expressions.search(expression, {"o": {"a": 1}}) == found


@pytest.mark.parametrize("expression", ["a[", "ratio(`1`)", "ratio('x', `1`)", "unknown(@)", ""])
def test_what_cannot_be_tried_is_an_expression_error(expression: str) -> None:
    with pytest.raises(_expressions.ExpressionError):
        _expressions.search(expression, {})


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_expressions, "MISSING", "No module named 'jmespath'")
    with pytest.raises(_expressions.LibraryMissing, match="jmespath is needed on the controller"):
        _expressions.search("a", {})
