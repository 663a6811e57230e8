# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The master of a server, and what systemd and the server's own check say."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _command
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import service
from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused, NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.holders import Holder

TREE = {30: (20, "nginx"), 20: (10, "nginx"), 10: (1, "systemd"), 40: (41, "supervisord"), 50: (0, "")}


@pytest.mark.parametrize("pid, master", [(30, 10), (20, 10), (10, 10), (40, 40), (50, 50)])
def test_the_master_is_the_topmost_of_its_name(pid: int, master: int) -> None:
    assert service.master_of(Holder(pid, "nginx", None, 3), TREE.__getitem__) == master


def test_parents_come_from_proc() -> None:
    with open(f"/proc/{os.getppid()}/comm", encoding="utf-8") as handle:
        assert service.parent_of(os.getpid()) == (os.getppid(), handle.read().rstrip("\n"))
    assert service.parent_of(2**22 + 1) == (0, "")


@pytest.mark.parametrize("code, text, pid", [(0, "4711", 4711), (0, "0", None), (0, "", None), (1, "4711", None)])
def test_the_main_process_of_a_unit(
    monkeypatch: pytest.MonkeyPatch, code: int, text: str, pid: t.Optional[int]
) -> None:
    asked: t.List[t.Sequence[str]] = []

    def run(command: t.Sequence[str]) -> _command.Outcome:
        asked.append(command)
        return _command.Outcome(code, text)

    monkeypatch.setattr(os.path, "isdir", lambda path: path == "/run/systemd/system")
    monkeypatch.setattr(_command, "run", run)
    assert service.main_pid("x.service") == pid
    assert asked == [["systemctl", "show", "--property=MainPID", "--value", "x.service"]]
    assert service.main_pid(None) is None


def test_without_systemd_no_unit_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "isdir", lambda _path: False)
    assert service.main_pid("x.service") is None


def test_refusals_are_in_the_words_of_who_refuses() -> None:
    with pytest.raises(NettuneError, match="refuses the new configuration: no such thing") as caught:
        service.check(["sh", "-c", "echo no such thing >&2; exit 1"])
    assert caught.value.details["refused"] == "no such thing"
    service.check(["true"])


def test_a_signal_to_nobody_is_an_error() -> None:
    with pytest.raises(KernelRefused, match="SIGHUP to pid 4194305: it ended"):
        service.send(2**22 + 1, "SIGHUP")
