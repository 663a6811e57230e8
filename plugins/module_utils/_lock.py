# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""One run at a time: an advisory lock that disappears with its holder, however that ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ._errors import NettuneError, from_os

# Not in a world-writable directory: others could hold the lock forever.
PATH = "/run/nettune-tcp.lock"
TIMEOUT = 120.0
_PAUSE = 0.05
_LONGEST = 200  # characters of what the holder says about itself


@contextlib.contextmanager
def exclusive(who: str, path: t.Optional[str] = None, timeout: float = TIMEOUT) -> t.Iterator[None]:
    """Hold the lock as ``who``, a module's name, after waiting at most ``timeout`` seconds for it.

    Raises NettuneError, which says who has held it since when, if it stays taken.  Without root the file usually cannot
    be opened; as little can be changed either, the run goes on without the lock.
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
        except OSError as exc:  # for example if a system call filter forbids it
            raise from_os(exc, path, doing="cannot be locked") from exc
        else:
            return


def _sign(descriptor: int, text: str) -> None:
    # Only informs those who wait: a full /run must not stop a run.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
