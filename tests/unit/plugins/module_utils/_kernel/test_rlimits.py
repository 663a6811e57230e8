# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import resource
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import rlimits
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import Ids, Limits, Rights

# /proc/1/status of a container's systemd, shortened
STATUS = """Name:\tsystemd
State:\tS (sleeping)
Uid:\t0\t0\t0\t0
Gid:\t0\t0\t0\t0
CapInh:\t0000000000000000
CapPrm:\t00000000a80c35fb
CapEff:\t{caps}
"""
WORKER = "Name:\tnginx\nUid:\t33\t33\t33\t33\nGid:\t33\t33\t33\t33\n"


@pytest.mark.parametrize(
    "limits, text",
    [(Limits(1024, 524288), "1024:524288"), (Limits(1, rlimits.INFINITY), "1:infinity")],
)
def test_limits_are_written_as_unit_files_have_them(limits: Limits, text: str) -> None:
    assert str(limits) == text


@pytest.mark.parametrize(
    "status, expected",
    [
        (STATUS, Ids((0, 0, 0), (0, 0, 0))),
        (WORKER, Ids((33, 33, 33), (33, 33, 33))),
        ("", Ids((), ())),
    ],
)
def test_parse_ids(status: str, expected: Ids) -> None:
    assert rlimits.parse_ids(status) == expected


@pytest.mark.parametrize(
    "caps, first, expected",
    [
        pytest.param("000001ffffffffff", True, Rights(True, True, True, 0, 0), id="root"),
        pytest.param("000001fffeffffff", True, Rights(False, False, True, 0, 0), id="root without SYS_RESOURCE"),
        pytest.param("000001ffffffffff", False, Rights(False, True, True, 0, 0), id="root of a user namespace"),
        pytest.param("0000000000000000", True, Rights(False, False, False, 0, 0), id="nobody"),
    ],
)
def test_rights(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch, caps: str, first: bool, expected: Rights) -> None:
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "status").write_text(STATUS.format(caps=caps), encoding="ascii")
    namespace = tmp_path / "self" / "ns" / "user"
    namespace.write_text("", encoding="ascii")
    if first:
        monkeypatch.setattr(rlimits, "_FIRST_USER_NAMESPACE", namespace.stat().st_ino)
    assert rlimits.rights(root=str(tmp_path)) == expected


ROOT, WWW, MIXED, GONE = Ids((0,) * 3, (0,) * 3), Ids((33,) * 3, (33,) * 3), Ids((0, 33, 0), (0,) * 3), Ids((), ())


@pytest.mark.parametrize(
    "mine, theirs, expected",
    [
        pytest.param(Rights(True, True, True, 0, 0), MIXED, True, id="with SYS_RESOURCE all"),
        pytest.param(Rights(False, False, True, 0, 0), ROOT, True, id="own"),
        pytest.param(Rights(False, False, True, 0, 0), WWW, True, id="by taking the user's id"),
        pytest.param(Rights(False, False, True, 0, 0), MIXED, False, id="nobody is two users"),
        pytest.param(Rights(False, False, True, 0, 0), GONE, False, id="gone"),
        pytest.param(Rights(False, False, False, 33, 33), WWW, True, id="own without capabilities"),
        pytest.param(Rights(False, False, False, 33, 34), WWW, False, id="another group"),
        pytest.param(Rights(False, False, False, 0, 0), WWW, False, id="another user"),
    ],
)
def test_may_set(mine: Rights, theirs: Ids, expected: bool) -> None:
    assert rlimits.may_set(mine, theirs) is expected


@pytest.fixture(name="child")
def fixture_child() -> t.Iterator[int]:
    """The pid of a process of our own that waits."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, close_fds=True
    ) as process:
        yield process.pid
        assert process.stdin
        process.stdin.close()


def nofile(pid: int) -> Limits:
    return Limits(*resource.prlimit(pid, resource.RLIMIT_NOFILE))


def test_step_sets_the_limit_of_a_running_process_and_back(child: int) -> None:
    before = nofile(child)
    step = rlimits.step(child, before, Limits(before.soft - 1, before.hard), runs=lambda: True)
    step.do()
    assert nofile(child) == Limits(before.soft - 1, before.hard)
    step.undo()
    assert nofile(child) == before


def test_step_leaves_a_process_alone_that_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    rlimits.step(process.pid, Limits(10, 10), Limits(10, 10), runs=lambda: True).do()


def test_step_leaves_another_process_with_the_same_pid_alone(child: int) -> None:
    before = nofile(child)
    step = rlimits.step(child, before, Limits(before.soft - 1, before.hard), runs=lambda: False)
    step.do()
    assert nofile(child) == before


def test_ids_of_ourselves() -> None:
    assert rlimits.ids_of(os.getpid()) == Ids(os.getresuid(), os.getresgid())
