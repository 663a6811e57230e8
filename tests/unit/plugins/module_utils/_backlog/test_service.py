# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd and the server's own check say."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import service
from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd
from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused, NettuneError, NotTrusted
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import identity
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.identity import Identity
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Check


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
    command = Check(("sh", "-c", "echo no $1 >&2; exit 1", "sh", "thing"))
    with pytest.raises(NettuneError, match="refuses the new configuration: no thing") as caught:
        service.check(command, None, "the new configuration")
    assert caught.value.details["refused"] == "no thing"
    service.check(Check(("sh", "-c", 'test "$A" = 1'), environment={"A": "1"}), None, "nothing")


def process(program: str, file: t.Optional[t.Tuple[int, int]]) -> Identity:
    return Identity(7, 1, 1, "nginx", (0, 0, 0), None, program, file, trusted=True)


@pytest.mark.usefixtures("trust_in_tmp")
def test_the_program_that_runs_judges_if_it_is_the_one_named_and_still_there(tmp_path: pathlib.Path) -> None:
    custom = tmp_path / "sh"
    custom.write_text("#!/bin/sh\necho custom $1; exit 1\n")
    custom.chmod(0o755)
    file = (custom.stat().st_dev, custom.stat().st_ino)
    with pytest.raises(NettuneError, match="refuses it as it is: custom -c"):
        service.check(Check(("sh", "-c", "true")), process(str(custom), file), "it as it is")
    for program, other in ((str(custom), (0, 1)), (str(custom), None), (str(tmp_path / "gone"), file)):
        service.check(Check(("sh", "-c", "true")), process(program, other), "nothing")
    service.check(Check(("true",)), process(str(custom), file), "nothing")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file to somebody else")
@pytest.mark.parametrize("mode, uid, reason", [(0o644, 65534, "belongs to uid 65534"), (0o666, 0, "may write to")])
def test_no_program_is_run_on_what_others_write(tmp_path: pathlib.Path, mode: int, uid: int, reason: str) -> None:
    config = tmp_path / "nginx.conf"
    config.touch()
    config.chmod(mode)
    os.chown(config, uid, uid)
    with pytest.raises(NotTrusted, match=f"true is not run on {config}: .*{reason}"):
        service.check(Check(("true",), (str(config),)), None, "it")


def test_a_signal_reaches_the_very_process_that_was_looked_at() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        found = identity.look(child.pid)
        assert found is not None
        for other in (replace(found, ticks=1), replace(found, file=(0, 0)), replace(found, pid=2**22 + 1)):
            with pytest.raises(KernelRefused, match="it has ended in the meantime"):
                service.send(other, "SIGTERM")
        assert child.poll() is None
        service.send(found, "SIGTERM")
        assert child.wait() == -15
