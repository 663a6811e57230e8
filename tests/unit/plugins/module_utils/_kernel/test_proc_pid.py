# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_pid
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.proc_pid import Stat, name_of, pids


def test_processes_are_the_directories_with_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "self", "net"):
        (tmp_path / name).mkdir()
    assert pids(str(tmp_path)) == [9, 10]
    assert os.getpid() in pids()


def test_the_name_of_a_process_that_is_gone_is_empty(tmp_path: Path) -> None:
    (tmp_path / "9").mkdir()
    (tmp_path / "9" / "comm").write_bytes(b"a (b)\xff\n")
    assert name_of(9, str(tmp_path)) == "a (b)\ufffd"
    assert name_of(10, str(tmp_path)) == ""


@pytest.mark.parametrize(
    "text, expected",
    [
        ("7 (a) S 1 7 7" + " 0" * 15 + " 4711 0", Stat(1, 4711)),
        ("7 (a) b) S 3) R 12 7 7" + " 0" * 15 + " 4711 0", Stat(12, 4711)),
        ("7 (a) Z 1 7 7" + " 0" * 15 + " 4711 0", None),
        ("7 (a) S 1 7 7", None),
        ("", None),
    ],
)
def test_the_name_in_stat_may_hold_anything(text: str, expected: t.Optional[Stat]) -> None:
    assert proc_pid.parse_stat(text) == expected


@pytest.mark.parametrize(
    "text, expected", [("Name:\tx\nUid:\t1\t2\t3\t4\n", (1, 2, 3)), ("Name:\tUid: 7\n", ()), ("", ())]
)
def test_uids(text: str, expected: t.Tuple[int, ...]) -> None:
    assert proc_pid.parse_uids(text) == expected


@pytest.mark.parametrize("listed", [True, False])
def test_children_come_from_proc(monkeypatch: pytest.MonkeyPatch, listed: bool) -> None:
    if not listed:
        monkeypatch.setattr(os.path, "exists", lambda _path: False)
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        assert child in proc_pid.children_of(os.getpid())
        assert proc_pid.children_of(child) == []
        assert proc_pid.stat_of(child) is not None
        assert proc_pid.uids_of(child) == os.getresuid()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert proc_pid.stat_of(2**22 + 1) is None
    assert proc_pid.uids_of(2**22 + 1) == ()


def test_the_command_of_a_process() -> None:
    assert proc_pid.command_of(os.getpid())[0]
    assert proc_pid.command_of(2**22 + 1) == []
