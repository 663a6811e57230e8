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

_TRACEME, _SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
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


class _Info(ctypes.Structure):
    """struct ptrace_syscall_info of <linux/ptrace.h>, as far as the arguments at the entry of a call."""

    _fields_: t.ClassVar = [
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("stack_pointer", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    ]


_ENTRY = 1
# Of x86_64, /usr/include/asm/unistd_64.h, with the argument that has the flags where only some of the calls change
# anything.
_OPENING = {2: 1, 257: 2}
_CHANGING = {
    number: name
    for name, numbers in {
        "write": (1, 18, 20),
        "listen": (50,),
        "kill": (62,),
        "sync": (74, 75),
        "truncate": (76, 77),
        "rename": (82, 264, 316),
        "mkdir": (83, 258),
        "rmdir": (84,),
        "link": (86, 88, 265, 266),
        "unlink": (87, 263),
        "chmod": (90, 91, 268),
        "chown": (92, 93, 260),
        "xattr": (188, 189, 190, 197, 198, 199),
        "setrlimit": (160, 302),
    }.items()
    for number in numbers
}


def _changes(pid: int) -> bool:
    """Whether the process is about to make a system call that changes something."""
    info = _Info()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.byref(info)) <= 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if info.op != _ENTRY:
        return False
    if info.number in _OPENING:
        return bool(info.arguments[_OPENING[info.number]] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
    return info.number in _CHANGING


def kill_at_change(call: int, body: t.Callable[[], object]) -> bool:
    """Run ``body`` in a child and kill it as it enters number ``call`` of those system calls that change something.

    False when it ended before.
    """
    pid = os.fork()
    if pid == 0:
        _victim(body)
    os.waitpid(pid, 0)
    _ptrace(_SETOPTIONS, pid, _O_TRACESYSGOOD | _O_EXITKILL)
    seen = delivered = 0
    while True:
        _ptrace(_SYSCALL, pid, delivered)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            return False
        delivered = os.WSTOPSIG(status)
        if delivered == signal.SIGTRAP | 0x80:
            delivered = 0
            seen += _changes(pid)
        if seen == call:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return True
