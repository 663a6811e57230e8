# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Files read whole: regular files only, without blocking, up to a reasonable size.

INTERFACE
    read(path, limit, trust) -> bytes or None;  text(path) -> what a file of /proc says, empty for whatever reason
    names(path, trust), is_directory(path, trust)
    Trust: how far others may decide what is read
"""

from __future__ import annotations

import enum
import os
import stat
import typing as t

from .._errors import BadRequest, MissingRight, NoSuchFile, NotTrusted, from_os
from .walk import Place, about, check_kind, walk

LIMIT = 16 << 20  # bytes of a configuration; hand-written ones are far smaller
SMALL = 1 << 20  # bytes of a unit file, a drop-in, or a file of /proc/PID
_CHUNK = 1 << 16
_DOING = "cannot be read"
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Trust(enum.Enum):
    """What users other than root may decide about a file that we read as root. Unprivileged runs read what they may.

    SYSTEM  everything: the system itself reads the path, so whatever is there is the answer
    SHARED  what it holds, where they may read it themselves; but no link of theirs is followed
    PUBLIC  the same, and which file it is: only what everybody may read, or is another user's, is read
    ROOT    nothing
    """

    SYSTEM = "system"
    SHARED = "shared"
    PUBLIC = "public"
    ROOT = "root"


def read(path: str, *, limit: int = LIMIT, trust: Trust = Trust.SYSTEM) -> t.Optional[bytes]:
    """The file's bytes, or None when there is no such file; /dev/null is an empty file.

    Raises NettuneError with the path and the cause, also if it is not a regular file or is larger than ``limit`` bytes.
    """
    return read_and_judge(path, limit=limit, trust=trust)[0]


def read_and_judge(path: str, *, limit: int, trust: Trust) -> t.Tuple[t.Optional[bytes], bool]:
    """The same, and whether somebody other than root may have written it."""
    try:
        opened = _opened(path, trust)
    except NoSuchFile:
        return None, False
    if opened.descriptor is None:
        return b"", False
    try:
        return whole(opened.descriptor, path, limit), opened.foreign
    except ProcessLookupError:  # it was a file of a process that has ended
        return None, False
    except OSError as exc:
        raise from_os(exc, path, doing=_DOING) from exc
    finally:
        os.close(opened.descriptor)


def text(path: str) -> str:
    """A file's text, empty if it is gone, as a process's files may be at any time, or unreadable.

    Raises NettuneError for other failures, such as too many open files.
    """
    try:
        return (read(path, limit=SMALL) or b"").decode("utf-8", "replace")
    except (BadRequest, MissingRight):
        return ""


def names(path: str, *, trust: Trust = Trust.SYSTEM) -> t.List[str]:
    """The names in a directory, in no order; none if there is no such directory. Raises NettuneError."""
    try:
        descriptor = _opened(path, trust).descriptor
    except NoSuchFile:
        return []
    try:
        return [] if descriptor is None else os.listdir(descriptor)
    except NotADirectoryError:
        return []
    except OSError as exc:
        raise from_os(exc, path, doing=_DOING) from exc
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_directory(path: str, *, trust: Trust = Trust.SYSTEM) -> bool:
    """Whether a path leads to a directory.  Raises NettuneError."""
    if trust is Trust.SYSTEM or os.geteuid() != 0:
        return os.path.isdir(path)
    try:
        with walk(path, sticky=True, doing=_DOING) as place:
            return place.status is not None and stat.S_ISDIR(place.status.st_mode)
    except NoSuchFile:
        return False


class _Opened(t.NamedTuple):
    """A descriptor of a regular file or a directory, None for /dev/null."""

    descriptor: t.Optional[int]
    foreign: bool = False


def _opened(path: str, trust: Trust) -> _Opened:
    if trust is Trust.SYSTEM or os.geteuid() != 0:
        return _opened_by_path(path)
    with walk(path, sticky=True, doing=_DOING) as place:
        if _is_null(place.status):
            return _Opened(None)
        if place.status is not None:
            check_kind(place.status, path)
        _check_trust(place, path, trust)
        return _Opened(place.open(), foreign=bool(place.distrust))


def _opened_by_path(path: str) -> _Opened:
    try:
        status = os.stat(path)
        if _is_null(status):
            return _Opened(None)
        check_kind(status, path)
        descriptor = os.open(path, _READ)
    except ValueError as exc:  # a NUL inside
        raise about(BadRequest, path.replace("\0", "\\0"), f"{_DOING}: {exc}") from exc
    except OSError as exc:
        raise from_os(exc, path, doing=_DOING) from exc
    try:
        check_kind(os.fstat(descriptor), path)
    except BaseException as exc:
        os.close(descriptor)
        raise from_os(exc, path, doing=_DOING) if isinstance(exc, OSError) else exc from exc
    return _Opened(descriptor)


def _is_null(status: t.Optional[os.stat_result]) -> bool:
    """Whether this is /dev/null: people link to it to disable a snippet or mask a unit."""
    return status is not None and stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)


def _check_trust(place: Place, path: str, trust: Trust) -> None:
    if trust is Trust.ROOT and place.distrust:
        raise about(NotTrusted, path, f"is not read: {place.distrust}")
    theirs = place.status is not None and place.status.st_uid != 0
    if place.public or theirs:
        return
    if trust is Trust.PUBLIC:
        raise about(
            NotTrusted, path, "is not read: it is not world-readable, and a file of another user may have named it"
        )
    if place.diverted:
        raise about(NotTrusted, path, f"is not read: it is not world-readable, and {place.diverted}")


def whole(descriptor: int, path: str, limit: int) -> bytes:
    """All of an open file. Raises BadRequest if it is not a regular file or too large, and OSError."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise about(BadRequest, path, "is not a regular file")
    chunks: t.List[bytes] = []
    size = 0
    while size <= limit:
        chunk = os.read(descriptor, max(_CHUNK, status.st_size + 1 if status.st_size <= limit else 0))
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
    raise about(
        BadRequest, path, f"is larger than {limit >> 20} MiB" if limit >> 20 else f"is larger than {limit} bytes"
    )
