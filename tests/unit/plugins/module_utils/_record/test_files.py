# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._record import entries, files
from ansible_collections.nettune.tcp.plugins.module_utils._transaction import Step, nothing, run


def fail() -> None:
    raise NettuneError("no")


@pytest.mark.parametrize("content", [b"new", None])
def test_a_file_comes_back_with_all_that_belongs_to_it(tmp_path: pathlib.Path, content: t.Optional[bytes]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o604)
    os.setxattr(path, "user.kept", b"yes")
    before = files.state_of(str(path))
    with pytest.raises(NettuneError):
        run([*files.steps(str(path), content), Step("fail", fail, nothing)])
    assert files.state_of(str(path)) == before


def test_directories_are_made_and_removed_again(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    steps = files.steps(str(path), b"new")
    assert [one.kind for step in steps for one in step.replaces] == [entries.DIRECTORY, entries.DIRECTORY, entries.FILE]
    with pytest.raises(NettuneError):
        run([*steps, Step("fail", fail, nothing)])
    assert list(tmp_path.iterdir()) == []
    run(files.steps(str(path), b"new"))
    assert path.read_bytes() == b"new"
    assert path.parent.stat().st_mode & 0o777 == 0o755


def test_a_directory_with_something_in_it_stays(tmp_path: pathlib.Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "file").touch()
    run([files.remove_directory(str(tmp_path / "d"))])
    assert (tmp_path / "d" / "file").exists()


def test_a_link_is_followed_and_said_as_it_was_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    [step] = files.steps(str(tmp_path / "link"), b"new")
    run([step])
    assert step.what == f"write {tmp_path / 'link'}"
    assert step.replaces[0].name == str(tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"new"
