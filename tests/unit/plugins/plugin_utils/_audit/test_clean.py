# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import clean


class Tagged(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "raw, cleaned",
    [
        ("plain ä text, 日本", "plain ä text, 日本"),
        ("a\nb\tc\rd", "a b c d"),
        ("\x00\x1b[2J\x07\x7f\x9b", "\ufffd\ufffd[2J\ufffd\ufffd\ufffd"),
        ("\ud800 \uffff \ufffe", "\ufffd \ufffd \ufffd"),
        ("\u202egnp.exe\u2066", "\ufffdgnp.exe\ufffd"),
        ("\ufeff=1+1", "\ufffd=1+1"),
        ("\u2028\u00a0", "  "),
        (1, 1),
        (1.5, 1.5),
        (float("nan"), None),
        (float("inf"), None),
        (2**64 - 1, 2**64 - 1),
        (2**64, None),
        (-(10**400), None),
        (1e300, None),
        (True, True),
        (None, None),
        ({"a\x1b": ["\x00", {"b": ("x", 1)}]}, {"a\ufffd": ["\ufffd", {"b": ["x", 1]}]}),
        ({1: 2}, {"1": 2}),
        (Tagged("x"), "x"),
        ("x" * clean.LONGEST, "x" * clean.LONGEST),
        ("x" * 10_000_000, "x" * clean.LONGEST + "\u2026"),
        (object, "<class 'object'>"),
    ],
)
def test_what_comes_from_hosts_can_be_printed_and_written_anywhere(raw: t.Any, cleaned: t.Any) -> None:
    found = clean.clean(raw)
    assert found == cleaned
    assert type(found) is type(cleaned)
