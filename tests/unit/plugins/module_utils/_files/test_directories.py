# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories are made and removed where nobody else could lead us."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _files
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError, NoSuchFile, NotTrusted
from ansible_collections.nettune.tcp.plugins.module_utils._files import Attributes

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
USER = 12345
WAYS: t.Mapping[str, t.Callable[[str], None]] = {
    "make": _files.make_directory,
    "give": lambda path: _files.make_directory(path, Attributes(0o700, USER, USER, {})),
    "remove": _files.remove_directory,
}


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_a_new_one_has_the_same_mode_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        _files.make_directory(str(tmp_path / "d"))
    finally:
        os.umask(before)
    assert (tmp_path / "d").stat().st_mode & 0o7777 == 0o755


def test_one_that_is_there_already_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o710)
    _files.make_directory(str(tmp_path / "d"))
    assert (tmp_path / "d").stat().st_mode & 0o7777 == 0o710


@ROOT
def test_it_gets_the_attributes_that_it_had_also_a_second_time(tmp_path: Path) -> None:
    for _time in range(2):
        WAYS["give"](str(tmp_path / "d"))
        found = (tmp_path / "d").stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (USER, USER, 0o700)


def test_only_an_empty_directory_is_removed(tmp_path: Path) -> None:
    for name in ("empty", "full", "target"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("target")
    for name in ("empty", "full", "file", "link", "nothing", "nothing/below"):
        _files.remove_directory(str(tmp_path / name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "link", "target"]


@pytest.mark.parametrize("name", ["nothing/d", "file/d"])
def test_one_whose_parent_is_no_directory_is_not_made(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoSuchFile, match=f"{name} cannot be made"):
        _files.make_directory(str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@ROOT
@pytest.mark.parametrize("way", WAYS)
def test_a_link_of_somebody_else_is_not_followed(way: str, open_place: Path) -> None:
    """The directory was root's when its path was recorded, and has become a user's since."""
    secret, theirs = open_place / "secret", open_place / "theirs"
    for path in (secret, theirs, secret / "made"):
        path.mkdir()
    os.chown(theirs, USER, USER)
    (theirs / "conf").symlink_to(secret)
    before = [(path.name, path.stat().st_mode, path.stat().st_uid) for path in sorted(secret.iterdir())]
    for name in ("made", "new"):
        with pytest.raises(NotTrusted, match=f"uid {USER}"):
            WAYS[way](str(theirs / "conf" / name))
    assert [(path.name, path.stat().st_mode, path.stat().st_uid) for path in sorted(secret.iterdir())] == before


@ROOT
@pytest.mark.parametrize("way", ["make", "give"])
def test_what_somebody_else_has_put_there_is_not_ours(way: str, open_place: Path) -> None:
    open_place.chmod(0o1777)
    place = open_place / "d"
    place.mkdir()
    os.chown(place, USER + 1, USER + 1)
    with pytest.raises(NettuneError, match=f"belongs to uid {USER + 1}"):
        WAYS[way](str(place))
    assert place.stat().st_uid == USER + 1
