# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd and the server's own check say."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import service
from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd
from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused, NettuneError


class Manager(systemd.Systemd):
    """A systemd that knows some properties and remembers what it is told."""

    def __init__(self, shown: t.Mapping[str, t.Mapping[str, str]]) -> None:
        self.shown = shown
        self.told: t.List[str] = []
        super().__init__(self.answer)

    def answer(self, words: t.Sequence[str]) -> str:
        if words[0] != "show":
            self.told.append(" ".join(words))
            return ""
        units = words[words.index("--") + 1 :]
        return "\n\n".join("\n".join(f"{name}={value}" for name, value in self.shown[unit].items()) for unit in units)


@pytest.mark.parametrize("text, pid", [("4711", 4711), ("0", None), ("", None)])
def test_the_main_process_of_a_unit(monkeypatch: pytest.MonkeyPatch, text: str, pid: t.Optional[int]) -> None:
    monkeypatch.setattr(systemd, "booted", lambda: True)
    monkeypatch.setattr(systemd, "Systemd", lambda: Manager({"x.service": {"MainPID": text}, "x.socket": {}}))
    assert service.main_pid("x.service") == pid
    assert service.main_pid("x.socket") is None
    assert service.main_pid(None) is None


def test_without_systemd_no_unit_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "booted", lambda: False)
    assert service.main_pid("x.service") is None


def test_a_service_is_restarted() -> None:
    manager = Manager({})
    service.restart("x.service", manager)
    assert manager.told == ["restart -- x.service"]


def test_a_socket_is_restarted_with_its_service_if_that_runs() -> None:
    manager = Manager(
        {
            "x.socket": {"Triggers": "x.service y.service z.service"},
            "x.service": {"ActiveState": "active"},
            "y.service": {"ActiveState": "inactive"},
            "z.service": {"ActiveState": "activating"},
        }
    )
    service.restart("x.socket", manager)
    assert manager.told == ["stop -- x.socket x.service z.service", "start -- x.socket x.service z.service"]
    manager = Manager({"x.socket": {"Triggers": ""}})
    service.restart("x.socket", manager)
    assert manager.told == ["stop -- x.socket", "start -- x.socket"]


def test_refusals_are_in_the_words_of_who_refuses() -> None:
    with pytest.raises(NettuneError, match="refuses the new configuration: no such thing") as caught:
        service.check(["sh", "-c", "echo no such thing >&2; exit 1"], None, "the new configuration")
    assert caught.value.details["refused"] == "no such thing"
    service.check(["true"], None, "nothing")


def test_the_program_that_runs_judges_if_it_is_the_one_named(tmp_path: pathlib.Path) -> None:
    custom = tmp_path / "nginx"
    custom.write_text("#!/bin/sh\necho custom $1; exit 1\n")
    custom.chmod(0o755)
    with pytest.raises(NettuneError, match="refuses it as it is: custom -t"):
        service.check(["nginx", "-t"], str(custom), "it as it is")
    service.check(["true"], str(custom), "nothing")


def test_a_signal_to_nobody_is_an_error() -> None:
    with pytest.raises(KernelRefused, match="SIGHUP to pid 4194305: it ended"):
        service.send(2**22 + 1, "SIGHUP")
