# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes and queues belong to one server."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd
from ansible_collections.nettune.tcp.plugins.module_utils._facts import servers
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import identity, proc_pid
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.identity import Identity
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.processes import Owners, Process
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener

PARENTS = {10: 1, 11: 10, 12: 10, 20: 1, 30: 1, 40: 1}
NAMES = {20: "haproxy", 30: "lighttpd"}


def look(pid: int) -> t.Optional[Identity]:
    """Root's servers and a user's, pid 40."""
    if pid not in PARENTS:
        return None
    name, uid = NAMES.get(pid, "nginx"), 1000 if pid == 40 else 0
    uids = (uid, uid, uid)
    return Identity(pid, 1, PARENTS[pid], name, uids, f"{name}.service", f"/bin/{name}", (1, len(name)), trusted=True)


def process(pid: int, name: str = "nginx", soft: t.Optional[int] = 1024) -> Process:
    return Process(pid, name, f"{name}.service", soft, 4096, 9)


def listener(inode: int, port: int = 80, backlog: t.Optional[int] = 511) -> Listener:
    return Listener("inet", "0.0.0.0", port, 0, backlog, inode, None, 0)


@pytest.fixture(name="rows")
def fixture_rows(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., t.List[t.Dict[str, t.Any]]]:
    """The rows for processes by socket; their command lines name files that are not there."""
    monkeypatch.setattr(identity, "look", look)
    monkeypatch.setattr(systemd, "main_pid", lambda _unit: None)
    monkeypatch.setattr(proc_pid, "command_of", lambda pid: ["x", "-c", f"/nowhere/{pid}", "-f", f"/nowhere/{pid}"])
    monkeypatch.setattr(identity, "shares_our_root", lambda pid: pid != 30)

    def rows(held: t.Mapping[Listener, t.Sequence[Process]], unreadable: int = 0) -> t.List[t.Dict[str, t.Any]]:
        return servers.servers(held, Owners({one.inode: tuple(by) for one, by in held.items()}, unreadable))

    return rows


Rows = t.Callable[..., t.List[t.Dict[str, t.Any]]]


@pytest.mark.parametrize(
    "held, workers, nofile",
    [
        ([process(10)], 1, 1024),
        ([process(10), process(11, soft=99)], 1, 99),
        ([process(10, soft=9), process(11, soft=99), process(12, soft=98)], 2, 98),
        ([process(11, soft=None)], 1, None),
    ],
)
def test_workers_are_all_but_the_master(
    held: t.List[Process], workers: int, nofile: t.Optional[int], rows: Rows
) -> None:
    [row] = rows({listener(1): held, listener(2, port=443): held})
    assert (row["server"], row["pid"], row["unit"]) == ("nginx", 10, "nginx.service")
    assert (row["workers"], row["nofile"]) == (workers, nofile)


def test_workers_that_hide_their_files_are_those_that_the_master_started(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proc_pid, "children_of", lambda pid: [11, 12, 13] if pid == 10 else [])
    monkeypatch.setattr(proc_pid, "name_of", lambda pid: "sh" if pid == 13 else "nginx")
    monkeypatch.setattr(proc_pid, "nofile", lambda pid: (pid, 4096))
    [row] = rows({listener(1): [process(10)]}, unreadable=2)
    assert (row["workers"], row["nofile"]) == (2, 11)


@pytest.mark.parametrize(
    "listeners, backlog",
    [
        ([listener(1), listener(2, port=443, backlog=900)], 900),
        ([listener(1), listener(2)], 1022),
        ([listener(1, backlog=None)], None),
    ],
)
def test_queues_of_one_address_count_together(
    listeners: t.List[Listener], backlog: t.Optional[int], rows: Rows
) -> None:
    [row] = rows({one: [process(10)] for one in listeners})
    assert row["backlog"] == backlog


def test_each_server_has_its_row_and_its_error(rows: Rows) -> None:
    found = rows(
        {
            listener(1): [process(20, "haproxy")],
            listener(2, port=81): [process(10)],
            listener(3, port=82): [process(30, "lighttpd")],
            listener(4, port=22): [process(20, "sshd")],
            listener(5, port=83): [],
        }
    )
    assert [(row["server"], row["config"]) for row in found] == [
        ("nginx", "/nowhere/10"),
        ("haproxy", "/nowhere/20"),
        ("lighttpd", None),
    ]
    assert [row["settings"] for row in found] == [{}, {}, {}]
    assert "container" in found[2]["error"]


@pytest.mark.parametrize("uid, main_pid, said", [(1000, None, None), (0, None, "uid 1000"), (1000, 40, "/nowhere/40")])
def test_a_users_process_is_no_server_and_names_no_files(
    rows: Rows, monkeypatch: pytest.MonkeyPatch, uid: int, main_pid: t.Optional[int], said: t.Optional[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(systemd, "main_pid", lambda _unit: main_pid)
    found = rows({replace(listener(1), uid=uid): [process(40)], listener(2): [process(10)]})
    assert [row["pid"] for row in found] == ([10] if said is None else [10, 40])
    assert said is None or said in found[1]["error"]
