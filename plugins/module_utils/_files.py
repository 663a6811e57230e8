# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Atomic replacement of a file we own or edit: a reader, or a crash, sees the old file or the new one."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import typing as t

from ._errors import BadRequest, MissingRight
from ._transaction import Step


def read(path: str) -> t.Optional[bytes]:
    """The file's bytes, or None when there is no such file."""
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def replace(path: str, content: t.Optional[bytes], *, mode: int = 0o644) -> None:
    """Give ``path`` this content, or remove it for None.

    Owner, mode and SELinux context of the old file are kept; a new file gets ``mode``.  A link is followed.
    """
    path = os.path.realpath(path)
    if content is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    else:
        _write_beside_and_rename(path, content, mode)
    _sync_directory(os.path.dirname(path))


def text(path: str) -> str:
    """What a file says, empty where it is gone, as those of a process may be at any time, or may not be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError:
        return ""


def step(path: str, content: t.Optional[bytes], *, mode: int = 0o644) -> Step:
    """The replacement as a step that puts the old bytes back when undone."""
    before = read(path)
    verb = "remove" if content is None else "write"
    return Step(
        what=f"{verb} {path}",
        do=lambda: replace(path, content, mode=mode),
        undo=lambda: replace(path, before, mode=mode),
    )


def tidy(paths: t.Iterable[str]) -> None:
    """Remove what runs that were killed have left beside these files."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}.nettune-new")


def check_replaceable(path: str) -> None:
    """Raise MissingRight, naming the directory and what it lacks, when ``path`` could not be replaced.

    Raises BadRequest for what is there and no file, such as /dev/null, and for a file that is mounted by itself, as
    containers have: only what it is a mount of could be replaced.
    """
    real = os.path.realpath(path)
    if os.path.exists(real) and not os.path.isfile(real):
        raise BadRequest(f"{path} cannot be written: it is not a regular file", path=path)
    if real in _mounts():
        raise BadRequest(f"{path} cannot be replaced: it is a mount; change the file that is mounted there", path=path)
    directory = os.path.dirname(real)
    while not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    if os.access(directory, os.W_OK | os.X_OK):
        return
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        raise MissingRight(f"{path} cannot be written: {directory} is on a read-only file system", path=path)
    raise MissingRight(
        f"{path} cannot be written: {directory} is not writable for uid {os.geteuid()}, root is needed", path=path
    )


def _mounts(table: str = "/proc/self/mountinfo") -> t.FrozenSet[str]:
    """Where something is mounted; blanks and the like stand there as a backslash and their octal number (proc(5))."""
    lines = (read(table) or b"").splitlines()
    paths = (re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), line.split()[4]) for line in lines)
    return frozenset(map(os.fsdecode, paths))


def _write_beside_and_rename(path: str, content: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    # Not ending in .conf: what a crash leaves behind is read by nobody, and the next run overwrites it.
    temporary = f"{path}.nettune-new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            _copy_attributes(path, handle.fileno(), mode)
            handle.flush()
            os.fsync(handle.fileno())
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _copy_attributes(path: str, descriptor: int, mode: int) -> None:
    try:
        old = os.stat(path)
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
    # On a file system without them there is nothing to copy.
    with contextlib.suppress(OSError):
        for name in os.listxattr(path):
            os.setxattr(descriptor, name, os.getxattr(path, name))


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
