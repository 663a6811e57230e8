# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot import login_limits

# Debian 12, shortened
DEBIAN = """\
# /etc/security/limits.conf
#<domain>      <type>  <item>         <value>
#

#*               soft    core            0
#root            hard    core            100000
#*               hard    rss             10000
#@student        -       maxlogins       4

# End of file
"""
Row = t.Tuple[str, str, t.Optional[int], int]


def rows(text: str) -> t.List[Row]:
    found = login_limits.parse({"f": text})
    return [(one.domain, one.type, one.value, int(one.source.partition(":")[2])) for one in found]


# What pam_limits of Linux-PAM 1.5.2 gave to setrlimit(2) for such lines.
@pytest.mark.parametrize(
    "text, expected",
    [
        (DEBIAN, []),
        ("* hard nofile 65536", [("*", "hard", 65536, 1)]),
        ("\t@www  -\tNoFile 9 # c", [("@www", "soft", 9, 1), ("@www", "hard", 9, 1)]),
        ("a HARD nofile 5\na - nofile 6", [("a", "hard", 6, 2), ("a", "soft", 6, 2)]),
        ("a soft nofile 5\nA soft nofile 6", [("a", "soft", 5, 1), ("A", "soft", 6, 2)]),
        ("a hard nofile Unlimited", [("a", "hard", None, 1)]),
        ("a hard nofile infinity", [("a", "hard", None, 1)]),
        ("a hard nofile -1", [("a", "hard", None, 1)]),
        ("a hard nofile -", [("a", "hard", None, 1)]),
        ("a hard nofile +7 x", [("a", "hard", 7, 1)]),
        ("a hard nofile 7x", [("a", "hard", 7, 1)]),
        ("a hard nofile x7", []),
        ("a hard nofile", []),
        ("#a hard nofile 7", []),
        ("a hard nofile 7 # hard nofile 8", [("a", "hard", 7, 1)]),
        ("a hard nofile #7", []),
        ("a hard nofile -0", [("a", "hard", 0, 1)]),
        ("a hard nofile 18446744073709551614", [("a", "hard", 2**64 - 2, 1)]),
        ("a hard nofile 18446744073709551615", [("a", "hard", None, 1)]),
        ("a hard nofile -18446744073709551614", [("a", "hard", 2, 1)]),
        ("a soft nofile 0\n\nb hard nofile 1", [("a", "soft", 0, 1), ("b", "hard", 1, 3)]),
        ("a hard nofile -5", [("a", "hard", 2**64 - 5, 1)]),
        ("a hard nofile -18446744073709551615", [("a", "hard", 1, 1)]),
        ("a hard nofile -18446744073709551616", [("a", "hard", None, 1)]),
        ("a hard nofile 99999999999999999999999", [("a", "hard", None, 1)]),
        ("a both nofile 5\na hard nproc 5\na hard nofile\na -\n%a hard nofile 5", []),
    ],
)
def test_parse(text: str, expected: t.List[Row]) -> None:
    assert rows(text) == expected


def test_files_are_read_in_the_order_of_pam(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("d/b.conf", "d/B.conf", "d/.c.conf", "d/a.txt", "limits.conf"):
        (tmp_path / name).write_text(f"{name} - nofile 1\n")
    found = login_limits.read_files(str(tmp_path / "limits.conf"), str(tmp_path / "d"))
    assert [Path(path).name for path in found] == ["limits.conf", "B.conf", "b.conf"]
    assert login_limits.read_files(str(tmp_path / "none"), str(tmp_path / "none.d")) == {}
