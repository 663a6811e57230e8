# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user plants a program under a server's name and lets it hold what the configuration asks for: root never runs it.

The user is nobody, with a directory of his own.  The configuration is root's.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import typing as t

import pytest

from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import in_force, somaxconn
from ansible_collections.nettune.tcp.tests.integration.backlog.servers import CASES, Case, Running
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

SOURCE = pathlib.Path(__file__).with_name("planted.c")
NOBODY = 65534
PROGRAMS = {"nginx": "nginx", "apache": "apache2", "haproxy": "haproxy", "lighttpd": "lighttpd"}
# One more place in each server's configuration, before those that it has.
MORE = {
    "nginx": ("http {", "http { server { listen %s; } "),
    "apache": ("Listen 0.0.0.0:8080", "Listen %s\nListen 0.0.0.0:8080"),
    "haproxy": ("    bind :8080", "    bind %s\n    bind :8080"),
    "lighttpd": ("server.port = 8080", '$SERVER["socket"] == "%s" { }\nserver.port = 8080'),
}
UNIX = {"nginx": "unix:%s", "haproxy": "%s", "lighttpd": "%s"}
KINDS = ("copy", "hard link", "script", "link")
STOPPED = [(server, kind, "stopped") for server in CASES for kind in KINDS]
ACTIVE = [(server, "copy", "active") for server in CASES]
MOUNTED = [(server, "copy", "mounted") for server in UNIX]


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
    def holds(self, port: int = 0, path: t.Optional[pathlib.Path] = None) -> t.Iterator[int]:
        """Let it listen there; on a path that only he sees, in a mount namespace of his own."""
        command = [str(self.program)]
        environment = {"PATH": os.environ["PATH"], "PLANTED_PORT": str(port)}
        if path:
            environment["PLANTED_PATH"] = str(path)
            command = ["unshare", "-Urm", "sh", "-c", f"mount -t tmpfs none {path.parent} && exec {self.program}"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, user=NOBODY, group=NOBODY, extra_groups=[]
        ) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == b"ready\n"
                yield process.pid
            finally:
                process.kill()

    @property
    def was_run_by(self) -> t.List[int]:
        """The users who have run it, apart from him."""
        return [int(uid) for uid in self.mark.read_text().split()] if self.mark.exists() else []


@pytest.fixture(name="top")
def fixture_top() -> t.Iterator[pathlib.Path]:
    """A directory that everybody may go through."""
    top = pathlib.Path(tempfile.mkdtemp())
    top.chmod(0o755)
    yield top
    shutil.rmtree(top)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("name, kind, way", [*STOPPED, *ACTIVE, *MOUNTED])
def test_root_runs_no_program_of_a_user(
    in_namespace: Sandbox,
    tmp_path: pathlib.Path,
    top: pathlib.Path,
    name: str,
    kind: str,
    way: str,
    check_mode: bool,
) -> None:
    def body() -> None:
        somaxconn(4096)
        user = User(top, PROGRAMS[name], kind)
        places = {"stopped": "127.0.0.1:8079", "active": "127.0.0.1:8079", "mounted": str(top / "run" / "socket")}
        (top / "run").mkdir()
        server = Running(Case(name, CASES[name].text), tmp_path)
        with contextlib.ExitStack() as stack:
            if way == "active":
                stack.enter_context(server)
            said = UNIX[name] % places[way] if way == "mounted" else places[way]
            old, new = MORE[name]
            assert old in server.config.read_text()
            server.config.write_text(server.config.read_text().replace(old, new % said))
            path = top / "run" / "socket" if way == "mounted" else None
            pid = stack.enter_context(user.holds(8079, path))
            rows = server.backlog(3000, check_mode=check_mode)["listeners"]
            [his] = [row for row in rows if places[way] in (row["address"], f"{row['address']}:{row['port']}")]
            assert user.was_run_by == []
            assert his["status"] == "not_listening", his
            assert f"{PROGRAMS[name]} (pid {pid} of uid {NOBODY}), which neither root nor" in his["reason"]
            assert in_force()[places[way]] == [128]

    in_namespace(body)
