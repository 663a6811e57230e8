# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What a file has besides its content: kept when it is replaced, or reported if that is impossible."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import struct
import typing as t
from dataclasses import dataclass

_ACL, _SELINUX = "system.posix_acl_access", "security.selinux"
_NO_LABELS = (errno.EOPNOTSUPP, errno.EPERM, errno.EACCES)

# FS_IOC_GETFLAGS, and the flags that chattr(1) sets on files (include/uapi/linux/fs.h).
_GET_FLAGS = 2 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 1
_FLAGS = {0x1: "s", 0x2: "u", 0x4: "c", 0x8: "S", 0x40: "d", 0x80: "A", 0x4000: "j", 0x800000: "C"}
_LOCKING = {0x10: "immutable (chattr +i)", 0x20: "append-only (chattr +a)"}


@dataclass(frozen=True)
class Attributes:
    """``extended`` are extended attributes by name, if they are user attributes or decide about access."""

    mode: int
    uid: int
    gid: int
    extended: t.Mapping[str, bytes]


def of(descriptor: int) -> Attributes:
    """Those of an open file."""
    status = os.fstat(descriptor)
    return Attributes(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, _extended(descriptor))


def give(descriptor: int, wanted: Attributes) -> None:
    """Give an open file the same ones; what it inherited from a directory is removed again."""
    status = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (wanted.uid, wanted.gid):
        os.fchown(descriptor, wanted.uid, wanted.gid)
    there = _extended(descriptor)
    for name in there.keys() - wanted.extended.keys() - {_SELINUX}:
        os.removexattr(descriptor, name)
    os.fchmod(descriptor, wanted.mode)
    for name, value in wanted.extended.items():
        if there.get(name) == value:
            continue
        try:
            os.setxattr(descriptor, name, value)
        except OSError as exc:
            # Labels may be visible where they cannot be set, as in a container.
            if name != _SELINUX or exc.errno not in _NO_LABELS:
                raise


def attributes_of(path: str) -> Attributes:
    """Those of a file or directory of ours.  Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return of(descriptor)
    finally:
        os.close(descriptor)


def locked(descriptor: int) -> str:
    """Which attribute of ext4 and the like forbids replacing an open file or changing a directory; empty for none."""
    flags = _flags(descriptor)
    return next((text for flag, text in _LOCKING.items() if flags & flag), "")


def lost(descriptor: int) -> t.Iterator[str]:
    """What a replacement will not have, for people."""
    status, flags = os.fstat(descriptor), _flags(descriptor)
    if status.st_nlink > 1:
        yield f"it has {status.st_nlink} hard links, and the others keep the old content"
    letters = "".join(letter for flag, letter in _FLAGS.items() if flags & flag)
    if letters:
        yield f"its attributes {letters} (lsattr) are not kept"


def _extended(descriptor: int) -> t.Dict[str, bytes]:
    try:
        names = [name for name in os.listxattr(descriptor) if name.startswith("user.") or name in (_ACL, _SELINUX)]
    except OSError as exc:
        if exc.errno != errno.EOPNOTSUPP:
            raise
        return {}
    return {name: os.getxattr(descriptor, name) for name in names}


def _flags(descriptor: int) -> int:
    with contextlib.suppress(OSError):  # a file system without any
        answer = fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("l", 0))
        return int(struct.unpack("l", answer)[0])
    return 0
