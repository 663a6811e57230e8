# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.kernel_numbers import taken


@pytest.mark.parametrize(
    "text, held, expected",
    [
        ("30", "60", "30"),
        ("30 # secs", "60", "30"),
        ("\v30", "60", "30"),
        ("30\tsecs", "60", "30"),
        (" 4096  131072\t6291456 # bytes", "1\t2\t3", "4096 131072 6291456"),
        ("0x20", "60", "32"),
        ("040", "60", "32"),
        ("0", "60", "0"),
        ("-1", "60", "-1"),
        ("-0x1", "60", "-1"),
        # Refused by the kernel.
        ("30secs", "60", "30secs"),
        ("30\v", "60", "30\v"),
        ("30\r", "60", "30\r"),
        ("# 30", "60", "# 30"),
        ("", "60", ""),
        ("089", "60", "089"),
        # The rest is what the key holds by then.
        ("4096", "1\t2\t3", "4096"),
        # No keys of numbers.
        ("bbr # fast", "cubic", "bbr # fast"),
        ("8000-8002", "9000,9001", "8000-8002"),
        ("8000", "", "8000"),
    ],
)
def test_taken(text: str, held: str, expected: str) -> None:
    assert taken(text, held) == expected
