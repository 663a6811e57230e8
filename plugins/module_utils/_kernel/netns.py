# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Run something in another network namespace, in a child process, so that the caller never changes."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import typing as t

from .._errors import BadRequest, MissingRight, NettuneError, from_os

_CLONE_NEWNET = 0x40000000
_NAMED = "/run/netns"
_SHOWN = 100  # characters of a name in a message
_Answer = t.TypeVar("_Answer")


def path_of(namespace: str) -> str:
    """The file that stands for a namespace: of a pid, a name as ``ip netns`` keeps them, or a path as it is."""
    if "\0" in namespace:
        raise BadRequest(f"netns must be a name, an absolute path or a pid, got {namespace[:_SHOWN]!r}")
    if namespace.isdigit():
        return f"/proc/{namespace}/ns/net"
    if namespace.startswith("/"):
        return namespace
    if "/" in namespace or namespace in ("", ".", ".."):
        raise BadRequest(f"netns must be a name, an absolute path or a pid, got {namespace!r}")
    return os.path.join(_NAMED, namespace)


def file_of(path: str) -> t.Optional[t.Tuple[int, int]]:
    """Device and inode of a namespace's file, None if it is gone or not visible."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def run_in(namespace: str, body: t.Callable[[], _Answer]) -> _Answer:
    """What ``body`` returns when it is called inside the namespace.

    The answer must be picklable.  Raises BadRequest if there is no such namespace, MissingRight if it may not be
    entered (CAP_SYS_ADMIN), and whatever ``body`` raises.
    """
    descriptor = _open(namespace)
    try:
        return _in_child(lambda: _enter(descriptor, namespace), body)
    finally:
        os.close(descriptor)


def run_in_new(body: t.Callable[[], _Answer]) -> _Answer:
    """What ``body`` returns when it is called inside a new namespace, which is gone afterwards.

    Like :func:`run_in`; MissingRight if none may be created (CAP_SYS_ADMIN).
    """
    return _in_child(_make, body)


def _in_child(enter: t.Callable[[], None], body: t.Callable[[], _Answer]) -> _Answer:
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(enter, writable, body)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        content = pipe.read()
    _pid, status = os.waitpid(pid, 0)
    if not content:
        raise NettuneError(f"the process in the namespace ended with wait status {status} and no answer")
    failed, answer = pickle.loads(content)  # noqa: S301 - our own child wrote it
    if failed:
        raise answer
    return t.cast("_Answer", answer)


def _open(namespace: str) -> int:
    path = path_of(namespace)
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError as exc:
        raise BadRequest(f"there is no network namespace {namespace}: {path} does not exist", netns=namespace) from exc
    except PermissionError as exc:
        raise MissingRight(f"opening the network namespace {namespace} needs root", netns=namespace) from exc
    except OSError as exc:
        raise from_os(exc, path[:_SHOWN], doing="cannot be opened as a network namespace") from exc


def _child(enter: t.Callable[[], None], writable: int, body: t.Callable[[], t.Any]) -> t.NoReturn:
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        content = _outcome(enter, body)
        with os.fdopen(writable, "wb") as pipe:
            pipe.write(content)
        status = 0
    finally:
        os._exit(status)  # whatever happens, this copy of the caller goes no further


def _outcome(enter: t.Callable[[], None], body: t.Callable[[], t.Any]) -> bytes:
    """Whether it failed, and the answer or the error, which the parent raises again."""
    try:
        enter()
        return pickle.dumps((False, body()))
    except NettuneError as exc:
        return pickle.dumps((True, exc))
    except OSError as exc:
        return pickle.dumps((True, from_os(exc)))
    except BaseException as exc:  # noqa: BLE001 - of any kind
        return pickle.dumps((True, NettuneError(f"{type(exc).__name__}: {exc}")))


def _enter(descriptor: int, namespace: str) -> None:
    reason = _call("setns", descriptor, _CLONE_NEWNET)
    if reason:
        raise MissingRight(
            f"entering the network namespace {namespace} failed: {reason}; it needs root", netns=namespace
        )


def _make() -> None:
    reason = _call("unshare", _CLONE_NEWNET)
    if reason:
        raise MissingRight(f"creating a network namespace failed: {reason}; it needs root")


def _call(name: str, *arguments: int) -> str:
    """Why a function of the C library failed, or nothing; os.setns() and os.unshare() are Python 3.12's."""
    libc = ctypes.CDLL(None, use_errno=True)
    return "" if libc[name](*arguments) == 0 else os.strerror(ctypes.get_errno())
