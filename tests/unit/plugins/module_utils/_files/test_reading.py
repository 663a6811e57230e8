# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read, how much of it, and for whom."""

from __future__ import annotations

import errno
import os
import socket
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
from ansible_collections.nettune.tcp.plugins.module_utils._files import Trust

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
USER = 12345


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("trust", list(Trust))
@pytest.mark.parametrize(
    "make, message",
    [
        (_fifo, "is not a regular file"),
        (_socket, "is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels"),
        (Path.mkdir, "is not a regular file"),
        (lambda path: path.write_bytes(b"x" * 11), "is larger than 10 bytes"),
    ],
    ids=["fifo", "socket", "device", "loop", "directory", "large"],
)
def test_what_is_no_file_of_a_reasonable_size(
    make: t.Callable[[Path], t.Any], message: str, trust: Trust, open_place: Path
) -> None:
    make(open_place / "f")
    with pytest.raises(NettuneError, match=message):
        _files.read(str(open_place / "f"), limit=10, trust=trust)


@pytest.mark.parametrize("trust", list(Trust))
def test_what_is_read(trust: Trust, open_place: Path) -> None:
    (open_place / "f").write_bytes(b"x" * 10)
    (open_place / "null").symlink_to(os.devnull)
    assert _files.read(str(open_place / "f"), limit=10, trust=trust) == b"x" * 10
    assert _files.read(str(open_place / "null"), trust=trust) == b""
    assert _files.read(str(open_place / "none"), trust=trust) is None
    assert _files.read(str(open_place / "f" / "none"), trust=trust) is None
    assert sorted(_files.names(str(open_place), trust=trust)) == ["f", "null"]
    assert _files.names(str(open_place / "none"), trust=trust) == []
    assert _files.names(str(open_place / "f"), trust=trust) == []
    assert _files.names(os.devnull, trust=trust) == []
    assert _files.is_directory(str(open_place), trust=trust)
    assert not _files.is_directory(str(open_place / "f"), trust=trust)
    assert not _files.is_directory(str(open_place / "none"), trust=trust)


def test_nothing_of_the_kernels_is_waited_for() -> None:
    """Where it may be opened at all."""
    for path in ("/proc/kmsg", "/sys/kernel/debug/tracing/trace_pipe", "/sys/kernel/tracing/trace_pipe"):
        try:
            _files.read(path, limit=1000)
        except NettuneError as exc:
            assert path in str(exc)  # noqa: PT017 - either is well


@ROOT
@pytest.mark.parametrize(
    "owner, directory, mode, allowed",
    [
        # owner of the file and of its directory, its mode, and who may read it
        (0, 0, 0o600, {Trust.SYSTEM, Trust.SHARED, Trust.ROOT}),
        (0, 0, 0o644, {Trust.SYSTEM, Trust.SHARED, Trust.PUBLIC, Trust.ROOT}),
        (USER, 0, 0o600, {Trust.SYSTEM, Trust.SHARED, Trust.PUBLIC}),
        (0, 0, 0o666, {Trust.SYSTEM, Trust.SHARED, Trust.PUBLIC}),
        (USER, USER, 0o600, {Trust.SYSTEM, Trust.SHARED, Trust.PUBLIC}),
        (0, USER, 0o644, {Trust.SYSTEM, Trust.SHARED, Trust.PUBLIC}),
        (0, USER, 0o600, {Trust.SYSTEM}),
    ],
)
def test_who_may_have_written_what_is_read(
    owner: int, directory: int, mode: int, allowed: t.Set[Trust], open_place: Path
) -> None:
    place = open_place / "d"
    place.mkdir()
    path = place / "f"
    path.write_bytes(b"x")
    path.chmod(mode)
    os.chown(path, owner, owner)
    os.chown(place, directory, directory)
    found = set()
    for trust in Trust:
        try:
            assert _files.read(str(path), trust=trust) == b"x"
            found.add(trust)
        except NotTrusted as exc:
            assert str(path) in str(exc)  # noqa: PT017 - which of them raise is asserted below
    assert found == allowed


@ROOT
def test_a_link_of_others_is_followed_by_the_system_alone(open_place: Path) -> None:
    place = open_place / "d"
    place.mkdir()
    (place / "f").symlink_to("/etc/hostname")
    os.chown(place, USER, USER)
    assert _files.read(str(place / "f")) is not None
    for trust in set(Trust) - {Trust.SYSTEM}:
        with pytest.raises(NotTrusted, match="is a link, and"):
            _files.read(str(place / "f"), trust=trust)


@ROOT
def test_a_directory_of_others_is_not_listed_where_root_alone_is_trusted(open_place: Path) -> None:
    os.chown(open_place, USER, USER)
    with pytest.raises(NotTrusted, match=f"belongs to uid {USER}"):
        _files.names(str(open_place), trust=Trust.ROOT)
    assert _files.names(str(open_place), trust=Trust.SHARED) == []
    with pytest.raises(NotTrusted, match="others than its owner may write to /tmp"):
        _files.names("/tmp", trust=Trust.ROOT)


def test_the_text_of_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\xff\n")
    assert _files.text(str(tmp_path / "file")) == "a\ufffd\n"
    assert _files.text(str(tmp_path / "none")) == ""
    assert _files.text(str(tmp_path)) == ""


@pytest.mark.parametrize(
    "number, kind", [(errno.EACCES, MissingRight), (errno.EMFILE, NettuneError), (errno.EIO, NettuneError)]
)
@pytest.mark.parametrize("call", ["open", "read", "fstat"])
def test_every_failure_names_path_and_cause(
    call: str, number: int, kind: t.Type[NettuneError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    for trust in Trust:
        with monkeypatch.context() as patched:
            patched.setattr(os, call, fail)
            with pytest.raises(kind, match=rf"/etc/passwd cannot be read: {os.strerror(number)}"):
                _files.read("/etc/passwd", trust=trust)


def test_a_nul_is_no_part_of_a_path() -> None:
    for trust in Trust:
        with pytest.raises(BadRequest, match=r"/a\\0b cannot be read"):
            _files.read("/a\0b", trust=trust)
