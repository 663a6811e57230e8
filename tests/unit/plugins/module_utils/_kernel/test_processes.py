# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which unit a process belongs to: /proc/PID/cgroup as captured on hosts and in containers."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import processes
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.cgroups import parse_unit
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.processes import owners

CONTAINER = "/libpod_parent/libpod-3bbb1d0e"


@pytest.mark.parametrize(
    "cgroup, init_cgroup, unit",
    [
        pytest.param("0::/system.slice/nginx.service\n", "0::/init.scope\n", "nginx.service", id="v2"),
        pytest.param(
            "4:memory:/system.slice\n1:name=systemd:/system.slice/nginx.service\n0::/system.slice\n",
            "1:name=systemd:/init.scope\n0::/init.scope\n",
            "nginx.service",
            id="hybrid",
        ),
        pytest.param(
            f"9:name=systemd:{CONTAINER}/system.slice/nginx.service\n0::{CONTAINER}\n",
            f"9:name=systemd:{CONTAINER}/init.scope\n0::{CONTAINER}\n",
            "nginx.service",
            id="container-without-cgroup-namespace",
        ),
        pytest.param(
            f"9:name=systemd:{CONTAINER}\n", f"9:name=systemd:{CONTAINER}/init.scope\n", None, id="podman-exec"
        ),
        pytest.param(
            f"9:name=systemd:{CONTAINER}\n0::{CONTAINER}/system.slice/nginx.service\n",
            f"9:name=systemd:{CONTAINER}\n0::{CONTAINER}/init.scope\n",
            "nginx.service",
            id="container-with-v2-on-a-hybrid-host",
        ),
        pytest.param("0::/system.slice/getty@.service\n", "0::/init.scope\n", None, id="template"),
        pytest.param("0::/system.slice/getty@tty1.service\n", "0::/init.scope\n", "getty@tty1.service", id="instance"),
        pytest.param("0::/system.slice/a@b@.service\n", "0::/init.scope\n", "a@b@.service", id="two-signs"),
        pytest.param("0::/@a.service\n", "0::/init.scope\n", None, id="no-prefix"),
        pytest.param("0::/a b.service\n", "0::/init.scope\n", None, id="no-unit-name"),
        pytest.param("0::/../nginx.service\n", "0::/\n", "nginx.service", id="outside-of-our-cgroup-namespace"),
        pytest.param("0::/system.slice/cron.service\n", "", "cron.service", id="pid-1-is-hidden"),
        pytest.param(
            "0::/user.slice/user-0.slice/user@0.service/app.slice/dev.service\n",
            "0::/init.scope\n",
            "user@0.service",
            id="below-a-user-manager",
        ),
        pytest.param("0::/\n", "0::/\n", None, id="no-systemd"),
    ],
)
def test_parse_unit(cgroup: str, init_cgroup: str, unit: t.Optional[str]) -> None:
    assert parse_unit(cgroup, init_cgroup) == unit


class FakeProc:
    """A /proc with processes whose files are links, as the kernel shows them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, pid: int, files: t.Mapping[int, str]) -> None:
        directory = self.root / str(pid) / "fd"
        directory.mkdir(parents=True)
        (directory.parent / "comm").write_text(f"process{pid}\n")
        (directory.parent / "limits").write_text(
            "Max open files            1024                 524288               files\n"
        )
        for number, target in files.items():
            (directory / str(number)).symlink_to(target)


@pytest.fixture(name="proc")
def fixture_proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


def test_owners_of_shared_sockets(proc: FakeProc) -> None:
    proc.add(10, {3: "socket:[7]", 4: "/dev/null"})
    proc.add(11, {3: "socket:[7]", 5: "socket:[8]"})
    proc.add(12, {0: "/dev/null"})
    found = owners([7, 8, 9], str(proc.root))
    assert {inode: [process.pid for process in held] for inode, held in found.by_inode.items()} == {
        7: [10, 11],
        8: [11],
    }
    [process, _other] = found.by_inode[7]
    assert (process.name, process.nofile_soft, process.nofile_hard) == ("process10", 1024, 524288)
    assert (found.unreadable, found.complete) == (0, True)


def test_a_listener_with_a_high_number_is_found_when_it_is_not_among_the_first(
    proc: FakeProc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "FIRST_FILES", 2)
    proc.add(10, {0: "/dev/null", 1: "/dev/null", 2: "/dev/null", 3: "socket:[7]"})
    assert [process.pid for process in owners([7], str(proc.root)).by_inode[7]] == [10]


def test_a_search_without_end_is_given_up_and_says_so(proc: FakeProc) -> None:
    proc.add(10, {3: "socket:[7]"})
    found = owners([7, 99], str(proc.root), patience=-1)
    assert list(found.by_inode) == [7]
    assert not found.complete


def test_who_is_near_its_limit(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    # The size of a directory is the number of its files in /proc alone.
    monkeypatch.setattr(processes._Files, "count", lambda files: len(os.listdir(files._directory)))
    for pid, limit, used in ((10, 40, 40), (11, 100, 40), (12, 60, 50), (13, 30, 20), (14, "unlimited", 50)):
        proc.add(pid, dict.fromkeys(range(used), "/dev/null"))
        limits = f"Max open files            {limit}                 524288               files\n"
        (proc.root / str(pid) / "limits").write_text(limits)
    found = processes.nearest_to_nofile(0.5, str(proc.root))
    assert [(process.pid, round(process.nofile_utilization, 2)) for process in found] == [(10, 1.0), (12, 0.83)]


def test_counting_without_end_is_given_up(proc: FakeProc) -> None:
    proc.add(10, dict.fromkeys(range(1024), "/dev/null"))
    assert processes.nearest_to_nofile(0.5, str(proc.root), patience=-1) == []


def test_nothing_wanted_nothing_looked_at(tmp_path: Path) -> None:
    assert owners([], str(tmp_path / "nothing")).by_inode == {}
