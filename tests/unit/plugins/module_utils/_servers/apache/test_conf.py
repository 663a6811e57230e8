# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._servers.apache.conf import DEPTH, walk
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import ConfigError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.source import Memory


def ports(text: str, **more: str) -> t.List[str]:
    """What the Listens say that count; ``__`` in the names of further files below /srv is a slash."""
    files = {"/srv/main": text, **{f"/srv/{name.replace('__', '/')}": content for name, content in more.items()}}
    tree = Memory({path: content.encode() for path, content in files.items()})
    return [directive.rest for directive in walk(tree, "/srv/main", "/srv", {}).sockets]


def within(condition: str) -> str:
    return f"<If{condition}>\nListen 1\n</If{condition.split(maxsplit=1)[0]}>\nListen 2\n"


@pytest.mark.parametrize(
    "version, counts",
    [
        (">= 2.4", True),
        ("> 2.4", True),
        ("<= 2.4", False),
        ("< 2.4", False),
        (">= 2.4.0", True),
        ("< 2.4.0", False),
        (">= 2", True),
        (">= 2.2.99", True),
        ("< 2.2.99", False),
        (">= 2.5", False),
        ("< 2.5", True),
        (">= 2.5.0", False),
        (">= 2.5.9", False),
        (">= 2.3.1", True),
        (">= 3", False),
        ("< 3.4", True),
        ("< 3.4.0", True),
        (">= 1.4.1", True),
    ],
)
def test_versions_that_every_httpd_2_4_fits_or_does_not(version: str, counts: bool) -> None:
    assert ports(within(f"Version {version}")) == [*["1"][:counts], "2"]


@pytest.mark.parametrize("version", [">= 2.4.1", "< 2.4.99", "= 2.4", "2.4", "~ 2", ">= 2.x", ">= 2.4.0.0", ">= 12345"])
def test_versions_that_only_the_server_can_compare(version: str) -> None:
    with pytest.raises(ConfigError, match=":2: only the running server knows whether <ifversion>"):
        ports(within(f"Version {version}"))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Define a b\n" + within("Define a"), ["1", "2"]),
        ("Define a b\n" + within("Define b"), ["2"]),
        ("Define a\nUndefine a\n" + within("Define a"), ["2"]),
        ("LoadModule x_module modules/mod_x.so\n" + within("Module x_module"), ["1", "2"]),
        ("LoadModule x_module modules/mod_x.so.old\n" + within("Module mod_x.c"), ["1", "2"]),
        ("LoadModule x_module modules/mod_x.so\n" + within("Module x_module.c"), ["2"]),
        ("LoadModule x_module modules/mod_x.so\n" + within("Module mod_x.so"), ["2"]),
        ("LoadModule x_module\n" + within("Module x_module"), ["2"]),
        ("ServerRoot /srv/d\nInclude a\n", ["3"]),
        ("<IfDefine !a>\n<IfModule core.c>\nListen 1\n</IfModule>\nListen 2\n</IfDefine>\nListen 3", ["1", "2", "3"]),
        ("<IfDefine a>\n<IfModule core.c>\nListen 1\n</IfModule>\nListen 2\n</IfDefine>\nListen 3", ["3"]),
        ("<IfModule core.c>\n<IfDefine a>\nListen 1\n</IfDefine>\nListen 2\n</IfModule>", ["2"]),
    ],
)
def test_conditions(text: str, expected: t.List[str]) -> None:
    assert ports(text, d__a="Listen 3\n", d__b="Listen 4\n") == expected


def test_a_condition_that_only_the_server_knows_counts_for_what_is_in_it_too() -> None:
    text = "<IfFile /x>\n<IfModule core.c>\nListen 1\n</IfModule>\n</IfFile>\n"
    with pytest.raises(ConfigError, match=":3: only the running server knows whether <iffile>"):
        ports(text)
    assert ports("<IfFile /x>\n<IfModule none>\nListen 1\n</IfModule>\n</IfFile>\nListen 2") == ["2"]


def test_the_section_that_is_left_open_is_named_and_the_inner_one_first() -> None:
    with pytest.raises(ConfigError, match="/srv/main:2: <ifdefine> is never closed"):
        ports("<IfModule a>\n<IfDefine b>\n")


def test_the_innermost_of_the_sections_around_decides() -> None:
    with pytest.raises(ConfigError, match=":3: listen is not allowed in <virtualhost>"):
        ports("<IfModule core.c>\n<VirtualHost *>\nListen 1\n")


@pytest.mark.parametrize("count, fine", [(DEPTH, True), (DEPTH + 1, False)])
def test_includes_go_so_deep_and_no_deeper(count: int, fine: bool) -> None:
    files = {f"f{number}": f"Include f{number + 1}\n" for number in range(1, count)}
    text = "Include f1\nInclude f1\n"
    if fine:
        assert ports(text, **files, **{f"f{count}": "Listen 1\n"}) == ["1", "1"]
    else:
        with pytest.raises(ConfigError, match="nested more than 128 deep"):
            ports(text, **files, **{f"f{count}": "Listen 1\n"})


@pytest.mark.parametrize("depth, fine", [(DEPTH, True), (DEPTH + 1, False)])
def test_directories_go_so_deep_and_no_deeper(depth: int, fine: bool) -> None:
    name = "__".join(["d"] * (depth + 1))
    if fine:
        assert ports("Include d\n", **{f"{name}__f": "Listen 1\n"}) == ["1"]
    else:
        with pytest.raises(ConfigError, match=r":1: /srv/d/d.* is nested too deep"):
            ports("Include d\n", **{f"{name}__f": "Listen 1\n"})
