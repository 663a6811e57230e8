# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has a say in where a path leads: a table of directories, links and files, and what is thought of each."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _files
from ansible_collections.nettune.tcp.plugins.module_utils._errors import (
    BadRequest,
    NettuneError,
    NoSuchFile,
    NotTrusted,
)

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
USER = 12345
USERS = f"u belongs to uid {USER}"

Build = t.Callable[[Path], t.Any]


def theirs(path: Path) -> Path:
    """A directory of another user."""
    path.mkdir()
    os.chown(path, USER, USER)
    return path


def file(path: Path, mode: int = 0o644, uid: int = 0) -> Path:
    """A file with this mode and owner."""
    path.write_bytes(b"x")
    path.chmod(mode)
    os.chown(path, uid, uid)
    return path


def shared(path: Path) -> Path:
    """A directory like /tmp."""
    path.mkdir()
    path.chmod(0o1777)
    return path


def hard_link_in_shared(top: Path) -> None:
    """A name that somebody else may have given to a file of root."""
    os.link(file(top / "a"), shared(top / "s") / "g")
    (top / "f").symlink_to("s/g")


def their_link_in_shared(top: Path) -> None:
    """Somebody else's link."""
    link = shared(top / "s") / "f"
    link.symlink_to("/etc/passwd")
    os.lchown(link, USER, USER)


@ROOT
@pytest.mark.parametrize(
    "build, diverted, distrust",
    [
        pytest.param(lambda top: file(top / "f"), "", "", id="root's"),
        pytest.param(lambda top: file(top / "f", 0o600), "", "", id="root's, secret"),
        pytest.param(lambda top: file(top / "f", 0o664), "", "others than its owner may write", id="group writes"),
        pytest.param(lambda top: file(top / "f", uid=USER), "", f"f belongs to uid {USER}", id="user's file"),
        pytest.param(lambda top: (top / "f").symlink_to(file(top / "g")), "", "", id="root's link"),
        pytest.param(
            lambda top: (top / "f").symlink_to(file(theirs(top / "u") / "g")),
            f"u belongs to uid {USER}",
            "",
            id="led away",
        ),
        pytest.param(
            lambda top: (file(shared(top / "s") / "g"), (top / "f").symlink_to("s/g")), "", "", id="root's in /tmp"
        ),
        pytest.param(
            lambda top: (file(shared(top / "s") / "g", uid=USER), (top / "f").symlink_to("s/g")),
            f"g belongs to uid {USER}",
            "",
            id="user's in /tmp",
        ),
        pytest.param(hard_link_in_shared, "g has other hard links", "", id="hard link in /tmp"),
        pytest.param(
            lambda top: (shared(top / "s"), (top / "f").symlink_to("s/none")),
            "",
            "",
            id="none yet",
        ),
        pytest.param(lambda top: (top / "f").symlink_to("nothing"), "", "", id="dangling"),
    ],
)
def test_what_others_decide(build: Build, diverted: str, distrust: str, tmp_path: Path) -> None:
    build(tmp_path)
    with _files.walk(str(tmp_path / "f"), sticky=True) as place:
        assert diverted in place.diverted
        assert bool(place.diverted) == bool(diverted)
        assert (distrust or diverted) in place.distrust
        assert bool(place.distrust) == bool(distrust or diverted)


@ROOT
@pytest.mark.parametrize(
    "build, path, reason",
    [
        (lambda top: (theirs(top / "u") / "f").symlink_to("/etc/passwd"), "u/f", f"u/f is a link, and .*{USERS}"),
        (lambda top: (theirs(top / "u") / "d").symlink_to("/etc"), "u/d/passwd", f"u/d is a link, and .*{USERS}"),
        (their_link_in_shared, "s/f", f"s/f is a link, and .*s/f belongs to uid {USER}"),
    ],
    ids=["a file", "a directory", "in /tmp"],
)
def test_links_of_others_are_not_followed(build: Build, path: str, reason: str, tmp_path: Path) -> None:
    build(tmp_path)
    with pytest.raises(NotTrusted, match=reason), _files.walk(str(tmp_path / path), sticky=True):
        pass


@pytest.mark.parametrize(
    "path, error, message",
    [
        ("relative", BadRequest, "relative cannot be used: it is not an absolute path"),
        ("/a\0b", BadRequest, r"/a\\0b cannot be used"),
        ("/nettune/none", NoSuchFile, "No such file or directory at /nettune"),
        ("/etc/passwd/x", NoSuchFile, "Not a directory at /etc/passwd"),
        ("{here}/loop", NettuneError, "Too many levels of symbolic links"),
        ("/dev/zero", NotTrusted, "others than its owner may write to /dev/zero"),
        ("/etc", NotTrusted, "is not a regular file"),
        ("/tmp", NotTrusted, "others than its owner may write to /tmp"),
    ],
)
def test_what_is_not_opened(path: str, error: t.Type[NettuneError], message: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    opening = _files.open_trusted if "{here}" not in path else _files.read
    with pytest.raises(error, match=message):
        opening(path.replace("{here}", str(tmp_path)))


def test_a_trusted_file_is_opened_for_reading_alone() -> None:
    before = set(os.listdir("/proc/self/fd"))
    for path in ("/etc/passwd", "/etc/../etc//./passwd"):
        descriptor = _files.open_trusted(path)
        assert os.path.samestat(os.fstat(descriptor), os.stat("/etc/passwd"))
        assert not os.get_inheritable(descriptor)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(descriptor, b"x")
        os.close(descriptor)
    descriptor = _files.open_trusted("/etc", directory=True)
    assert stat.S_ISDIR(os.fstat(descriptor).st_mode)
    os.close(descriptor)
    assert set(os.listdir("/proc/self/fd")) == before


def test_as_many_links_as_the_kernel_follows(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(b"x")
    for number in range(41):
        (tmp_path / str(number + 1)).symlink_to(str(number))
    with _files.walk(str(tmp_path / "40"), sticky=True) as place:
        assert place.name == "0"
    with pytest.raises(NettuneError, match="Too many levels"), _files.walk(str(tmp_path / "41"), sticky=True):
        pass
    (tmp_path / "link").symlink_to("0")
    with _files.walk(str(tmp_path / "link"), sticky=True, follow=False) as place:
        assert place.name == "link"


def test_a_file_swapped_before_it_is_opened_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x")
    with _files.walk(str(path), sticky=True) as place:
        path.rename(tmp_path / "old")
        path.write_bytes(b"y")
        with pytest.raises(NotTrusted, match="was replaced while it was being opened"):
            place.open()


def test_the_directory_of_a_place_can_be_listed_and_synced_until_it_is_closed(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    (tmp_path / "f").write_bytes(b"x")
    for path in (tmp_path / "f", tmp_path / "new", tmp_path):
        with _files.walk(str(path), sticky=True) as place, place.readable_directory() as descriptor:
            assert os.listdir(descriptor) == ["f"]
            os.fsync(descriptor)
    with pytest.raises(KeyError), _files.walk(str(tmp_path), sticky=True) as place, place.readable_directory():
        raise KeyError
    assert set(os.listdir("/proc/self/fd")) == before
