# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds sockets, in a directory that looks like /proc."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import cgroups, descriptors
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.descriptors import Descriptor


def process(
    root: Path, pid: int, links: t.Mapping[int, str], *, parent: int = 1, ticks: int = 500, cgroup: str = ""
) -> None:
    """A process with these open files, whose name is made to mislead."""
    here = root / str(pid)
    (here / "fd").mkdir(parents=True)
    for number, link in links.items():
        os.symlink(link, here / "fd" / str(number))
    between = " ".join(["0"] * 17)
    (here / "stat").write_text(f"{pid} (a) S 1 0) S {parent} {between} {ticks} 0 0\n")
    (here / "cgroup").write_text(cgroup)


@pytest.fixture
def proc(tmp_path: Path) -> str:
    """Three processes, one of which has started another."""
    process(tmp_path, 1, {3: "socket:[1]"}, parent=0, cgroup="0::/init.scope\n")
    process(tmp_path, 10, {0: "/dev/null", 3: "socket:[7]", 4: "socket:[8]", 9: "socket:[7]"}, ticks=77)
    process(
        tmp_path, 20, {3: "socket:[7]", 5: "pipe:[8]", 6: "socket:[77]"}, parent=10, cgroup="0::/a.slice/b.service/x"
    )
    process(tmp_path, 30, {3: "socket:[9]"}, parent=20)
    return str(tmp_path)


def test_every_descriptor_is_counted(proc: str) -> None:
    found = descriptors.find([7, 8, 99, 0], proc)
    assert {inode: sorted(held, key=lambda one: (one.pid, one.number)) for inode, held in found.by_inode.items()} == {
        7: [Descriptor(10, 77, 3, 7), Descriptor(10, 77, 9, 7), Descriptor(20, 500, 3, 7)],
        8: [Descriptor(10, 77, 4, 8)],
    }
    assert found.unreadable == 0


@pytest.mark.parametrize("inodes", [[], [0]])
def test_nothing_is_looked_at_for_nothing(inodes: t.List[int]) -> None:
    assert descriptors.find(inodes, "/nowhere").by_inode == {}


def test_what_may_not_be_seen_is_said(proc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> t.Any:
        if path.endswith("/20/fd"):
            raise PermissionError(path)
        return scandir(path)

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", refuse)
    found = descriptors.find([7], proc)
    assert ({one.pid for one in found.by_inode[7]}, found.unreadable) == ({10}, 1)


@pytest.mark.parametrize(
    "given, expected",
    [
        (Descriptor(10, 77, 3, 7), True),
        (Descriptor(10, 78, 3, 7), False),  # another process with the same pid
        (Descriptor(10, 77, 4, 7), False),  # another socket under the same number
        (Descriptor(10, 77, 5, 7), False),  # closed
        (Descriptor(11, 77, 3, 7), False),  # ended
    ],
)
def test_whether_a_descriptor_is_the_same_still(proc: str, given: Descriptor, expected: bool) -> None:
    assert descriptors.holds(given, proc) == expected


def test_ancestors_end_before_the_first_process(proc: str) -> None:
    assert descriptors.of_ancestors(30, proc) == {9, 7, 77, 8}
    assert descriptors.of_ancestors(10, proc) == {7, 8}
    assert descriptors.of_ancestors(4711, proc) == frozenset()


def test_the_unit_is_that_of_the_control_group(proc: str) -> None:
    assert cgroups.unit_of(20, proc) == "b.service"
    assert cgroups.unit_of(30, proc) is None
