# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told before anything is touched."""

from __future__ import annotations

import errno
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _files
from ansible_collections.nettune.tcp.plugins.module_utils._errors import (
    BadRequest,
    MissingRight,
    NettuneError,
    NotTrusted,
)
from ansible_collections.nettune.tcp.plugins.module_utils._files import attributes, checking

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
USER = 12345
MARK = "# ours"


def test_what_is_no_file_is_not_replaced() -> None:
    with pytest.raises(BadRequest, match="/dev/null cannot be written: it is not a regular file"):
        _files.check_replaceable("/dev/null")


def test_a_file_that_is_mounted_by_itself_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nginx.conf"
    path.write_bytes(b"")
    assert checking._mount_of(os.open("/proc", os.O_RDONLY)) not in ("", checking._mount_of(os.open("/", os.O_RDONLY)))
    assert _files.check_replaceable(str(path)) == []
    inode = path.stat().st_ino
    monkeypatch.setattr(checking, "_mount_of", lambda descriptor: str(os.fstat(descriptor).st_ino == inode))
    with pytest.raises(BadRequest, match=r"nginx.conf cannot be replaced: it is a mount"):
        _files.check_replaceable(str(path))


def test_a_directory_without_the_right_to_write_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: not str(path).startswith(str(tmp_path)))
    with pytest.raises(MissingRight, match=f"file.conf cannot be written: {tmp_path} is not writable for uid"):
        _files.check_replaceable(str(tmp_path / "not" / "there" / "file.conf"))


@pytest.mark.parametrize("path", ["d/f", "d/e/f"])
def test_a_file_where_a_directory_should_be(path: str, tmp_path: Path) -> None:
    (tmp_path / "d").write_bytes(b"")
    with pytest.raises(BadRequest, match=r"f cannot be written: .*/d is not a directory"):
        _files.check_replaceable(str(tmp_path / path))


@pytest.mark.parametrize("flag, text", [(0x10, "immutable"), (0x20, "append-only")])
@pytest.mark.parametrize("which", ["file", "directory"])
def test_what_may_not_be_changed_is_said_first(
    which: str, flag: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"")
    marked = (path if which == "file" else tmp_path).stat().st_ino
    monkeypatch.setattr(attributes, "_flags", lambda descriptor: flag * (os.fstat(descriptor).st_ino == marked))
    with pytest.raises(MissingRight, match=f"f cannot be (replaced|written): .* is {text}"):
        _files.check_replaceable(str(path))


def test_what_is_lost_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"")
    os.link(path, tmp_path / "g")
    monkeypatch.setattr(attributes, "_flags", lambda _descriptor: 0x40 | 0x80 | 0x80000)
    assert _files.check_replaceable(str(path)) == [
        f"{path}: it has 2 hard links, and the others keep the old content",
        f"{path}: its attributes dA (lsattr) are not kept",
    ]


@ROOT
def test_a_file_that_others_could_lead_elsewhere_is_not_edited(tmp_path: Path) -> None:
    place = tmp_path / "d"
    place.mkdir()
    (place / "f").write_bytes(b"")
    os.chown(place / "f", USER, USER)
    assert _files.check_replaceable(str(place / "f")) == []
    os.chown(place, USER, USER)
    with pytest.raises(NotTrusted, match=f"f is not edited: .*/d belongs to uid {USER}"):
        _files.check_replaceable(str(place / "f"))


@pytest.mark.parametrize("content", [None, b"", b" \n", b"# ours, really\n"])
def test_a_file_of_ours(content: t.Optional[bytes], tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "f").write_bytes(content)
    assert _files.own(str(tmp_path / "f"), MARK) == content
    assert _files.own(str(tmp_path / "none" / "f"), MARK) is None


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda path: path.write_bytes(b"net.core.somaxconn = 1\n"), "f exists and was not written by nettune.tcp"),
        (lambda path: path.symlink_to("ours"), "f is a link, not a file written by nettune.tcp"),
        (lambda path: path.symlink_to(os.devnull), "f is a link, not a file"),
        (lambda path: path.symlink_to("f"), "f is a link, not a file"),
        (Path.mkdir, "f is not a regular file"),
        (os.mkfifo, "f is not a regular file"),
    ],
)
def test_what_is_not_ours_is_refused(make: t.Callable[[Path], t.Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "ours").write_bytes(b"# ours\n")
    make(tmp_path / "f")
    with pytest.raises(BadRequest, match=message):
        _files.own(str(tmp_path / "f"), MARK)


@ROOT
def test_a_file_of_ours_that_others_may_write_is_not_ours_any_more(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"# ours\n")
    path.chmod(0o666)
    with pytest.raises(NotTrusted, match="f is not read: others than its owner may write"):
        _files.own(str(path), MARK)


def test_a_file_system_without_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(number: int) -> t.Callable[..., t.NoReturn]:
        def call(*_arguments: t.Any) -> t.NoReturn:
            raise OSError(number, os.strerror(number))

        return call

    path = tmp_path / "f"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "listxattr", fail(errno.EOPNOTSUPP))
    _files.replace(str(path), b"new")
    assert path.read_bytes() == b"new"
    monkeypatch.setattr(os, "listxattr", fail(errno.EIO))
    with pytest.raises(NettuneError, match="f cannot be written: Input/output error"):
        _files.replace(str(path), b"newer")


@pytest.mark.parametrize("number, fails", [(errno.EOPNOTSUPP, False), (errno.EPERM, False), (errno.EIO, True)])
def test_a_label_that_cannot_be_set_is_no_reason_to_fail(
    number: int, fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: t.Any) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "f"
    path.write_bytes(b"old")
    inode = path.stat().st_ino
    monkeypatch.setattr(
        attributes,
        "_extended",
        lambda descriptor: {"security.selinux": b"a" if os.fstat(descriptor).st_ino == inode else b"b"},
    )
    monkeypatch.setattr(os, "setxattr", refuse)
    if fails:
        with pytest.raises(NettuneError):
            _files.replace(str(path), b"new")
    else:
        _files.replace(str(path), b"new")
        assert path.read_bytes() == b"new"
