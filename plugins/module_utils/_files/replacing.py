# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Files replaced as a whole: a reader, or a crash, sees either the old or the new one, and nobody's edit is lost.

INTERFACE
    look(path) -> content, attributes
    step(path, content, mode, attributes, was) -> Step;  replace(path, content, mode, was)
    tidy(paths)       what killed runs have left beside these files is removed

The new file is written under a temporary name, beside the old one and relative to the descriptor of their directory,
and then the two are exchanged. What comes out must be what was read before; otherwise it is put back, and Changed is
raised.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import stat
import typing as t

from .._errors import BadRequest, Changed, NoSuchFile, NotTrusted
from .._transaction import Step
from . import renaming
from .attributes import Attributes, give, of
from .reading import LIMIT, whole
from .walk import Place, about, walk

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# No .conf, and a leading dot, so that no server's include pattern matches it.
_TEMPORARY = ".nettune-{}"
_LEFT = re.compile(r"\.nettune-[0-9a-f]{16}|.+\.nettune-new")

Content = t.Optional[bytes]


class Unread:
    """Says that the present file has not been read before."""


UNREAD = Unread()
Was = t.Union[Content, Unread]


class _File(t.NamedTuple):
    """A file as it was read, None throughout if there is none; ``identity`` tells whether another one is the same."""

    content: Content
    identity: t.Optional[t.Tuple[int, ...]]
    attributes: t.Optional[Attributes]


_NONE = _File(None, None, None)


def look(path: str) -> t.Tuple[Content, t.Optional[Attributes]]:
    """What would be replaced: a file's content and attributes, None for both if there is no file."""
    file = _look(path)
    return file.content, file.attributes


def replace(path: str, content: Content, *, mode: int = 0o644, was: Was = UNREAD) -> None:
    """Give ``path`` this content, or remove it for None.  A link is followed if nobody else could have put it there.

    Owner, mode, ACLs, SELinux context and user attributes of the old file are kept; a new file gets ``mode``, and
    missing directories are created. Raises Changed if the file is not what it ``was``, or changes in the meantime.
    """
    _Replacement(path, content, mode, None, was).do()


def step(
    path: str,
    content: Content,
    *,
    mode: int = 0o644,
    attributes: t.Optional[Attributes] = None,
    was: Was = UNREAD,
) -> Step:
    """The replacement as a step that restores the old file when undone.

    The new one gets these ``attributes`` if given, and otherwise those of the old one. Raises Changed where the file is
    not what it ``was`` when the content was made from it.
    """
    replacement = _Replacement(path, content, mode, attributes, was)
    return Step(f"{'remove' if content is None else 'write'} {path}", replacement.do, replacement.undo)


class _Replacement:
    def __init__(self, path: str, content: Content, mode: int, attributes: t.Optional[Attributes], was: Was) -> None:
        self._path, self._content, self._mode, self._attributes = path, content, mode, attributes
        self._before = _look(path)
        self._after: t.Optional[_File] = None
        if not isinstance(was, Unread) and was != self._before.content:
            raise about(Changed, path, "was changed by somebody else in the meantime")

    def do(self) -> None:
        self._after = self._put(self._content, self._before, self._attributes or self._before.attributes)

    def undo(self) -> None:
        """Nothing to do if it was not replaced; what somebody else has written since is kept."""
        now = _look(self._path)
        if now.content == self._before.content and (self._after is None or now.identity != self._after.identity):
            return
        if now.content != self._content:
            raise about(Changed, self._path, "was changed by somebody else in the meantime, and is left as it is")
        self._put(self._before.content, now, self._before.attributes)

    def _put(self, content: Content, there: _File, wanted: t.Optional[Attributes]) -> _File:
        if content is None and there is _NONE:
            return _NONE
        if content is not None:
            _make_directory(posixpath.dirname(self._path))
        with walk(self._path, sticky=True, doing="cannot be written") as place:
            check_place(place, self._path)
            if content is None:
                _take_out(place, there)
                after = _NONE
            else:
                after = _put_in(place, there, content, wanted, self._mode)
            _sync(place)
        return after


def tidy(paths: t.Iterable[str]) -> None:
    """Remove what killed runs have left beside these files."""
    for directory in sorted({posixpath.dirname(path) for path in paths}):
        try:
            with walk(directory, sticky=True, doing="cannot be written") as place:
                if place.status and stat.S_ISDIR(place.status.st_mode) and not place.distrust:
                    _tidy(place)
        except NoSuchFile:
            continue


def _look(path: str) -> _File:
    try:
        with walk(path, sticky=True, doing="cannot be written") as place:
            check_place(place, path)
            return _take(place, place.name)
    except NoSuchFile:
        return _NONE


def _take(place: Place, name: str) -> _File:
    """What is under a name in the directory of the place."""
    try:
        status = os.stat(name, dir_fd=place.directory, follow_symlinks=False)
    except FileNotFoundError:
        return _NONE
    if not stat.S_ISREG(status.st_mode):
        raise about(BadRequest, place.path, "is not a regular file")
    descriptor = os.open(name, _READ, dir_fd=place.directory)
    try:
        content = whole(descriptor, place.path, LIMIT)
        status = os.fstat(descriptor)
        # The inode's change time is not part of it: a rename changes that.
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        return _File(content, identity, of(descriptor))
    finally:
        os.close(descriptor)


def check_place(place: Place, path: str) -> None:
    """Raise NotTrusted if others could have the file written somewhere else."""
    if place.diverted:
        raise about(NotTrusted, path, f"is not edited: {place.diverted}")


def _put_in(place: Place, there: _File, content: bytes, wanted: t.Optional[Attributes], mode: int) -> _File:
    temporary = _TEMPORARY.format(os.urandom(8).hex())
    descriptor = os.open(temporary, _WRITE, 0o600, dir_fd=place.directory)
    try:
        try:
            _write(descriptor, content)
            if wanted is None:
                os.fchmod(descriptor, mode)
            else:
                give(descriptor, wanted)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        after = _take(place, temporary)
        _change_places(place, temporary, there)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=place.directory)
        raise
    return after


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _change_places(place: Place, temporary: str, there: _File) -> None:
    """The new file takes the name of the present one, if that is what was read, which is then removed."""
    if there is _NONE:
        try:
            renaming.move(place.directory, temporary, place.name)
        except FileExistsError as exc:
            raise about(Changed, place.path, "was created by somebody else in the meantime") from exc
        return
    _check_same(place, place.name, there)
    if not renaming.exchange(place.directory, temporary, place.name):
        return
    try:
        _check_same(place, temporary, there)
    except BaseException:
        renaming.exchange(place.directory, temporary, place.name)
        raise
    os.unlink(temporary, dir_fd=place.directory)


def _take_out(place: Place, there: _File) -> None:
    """Move it to another name first: after that it no longer changes."""
    _check_same(place, place.name, there)
    temporary = _TEMPORARY.format(os.urandom(8).hex())
    renaming.move(place.directory, place.name, temporary)
    try:
        _check_same(place, temporary, there)
        os.unlink(temporary, dir_fd=place.directory)
    except BaseException:
        renaming.move(place.directory, temporary, place.name)
        raise


def _check_same(place: Place, name: str, there: _File) -> None:
    if _take(place, name) != there:
        raise about(Changed, place.path, "was changed by somebody else in the meantime")


def _sync(place: Place) -> None:
    with place.readable_directory() as descriptor:
        os.fsync(descriptor)


def _make_directory(path: str) -> None:
    """Create a directory and its missing parents."""
    try:
        with walk(path, sticky=True, doing="cannot be written") as place:
            if place.status is not None:
                if not stat.S_ISDIR(place.status.st_mode):
                    raise about(BadRequest, path, "is not a directory")
                return
            check_place(place, path)
            os.mkdir(place.name, 0o755, dir_fd=place.directory)
            _sync(place)
    except NoSuchFile:
        _make_directory(posixpath.dirname(path))
        _make_directory(path)


def _tidy(directory: Place) -> None:
    with directory.readable_directory() as descriptor:
        for name in filter(_LEFT.fullmatch, os.listdir(descriptor)):
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_uid in (0, os.geteuid()):
                os.unlink(name, dir_fd=descriptor)
