# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process is a server by its uid, its unit and its program, and by none of the names that it gives itself."""

from __future__ import annotations

import ctypes
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import identity, proc_pid
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.identity import Identity, Tie

ROOTS = (0, 0, 0)
USERS = (1000, 1000, 1000)
MASTER = Identity(10, 1, 1, "nginx", ROOTS, "nginx.service", "/usr/sbin/nginx", (1, 7), trusted=True)
WORKER = replace(MASTER, pid=11, parent=10, uids=(33, 33, 33))
UNSEEN = replace(WORKER, program="", file=None, trusted=False)
THEIRS = replace(MASTER, pid=12, uids=USERS, unit="user@1000.service")

MAIN: t.Dict[t.Optional[str], int] = {"haproxy.service": 12}


def master_of(pid: int, *processes: Identity, uid: t.Optional[int] = None) -> t.Optional[int]:
    there = {one.pid: one for one in processes}
    found = Tie(("nginx", "openresty"), MAIN.get, there.get).master_of(pid, uid)
    return found.pid if found else None


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "trusted_uids", lambda: frozenset((0,)))


CASES = {
    "a master of root's": (10, [MASTER], None, 10),
    "a worker of it": (11, [MASTER, WORKER], None, 10),
    "a worker that may not be seen": (11, [MASTER, UNSEEN], None, 10),
    "one that is not called as its master": (11, [MASTER, replace(UNSEEN, name="x")], None, None),
    "a worker without its master": (11, [WORKER], None, None),
    "another program as a child of it": (11, [MASTER, replace(WORKER, file=(1, 8))], None, None),
    "a child of a child of it": (13, [MASTER, WORKER, replace(WORKER, pid=13, parent=11)], None, 10),
    "the same below a shell": (11, [replace(MASTER, file=(1, 9), name="sh"), WORKER], None, None),
    "a process that is gone": (9, [MASTER], None, None),
    "a user's": (12, [THEIRS], None, None),
    "a user's with root's name in its title": (12, [replace(THEIRS, name="nginx: master")], 1000, None),
    "a user's own program": (12, [replace(THEIRS, trusted=False)], None, None),
    "a user's own program, run by root": (10, [replace(MASTER, trusted=False)], None, None),
    "root's program by another name": (10, [replace(MASTER, program="/usr/sbin/redis")], None, None),
    "a program that cannot be seen": (10, [replace(MASTER, program="", file=None, trusted=False)], 0, None),
    "one that runs for a user by a set-uid program": (10, [replace(MASTER, uids=(1000, 0, 0))], None, None),
    "one that has given up being root, with root's socket": (12, [replace(THEIRS, unit=None)], 0, 12),
    "with a socket of its own": (12, [replace(THEIRS, unit=None)], 1000, None),
    "the main process of a unit": (12, [replace(THEIRS, unit="haproxy.service")], 1000, 12),
    "another process of that unit": (14, [replace(THEIRS, pid=14, unit="haproxy.service")], 1000, None),
    "in a unit that has none": (12, [replace(THEIRS, unit="ci.service")], 1000, None),
}


@pytest.mark.parametrize("case", CASES)
def test_who_is_a_server(case: str) -> None:
    pid, processes, uid, expected = CASES[case]
    assert master_of(pid, *processes, uid=uid) == expected


def test_a_command_line_counts_only_where_root_or_a_unit_started_it() -> None:
    tie = Tie(("nginx",), MAIN.get)
    assert tie.answers_for(MASTER)
    assert tie.answers_for(replace(THEIRS, unit="haproxy.service"))
    assert not tie.answers_for(THEIRS)
    assert not tie.answers_for(replace(THEIRS, unit=None))


def test_each_process_and_unit_is_looked_at_once() -> None:
    asked: t.List[t.Any] = []

    def find(pid: int) -> t.Optional[Identity]:
        asked.append(pid)
        return replace(THEIRS, unit="x.service") if pid == 12 else None

    def main_pid(unit: t.Optional[str]) -> t.Optional[int]:
        asked.append(unit)
        return None

    tie = Tie(("nginx",), main_pid, find)
    assert [tie.master_of(12), tie.master_of(12)] == [None, None]
    assert asked == [12, "x.service"]


def started(program: t.Any, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([str(program), *words], stdout=subprocess.PIPE)


def test_what_the_kernel_says_of_a_process(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "trusted_uids", lambda: frozenset((0, os.geteuid())))
    program = tmp_path / "nginx"
    shutil.copy("/bin/sleep", program)
    for mode, trusted in ((0o755, True), (0o775, False), (0o757, False)):
        program.chmod(mode)
        with started(program, "60") as child:
            while proc_pid.name_of(child.pid) != "nginx":
                pass
            found = identity.look(child.pid)
            assert found is not None
            assert (found.name, found.program, found.trusted) == ("nginx", str(program), trusted)
            assert found.file == (program.stat().st_dev, program.stat().st_ino)
            assert (found.parent, found.ours) == (os.getpid(), True)
            assert identity.still(found)
            program.rename(tmp_path / "kept")
            again = identity.look(child.pid)
            assert again is not None
            assert again.program == str(tmp_path / "kept")
            (tmp_path / "kept").unlink()
            again = identity.look(child.pid)
            assert again is not None
            assert (again.program, again.file) == (str(tmp_path / "kept"), found.file)
            child.kill()
        assert not identity.still(found)
        assert identity.look(child.pid) is None
        shutil.copy("/bin/sleep", program)


def test_a_program_that_even_root_may_not_look_at_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_descriptor: int) -> t.NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", refused)
        found = identity._program("/proc/self/exe")
    assert found == ("", None, False)


def test_one_that_runs_another_program_meanwhile_is_not_the_same() -> None:
    with subprocess.Popen(["sh", "-c", "read x; exec sleep 60"], stdin=subprocess.PIPE) as child:
        while proc_pid.name_of(child.pid) != "sh":
            pass
        found = identity.look(child.pid)
        assert found is not None
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
        while proc_pid.name_of(child.pid) != "sleep":
            pass
        assert not identity.still(found)
        child.send_signal(signal.SIGKILL)


def test_a_name_that_a_process_gives_itself_changes_nothing_else() -> None:
    before = identity.look(os.getpid())
    libc = ctypes.CDLL(None)
    name = ctypes.create_string_buffer(16)
    libc.prctl(16, name, 0, 0, 0)
    libc.prctl(15, b"nginx", 0, 0, 0)
    try:
        after = identity.look(os.getpid())
    finally:
        libc.prctl(15, name, 0, 0, 0)
    assert before is not None
    assert after == replace(before, name="nginx")


def test_we_share_our_own_root() -> None:
    assert identity.shares_our_root(os.getpid())
    assert identity.shares_our_root(2**22 + 1)
