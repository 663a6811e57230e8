# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._errors import MissingRight
from ansible_collections.nettune.tcp.plugins.module_utils._servers import source
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import ConfigError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.source import (
    Disk,
    Edit,
    Lines,
    Memory,
    apply,
    decode,
    encode,
    glob,
    resolve,
)

FILES = ("/a/b.conf", "/a/B.conf", "/a/.c.conf", "/a/d/e.conf", "/f/d/e.conf")


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("/a/*.conf", ["/a/B.conf", "/a/b.conf"]),
        ("/a/.*.conf", ["/a/.c.conf"]),
        ("/a/[bx].conf", ["/a/b.conf"]),
        ("/*/d/?.conf", ["/a/d/e.conf", "/f/d/e.conf"]),
        ("/a/none.conf", ["/a/none.conf"]),
        ("/none/*", []),
    ],
)
def test_both_trees_expand_patterns_alike(pattern: str, expected: t.List[str], tmp_path: Path) -> None:
    assert glob(Memory(dict.fromkeys(FILES, b"")), pattern) == expected
    for path in FILES:
        file = tmp_path / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    assert glob(Disk(), f"{tmp_path}{pattern}") == [f"{tmp_path}{path}" for path in expected]


def test_braces_only_where_the_server_knows_them() -> None:
    tree = Memory(dict.fromkeys(FILES, b""))
    assert glob(tree, "/a/{b,B}.conf", braces=True) == ["/a/B.conf", "/a/b.conf"]
    assert glob(tree, "/a/{b,B}.conf") == []


def test_what_is_no_readable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "large").write_bytes(b"xx")
    monkeypatch.setattr(source, "LARGEST", 1)
    for name, message in (("fifo", "is not a regular file"), ("large", "is larger than"), ("a\0b", "cannot be read")):
        with pytest.raises(ConfigError, match=message):
            Disk().read(f"{tmp_path}/{name}")
    (tmp_path / "off.conf").symlink_to(os.devnull)
    assert Disk().read(f"{tmp_path}/off.conf") == b""
    assert Disk().read(f"{tmp_path}/none") is None
    assert Disk().read(f"{tmp_path}/large/none") is None
    assert Disk().names(f"{tmp_path}/none") == []


def test_files_together_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LARGEST", 3)
    tree = Disk()
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"xx")
    assert tree.read(f"{tmp_path}/a") == b"xx"
    with pytest.raises(ConfigError, match="the configuration is larger than"):
        tree.read(f"{tmp_path}/b")


def test_a_missing_right_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr("os.open", denied)
        for question in (Disk().read, Disk().names):
            with pytest.raises(MissingRight, match=r"/etc/passwd cannot be read: Permission denied"):
                question("/etc/passwd")


def test_names_are_resolved_once_and_kept() -> None:
    tree = Disk()
    found = resolve(tree, "localhost")
    assert found == [("inet6", "::1"), ("inet", "127.0.0.1")]
    assert resolve(Memory(tree.files), "localhost") == found
    assert resolve(Memory({}), "localhost") == []
    assert resolve(tree, "name.invalid") == []


@given(st.binary())
def test_bytes_survive(content: bytes) -> None:
    assert encode(decode(content)) == content


@given(st.text(alphabet="a\n"))
def test_line_numbers(text: str) -> None:
    lines = Lines(text)
    assert [lines(offset) for offset in range(len(text))] == [text.count("\n", 0, at) + 1 for at in range(len(text))]


def test_edits_are_made_once_each() -> None:
    assert apply("0123456789", [Edit(8, 9, "x"), Edit(1, 3, "y"), Edit(1, 3, "y"), Edit(5, 5, "z")]) == "0y34z567x9"
