# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file is replaced as a whole, with all that it had, and only while it is what was read."""

from __future__ import annotations

import errno
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _files
from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, Changed, NettuneError, NotTrusted
from ansible_collections.nettune.tcp.plugins.module_utils._files import renaming, replacing

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
USER = 12345


def test_a_new_file_gets_the_mode_and_its_directories(tmp_path: Path) -> None:
    path = tmp_path / "new" / "and" / "newer" / "file.conf"
    _files.replace(str(path), b"a = 1\n", mode=0o640)
    assert path.read_bytes() == b"a = 1\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.parent.parent.stat().st_mode & 0o777 == 0o755


def test_mode_and_link_of_an_old_file_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "real.conf"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link = tmp_path / "link.conf"
    link.symlink_to(real)
    _files.replace(str(link), b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("removed", [False, True])
def test_user_attributes_are_kept_also_by_the_way_back(removed: bool, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    os.setxattr(path, "user.note", b"kept")
    step = _files.step(str(path), None if removed else b"new")
    step.do()
    assert removed or os.getxattr(path, "user.note") == b"kept"
    step.undo()
    assert (path.read_bytes(), os.getxattr(path, "user.note")) == (b"old", b"kept")


@ROOT
def test_owner_and_special_bits_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    os.chown(path, USER, USER + 1)
    path.chmod(0o6750)
    _files.replace(str(path), b"new")
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (USER, USER + 1, 0o6750)


@pytest.mark.parametrize("call", ["fsync", "write", "fchmod"])
def test_nothing_is_left_beside_the_file_when_writing_fails(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.conf"
    path.write_bytes(b"old")

    def no_space(*_arguments: t.Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, no_space)
        with pytest.raises(NettuneError, match=r"file.conf cannot be written: No space"):
            _files.replace(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file.conf"]


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("after", [None, b"new"])
def test_a_step_and_its_undo(tmp_path: Path, before: t.Optional[bytes], after: t.Optional[bytes]) -> None:
    path = str(tmp_path / "file.conf")
    if before is not None:
        _files.replace(path, before)
    step = _files.step(path, after)
    step.undo()
    assert _files.read(path) == before
    step.do()
    assert _files.read(path) == after
    step.undo()
    assert _files.read(path) == before
    step.undo()
    assert os.listdir(tmp_path) == ([] if before is None else ["file.conf"])


@pytest.mark.parametrize("plain", [False, True], ids=["renameat2", "without renameat2"])
@pytest.mark.parametrize("after", [None, b"new"])
@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("how", ["in place", "by a rename", "removed"])
def test_an_edit_of_others_between_reading_and_writing_is_kept(
    how: str,
    before: t.Optional[bytes],
    after: t.Optional[bytes],
    plain: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if plain:
        monkeypatch.setattr(renaming, "_rename", lambda *_arguments: False)
    path = tmp_path / "f"
    if before is not None:
        path.write_bytes(before)
    step = _files.step(str(path), after)
    theirs = _edit(path, how)
    if theirs == before:
        return
    if (before, after) == (None, None):
        step.do()
    else:
        with pytest.raises(Changed, match=r"/f was (changed|created) by somebody else"):
            step.do()
    assert _files.read(str(path)) == theirs
    assert [name for name in os.listdir(tmp_path) if name != "f"] == []


@pytest.mark.parametrize("after", [None, b"new"])
@pytest.mark.parametrize("how", ["in place", "by a rename"])
def test_an_edit_at_the_last_moment_is_kept(
    how: str, after: t.Optional[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    rename = renaming._rename
    times: t.List[int] = []

    def edit_first(*arguments: t.Any) -> bool:
        if not times:
            times.append(_edit(path, how) is None)
        return rename(*arguments)

    monkeypatch.setattr(renaming, "_rename", edit_first)
    with pytest.raises(Changed, match="f was changed by somebody else in the meantime"):
        _files.replace(str(path), after)
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["f"]


def _edit(path: Path, how: str) -> t.Optional[bytes]:
    """What an editor saves, of the same length and in the same tick as what was there."""
    if how == "removed":
        path.unlink(missing_ok=True)
        return None
    target = path if how == "in place" else path.with_name("saved")
    target.write_bytes(b"theirs")
    target.rename(path)
    return b"theirs"


def test_what_was_not_what_was_read_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"newer")
    with pytest.raises(Changed, match="f was changed by somebody else in the meantime"):
        _files.step(str(path), b"x", was=b"old")
    with pytest.raises(Changed):
        _files.replace(str(path), b"x", was=None)
    _files.replace(str(path), b"x", was=b"newer")
    assert path.read_bytes() == b"x"


def test_what_somebody_writes_after_us_is_not_undone(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    step = _files.step(str(path), b"new")
    step.do()
    path.write_bytes(b"theirs")
    with pytest.raises(Changed, match="is left as it is"):
        step.undo()
    assert path.read_bytes() == b"theirs"


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [".nettune-x", ".nettune-0123456789abcdef0", "a.conf", "nettune-0123456789abcdef"]
    for name in (".nettune-0123456789abcdef", "a.conf.nettune-new", *kept):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".nettune-fedcba9876543210").symlink_to("a.conf")
    (tmp_path / ".nettune-aaaaaaaaaaaaaaaa").mkdir()
    _files.tidy([str(tmp_path / "b.conf"), str(tmp_path / "c.conf"), str(tmp_path / "none" / "d.conf")])
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, ".nettune-fedcba9876543210", ".nettune-aaaaaaaaaaaaaaaa"])


@ROOT
def test_in_a_directory_of_others_nothing_is_written_or_removed(tmp_path: Path) -> None:
    theirs = tmp_path / "d"
    theirs.mkdir()
    (theirs / "f").write_bytes(b"old")
    (theirs / ".nettune-0123456789abcdef").write_bytes(b"x")
    os.chown(theirs, USER, USER)
    for content in (b"new", None):
        with pytest.raises(NotTrusted, match=f"f is not edited: .*/d belongs to uid {USER}"):
            _files.replace(str(theirs / "f"), content)
    _files.tidy([str(theirs / "f")])
    assert sorted(os.listdir(theirs)) == [".nettune-0123456789abcdef", "f"]
    assert (theirs / "f").read_bytes() == b"old"


@pytest.mark.parametrize("path", ["d/f", "d/e/f"])
def test_a_file_where_a_directory_should_be(path: str, tmp_path: Path) -> None:
    (tmp_path / "d").write_bytes(b"")
    with pytest.raises(BadRequest, match="/d is not a directory"):
        _files.replace(str(tmp_path / path), b"x")


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, view: write(descriptor, bytes(view[:2])))
    _files.replace(str(tmp_path / "f"), b"12345")
    assert (tmp_path / "f").read_bytes() == b"12345"


def test_the_temporary_name_is_no_configuration() -> None:
    assert not replacing._TEMPORARY.endswith(".conf")
    assert replacing._TEMPORARY.startswith(".")
