# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backlogs change under load, and no request notices."""

from __future__ import annotations

import pathlib
import subprocess
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_net
from ansible_collections.nettune.tcp.tests.integration.backlog.load import Load
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import Nginx, in_force, somaxconn, statuses
from ansible_collections.nettune.tcp.tests.integration.backlog.servers import LOADED, Running, allow_files
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

HELD = 2000  # connections that are open all the time
FRESH = 100  # connections that come and go: fewer than the smallest backlog, so that what is lost is lost by the change
ROUNDS = 3

# What a lost connection leaves in the namespace, which both of its ends share: EstabResets, that it was reset when it
# was established, be it still in the queue; AttemptFails, that it was refused; ListenOverflows and ListenDrops, that it
# found the queue full, which its client notices only by a delay. OutRsts tells less: on a busy machine some are sent
# without any change to the server, to nobody, as to connections that are closed already.
LOSSES = ("EstabResets", "AttemptFails", "ListenOverflows", "ListenDrops")


def losses() -> t.Dict[str, int]:
    counters = proc_net.parse_counters(proc_net.read("netstat"), proc_net.read("snmp"))
    return {name: counters[name] for name in LOSSES}


def under_load(server: Running, held: int, apply: str) -> None:
    """Raise the backlog and lower it again while clients ask; nothing may be lost."""
    before = losses()
    load = Load(held=held, fresh=FRESH)
    for _round in range(ROUNDS):
        for want, was in ((4096, 128), (128, 4096)):
            time.sleep(0.3)
            done = server.backlog(want, apply=apply)
            assert statuses(done) == [("0.0.0.0", 8080, was, want, "effective")]
    server.backlog(4096, apply=apply)
    time.sleep(0.5)
    established = proc_net.parse_sockstat(proc_net.read("sockstat"))["tcp_inuse"] // 2  # both ends are here
    counted = load.stop()
    assert counted["requests"] > 1000
    assert (counted["failed"], counted["closed"]) == ({}, 0)
    assert losses() == before
    assert established >= held
    assert {tuple(set(backlogs)) for backlogs in in_force().values()} == {(4096,)}


@pytest.mark.parametrize("name", LOADED)
def test_nothing_is_lost_and_no_process_changes_while_the_backlog_is_raised(
    in_namespace: Sandbox, tmp_path: pathlib.Path, name: str
) -> None:
    def body() -> None:
        somaxconn(4096)
        allow_files(16384)
        with Running(LOADED[name], tmp_path) as server:
            pids = server.pids()
            under_load(server, HELD, "auto")
            assert server.pids() == pids

    in_namespace(body)


@pytest.mark.parametrize("name", ["nginx", "nginx reuseport"])
def test_a_reload_loses_nothing_that_waits_in_the_queue(
    in_namespace: Sandbox, tmp_path: pathlib.Path, name: str
) -> None:
    def body() -> None:
        somaxconn(4096)
        with Running(LOADED[name], tmp_path) as server:
            master = server.pids()[0]
            under_load(server, 0, "reload")
            assert server.pids()[0] == master

    in_namespace(body)


def test_the_raised_queue_holds_what_the_small_one_dropped(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> t.Tuple[int, int]:
        somaxconn(4096)
        with Nginx(tmp_path, "server { listen 8080 backlog=16; return 200 fine; }", workers=1) as nginx:
            small = burst()
            nginx.backlog({"at_least": 4096}, apply="live")
            return small, burst()

    small, large = in_namespace(body)
    assert small > 0
    assert large == 0


def burst() -> int:
    """So many connection attempts at once that a queue of 16 cannot hold them; how many overflows it made."""
    before = losses()["ListenOverflows"]
    command = ["ab", "-q", "-n", "3000", "-c", "600", "http://127.0.0.1:8080/"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=60)
    return losses()["ListenOverflows"] - before
