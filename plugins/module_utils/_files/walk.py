# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The way from ``/`` to a file, one directory at a time, and who else has a say in where it leads.

INTERFACE
    walk(path) -> Place        a context manager; links are followed only where nobody else can put one
    open_trusted(path) -> fd   of a regular file, or a directory, that only root could have put there

Each directory is opened relative to the one before, never by a whole path, so that what has been judged is what is
used: whoever swaps a directory for a link meanwhile changes nothing.  (openat2(2) does as much, but is not in Python.)

A directory is trusted when root owns it and nobody else may write to it; ACLs show in the bits of the group.  Where we
do not run as root, we are as good as root.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t
from dataclasses import dataclass

from .._errors import BadRequest, NoSuchFile, NotTrusted, from_os

_FOLLOWED = 40  # links on one path, as many as the kernel follows
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True)
class Place:
    """What a path leads to, by the directory that holds it.

    ``directory`` is its descriptor, open as long as the context is, and ``name`` the entry in it, ``.`` for a directory.
    ``status`` is None where there is no such entry.  ``path`` has no links.  ``distrust`` says why somebody else than
    root decides what is there, empty when nobody does; ``public`` tells that everybody may read it.
    """

    directory: int
    name: str
    path: str
    status: t.Optional[os.stat_result]
    distrust: str
    public: bool

    def open(self) -> int:
        """A descriptor for reading the regular file or directory, which never waits; NettuneError for other things."""
        status = self.status
        if status is None:
            raise NoSuchFile(f"{self.path} does not exist", path=self.path)
        _check_kind(status, self.path)
        descriptor = os.open(self.name, _READ, dir_fd=self.directory)
        opened = os.fstat(descriptor)
        if (opened.st_dev, opened.st_ino) != (status.st_dev, status.st_ino):
            os.close(descriptor)
            raise NotTrusted(f"{self.path} was replaced while it was opened", path=self.path)
        return descriptor


def open_trusted(path: str, *, directory: bool = False) -> int:
    """A descriptor, for reading, of a regular file, or a directory, that nobody but root could have put there.

    The file and every directory on the way, those of links too, belong to root (or to us, who are not root) and can be
    written by nobody else; /tmp is no such directory.  The descriptor is close-on-exec.

    Raises NoSuchFile, MissingRight, NotTrusted or another NettuneError, each with the path and the part of it that is to
    blame.
    """
    with walk(path) as place:
        if place.distrust:
            raise NotTrusted(f"{path} is not trusted: {place.distrust}", path=path)
        if directory and place.status and not stat.S_ISDIR(place.status.st_mode):
            raise NotTrusted(f"{path} is not a directory", path=path)
        if not directory and place.status and not stat.S_ISREG(place.status.st_mode):
            raise NotTrusted(f"{path} is not a regular file", path=path)
        return place.open()


@contextlib.contextmanager
def walk(path: str, *, sticky: bool = False) -> t.Iterator[Place]:
    """Where a path leads.  An OSError on the way, or in the body, becomes a NettuneError that names the path.

    With ``sticky``, entries that root owns count as root's in a directory like /tmp too, since nobody else can replace
    them there.  Raises BadRequest for a path that is not absolute.
    """
    steps = _Steps(path, sticky)
    try:
        yield steps.go()
    except OSError as exc:
        raise from_os(exc, path, at=steps.at) from exc
    finally:
        steps.close()


class _Steps:
    def __init__(self, path: str, sticky: bool) -> None:
        if not path.startswith("/") or "\0" in path:
            raise NotTrusted(f"{path!r} is not an absolute path", path=path)
        self._path, self._sticky = path, sticky
        self._owners = frozenset((0, os.geteuid()))
        self._opened: t.List[int] = []
        self._names: t.List[str] = []
        self._distrust = ""
        self._shared = False  # the directory is one where everybody has entries of their own
        self._public = True
        self.at = "/"

    def close(self) -> None:
        while self._opened:
            os.close(self._opened.pop())

    def go(self) -> Place:
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
            self.at = "/".join([*self._names, part])
            status = self._look(part, last=not any(todo))
            if status is not None and stat.S_ISLNK(status.st_mode):
                links += 1
                if links > _FOLLOWED:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                todo += self._target(part, status).split("/")[::-1]
            elif status is None or not stat.S_ISDIR(status.st_mode):
                if any(todo):
                    raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                return self._place(part, status)
        self.at = "/".join(self._names) or "/"
        return Place(self._opened[-1], ".", self.at, os.fstat(self._opened[-1]), self._distrust, self._public)

    def _look(self, part: str, *, last: bool) -> t.Optional[os.stat_result]:
        """What an entry is; a directory is gone into.  None where there is none and the path ends."""
        try:
            descriptor = os.open(part, _LOOK, dir_fd=self._opened[-1])
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

    def _enter(self, descriptor: int, name: str) -> None:
        self._opened.append(descriptor)
        self._names += [name] if name else [""]
        status = os.fstat(descriptor)
        self._judge(status)
        self._public = self._public and bool(status.st_mode & stat.S_IXOTH)
        self._shared = bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
        if self._shared and not (self._sticky and status.st_mode & stat.S_ISVTX):
            self._blame(f"others than its owner may write to {self.at}")

    def _leave(self) -> None:
        if len(self._opened) > 1:
            os.close(self._opened.pop())
            self._names.pop()

    def _target(self, part: str, status: os.stat_result) -> str:
        self._judge(status)
        if self._distrust:
            raise NotTrusted(
                f"{self._path} is not followed: {self.at} is a link, and {self._distrust}", path=self._path
            )
        target = os.readlink(part, dir_fd=self._opened[-1])
        while target.startswith("/") and len(self._opened) > 1:
            self._leave()
        return target

    def _place(self, part: str, status: t.Optional[os.stat_result]) -> Place:
        if status is not None:
            self._judge(status)
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                self._blame(f"others than its owner may write to {self.at}")
            self._public = self._public and bool(status.st_mode & stat.S_IROTH)
        elif self._shared:
            self._blame(f"everybody may put something at {self.at}")
        return Place(self._opened[-1], part, self.at, status, self._distrust, self._public)

    def _judge(self, status: os.stat_result) -> None:
        if status.st_uid not in self._owners:
            self._blame(f"{self.at} belongs to uid {status.st_uid}")

    def _blame(self, reason: str) -> None:
        self._distrust = self._distrust or reason


def _check_kind(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise BadRequest(f"{path} is not a regular file", path=path)
