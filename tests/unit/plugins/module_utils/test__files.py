# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _files
from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, MissingRight


def test_a_new_file_gets_the_mode_and_its_directories(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new" / "file.conf"
    _files.replace(str(path), b"a = 1\n", mode=0o640)
    assert path.read_bytes() == b"a = 1\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_mode_and_link_of_an_old_file_are_kept(tmp_path: pathlib.Path) -> None:
    real = tmp_path / "real.conf"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link = tmp_path / "link.conf"
    link.symlink_to(real)
    _files.replace(str(link), b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_beside_the_file_when_writing_fails(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.conf"
    path.write_bytes(b"old")

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        _files.replace(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file.conf"]


def test_what_a_crash_left_is_overwritten(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file.conf.nettune-new").write_bytes(b"half")
    _files.replace(str(tmp_path / "file.conf"), b"whole")
    assert os.listdir(tmp_path) == ["file.conf"]


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("after", [None, b"new"])
def test_a_step_and_its_undo(tmp_path: pathlib.Path, before: bytes, after: bytes) -> None:
    path = str(tmp_path / "file.conf")
    if before is not None:
        _files.replace(path, before)
    step = _files.step(path, after)
    step.do()
    assert _files.read(path) == after
    step.undo()
    assert _files.read(path) == before


def test_what_is_no_file_is_not_replaced() -> None:
    with pytest.raises(BadRequest, match="/dev/null cannot be written: it is not a regular file"):
        _files.check_replaceable("/dev/null")


def test_a_file_that_is_mounted_by_itself_is_not_replaced(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 0:21 / / rw - ext4 /dev/vda rw\n30 22 0:21 /x /etc/with\\040blank rw shared:1 - ext4 /dev/vda rw\n"
    )
    mounts = _files._mounts(str(table))
    assert mounts == {"/", "/etc/with blank"}
    path = tmp_path / "nginx.conf"
    path.write_bytes(b"")
    _files.check_replaceable(str(path))
    monkeypatch.setattr(_files, "_mounts", lambda: {str(path)})
    with pytest.raises(BadRequest, match=r"nginx.conf cannot be replaced: it is a mount"):
        _files.check_replaceable(str(path))


def test_a_directory_without_the_right_to_write_is_named(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: not str(path).startswith(str(tmp_path)))
    with pytest.raises(MissingRight, match=str(tmp_path)):
        _files.check_replaceable(str(tmp_path / "not" / "there" / "file.conf"))


def test_the_text_of_what_cannot_be_read_is_empty(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(b"a\xff\n")
    assert _files.text(str(tmp_path / "file")) == "a\ufffd\n"
    assert _files.text(str(tmp_path / "none")) == ""
    assert _files.text(str(tmp_path)) == ""
