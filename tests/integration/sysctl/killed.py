# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A function that is killed at a system call of our choice, by means of ptrace(2)."""

from __future__ import annotations

import ctypes
import os
import signal
import traceback
import typing as t

_TRACEME, _SYSCALL, _SETOPTIONS = 0, 24, 0x4200
_O_TRACESYSGOOD, _O_EXITKILL = 0x1, 0x100000


def _ptrace(request: int, pid: int = 0, data: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    if libc.ptrace(request, pid, None, data) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _victim(body: t.Callable[[], object]) -> t.NoReturn:
    try:
        _ptrace(_TRACEME)
        os.kill(os.getpid(), signal.SIGSTOP)
        body()
    except BaseException:  # noqa: BLE001 - nobody else is there to show it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def kill_at(call: int, body: t.Callable[[], object]) -> bool:
    """Run ``body`` in a child and kill it as it enters its system call number ``call``; False when it ended before."""
    pid = os.fork()
    if pid == 0:
        _victim(body)
    os.waitpid(pid, 0)
    _ptrace(_SETOPTIONS, pid, _O_TRACESYSGOOD | _O_EXITKILL)
    stops = 0
    while True:
        _ptrace(_SYSCALL, pid)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            return False
        stops += os.WSTOPSIG(status) == signal.SIGTRAP | 0x80
        # Each call stops twice, as it is entered and as it is left.
        if stops == 2 * call - 1:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return True
