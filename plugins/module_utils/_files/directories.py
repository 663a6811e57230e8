# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Directories created and removed by name, relative to a parent that nobody else could have put there.

INTERFACE
    make_directory(path, attributes)      one whose parent is there
    remove_directory(path)                unless there is anything in it
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import stat
import typing as t

from .._errors import NoSuchFile, NotTrusted
from .attributes import Attributes, give
from .replacing import check_place
from .walk import about, walk

_MODE = 0o755
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_directory(path: str, attributes: t.Optional[Attributes] = None) -> None:
    """Create it, with these attributes if given; an existing one only gets those.

    Raises NotTrusted if others could redirect it, or have put theirs there, and other NettuneErrors.
    """
    with _parent(path, "cannot be made") as (directory, name):
        made = _made(name, directory)
        descriptor = os.open(name, _OPEN, dir_fd=directory)
        try:
            owner = os.fstat(descriptor).st_uid
            if owner not in (0, os.geteuid(), attributes and attributes.uid):
                raise about(NotTrusted, path, f"belongs to uid {owner}")
            if attributes is not None:
                give(descriptor, attributes)
            elif made:
                os.fchmod(descriptor, _MODE)  # regardless of the umask
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _made(name: str, directory: int) -> bool:
    try:
        os.mkdir(name, _MODE, dir_fd=directory)
    except FileExistsError:
        return False
    return True


def remove_directory(path: str) -> None:
    """Remove it if it exists and is empty. Raises NotTrusted if others could redirect the removal."""
    with contextlib.suppress(NoSuchFile), _parent(path, "cannot be removed") as (directory, name):
        try:
            os.rmdir(name, dir_fd=directory)
        except OSError as exc:
            if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise


@contextlib.contextmanager
def _parent(path: str, doing: str) -> t.Iterator[t.Tuple[int, str]]:
    parent, name = posixpath.split(path)
    with walk(parent, sticky=True, doing=doing) as place:
        if place.status is None or not stat.S_ISDIR(place.status.st_mode):
            raise about(NoSuchFile, path, f"{doing}: there is no directory {parent}")
        check_place(place, path)
        yield place.directory, name
