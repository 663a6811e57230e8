# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The one way to run a program, for what only that program knows, such as ``nginx -t``.

A program is opened once, checked, and executed through that descriptor; so is a script, whose interpreter reads it
there. It must belong to root, in directories that belong to root (:func:`_files.open_trusted`): anyone who can replace
a program that root runs is root. Names are looked up only in such directories: the absolute entries of PATH, and the
system's. Nothing of our own environment is passed on.

INTERFACE
    run(words, program=None, ...) -> Outcome
    with find(name) as program, with opened(path) as program: ...
"""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t
from dataclasses import dataclass

from . import _files
from ._errors import NettuneError, NotTrusted, Unsupported
from ._kernel import supervisor

_SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
MOST = 64 << 10  # bytes kept of each output
_FIRST_LINE = 256  # bytes of the first line that the kernel reads (include/uapi/linux/binfmts.h)


@dataclass(frozen=True)
class Program:
    """A program that may be run; ``descriptor`` is open on the checked file, ``script`` says whether it is a script."""

    path: str
    descriptor: int
    script: bool


@dataclass(frozen=True)
class Outcome:
    """How a program ended and what it printed; only the beginning and end of long output, unless ``whole``."""

    code: int
    stdout: str
    stderr: str
    whole: bool = True

    @property
    def text(self) -> str:
        """Both outputs, for people."""
        return "\n".join(text for text in (self.stdout.strip(), self.stderr.strip()) if text)


@contextlib.contextmanager
def opened(path: str) -> t.Iterator[Program]:
    """The program at an absolute path.  Raises NotTrusted or another error, with the path."""
    descriptor = _files.open_trusted(path)
    try:
        if not os.fstat(descriptor).st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH):
            raise NotTrusted(f"{path} is not executable", path=path)
        yield Program(path, descriptor, _check_interpreter(path, descriptor))
    finally:
        os.close(descriptor)


def _check_interpreter(path: str, descriptor: int) -> bool:
    """Whether it is a script; its interpreter, which the kernel opens by its path, must be trusted as well."""
    first = os.pread(descriptor, _FIRST_LINE, 0).partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return False
    try:
        os.close(_files.open_trusted(os.fsdecode((first[2:].split() or [b""])[0])))
    except NettuneError as exc:
        raise type(exc)(f"{path}: its interpreter: {exc}", path=path) from exc
    return True


@contextlib.contextmanager
def find(name: str) -> t.Iterator[Program]:
    """The program of this name, or at this absolute path.

    Raises Unsupported if it is not installed, NotTrusted if every one found belongs to somebody else.
    """
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(opened(name)) if name.startswith("/") else _first(name, stack)


def _first(name: str, stack: contextlib.ExitStack) -> Program:
    refused: t.List[NettuneError] = []
    for path in (f"{directory}/{name}" for directory in _directories()):
        try:
            return stack.enter_context(opened(path))
        except NettuneError as exc:
            refused += [exc] if os.path.isfile(path) else []
    if refused:
        raise type(refused[0])(f"{name} is not run: {refused[0]}", **refused[0].details)
    raise Unsupported(f"{name} is not installed")


def _directories() -> t.List[str]:
    """Where to look, PATH first; PATH may lack the sbin directories, as in many logins."""
    named = [entry for entry in os.environ.get("PATH", "").split(os.pathsep) if entry.startswith("/")]
    return list(dict.fromkeys([*named, *_SYSTEM]))


def _trusted() -> t.Iterator[str]:
    """The system's directories, for programs that look up others."""
    for directory in _SYSTEM:
        with contextlib.suppress(NettuneError):
            os.close(_files.open_trusted(directory, directory=True))
            yield directory


def installed(name: str) -> bool:
    """Whether there is such a program to run."""
    try:
        with find(name):
            return True
    except NettuneError:
        return False


def run(
    words: t.Sequence[str],
    program: t.Optional[Program] = None,
    *,
    environment: t.Optional[t.Mapping[str, str]] = None,
    cwd: str = "/",
    timeout: float = 60.0,
    most: int = MOST,
) -> Outcome:
    """Run a program to its end: this one, or the one that the first word names.

    It gets LC_ALL=C, the system's PATH, this environment, and no input. Raises NettuneError if it cannot be run, or
    takes longer; everything that it has started is then ended, as is what it leaves behind.
    """
    if program is None:
        with find(words[0]) as opened_program:
            return run(words, opened_program, environment=environment, cwd=cwd, timeout=timeout, most=most)
    text = " ".join(words)
    try:
        ended = supervisor.run(
            [program.path, *words[1:]],
            program.descriptor,
            keep_open=program.script,
            environment={"LC_ALL": "C", "PATH": os.pathsep.join(_trusted()), **(environment or {})},
            cwd=cwd,
            seconds=timeout,
            most=most,
        )
    except OSError as exc:
        raise NettuneError(f"{text}: {program.path} cannot be run: {exc.strerror}") from exc
    outcome = Outcome(
        ended.code, str(ended.stdout), str(ended.stderr), not (ended.stdout.left_out or ended.stderr.left_out)
    )
    if not ended.in_time:
        raise NettuneError(_late(text, timeout, ended.left), said=outcome.text)
    return outcome


def _late(text: str, timeout: float, left: t.Sequence[int]) -> str:
    surviving = f", except {', '.join(map(str, left))}, which cannot be killed" if left else " with its children"
    return f"{text} did not end within {timeout:g} seconds, and was ended{surviving}"
