# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backlogs change under load, and no request notices."""

from __future__ import annotations

import pathlib
import re
import subprocess
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_net
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import Nginx, in_force, somaxconn, statuses
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

SECONDS = 4
CLIENTS = 100  # fewer than the smallest backlog, so that what is lost is lost by the change


def under_load(changes: t.Callable[[], None]) -> t.Dict[str, int]:
    """Let ab fetch, each time over a new connection, while changes are made; what it counted."""
    command = ["ab", "-q", "-t", str(SECONDS), "-n", "1000000", "-c", str(CLIENTS), "http://127.0.0.1:8080/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        end = time.monotonic() + SECONDS - 1
        time.sleep(0.5)
        while time.monotonic() < end:
            changes()
        assert process.poll() is None, "the load ended before the changes"
        text = process.communicate()[0]
    assert process.returncode == 0, text
    names = ("Complete requests", "Failed requests", "Non-2xx responses")
    found = {name: re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE) for name in names}
    return {name: int(match[1]) if match else 0 for name, match in found.items()}


def overflows() -> int:
    return proc_net.parse_counters(proc_net.read("netstat"), proc_net.read("snmp"))["ListenOverflows"]


@pytest.mark.parametrize("reuseport", ["", " reuseport"])
@pytest.mark.parametrize("apply", ["auto", "live"])
def test_no_request_fails_while_the_backlog_is_raised(
    in_namespace: Sandbox, tmp_path: pathlib.Path, apply: str, reuseport: str
) -> None:
    def body() -> None:
        somaxconn(4096)
        with Nginx(tmp_path, f"server {{ listen 8080 backlog=128{reuseport}; return 200 fine; }}") as nginx:
            master, workers = nginx.master, nginx.workers()
            count = 0

            def changes() -> None:
                nonlocal count
                for want, before in ((4096, 128), (128, 4096)):
                    done = nginx.backlog(want, apply=apply)
                    assert statuses(done) == [("0.0.0.0", 8080, before, want, "effective")]
                    count += 1
                    time.sleep(0.1)

            counted = under_load(changes)
            assert counted["Complete requests"] > 1000
            assert (counted["Failed requests"], counted["Non-2xx responses"], overflows()) == (0, 0, 0)
            assert count >= 4
            nginx.backlog(4096, apply=apply)
            assert {tuple(set(backlogs)) for backlogs in in_force().values()} == {(4096,)}
            assert nginx.master == master
            if apply == "live":
                assert nginx.workers() == workers

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
    before = overflows()
    command = ["ab", "-q", "-n", "3000", "-c", "600", "http://127.0.0.1:8080/"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=60)
    return overflows() - before
