# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The path from ``/`` to a file, one directory at a time, and who else decides where it leads.

INTERFACE
    walk(path) -> Place        a context manager; links are followed only where nobody else can put one
    open_trusted(path) -> fd   of a regular file, or a directory, that only root could have put there

Each directory is opened relative to the one before, never by a whole path, so that what was checked is what is used:
swapping a directory for a link in the meantime changes nothing.  (openat2(2) does as much, but is not in Python.)

A directory is trusted if root owns it and nobody else may write to it; ACLs show in the group bits. If we do not run as
root, we are as good as root.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t
from dataclasses import dataclass

from .._errors import BadRequest, NettuneError, NoSuchFile, NotTrusted, from_os

_FOLLOWED = 40  # links on one path, as many as the kernel follows
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


_Error = t.TypeVar("_Error", bound=NettuneError)


@dataclass(frozen=True)
class Place:
    """What a path leads to, by the directory that holds it.

    ``directory`` is its descriptor (O_PATH), open as long as the context is, and ``name`` the entry in it, ``.`` for a
    directory. ``status`` is None if there is no such entry. ``path`` has no links.

    ``diverted`` says how somebody other than root decides which file is there, ``distrust`` how they decide what it
    holds; both are empty if nobody else does. ``public`` means that it is world-readable.
    """

    directory: int
    name: str
    path: str
    status: t.Optional[os.stat_result]
    diverted: str
    distrust: str
    public: bool

    def open(self) -> int:
        """A descriptor for reading the regular file or directory, without blocking; NettuneError for anything else."""
        status = self.status
        if status is None:
            raise about(NoSuchFile, self.path, "does not exist")
        check_kind(status, self.path)
        descriptor = os.open(self.name, _READ, dir_fd=self.directory)
        opened = os.fstat(descriptor)
        if (opened.st_dev, opened.st_ino) != (status.st_dev, status.st_ino):
            os.close(descriptor)
            raise about(NotTrusted, self.path, "was replaced while it was being opened")
        return descriptor

    @contextlib.contextmanager
    def readable_directory(self) -> t.Iterator[int]:
        """A descriptor of ``directory`` with which it can also be listed and synced."""
        descriptor = os.open(".", _DIRECTORY, dir_fd=self.directory)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def open_trusted(path: str, *, directory: bool = False) -> int:
    """A descriptor, for reading, of a regular file, or a directory, that nobody but root could have put there.

    The file and every directory on the way, including those of links, belong to root (or to us, if we are not root) and
    are writable by nobody else; /tmp is not such a directory. The descriptor is close-on-exec.

    Raises NoSuchFile, MissingRight, NotTrusted or another NettuneError, each with the path and the part of it that is
    to blame.
    """
    kind, is_one = ("directory", stat.S_ISDIR) if directory else ("regular file", stat.S_ISREG)
    with walk(path) as place:
        if place.distrust:
            raise about(NotTrusted, path, f"is not trusted: {place.distrust}")
        if place.status and not is_one(place.status.st_mode):
            raise about(NotTrusted, path, f"is not a {kind}")
        return place.open()


@contextlib.contextmanager
def walk(path: str, *, sticky: bool = False, follow: bool = True, doing: str = "") -> t.Iterator[Place]:
    """Where a path leads.  An OSError on the way, or in the body, becomes a NettuneError that names the path.

    ``doing`` says what then failed, such as "cannot be read". With ``sticky``, entries that root owns count as root's
    even in a directory like /tmp, since nobody else can replace them there.  Without ``follow``, a link at the end is
    the place itself.
    """
    steps = _Steps(path, sticky, follow, doing)
    try:
        yield steps.go()
    except OSError as exc:
        raise from_os(exc, path, doing=doing, at=steps.at) from exc
    finally:
        steps.close()


class _Level(t.NamedTuple):
    """A directory entered; ``shared`` means that users other than its owner may have entries there."""

    descriptor: int
    name: str
    shared: bool


class _Steps:
    """The directories passed through, from the root on, and what was found out about them."""

    def __init__(self, path: str, sticky: bool, follow: bool, doing: str) -> None:
        if not path.startswith("/") or "\0" in path:
            raise about(
                BadRequest, path.replace("\0", "\\0"), f"{doing or 'cannot be used'}: it is not an absolute path"
            )
        self._path, self._sticky, self._follow = path, sticky, follow
        self._owners = frozenset((0, os.geteuid()))
        self._levels: t.List[_Level] = []
        self._diverted = ""
        self._public = True
        self.at = "/"

    def close(self) -> None:
        """Close the directories."""
        while self._levels:
            os.close(self._levels.pop().descriptor)

    def go(self) -> Place:
        """Walk to the end of the path."""
        self._enter(os.open("/", _LOOK | os.O_DIRECTORY), "")
        todo = self._path.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                self._leave()
                continue
            self.at = "/".join([*(level.name for level in self._levels), part])
            last = not any(todo)
            status = self._look(part, last=last)
            if status is not None and stat.S_ISLNK(status.st_mode) and (self._follow or not last):
                links += 1
                if links > _FOLLOWED:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                todo += self._target(part, status).split("/")[::-1]
            elif status is None or not stat.S_ISDIR(status.st_mode):
                if not last:
                    raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                return self._place(part, status)
        return self._directory()

    def _look(self, part: str, *, last: bool) -> t.Optional[os.stat_result]:
        """What an entry is; a directory is entered. None if there is none and the path ends."""
        try:
            descriptor = os.open(part, _LOOK, dir_fd=self._here.descriptor)
        except FileNotFoundError:
            if last:
                return None
            raise
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            self._enter(descriptor, part)
        else:
            os.close(descriptor)
        return status

    @property
    def _here(self) -> _Level:
        return self._levels[-1]

    def _enter(self, descriptor: int, name: str) -> None:
        status = os.fstat(descriptor)
        self._levels.append(_Level(descriptor, name, bool(status.st_mode & _WRITABLE)))
        self._blame(self._foreign(status))
        self._public = self._public and bool(status.st_mode & stat.S_IXOTH)
        if self._here.shared and not (self._sticky and status.st_mode & stat.S_ISVTX):
            self._blame(f"others than its owner may write to {self.at}")

    def _leave(self) -> None:
        if len(self._levels) > 1:
            os.close(self._levels.pop().descriptor)

    def _target(self, part: str, status: os.stat_result) -> str:
        self._blame(self._foreign(status))
        if self._diverted:
            raise about(NotTrusted, self._path, f"is not followed: {self.at} is a link, and {self._diverted}")
        target = os.readlink(part, dir_fd=self._here.descriptor)
        while target.startswith("/") and len(self._levels) > 1:
            self._leave()
        return target

    def _place(self, part: str, status: t.Optional[os.stat_result]) -> Place:
        distrust = ""
        if status is not None:
            distrust = self._foreign(status)
            self._blame(distrust if self._here.shared else "")
            if status.st_mode & _WRITABLE and not stat.S_ISLNK(status.st_mode):
                distrust = distrust or f"others than its owner may write to {self.at}"
            self._public = self._public and bool(status.st_mode & stat.S_IROTH)
        distrust = self._diverted or distrust
        return Place(self._here.descriptor, part, self.at, status, self._diverted, distrust, self._public)

    def _directory(self) -> Place:
        self.at = "/".join(level.name for level in self._levels) or "/"
        status = os.fstat(self._here.descriptor)
        shared = f"others than its owner may write to {self.at}" if self._here.shared else ""
        public = self._public and bool(status.st_mode & stat.S_IROTH)
        return Place(self._here.descriptor, ".", self.at, status, self._diverted, self._diverted or shared, public)

    def _foreign(self, status: os.stat_result) -> str:
        """Who owns an entry, if somebody else does; in a shared directory others may have linked ours there."""
        if status.st_uid not in self._owners:
            return f"{self.at} belongs to uid {status.st_uid}"
        if self._here.shared and status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            return f"{self.at} has other hard links, and somebody else may have made this one"
        return ""

    def _blame(self, reason: str) -> None:
        self._diverted = self._diverted or reason


def about(kind: t.Type[_Error], path: str, reason: str) -> _Error:
    """An error of this kind about a path."""
    return kind(f"{path} {reason}", path=path, reason=reason)


def check_kind(status: os.stat_result, path: str) -> None:
    """Raise BadRequest for anything but a regular file or a directory: opening it may block or have side effects."""
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise about(BadRequest, path, "is not a regular file")
