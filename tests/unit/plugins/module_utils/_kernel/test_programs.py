# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import sys

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_pid, programs

TREE = {30: (20, "nginx"), 20: (10, "nginx"), 10: (1, "systemd"), 40: (41, "supervisord"), 50: (0, "")}


@pytest.mark.parametrize("pid, master", [(30, 10), (20, 10), (10, 10), (40, 40), (50, 50)])
def test_the_master_is_the_topmost_of_its_name(pid: int, master: int) -> None:
    assert programs.master_of(pid, "nginx", TREE.__getitem__) == master


def test_parents_come_from_proc() -> None:
    with open(f"/proc/{os.getppid()}/comm", encoding="utf-8") as handle:
        assert programs.parent_of(os.getpid()) == (os.getppid(), handle.read().rstrip("\n"))
    assert programs.parent_of(2**22 + 1) == (0, "")


def test_the_program_of_a_process() -> None:
    assert programs.program_of(os.getpid()) == os.path.realpath(sys.executable)
    assert programs.program_of(2**22 + 1) is None


def test_children_come_from_proc() -> None:
    name = proc_pid.name_of(os.getpid())
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        assert child in programs.children_of(os.getpid(), name)
        assert child not in programs.children_of(os.getpid(), "another")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert proc_pid.name_of(2**22 + 1) == ""


def test_the_command_of_a_process() -> None:
    assert programs.command_of(os.getpid())[0]
    assert programs.command_of(2**22 + 1) == []


def test_we_share_our_own_root() -> None:
    assert programs.shares_our_root(os.getpid())
    assert programs.shares_our_root(2**22 + 1)
