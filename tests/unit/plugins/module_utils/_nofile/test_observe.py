# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the answers that systemd gave on Debian 11 to 14."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd as sd
from ansible_collections.nettune.tcp.plugins.module_utils._boot import unit_files
from ansible_collections.nettune.tcp.plugins.module_utils._boot.unit_files import UnitFile, UnitFiles
from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import cgroups
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import INFINITY, Limits
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import observe as observing
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.observed import Observed

CAPTURED = Path(__file__).parent / "captured"
SUITES = ("bullseye", "bookworm", "trixie", "forky")


def replay(suite: str) -> sd.Run:
    """A systemctl that answers as the suite's did; a command that was given again gets its next answer."""
    answers: t.Dict[str, t.List[str]] = {}
    for block in (CAPTURED / f"{suite}.txt").read_text(encoding="utf-8").split("\n$ systemctl ")[1:]:
        command, _newline, output = block.partition("\n")
        answers.setdefault(command, []).append(output)

    def run(arguments: t.Sequence[str]) -> str:
        known = answers[" ".join(arguments)]
        return known.pop(0) if len(known) > 1 else known[0]

    return run


@pytest.fixture(name="manager", params=SUITES)
def fixture_manager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> sd.Systemd:
    """The system manager of each suite, on a host without any of its files and processes."""
    monkeypatch.setattr(sd, "check_booted", lambda: None)
    monkeypatch.setattr(unit_files, "read", lambda path, *_: UnitFiles(UnitFile(path, ""), (), ()))
    monkeypatch.setattr(unit_files, "read_manager", lambda: UnitFiles(None, (), ()))
    monkeypatch.setattr(cgroups, "members", lambda paths: dict.fromkeys(paths, ()))
    return sd.Systemd(replay(request.param))


def test_service(manager: sd.Systemd) -> None:
    seen = observing.observe("nginx.service", manager)
    assert (seen.unit, seen.section, seen.instances, seen.note) == ("nginx.service", "Service", (), "")
    assert seen.subject.loaded == Limits(4096, 4096)
    assert seen.subject.main_pid > 0
    assert not seen.subject.stale
    assert seen.default.limits == Limits(1024, 524288)
    assert seen.default.source == "DefaultLimitNOFILE of systemd"


def test_file_that_systemd_has_not_read(manager: sd.Systemd) -> None:
    def look() -> Observed:
        return observing.observe("nginx.service", manager)

    assert [(seen.subject.loaded, seen.subject.stale) for seen in (look(), look(), look())] == [
        (Limits(4096, 4096), False),
        (Limits(4096, 4096), True),
        (Limits(INFINITY, INFINITY), False),
    ]


def test_template(manager: sd.Systemd) -> None:
    seen = observing.observe("foo@.service", manager)
    assert seen.unit == "foo@.service"
    assert [(view.unit, view.loaded) for view in seen.views] == [
        ("foo@nettune.service", Limits(2000, 9000)),
        ("foo@1.service", Limits(2000, 9000)),
        ("foo@2.service", Limits(2000, 9000)),
    ]
    assert [bool(view.main_pid) for view in seen.views] == [False, True, True]


def test_socket(manager: sd.Systemd) -> None:
    seen = observing.observe("dbus.socket", manager)
    assert (seen.section, seen.subject.loaded, seen.subject.main_pid) == ("Socket", Limits(1024, 524288), 0)
    assert seen.note == "the limit applies to the commands that dbus.socket runs itself; dbus.service has its own"


def test_unit_that_systemd_only_remembers(manager: sd.Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_files, "read", lambda *_: UnitFiles(None, (), ()))
    with pytest.raises(BadRequest, match=r"^there is no unit nginx\.service$"):
        observing.observe("nginx.service", manager)
    seen = observing.observe("nginx.service", manager, must_exist=False)
    assert seen.subject.loaded is not None
    assert seen.with_drop_in("/x", None).subject.loaded is None


@pytest.mark.parametrize(
    "unit, message",
    [
        ("none.service", "^there is no unit none.service$"),
        ("apache2.service", "^apache2.service is masked, so nothing can start it: unmask it first$"),
        ("bad.service", "^bad.service cannot be loaded .bad-setting.: .* has a bad unit file setting"),
    ],
)
def test_units_that_cannot_be_used(manager: sd.Systemd, unit: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        observing.observe(unit, manager)
    assert observing.observe(unit, manager, must_exist=False).subject.loaded is None


@pytest.mark.parametrize(
    "unit, message",
    [
        ("system.slice", "a slice starts no processes"),
        ("apt-daily.timer", "a timer starts no processes"),
        ("multi-user.target", "a target starts no processes"),
        ("x.automount", "a automount starts no processes"),
        ("init.scope", "the processes of a scope are started by others"),
    ],
)
def test_units_without_the_directive(unit: str, message: str) -> None:
    with pytest.raises(BadRequest, match=f"^{unit}: {message}, it has no LimitNOFILE$"):
        observing.section_of(unit)
