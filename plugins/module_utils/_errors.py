# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Everything that can go wrong, as exceptions that name the thing.

They are raised where the fact is known and become ``fail_json`` in one place, ``_module.run``.
"""

from __future__ import annotations

import errno
import os
import typing as t


class NettuneError(Exception):
    """A failure a person can act on.

    ``details`` is returned along with ``msg`` in the module's result: the key, the file and line, what was restored.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details

    def __reduce__(self) -> t.Tuple[t.Any, ...]:
        """Pickled as it is, whatever arguments the class takes: errors cross from child processes."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: t.Type[NettuneError], arguments: t.Tuple[t.Any, ...], state: t.Dict[str, t.Any]) -> NettuneError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(state)
    return error


class BadRequest(NettuneError):
    """The request makes no sense; nothing has been observed or touched."""


class MissingRight(NettuneError):
    """The caller lacks a privilege; the message names it."""


class KernelRefused(NettuneError):
    """The kernel rejected a value, or accepted and altered it."""


class Gone(KernelRefused):
    """Something has just disappeared, such as a process or its open file: look again."""


class Unsupported(NettuneError):
    """This kernel or namespace lacks the interface."""


class NotTrusted(NettuneError):
    """Somebody other than root decides what is found at a path; the message names the part of it and who."""


class NoSuchFile(NettuneError):
    """There is nothing at a path."""


class Changed(NettuneError):
    """Somebody else changed a file after it was read; what they wrote is kept. Starting over may succeed."""


_KINDS: t.Mapping[int, t.Type[NettuneError]] = {
    errno.EACCES: MissingRight,
    errno.EPERM: MissingRight,
    errno.ENOENT: NoSuchFile,
    errno.ENOTDIR: NoSuchFile,
    errno.ESRCH: NoSuchFile,  # of a process that has ended
}


def from_os(exc: OSError, path: str = "", *, doing: str = "", at: str = "") -> NettuneError:
    """What a failed system call means: ``{path} {doing}: {cause}``, with the part ``at`` of the path that is to blame.

    The one place that turns an OSError into something that a person can act on.
    """
    path = path or os.fsdecode(exc.filename or "")
    cause = (exc.strerror or str(exc)) + (f" at {at}" if at not in ("", path) else "")
    reason = f"{doing}: {cause}" if doing else cause
    message = f"{path} {doing}".strip()
    kind = _KINDS.get(exc.errno or 0, NettuneError)
    return kind(f"{message}: {cause}" if message else cause, path=path, reason=reason)
