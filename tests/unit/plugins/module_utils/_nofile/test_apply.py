# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole way, on a machine that is a directory and a few numbers: what is left there, also when a part fails."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd as sd
from ansible_collections.nettune.tcp.plugins.module_utils._boot import unit_files
from ansible_collections.nettune.tcp.plugins.module_utils._boot.unit_files import UnitFiles
from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import cgroups, rlimits
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.cgroups import Member
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import Ids, Limits, Rights
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import apply, drop_in, limits, observe
from ansible_collections.nettune.tcp.plugins.module_utils._record import files
from ansible_collections.nettune.tcp.plugins.module_utils._record.journal import Journal

UNIT, GROUP = "web.service", "/system.slice/web.service"
OURS = f"{UNIT}.d/zz-nettune-tcp.conf"
SYSTEMD = Limits(1073741816, 1073741816)
AT_LEAST = {"at_least": 65536}


class Machine:
    """systemd with one unit, web.service, and its two processes."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.loaded = Limits(1024, 524288)
        self.processes = [self._process(1), self._process(2)]
        self.called: t.List[str] = []
        self.failing: t.Set[str] = set()
        self.stopped = False
        self.masked = False
        self.forks = 0

    def run(self, arguments: t.Sequence[str]) -> str:
        """Be systemctl."""
        verb = arguments[0]
        if verb != "show":
            self.called.append(verb)
        if verb in self.failing:
            self.failing.remove(verb)
            self.stopped = verb == "restart"
            raise NettuneError(f"systemctl {verb} failed: Connection timed out")
        getattr(self, f"_{verb.replace('-', '_')}")()
        if verb != "show":
            return ""
        return self._show_unit() if "--" in arguments else self._show_manager()

    def declared(self) -> Limits:
        """What the files say, read in the plainest way."""
        files = sorted((path.name, path) for path in self.place.glob(f"{UNIT}.d/*.conf"))
        lines = [line for _name, path in files for line in path.read_text(encoding="utf-8").splitlines()]
        values = [line.partition("=")[2] for line in lines if line.startswith("LimitNOFILE=")]
        found = limits.parse_directive(values[-1]) if values else None
        return found or Limits(1024, 524288)

    def set_nofile(self, pid: int, new: Limits) -> None:
        """Be prlimit(2).  The first process forks just before it is raised, as often as it may."""
        if pid == 1 and self.forks:
            self.processes.append(self._process(100))
        if pid == 100 and self.forks > 1:
            self.processes.append(self._process(101))
        self.processes = [replace(row, limits=new) if row.pid == pid else row for row in self.processes]

    def files(self) -> t.List[str]:
        """All there is, directories too."""
        return sorted(str(path.relative_to(self.place)) for path in self.place.rglob("*"))

    def _show(self) -> None:
        pass

    def _daemon_reload(self) -> None:
        self.loaded = self.declared()

    def _restart(self) -> None:
        # Forked, with the limits of systemd itself, which it changes just before the program runs.
        self.processes = [replace(self._process(row.pid + 10), limits=SYSTEMD) for row in self.processes]

    def programs_run(self, group: str) -> None:
        """Be the time until the programs run."""
        assert group == GROUP
        self.processes = [self._process(row.pid) for row in self.processes]

    def _start(self) -> None:
        self.stopped = False

    def _process(self, pid: int) -> Member:
        limits = Limits(1024, 524288) if pid >= 100 else self.loaded
        return Member(pid, "web", limits, used=5, started=1.0)

    def _show_manager(self) -> str:
        return f"UnitPath={self.place}\nDefaultLimitNOFILE=524288\nDefaultLimitNOFILESoft=1024\n"

    def _show_unit(self) -> str:
        rows = {
            "Id": UNIT,
            "Names": UNIT,
            "LoadState": "masked" if self.masked and self.called else "loaded",
            "LoadError": "",
            "FragmentPath": "",
            "ControlGroup": GROUP,
            "MainPID": str(self.processes[0].pid),
            "LimitNOFILE": str(self.loaded.hard),
            "LimitNOFILESoft": str(self.loaded.soft),
            "NeedDaemonReload": "yes" if self.loaded != self.declared() else "no",
            "Triggers": "",
        }
        return "".join(f"{name}={value}\n" for name, value in rows.items())


@pytest.fixture(name="machine")
def fixture_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setattr(drop_in, "PLACE", str(tmp_path))
    monkeypatch.setattr(sd, "check_booted", lambda: None)
    monkeypatch.setattr(unit_files, "read_manager", lambda: UnitFiles(None, (), ()))
    monkeypatch.setattr(observe, "_ceiling", lambda: limits.Ceiling(1048576, 1048576, True))
    monkeypatch.setattr(cgroups, "members", lambda _paths: {GROUP: tuple(machine.processes)})
    monkeypatch.setattr(cgroups, "wait_for_programs", machine.programs_run)
    monkeypatch.setattr(rlimits, "rights", lambda: Rights(True, True, True, 0, 0))
    monkeypatch.setattr(rlimits, "ids_of", lambda _pid: Ids((0,) * 3, (0,) * 3))
    monkeypatch.setattr(rlimits, "set_nofile", machine.set_nofile)
    monkeypatch.setattr(cgroups, "runs", lambda member: member.pid in {row.pid for row in machine.processes})
    return machine


def run(machine: Machine, *, check: bool = False, **params: t.Any) -> t.Dict[str, t.Any]:
    """The module's body with these parameters."""
    given = {"unit": UNIT, "limit": AT_LEAST, "live": True, "restart": False, "state": "present", **params}
    return apply.manage(apply.parse_request(given), check_mode=check, manager=sd.Systemd(machine.run))


def without_pids(result: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
    """A result as far as it can be known before a restart."""
    rows = [{"after": row["after"]} for row in result["processes"]]
    return {**{key: value for key, value in result.items() if key not in ("diff", "run")}, "processes": rows}


CASES = [
    pytest.param({}, ["daemon-reload"], id="raise"),
    pytest.param({"live": False}, ["daemon-reload"], id="declare"),
    pytest.param({"live": False, "restart": True}, ["daemon-reload", "restart"], id="restart"),
    pytest.param({"restart": True}, ["daemon-reload"], id="no restart where live is enough"),
    pytest.param({"limit": {"at_least": 1024}}, [], id="enough already"),
    pytest.param({"limit": {"at_most": 600}}, ["daemon-reload"], id="lower"),
    pytest.param({"state": "absent"}, [], id="nothing to remove"),
]


@pytest.mark.parametrize("params, called", CASES)
def test_check_mode_tells_what_happens(machine: Machine, params: t.Dict[str, t.Any], called: t.List[str]) -> None:
    predicted = run(machine, check=True, **params)
    assert (machine.called, machine.files()) == ([], [])
    happened = run(machine, **params)
    assert without_pids(predicted) == without_pids(happened)
    assert machine.called == called
    assert happened["changed"] is bool(called)


@pytest.mark.parametrize("params, _called", CASES)
def test_second_run_changes_nothing(machine: Machine, params: t.Dict[str, t.Any], _called: t.List[str]) -> None:
    run(machine, **params)
    machine.called.clear()
    files = machine.files()
    again = run(machine, **params)
    assert (again["changed"], again["restarted"], machine.called, machine.files()) == (False, [], [], files)


def test_result(machine: Machine) -> None:
    result = run(machine)
    file = f"{machine.place}/{OURS}"
    rows = result.pop("processes")
    assert [(row["pid"], row["after"], row["status"]) for row in rows] == [
        (pid, {"soft": 65536, "hard": 524288}, "changed") for pid in (1, 2)
    ]
    assert {key: result[key] for key in result if key not in ("diff", "run")} == {
        "changed": True,
        "unit": UNIT,
        "want": "at least 65536",
        "file": file,
        "declared_before": {"soft": 1024, "hard": 524288},
        "declared": {"soft": 65536, "hard": 524288},
        "next_start": {"soft": 65536, "hard": 524288},
        "source": f"{file}:4",
        "restarted": [],
        "restart_required": False,
        "status": "changed",
        "reason": "",
        "warnings": [],
    }


@pytest.mark.parametrize("forks, pids", [(1, [1, 2, 100]), (2, [1, 2, 100, 101])])
def test_children_that_are_forked_meanwhile_are_raised_too(machine: Machine, forks: int, pids: t.List[int]) -> None:
    machine.forks = forks
    result = run(machine)
    assert [row["pid"] for row in result["processes"]] == pids
    assert {row["after"]["soft"] for row in result["processes"]} == {65536}
    assert result["status"] == "changed"


def test_rollback_removes_file_and_directory(machine: Machine) -> None:
    run(machine)
    assert machine.files() == [f"{UNIT}.d", OURS]
    result = run(machine, state="absent")
    assert (result["changed"], result["declared"], machine.files()) == (True, {"soft": 1024, "hard": 524288}, [])
    assert machine.called == ["daemon-reload"] * 2


def test_rollback_leaves_what_is_not_ours(machine: Machine) -> None:
    (machine.place / f"{UNIT}.d").mkdir()
    run(machine)
    run(machine, state="absent")
    assert machine.files() == [f"{UNIT}.d"]
    run(machine)
    (machine.place / f"{UNIT}.d" / "other.conf").write_text("[Service]\n", encoding="utf-8")
    run(machine, state="absent")
    assert machine.files() == [f"{UNIT}.d", f"{UNIT}.d/other.conf"]


def test_rollback_leaves_our_directory_to_others(machine: Machine) -> None:
    run(machine)
    (machine.place / f"{UNIT}.d" / "other.conf").write_text("[Service]\n", encoding="utf-8")
    run(machine, state="absent")
    assert machine.files() == [f"{UNIT}.d", f"{UNIT}.d/other.conf"]


def test_rollback_with_restart(machine: Machine) -> None:
    run(machine)
    result = run(machine, state="absent", restart=True)
    assert result["restarted"] == [UNIT]
    assert [row["after"]["soft"] for row in result["processes"]] == [1024, 1024]


def test_failed_daemon_reload_restores(machine: Machine) -> None:
    machine.failing = {"daemon-reload"}
    with pytest.raises(NettuneError, match="daemon-reload failed: Connection timed out") as caught:
        run(machine)
    assert (machine.files(), machine.loaded) == ([], Limits(1024, 524288))
    assert [row.limits.soft for row in machine.processes] == [1024, 1024]
    directory = f"{machine.place}/{UNIT}.d"
    assert caught.value.details["restored"] == [
        "daemon-reload",
        f"write {machine.place}/{OURS}",
        f"make {directory}",
        "daemon-reload",
    ]
    assert "not_restored" not in caught.value.details


def test_failed_daemon_reload_puts_our_old_file_back(machine: Machine) -> None:
    run(machine)
    text = (machine.place / OURS).read_bytes()
    machine.failing = {"daemon-reload"}
    with pytest.raises(NettuneError):
        run(machine, state="absent")
    assert (machine.place / OURS).read_bytes() == text


def test_failed_restart_restores_and_starts_again(machine: Machine) -> None:
    machine.failing = {"restart"}
    with pytest.raises(NettuneError, match="restart failed"):
        run(machine, live=False, restart=True)
    assert (machine.files(), machine.loaded, machine.stopped) == ([], Limits(1024, 524288), False)
    assert machine.called == ["daemon-reload", "restart", "daemon-reload", "start"]


def test_failed_restart_gives_processes_their_limits_back(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "wait_for_programs", machine.programs_run)
    monkeypatch.setattr(rlimits, "rights", lambda: Rights(False, False, True, 0, 0))
    machine.processes[1] = replace(machine.processes[1], limits=Limits(10, 20))
    machine.failing = {"restart"}
    with pytest.raises(NettuneError, match="restart failed"):
        run(machine, restart=True)
    assert [row.limits for row in machine.processes] == [Limits(1024, 524288), Limits(10, 20)]


def test_unit_that_turns_out_to_be_masked(machine: Machine) -> None:
    machine.masked = True
    with pytest.raises(BadRequest, match=f"^{UNIT} is masked"):
        run(machine)
    assert machine.files() == []
    assert machine.called == ["daemon-reload", "daemon-reload"]


def test_somebody_elses_file_is_left_alone(machine: Machine) -> None:
    file = machine.place / OURS
    file.parent.mkdir()
    file.write_text("[Service]\nLimitNOFILE=1\n", encoding="utf-8")
    for state in ("present", "absent"):
        with pytest.raises(BadRequest, match="was not written by"):
            run(machine, state=state)
    assert file.read_text(encoding="utf-8") == "[Service]\nLimitNOFILE=1\n"


def test_refused(machine: Machine) -> None:
    for check in (True, False):
        with pytest.raises(apply.Refused, match=r"nothing was changed: .* needs fs\.nr_open >= 2000000") as caught:
            run(machine, limit=2000000, check=check)
        assert caught.value.details["status"] == "refused"
        assert caught.value.details["declared"] == {"soft": 1024, "hard": 524288}
    assert (machine.called, machine.files()) == ([], [])


def test_read_only_etc(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    for check in (True, False):
        with pytest.raises(NettuneError, match=f"{OURS} cannot be written"):
            run(machine, check=check)
    assert (machine.called, machine.files()) == ([], [])


@pytest.mark.parametrize(
    "params, message",
    [
        ({"limit": None}, "limit is required with state=present"),
        ({"unit": "x.slice"}, "a slice starts no processes"),
        ({"unit": "a b"}, "is not the name of a systemd unit"),
        ({"limit": {"soft": 2, "hard": 1}}, "would exceed the hard limit"),
    ],
)
def test_bad_requests(machine: Machine, params: t.Dict[str, t.Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        run(machine, **params)


@pytest.mark.skipif(os.geteuid() != 0, reason="records are root's")
@pytest.mark.parametrize("again", [True, False])
def test_what_a_killed_run_has_left_goes_with_the_next(machine: Machine, again: bool) -> None:
    directory = drop_in.directory_of(UNIT)
    Journal("nofile").begin(files.make_directory(directory).replaces)
    os.mkdir(directory)
    if again:
        run(machine)
        assert machine.files() == [os.path.dirname(OURS), OURS]
    assert run(machine, state="absent")["changed"]
    assert machine.files() == []
    assert not run(machine, state="absent")["changed"]


def test_a_directory_of_somebody_else_stays(machine: Machine) -> None:
    os.mkdir(drop_in.directory_of(UNIT))
    run(machine)
    run(machine, state="absent")
    assert machine.files() == [os.path.dirname(OURS)]


def test_everything_is_put_back_when_the_last_look_fails(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: apply.Job) -> None:
        raise NettuneError("systemd does not answer")

    monkeypatch.setattr(apply.Job, "look", fail)
    with pytest.raises(NettuneError, match="does not answer") as caught:
        run(machine)
    assert f"write {machine.place}/{OURS}" in caught.value.details["restored"]
    assert machine.files() == []
    assert {row.limits for row in machine.processes} == {Limits(1024, 524288)}
