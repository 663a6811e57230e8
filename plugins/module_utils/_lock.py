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

from ._errors import NettuneError

# Not in a directory where everybody may create files: others could hold the lock for ever.
PATH = "/run/nettune-tcp.lock"
TIMEOUT = 120.0
_PAUSE = 0.05


@contextlib.contextmanager
def exclusive(path: str = PATH, timeout: float = TIMEOUT) -> t.Iterator[None]:
    """Hold the lock, after waiting at most ``timeout`` seconds for it; NettuneError when it stays taken.

    Who may not even open the file may not change anything either, and goes on without it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield
        return
    try:
        _wait(descriptor, path, time.monotonic() + timeout)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: str, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if time.monotonic() > until:
                raise NettuneError(f"another run of nettune.tcp holds {path}", path=path) from exc
            time.sleep(_PAUSE)
        else:
            return
