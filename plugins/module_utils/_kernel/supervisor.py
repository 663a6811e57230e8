# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Run a program, with everything that it starts, to its end within a time limit.

INTERFACE
    run(words, file, environment=..., cwd=..., seconds=..., most=...) -> Ended
        Raises OSError when it cannot be started.

A supervisor process stands between us and the program. It is the subreaper of everything the program starts (prctl(2)
PR_SET_CHILD_SUBREAPER), so processes that have left the program's group and session, or lost their parent, are still
its children and are ended: when the program ends, when time is up, and when we are gone. Out of reach are processes
that the program has others start, such as systemd, and, for anyone but root, those that run as another user.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import selectors
import signal
import subprocess
import time
import typing as t
from dataclasses import dataclass

from . import proc_pid

_PR_SET_CHILD_SUBREAPER = 36
_CHUNK = 1 << 16
_LAST = 1 << 20  # bytes: more than a pipe holds after its writer has ended
_KILLING = 2.0  # seconds to wait for what was killed
_PAUSES = (0.0005, 0.02)  # seconds between two looks, at first and at most


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code, or the negative number of the signal that killed it, and its outputs.

    ``in_time`` is whether it ended by itself; ``left`` are children that could not be killed.
    """

    code: int
    stdout: Kept
    stderr: Kept
    in_time: bool = True
    left: t.Tuple[int, ...] = ()


class Kept:
    """The beginning and the end of an output, so that a flood costs no memory."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._head, self._tail = bytearray(), bytearray()
        self.left_out = 0

    def add(self, chunk: bytes) -> None:
        """Take what has been read next."""
        room = self._half - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        surplus = len(self._tail) - self._half
        if surplus > 0:
            del self._tail[:surplus]
            self.left_out += surplus

    def __str__(self) -> str:
        note = f"\n[{self.left_out} bytes are left out here]\n" if self.left_out else ""
        return self._head.decode("utf-8", "replace") + note + self._tail.decode("utf-8", "replace")


@dataclass(frozen=True)
class _Pipes:
    """What the supervisor and its program write to, and the leash that it reads: once closed, it kills everything."""

    stdout: t.Tuple[int, int]
    stderr: t.Tuple[int, int]
    report: t.Tuple[int, int]
    leash: t.Tuple[int, int]

    def keep(self, *, ours: bool) -> None:
        """Close the other side's ends."""
        for reads, writes in (self.stdout, self.stderr, self.report):
            os.close(writes if ours else reads)
        os.close(self.leash[0 if ours else 1])


def run(
    words: t.Sequence[str],
    file: int,
    *,
    environment: t.Mapping[str, str],
    cwd: str,
    seconds: float,
    most: int,
    keep_open: bool = False,
) -> Ended:
    """Run the program in the open ``file``, which stays open for it only with ``keep_open``: an interpreter reads it
    there.

    It has no input, its own session, this environment and nothing else of ours. ``most`` bytes are kept of each output.
    """
    pipes = _Pipes(os.pipe(), os.pipe(), os.pipe(), os.pipe())
    pid = os.fork()
    if pid == 0:
        _supervise(pipes, lambda: _start(words, file, environment, cwd, pipes, keep_open=keep_open))
    pipes.keep(ours=True)
    outputs = {fd: Kept(most) for fd in (pipes.stdout[0], pipes.stderr[0], pipes.report[0])}
    try:
        in_time = _listen(outputs, pipes, time.monotonic() + seconds)
    finally:
        for reads in outputs:
            os.close(reads)
        with contextlib.suppress(OSError):  # already closed
            os.close(pipes.leash[1])
        _reap(pid)
    report = _report(str(outputs[pipes.report[0]]))
    return Ended(report["code"], outputs[pipes.stdout[0]], outputs[pipes.stderr[0]], in_time, tuple(report["left"]))


def _report(text: str) -> t.Dict[str, t.Any]:
    try:
        report: t.Dict[str, t.Any] = json.loads(text)
    except ValueError:
        return {"code": -signal.SIGKILL, "left": []}  # somebody killed the supervisor
    if "errno" in report:
        raise OSError(report["errno"], report["strerror"])
    return report


def _listen(outputs: t.Mapping[int, Kept], pipes: _Pipes, end: float) -> bool:
    """Read until the supervisor has reported the outcome; False if it had to be told to end everything."""
    in_time = True
    with selectors.DefaultSelector() as selector:
        for reads in outputs:
            os.set_blocking(reads, False)
            selector.register(reads, selectors.EVENT_READ)
        while pipes.report[0] in selector.get_map():
            for key, _events in selector.select(max(end - time.monotonic(), 0)):
                if not _read(key.fd, outputs[key.fd]):
                    selector.unregister(key.fd)
            if time.monotonic() > end:
                if not in_time:
                    break
                in_time = False
                os.close(pipes.leash[1])
                end = time.monotonic() + 2 * _KILLING
    for reads, kept in outputs.items():
        for _chunk in range(_LAST // _CHUNK):
            if not _read(reads, kept):
                break
    return in_time


def _read(reads: int, kept: Kept) -> bool:
    """Read what is available; False if nothing more will come."""
    try:
        chunk = os.read(reads, _CHUNK)
    except BlockingIOError:
        return True
    kept.add(chunk)
    return bool(chunk)


def _reap(pid: int) -> None:
    """The supervisor ends by itself without a leash; if it cannot, it must not block us."""
    end = time.monotonic() + 2 * _KILLING
    with contextlib.suppress(ChildProcessError):  # our parent ignores SIGCHLD
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                end = float("inf")
            time.sleep(_PAUSES[0])


def _start(
    words: t.Sequence[str], file: int, environment: t.Mapping[str, str], cwd: str, pipes: _Pipes, *, keep_open: bool
) -> subprocess.Popen[bytes]:
    def close_at_exec() -> None:
        if not keep_open:
            os.set_inheritable(file, False)

    return subprocess.Popen(
        words,
        executable=f"/proc/self/fd/{file}" if os.path.exists(f"/proc/self/fd/{file}") else None,
        pass_fds=(file,),
        preexec_fn=close_at_exec,  # noqa: PLW1509 - the supervisor has one thread
        stdin=subprocess.DEVNULL,
        stdout=pipes.stdout[1],
        stderr=pipes.stderr[1],
        cwd=cwd,
        env=environment,
        start_new_session=True,
    )


def _supervise(pipes: _Pipes, start: t.Callable[[], subprocess.Popen[bytes]]) -> t.NoReturn:
    """Start the program, wait for its end or that of the leash, and leave nothing of it running."""
    report: t.Dict[str, t.Any] = {}
    try:
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        pipes.keep(ours=False)
        program = start()
        for output in (pipes.stdout, pipes.stderr):
            os.close(output[1])
        code = _wait(program, pipes.leash[0])
        if code is None:
            os.killpg(program.pid, signal.SIGKILL)
            code = -signal.SIGKILL
        report = {"code": code, "left": _end_all()}
    except Exception as exc:  # noqa: BLE001 - whoever waits for an answer raises it
        report = {"errno": getattr(exc, "errno", errno.EIO), "strerror": getattr(exc, "strerror", str(exc))}
    finally:
        # Whatever happens, even if nobody is left to report to: this process must not continue with our own work.
        with contextlib.suppress(BaseException):
            os.write(pipes.report[1], json.dumps(report).encode())
        os._exit(0)


def _wait(program: subprocess.Popen[bytes], leash: int) -> t.Optional[int]:
    """How the program ended, None if the leash closed first."""
    pause, longest = _PAUSES
    while program.poll() is None:
        if select.select([leash], [], [], pause)[0]:
            return None
        pause = min(2 * pause, longest)
    return program.returncode


def _end_all() -> t.List[int]:
    """Kill our children, and theirs once they have become ours; return those that could not be killed.

    Only children, because nobody else can get their pids before we have waited for them.
    """
    end = time.monotonic() + _KILLING
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return []
        children = proc_pid.children_of(os.getpid())
        if time.monotonic() > end:
            return children
        for pid in children:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSES[0])
