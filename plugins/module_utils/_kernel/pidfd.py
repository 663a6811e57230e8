# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Another process's open socket as our own: pidfd_open(2) and pidfd_getfd(2), Linux 5.6 and later.

INTERFACE
    with duplicate(pid, number, inode) as shared: ...    the very socket; closed here, it stays open at its owner
    relisten(pid, number, inode, backlog)                listen(2) on it: changes only the limit of the accept queue
    send_signal(pid, number, meant)                      a signal to the process that was meant, or to nobody

listen(2) on a socket that already listens is legal and keeps what is queued (net/ipv4/af_inet.c __inet_listen_sk). The
limit becomes the lower of the backlog and net.core.somaxconn of the *socket's* network namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import typing as t

from .._errors import Gone, KernelRefused, MissingRight, Unsupported

# The same on every architecture but alpha, like all since 424 (include/uapi/asm-generic/unistd.h).
_PIDFD_SEND_SIGNAL = 424
_PIDFD_OPEN = 434
_PIDFD_GETFD = 438


@contextlib.contextmanager
def duplicate(pid: int, number: int, inode: int) -> t.Iterator[socket.socket]:
    """The socket that process ``pid`` has under this number, which must be the one with this inode.

    Raises Unsupported before Linux 5.6, MissingRight without the right to trace ``pid``, Gone if the process has ended
    or no longer has that socket there.
    """
    process = _call(f"pidfd_open of pid {pid}", _PIDFD_OPEN, pid, 0)
    try:
        copy = _call(f"pidfd_getfd of pid {pid}", _PIDFD_GETFD, process, number, 0)
    finally:
        os.close(process)
    # The number may refer to something else by now.
    if os.fstat(copy).st_ino != inode:
        os.close(copy)
        raise Gone(f"pid {pid} has closed the socket with inode {inode} in the meantime")
    with socket.socket(fileno=copy) as shared:
        yield shared


def relisten(pid: int, number: int, inode: int, backlog: int) -> None:
    """Give the socket this backlog."""
    with duplicate(pid, number, inode) as shared:
        try:
            shared.listen(backlog)
        except OSError as exc:
            raise KernelRefused(f"listen({backlog}) on a socket of pid {pid}: {exc.strerror}") from exc


def send_signal(pid: int, number: int, meant: t.Callable[[], bool]) -> None:
    """Signal the process if ``meant`` confirms that it is the right one, once no other can take its place.

    Raises ProcessLookupError if it is gone or another one, PermissionError. Before Linux 5.3 another process may take
    the pid after the check, as with any kill(2).
    """
    try:
        process = _call(f"pidfd_open of pid {pid}", _PIDFD_OPEN, pid, 0)
    except Unsupported:
        _check_meant(pid, meant)
        os.kill(pid, number)
        return
    except Gone as exc:
        raise ProcessLookupError(errno.ESRCH, str(exc)) from exc
    try:
        _check_meant(pid, meant)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(ctypes.c_long(_PIDFD_SEND_SIGNAL), process, number, None, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(process)


def _check_meant(pid: int, meant: t.Callable[[], bool]) -> None:
    if not meant():
        raise ProcessLookupError(errno.ESRCH, f"pid {pid} is another process now")


def _call(what: str, *arguments: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(*(ctypes.c_long(argument) for argument in arguments))
    if answer >= 0:
        return answer
    number = ctypes.get_errno()
    if number == errno.ENOSYS:
        raise Unsupported(f"{what}: this kernel ({os.uname().release}) lacks it, it was added in Linux 5.6")
    if number in (errno.EPERM, errno.EACCES):
        raise MissingRight(f"{what}: {os.strerror(number)}; it needs the right to trace the process (CAP_SYS_PTRACE)")
    if number in (errno.ESRCH, errno.EBADF):
        raise Gone(f"{what}: {os.strerror(number)}; it has ended or closed the socket in the meantime")
    raise KernelRefused(f"{what}: {os.strerror(number)}")
