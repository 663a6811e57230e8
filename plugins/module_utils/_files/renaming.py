# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""renameat2(2), which Python lacks: no rename overwrites a file that it was not meant for.

INTERFACE
    exchange(directory, one, other)  two entries change places, at once
    move(directory, old, new)        FileExistsError where there is something under the new name

If the C library or the file system does not support it (NFS, Linux before 3.15), plain renames do, after a check.
"""

from __future__ import annotations

import ctypes
import errno
import os
import typing as t

_NOREPLACE, _EXCHANGE = 1, 2
_UNKNOWN = (errno.ENOSYS, errno.EINVAL)


def exchange(directory: int, one: str, other: str) -> bool:
    """False if that is impossible: ``one`` has then replaced ``other``, which is gone."""
    if _rename(directory, one, other, _EXCHANGE):
        return True
    os.rename(one, other, src_dir_fd=directory, dst_dir_fd=directory)
    return False


def move(directory: int, old: str, new: str) -> None:
    """Give an entry another name."""
    if _rename(directory, old, new, _NOREPLACE):
        return
    try:
        os.stat(new, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(old, new, src_dir_fd=directory, dst_dir_fd=directory)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)


def _rename(directory: int, old: str, new: str, flags: int) -> bool:
    call: t.Any = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(directory, os.fsencode(old), directory, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), new)
