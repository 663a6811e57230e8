# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""System calls of the collection, told apart by what they do, that fail or kill at our wish.

They are caught where Python makes them: each function of ``os`` and the like that may change something, or may read,
called from ``plugins/module_utils`` however indirectly.  What the standard library does for itself is left alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import resource
import signal
import sys
import types
import typing as t
from dataclasses import dataclass, field

from ansible_collections.nettune.tcp.plugins.module_utils._files import renaming

_OURS = "/plugins/module_utils/"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGING: t.Sequence[t.Tuple[t.Any, str]] = [
    *((os, name) for name in ("write", "pwrite", "fsync", "ftruncate", "fchmod", "fchown", "chmod", "chown", "rename")),
    *((os, name) for name in ("replace", "unlink", "remove", "mkdir", "rmdir", "link", "symlink", "setxattr")),
    *((os, name) for name in ("removexattr", "kill")),
    (renaming, "_rename"),
    (resource, "prlimit"),
    (fcntl, "flock"),
]
_READING: t.Sequence[t.Tuple[t.Any, str]] = [
    *((os, name) for name in ("read", "pread", "stat", "lstat", "fstat", "listdir", "scandir", "readlink")),
    *((os, name) for name in ("listxattr", "getxattr", "fstatvfs")),
]
_LINES = 5  # of ours, by which two ways to a call are told apart: more find the same again
CHANGES, READS = "changes", "reads"
DENIALS: t.Mapping[str, t.Sequence[int]] = {
    CHANGES: (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT, errno.EINTR),
    READS: (errno.EACCES, errno.EIO, errno.EMFILE),
}

Place = t.Tuple[str, t.Tuple[t.Tuple[str, int], ...]]


class Hit(t.NamedTuple):
    """What happens to one call: it fails with an errno, or the process is killed before or after it."""

    number: int
    error: int = 0
    after: bool = False

    def __str__(self) -> str:
        how = errno.errorcode[self.error] if self.error else f"killed {'after' if self.after else 'before'}"
        return f"call {self.number}, {how}"


@dataclass
class Calls:
    """The calls of one kind in their order, each with the lines of ours that lead to it; ``hit`` is for one of them."""

    kind: str
    hit: t.Optional[Hit] = None
    places: t.List[Place] = field(default_factory=list)

    def first_of_each_place(self) -> t.List[int]:
        """The numbers of those that come to the call by other lines than all before, as far as the last few tell."""
        ways = [(name, lines[:_LINES]) for name, lines in self.places]
        return [number for number, way in enumerate(ways) if ways.index(way) == number]

    def wrap(self, name: str, function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        """The function as it is to be called meanwhile."""

        def call(*arguments: t.Any, **options: t.Any) -> t.Any:
            lines = tuple(_lines(sys._getframe(1)))
            if not lines or (name == "open" and _is_change(arguments) != (self.kind == CHANGES)):
                return function(*arguments, **options)
            number = len(self.places)
            self.places.append((name, lines))
            hit = self.hit if self.hit and self.hit.number == number else None
            if hit and hit.error:
                raise OSError(hit.error, os.strerror(hit.error))
            if hit and not hit.after:
                _die()
            try:
                return function(*arguments, **options)
            finally:
                if hit:
                    _die()

        return call


def _lines(frame: t.Optional[types.FrameType]) -> t.Iterator[t.Tuple[str, int]]:
    while frame is not None:
        if _OURS in frame.f_code.co_filename:
            yield frame.f_code.co_filename.partition(_OURS)[2], frame.f_lineno
        frame = frame.f_back


def _is_change(arguments: t.Sequence[t.Any]) -> bool:
    return bool(arguments[1] & _WRITING)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def intercepted(calls: Calls) -> t.Iterator[None]:
    """While this lasts, calls of this kind are counted, and one of them is hit."""
    patched = [(os, "open"), *(_CHANGING if calls.kind == CHANGES else _READING)]
    saved = [(module, name, getattr(module, name)) for module, name in patched]
    kill = os.kill
    try:
        for module, name, function in saved:
            setattr(module, name, calls.wrap(name, function))
        globals()["_die"] = lambda: kill(os.getpid(), signal.SIGKILL)
        yield
    finally:
        for module, name, function in saved:
            setattr(module, name, function)
