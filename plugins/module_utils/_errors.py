# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Everything that can go wrong, as exceptions that name the thing.

They are raised where the fact is known and become ``fail_json`` in one place, ``_module.run``.
"""

from __future__ import annotations

import errno
import typing as t


class NettuneError(Exception):
    """A failure a person can act on.

    ``details`` ends up beside ``msg`` in the module's result: the key, the file and line, what was restored.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details


class BadRequest(NettuneError):
    """What was asked makes no sense; nothing has been looked at or touched."""


class MissingRight(NettuneError):
    """The caller lacks a privilege; the message names it."""


class KernelRefused(NettuneError):
    """The kernel rejected a value, or took it and made something else of it."""


class Gone(KernelRefused):
    """What was there a moment ago is not any more, such as a process or its open file: look again."""


class Unsupported(NettuneError):
    """This kernel or namespace lacks the interface."""


class NotTrusted(NettuneError):
    """Somebody else than root decides what is found at a path; the message names the part of it and who."""


class NoSuchFile(NettuneError):
    """There is nothing at a path."""


def from_os(exc: OSError, path: str, *, at: str = "") -> NettuneError:
    """What a failed system call means: ``{path}: {cause}``, with the part of the path that is to blame.

    The one place that turns an OSError into something that a person can act on.
    """
    where = f" at {at}" if at not in ("", path) else ""
    message = f"{path}: {exc.strerror or exc}{where}"
    if exc.errno in (errno.EACCES, errno.EPERM):
        return MissingRight(message, path=path)
    if exc.errno == errno.ENOENT:
        return NoSuchFile(message, path=path)
    return NettuneError(message, path=path)
