# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes are the server's by what the kernel says of them, never by their name."""

from __future__ import annotations

import pathlib
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import ties
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import Request, parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import identity
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.holders import Holder
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.identity import Identity
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener

ROOT = Identity(7, 1, 1, "nginx", (0, 0, 0), "nginx.service", "/usr/sbin/nginx", (1, 1), trusted=True)
USER = replace(ROOT, uids=(1000, 1000, 1000), unit="user@1000.service")


def request(server: str = "nginx", unit: t.Optional[str] = None) -> Request:
    given = {
        "server": server,
        "backlog": 1,
        "listen": ["80"],
        "config": None,
        "unit": unit,
        "apply": "auto",
        "state": "present",
    }
    return parse_request(given)


def masters(monkeypatch: pytest.MonkeyPatch, asked: Request, process: Identity, uid: t.Optional[int]) -> t.List[int]:
    monkeypatch.setattr(identity, "look", {process.pid: process}.get)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    holders = {11: Holder(process.pid, process.name, process.unit, 3)}
    listener = Listener("inet", "0.0.0.0", 80, 0, 128, 11, None, uid)
    return sorted(ties.masters(asked, [listener, replace(listener, inode=12)], holders))


@pytest.mark.parametrize(
    "process, uid, main_pid, expected",
    [
        (ROOT, 0, None, [11]),
        (USER, 1000, None, []),
        (USER, 0, None, [11]),
        (USER, None, None, []),
        (replace(USER, unit="nginx.service"), 1000, 7, [11]),
        (replace(USER, unit="nginx.service"), 1000, 8, []),
        (replace(USER, unit="ci.service"), 1000, 7, []),
    ],
)
def test_the_server_is_roots_or_what_its_unit_has_started(
    monkeypatch: pytest.MonkeyPatch,
    process: Identity,
    uid: t.Optional[int],
    main_pid: t.Optional[int],
    expected: t.List[int],
) -> None:
    monkeypatch.setattr(systemd, "main_pid", lambda _unit: main_pid)
    assert masters(monkeypatch, request(), process, uid) == expected


@pytest.mark.parametrize(
    "pid, uid, expected", [(1, 0, [11]), (1, None, [11]), (7, 0, [11]), (7, 1000, []), (7, None, [])]
)
def test_sockets_of_a_socket_unit_are_made_by_root(
    monkeypatch: pytest.MonkeyPatch, pid: int, uid: t.Optional[int], expected: t.List[int]
) -> None:
    asked = request("systemd_socket", "x.socket")
    assert masters(monkeypatch, asked, replace(USER, pid=pid, name="systemd"), uid) == expected


def test_a_stranger_is_named_with_what_makes_it_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "look", {7: USER}.get)
    assert ties.stranger(request(), 5, "redis") == "redis (pid 5)"
    said = "nginx (pid 7 of uid 1000), which is not a program owned by root and started by root or nginx.service,"
    assert ties.stranger(request(), 7, "nginx") == said
    assert ties.stranger(request(), 8, "nginx").startswith("nginx (pid 8), which is not")


@pytest.mark.parametrize("uid", [0, 1000])
@pytest.mark.parametrize(
    "processes, expected",
    [
        ({7: ("nginx", "theirs")}, "nginx (pid 7)"),
        ({7: ("nginx", "theirs"), 9: ("nginx", "theirs")}, "nginx (pid 7)"),
        ({7: ("nginx", "theirs"), 9: ("nginx", "ours")}, ""),
        ({7: ("redis", "theirs")}, ""),
        ({7: ("nginx", None)}, ""),
        ({}, ""),
    ],
)
def test_a_server_in_another_namespace_is_found(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    processes: t.Dict[int, t.Tuple[str, t.Optional[str]]],
    expected: str,
    uid: int,
) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).touch()
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "net").symlink_to(tmp_path / "ours")
    for pid, (name, namespace) in processes.items():
        (tmp_path / str(pid) / "ns").mkdir(parents=True)
        (tmp_path / str(pid) / "comm").write_text(f"{name}\n")
        (tmp_path / str(pid) / "ns" / "net").symlink_to(tmp_path / (namespace or "gone"))
    monkeypatch.setattr(identity, "look", lambda pid: replace(ROOT if uid == 0 else USER, pid=pid))
    assert ties.elsewhere(request(), root=str(tmp_path)) == (expected if uid == 0 else "")
    assert not ties.elsewhere(request("any"), root=str(tmp_path))
