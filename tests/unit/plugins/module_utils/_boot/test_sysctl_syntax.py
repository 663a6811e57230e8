# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._boot import sysctl_syntax as syntax


@pytest.mark.parametrize(
    "key, path",
    [
        ("net.core.somaxconn", "net/core/somaxconn"),
        ("net/core/somaxconn", "net/core/somaxconn"),
        ("net.ipv4.conf.eth0/5.tag", "net/ipv4/conf/eth0.5/tag"),
        ("net/ipv4/conf/eth0.5/tag", "net/ipv4/conf/eth0.5/tag"),
        ("net.ipv4/conf", "net/ipv4.conf"),
        ("/net/core", "net/core"),
        (".net.core", "net/core"),
        ("net//core/./x/", "net/core/x"),
        ("somaxconn", "somaxconn"),
        ("", ""),
        ("/", ""),
    ],
)
def test_path_of(key: str, path: str) -> None:
    assert syntax.path_of(key) == path


@given(st.text(st.sampled_from("ab./"), max_size=12))
def test_a_path_is_its_own_path(key: str) -> None:
    path = syntax.path_of(key)
    if "." not in path.partition("/")[0]:
        assert syntax.path_of(path) == path


@pytest.mark.parametrize(
    "text, systemd, procps4, procps3",
    [
        ("a=1", (1, "a", "1"), (1, "a", "1"), (1, "a", "1")),
        ("\n\n a = 1 ", (3, "a", "1"), (3, "a", "1"), (3, "a", "1")),
        ("- a = 1", (1, "a", "1"), (1, " a", "1"), (1, " a", "1")),
        ("--a = 1", (1, "-a", "1"), (1, "a", "1"), (1, "-a", "1")),
        ("-a", (1, "a", None), (1, "a", None), None),
        ("- a", (1, "a", None), (1, " a", None), None),
        ("a=", (1, "a", ""), (1, "a", ""), None),
        ("=1", (1, "", "1"), (1, "", "1"), None),
        ("\va=1\v", (1, "\va", "1\v"), (1, "a", "1"), (1, "\va", "1\v")),
        ("a=1\rb=2", (1, "a", "1"), (1, "a", "1\rb=2"), (1, "a", "1")),
        ("a=1\0b=2", (1, "a", "1"), (1, "a", "1"), (1, "a", "1")),
        ("-", (1, "", None), (1, "", None), None),
        ("a", None, None, None),
        ("# a=1", None, None, None),
    ],
)
def test_first_setting(
    text: str,
    systemd: tuple[int, str, str | None] | None,
    procps4: tuple[int, str, str | None] | None,
    procps3: tuple[int, str, str | None] | None,
) -> None:
    assert next(syntax.systemd(text), None) == systemd
    assert next(syntax.procps4(text), None) == procps4
    assert next(syntax.procps3(text), None) == procps3


def test_line_numbers_are_those_of_an_editor() -> None:
    assert [number for number, _path, _value in syntax.systemd("a=1\r\nb=2\rc=3\n\0d=4\n")] == [1, 2, 2, 3]


BELOW, ABOVE = (1 << 20) - 1, 1 << 20


@pytest.mark.parametrize(
    "comment, read",
    [
        ("#" * BELOW, True),
        ("#" * ABOVE, False),
        ("#" * (BELOW - 2) + "\u00e9", True),
        ("#" * (BELOW - 1) + "\u00e9", False),
        ("#" * (BELOW - 3) + "\udc80", True),
        ("#" * BELOW + "\r" + "#" * BELOW, True),
    ],
)
def test_a_line_of_a_megabyte_ends_the_reading_of_systemd(comment: str, read: bool) -> None:
    text = f"a=1\n{comment}\nb=2\n"
    assert [path for _number, path, _value in syntax.systemd(text)] == ["a", *["b"][:read]]
    assert [path for _number, path, _value in syntax.procps4(text)] == ["a", "b"]
