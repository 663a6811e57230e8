# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of its own for each test: the kernel's settings in a new network namespace, empty directories for files."""

from __future__ import annotations

import ctypes
import os
import pickle
import traceback
import typing as t

import pytest

CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
EMPTY = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/var/lib/nettune-tcp")

Answer = t.TypeVar("Answer")


class OnFreshHost(t.Protocol):
    """Calls a function in a process that has its own network namespace and its own empty configuration."""

    def __call__(self, body: t.Callable[[], Answer]) -> Answer: ...


def _call(libc: ctypes.CDLL, name: str, *arguments: t.Any) -> None:
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _become_fresh_host() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _call(libc, "unshare", CLONE_NEWNET | CLONE_NEWNS)
    _call(libc, "mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    for directory in EMPTY:
        os.makedirs(directory, exist_ok=True)
        _call(libc, "mount", b"none", directory.encode(), b"tmpfs", 0, b"mode=755")


def _on_fresh_host(body: t.Callable[[], Answer]) -> Answer:
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become_fresh_host()
            outcome: t.Tuple[bool, t.Any] = (True, body())
        except BaseException:  # noqa: BLE001 - the test shows it
            outcome = (False, traceback.format_exc())
        with os.fdopen(writable, "wb") as pipe:
            pickle.dump(outcome, pipe)
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        fine, answer = pickle.load(pipe)
    os.waitpid(pid, 0)
    if not fine:
        pytest.fail(answer)
    return t.cast("Answer", answer)


@pytest.fixture
def on_fresh_host() -> OnFreshHost:
    """Run a test's body as root on a host of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a namespace of its own")
    return _on_fresh_host
