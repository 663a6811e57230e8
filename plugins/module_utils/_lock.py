# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run at a time: an advisory lock that is gone when its holder is, however it ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ._errors import NettuneError, from_os

# Not in a directory where everybody may create files: others could hold the lock for ever.
PATH = "/run/nettune-tcp.lock"
TIMEOUT = 120.0
_PAUSE = 0.05
_LONGEST = 200  # characters of what the holder says of itself


@contextlib.contextmanager
def exclusive(who: str, path: t.Optional[str] = None, timeout: float = TIMEOUT) -> t.Iterator[None]:
    """Hold the lock as ``who``, a module's name, after waiting at most ``timeout`` seconds for it.

    Raises NettuneError, which says who holds it since when, when it stays taken.  Who is not root may not open the file
    as a rule, as he may not change much either, and goes on without it.
    """
    path = path or PATH
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        if os.geteuid() == 0:
            raise from_os(exc, path, doing="cannot be locked") from exc
        yield
        return
    try:
        _wait(descriptor, path, time.monotonic() + timeout)
        _sign(descriptor, f"{who}, pid {os.getpid()}, since {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}")
        try:
            yield
        finally:
            _sign(descriptor, "")
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: str, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if time.monotonic() > until:
                holder = os.pread(descriptor, _LONGEST, 0).decode("utf-8", "replace") or "no module of nettune.tcp"
                raise NettuneError(f"another run holds {path}: {holder}", path=path, holder=holder) from exc
            time.sleep(_PAUSE)
        except OSError as exc:  # as where a filter of system calls forbids it
            raise from_os(exc, path, doing="cannot be locked") from exc
        else:
            return


def _sign(descriptor: int, text: str) -> None:
    # Only for people who wait: a full /run keeps nobody from working.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
