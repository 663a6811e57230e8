# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes are in a control group: /proc as with cgroup v1, v2 and both side by side."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.cgroups import (
    Member,
    members,
    runs,
    wait_for_programs,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.proc_pid import parse_stat
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import INFINITY, Limits

STAT = "{pid} (a ) b) {state} 1 2 2 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 {started} 1 2 3 4\n"
LIMITS = "Limit           Soft Limit      Hard Limit      Units\nMax open files  {}              {}          files\n"


def write_process(
    root: t.Any, pid: int, cgroup: str, *, limits: str = LIMITS.format(1024, 524288), **stat: t.Any
) -> None:
    here = root / str(pid)
    (here / "fd").mkdir(parents=True)
    for number in range(3):
        (here / "fd" / str(number)).symlink_to("/dev/null")
    for name, text in {
        "cgroup": cgroup,
        "comm": f"p{pid}\n",
        "limits": limits,
        "stat": STAT.format(pid=pid, **{"state": "S", "started": 12345, **stat}),
    }.items():
        (here / name).write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    "cgroup",
    [
        pytest.param("0::{path}\n", id="v2"),
        pytest.param("9:name=systemd:{path}\n8:pids:{path}\n0::{path}\n", id="hybrid"),
        pytest.param("9:name=systemd:{path}\n8:pids:/\n", id="v1"),
        pytest.param("9:name=systemd:{path}\n0::/container\n", id="v1 within hybrid"),
        pytest.param("9:name=systemd:/container\n0::{path}\n", id="v2 within hybrid"),
    ],
)
def test_members(tmp_path: t.Any, cgroup: str) -> None:
    web, job = "/system.slice/web.service", "/system.slice/web.service-job.service"
    write_process(tmp_path, 1, cgroup.format(path="/init.scope"))
    write_process(tmp_path, 20, cgroup.format(path=web))
    write_process(tmp_path, 9, cgroup.format(path=web), started=12346)
    write_process(tmp_path, 30, cgroup.format(path=f"{web}/sub/x.scope"), limits=LIMITS.format(7, "unlimited"))
    write_process(tmp_path, 31, cgroup.format(path=web), state="Z")
    write_process(tmp_path, 32, cgroup.format(path=web), limits="")
    write_process(tmp_path, 40, cgroup.format(path=job))
    (tmp_path / "self").mkdir()
    found = members([web, job, "/none"], str(tmp_path))
    assert [(path, [member.pid for member in rows]) for path, rows in found.items()] == [
        (web, [9, 20, 30]),
        (job, [40]),
        ("/none", []),
    ]
    first, second, third = found[web]
    assert second == Member(20, "p20", Limits(1024, 524288), 3, second.started, 12345)
    assert third == Member(30, "p30", Limits(7, INFINITY), 3, third.started, 12345, "sub/x.scope")
    assert first.started - second.started == pytest.approx(1 / os.sysconf("SC_CLK_TCK"), abs=0.005)


def test_no_cgroup_asks_for_no_process(tmp_path: t.Any) -> None:
    assert members([], str(tmp_path / "missing")) == {}


def test_started_is_on_the_clock_that_files_have(tmp_path: t.Any) -> None:
    mark = tmp_path / "mark"
    mark.write_text("", encoding="ascii")
    with subprocess.Popen(["sleep", "60"]) as process:
        stat = (Path("/proc") / str(process.pid) / "stat").read_text(encoding="ascii")
        process.kill()
    found = parse_stat(stat)
    assert found is not None
    started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + found.ticks / os.sysconf("SC_CLK_TCK")
    assert started == pytest.approx(mark.stat().st_ctime, abs=1)


def test_runs_knows_a_process_by_its_start(tmp_path: t.Any) -> None:
    write_process(tmp_path, 20, "0::/web\n")
    (member,) = members(["/web"], str(tmp_path))["/web"]
    assert runs(member, str(tmp_path))
    stat = tmp_path / "20" / "stat"
    stat.write_text(STAT.format(pid=20, state="S", started=12346), encoding="ascii")
    assert not runs(member, str(tmp_path))
    stat.unlink()
    assert not runs(member, str(tmp_path))


def test_files_that_may_not_be_counted(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_process(tmp_path, 20, "0::/web\n")

    def refuse(_path: str) -> t.List[str]:
        raise PermissionError

    monkeypatch.setattr(os, "listdir", refuse)
    (member,) = members(["/web"], str(tmp_path))["/web"]
    assert member.used is None


@pytest.mark.parametrize(
    "program",
    ["/usr/lib/systemd/systemd", "/usr/lib/systemd/systemd (deleted)", "/usr/lib/systemd/systemd-executor"],
)
def test_waits_for_what_systemd_has_forked(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    for pid, path, runs_now in [(1, "/init.scope", "/usr/lib/systemd/systemd"), (20, "/web", program)]:
        write_process(tmp_path, pid, f"0::{path}\n")
        (tmp_path / str(pid) / "exe").symlink_to(runs_now)
    pauses: t.List[float] = []

    def start(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            (tmp_path / "20" / "exe").unlink()
            (tmp_path / "20" / "exe").symlink_to("/usr/bin/web")

    monkeypatch.setattr(time, "sleep", start)
    wait_for_programs("/web", str(tmp_path))
    assert len(pauses) == 3
    wait_for_programs("/web", str(tmp_path))
    assert len(pauses) == 3


def test_waits_not_for_ever(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for pid, path in [(1, "/init.scope"), (20, "/user@1.service")]:
        write_process(tmp_path, pid, f"0::{path}\n")
        (tmp_path / str(pid) / "exe").symlink_to("/usr/lib/systemd/systemd")
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    wait_for_programs("/user@1.service", str(tmp_path))
    assert 1 < clock[0] < 3
