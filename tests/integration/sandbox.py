# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that have a network namespace, or a host's configuration, of their own."""

from __future__ import annotations

import ctypes
import os
import pickle
import subprocess
import traceback
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._record import store

CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUTS = 0x40000000, 0x00020000, 0x04000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
CONFIGURATION = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/var/lib/nettune-tcp",
)

Answer = t.TypeVar("Answer")
Enter = t.Callable[[], None]


class Sandbox(t.Protocol):
    """Calls a function in a process of its own and gives back what it returns; its failure is the test's failure."""

    def __call__(self, body: t.Callable[[], Answer]) -> Answer: ...


def in_child(enter: Enter, body: t.Callable[[], Answer]) -> Answer:
    """What ``body`` returns, called in a child process after ``enter``."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            enter()
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


def fork(body: t.Callable[[], object]) -> int:
    """Start a child that does this and exits with 0."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    return pid


def enter_network() -> None:
    """Move into a new network namespace, where only lo is, and up."""
    _call("unshare", CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def enter_fresh_host() -> None:
    """Move into a new network namespace, with names of its own, in which no file says anything about sysctls."""
    _call("unshare", CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS)
    _call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    for directory in CONFIGURATION:
        os.makedirs(directory, exist_ok=True)
        _call("mount", b"none", directory.encode(), b"tmpfs", 0, b"mode=755")
    store.ROOT = "/var/lib/nettune-tcp"


def _call(name: str, *arguments: t.Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
