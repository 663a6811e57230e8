# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds a socket, and under which number, in a /proc of files."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.holders import Holder, find


def a_process(root: pathlib.Path, pid: int, name: str, links: t.Sequence[str], cgroup: str = "") -> None:
    (root / str(pid) / "fd").mkdir(parents=True)
    (root / str(pid) / "comm").write_text(f"{name}\n")
    (root / str(pid) / "cgroup").write_text(cgroup)
    for number, link in enumerate(links):
        (root / str(pid) / "fd" / str(number)).symlink_to(link)


def test_one_holder_of_each_socket_is_enough(tmp_path: pathlib.Path) -> None:
    a_process(tmp_path, 1, "systemd", ["/dev/null", "socket:[11]"], "0::/init.scope\n")
    a_process(tmp_path, 20, "nginx", ["/dev/null", "socket:[11]", "socket:[12]"], "0::/system.slice/edge.service\n")
    a_process(tmp_path, 21, "nginx", ["socket:[11]", "socket:[12]", "socket:[13]"])
    (tmp_path / "22").mkdir()
    assert find([11, 12, 13, 14, 0], ["nginx"], str(tmp_path)) == {
        11: Holder(20, "nginx", "edge.service", 1),
        12: Holder(20, "nginx", "edge.service", 2),
        13: Holder(21, "nginx", None, 2),
    }
    assert find([11], root=str(tmp_path)) == {11: Holder(1, "systemd", "init.scope", 1)}
    assert not find([], root="/no/such/directory")


def test_of_many_open_files_the_last_are_looked_at_too(tmp_path: pathlib.Path) -> None:
    a_process(tmp_path, 2, "busy", ["/dev/null"] * 2000 + ["socket:[11]"])
    a_process(tmp_path, 3, "calm", ["socket:[12]"])
    found = find([11, 12], root=str(tmp_path))
    assert {inode: (holder.pid, holder.descriptor) for inode, holder in found.items()} == {11: (2, 2000), 12: (3, 0)}
