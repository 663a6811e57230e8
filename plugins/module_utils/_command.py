# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Run the few programs that alone know something, such as ``nginx -t``: list arguments, LC_ALL=C, no shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from dataclasses import dataclass

from ._errors import NettuneError

_SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")


@dataclass(frozen=True)
class Outcome:
    """How a program ended and what it printed on both of its outputs."""

    code: int
    text: str


def find(program: str) -> t.Optional[str]:
    """The program's path.  Where servers are installed is searched too: it is not in the PATH of every login."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *_SYSTEM]))


def run(command: t.Sequence[str], timeout: float = 60.0) -> Outcome:
    """Run it to its end.  Raises NettuneError when there is no such program, or when it takes too long."""
    words = " ".join(command)
    program = find(command[0])
    if program is None:
        raise NettuneError(f"{command[0]} is not installed, so {words} cannot be run")
    try:
        done = subprocess.run(
            [program, *command[1:]],
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise NettuneError(f"{words}: {exc}") from exc
    return Outcome(done.returncode, done.stdout.decode("utf-8", "replace").strip())
