# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What must hold before a file is touched, checked before anything is.

INTERFACE
    check_replaceable(path) -> notes     that it can be replaced, and what is lost by that
    located(path) -> path                where the file is that would be replaced
    own(path, mark) -> bytes or None     a file of ours, and nobody else's
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import typing as t

from .._errors import BadRequest, MissingRight, NoSuchFile
from . import attributes
from .reading import SMALL, Trust, read, text
from .replacing import check_place
from .walk import Place, about, walk

_MOUNT = re.compile(r"^mnt_id:\s*([0-9]+)", re.MULTILINE)


def check_replaceable(path: str) -> t.List[str]:
    """What the file will lose when it is replaced, for people.

    Raises NettuneError, naming the part of the path and the problem, if it could not be replaced: it is not a file but
    something else, such as /dev/null; others could redirect it; it is a mount point itself, as in containers, where
    only the mounted file could be replaced; it is immutable; or its directory is not writable.
    """
    try:
        with walk(path, sticky=True, doing="cannot be written") as place:
            check_place(place, path)
            if place.status and not stat.S_ISREG(place.status.st_mode):
                raise about(BadRequest, path, "cannot be written: it is not a regular file")
            notes = _notes(place, path) if place.status else []
            _check_directory(posixpath.dirname(place.path), path)
            return notes
    except NoSuchFile:
        _check_directory(posixpath.dirname(path), path)
        return []


def located(path: str) -> str:
    """The path without links. Raises NotTrusted if others could redirect it."""
    try:
        with walk(path, sticky=True, doing="cannot be written") as place:
            check_place(place, path)
            return place.path
    except NoSuchFile:
        return posixpath.join(located(posixpath.dirname(path)), posixpath.basename(path))


def own(path: str, mark: str = "", *, limit: int = SMALL) -> t.Optional[bytes]:
    """The bytes of a file of ours, None if there is none.

    Raises BadRequest for a link, and for a file without our mark at its beginning: neither is read, replaced or
    removed.
    """
    try:
        with walk(path, sticky=True, follow=False) as place:
            if place.status is not None and stat.S_ISLNK(place.status.st_mode):
                raise about(BadRequest, path, "is a link, not a file written by nettune.tcp: move it away")
    except NoSuchFile:
        return None
    content = read(path, limit=limit, trust=Trust.ROOT)
    if content and content.strip() and not content.startswith(mark.encode()):
        raise about(BadRequest, path, "exists and was not written by nettune.tcp: move it away, or name another file")
    return content


def _check_directory(path: str, wanted: str) -> None:
    """Check that a file can be created here, or the directory if there is none yet."""
    try:
        with walk(path, sticky=True, doing="cannot be written") as place:
            if place.status is not None:
                _check_entries(place, wanted)
                return
    except NoSuchFile:
        pass
    _check_directory(posixpath.dirname(path), wanted)


def _check_entries(directory: Place, wanted: str) -> None:
    reason = ""
    if directory.status is None or not stat.S_ISDIR(directory.status.st_mode):
        raise about(BadRequest, wanted, f"cannot be written: {directory.path} is not a directory")
    with directory.readable_directory() as descriptor:
        if os.fstatvfs(descriptor).f_flag & os.ST_RDONLY:
            reason = "is on a read-only file system"
        elif not os.access(directory.path, os.W_OK | os.X_OK):
            reason = f"is not writable for uid {os.geteuid()}, root is needed"
        elif attributes.locked(descriptor):
            reason = f"is {attributes.locked(descriptor)}"
    if reason:
        raise about(MissingRight, wanted, f"cannot be written: {directory.path} {reason}")


def _notes(place: Place, path: str) -> t.List[str]:
    descriptor = place.open()
    try:
        if _mount_of(descriptor) != _mount_of(place.directory):
            raise about(
                BadRequest, path, "cannot be replaced: it is a mount point; change the file that is mounted there"
            )
        locked = attributes.locked(descriptor)
        if locked:
            raise about(MissingRight, path, f"cannot be replaced: it is {locked}")
        return [f"{path}: {note}" for note in attributes.lost(descriptor)]
    finally:
        os.close(descriptor)


def _mount_of(descriptor: int) -> str:
    """The id of the mount that a file was opened in (proc(5)), empty if unknown."""
    told = _MOUNT.search(text(f"/proc/self/fdinfo/{descriptor}"))
    return told[1] if told else ""
