# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user without rights, and what he may leave lying around."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time
import typing as t

SOURCE = pathlib.Path(__file__).with_name("planted.c")
NOBODY = 65534
KINDS = ("copy", "hard link", "script", "link")
PROGRAMS = {"nginx": "nginx", "apache": "apache2", "haproxy": "haproxy", "lighttpd": "lighttpd"}


@contextlib.contextmanager
def as_nobody(
    command: t.Sequence[str], environment: t.Optional[t.Mapping[str, str]] = None
) -> t.Iterator[subprocess.Popen[bytes]]:
    """The command, run by a user without rights; its output is a pipe."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/"
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class User:
    """A directory of nobody's, with a program under a server's name."""

    def __init__(self, top: pathlib.Path, name: str, kind: str) -> None:
        self.mark = top / "mark"
        self.place = top / "his"
        self.place.mkdir()
        self.program = self.place / name
        compiled = top / "compiled"
        subprocess.run(["cc", "-o", compiled, f'-DMARK="{self.mark}"', SOURCE], check=True)
        self.plant(compiled, kind)
        for path in (self.place, *self.place.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def plant(self, compiled: pathlib.Path, kind: str) -> None:
        """Put it there: a file, another name of one, a script whose interpreter it is, or behind a link."""
        if kind == "copy":
            shutil.copy(compiled, self.program)
            return
        (self.place / "inner").mkdir()
        inner = self.place / "inner" / self.program.name
        shutil.copy(compiled, inner)
        if kind == "hard link":
            os.link(inner, self.program)
        elif kind == "link":
            self.program.symlink_to(inner)
        else:
            self.program.write_text(f"#!{inner}\n")
            self.program.chmod(0o755)

    @contextlib.contextmanager
    def holds(self, port: int, path: t.Optional[pathlib.Path] = None, *words: str) -> t.Iterator[int]:
        """Let it listen there; on a path that only he sees, in a mount namespace of his own."""
        command = [str(self.program), *words]
        environment = {"PATH": os.environ["PATH"], "PLANTED_PORT": str(port)}
        if path:
            environment["PLANTED_PATH"] = str(path)
            command = ["unshare", "-Urm", "sh", "-c", f"mount -t tmpfs none {path.parent} && exec {self.program}"]
        with as_nobody(command, environment) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process.pid

    @property
    def was_run_by(self) -> t.List[int]:
        """The users who have run it, apart from him."""
        return [int(uid) for uid in self.mark.read_text().split()] if self.mark.exists() else []


def wait_for(port: int) -> None:
    """Wait until something accepts there."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError("nobody listens")
