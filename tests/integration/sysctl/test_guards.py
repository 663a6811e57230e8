# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes that are refused for what is found on the host."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import (
    RANGE,
    RESERVED,
    SOMAXCONN,
    failure,
    put,
    row,
    runtime,
    sysctl,
)

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

WIDE = {"covers": [15000, 60999]}


@contextlib.contextmanager
def listening(*ports: int) -> t.Iterator[None]:
    """Services on these ports, one of them on IPv6."""
    with contextlib.ExitStack() as stack:
        for number, port in enumerate(ports):
            family = socket.AF_INET6 if number else socket.AF_INET
            listener = stack.enter_context(socket.socket(family))
            listener.bind(("", port))
            listener.listen()
        yield


def test_a_range_does_not_swallow_services(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        with listening(18080, 25672):
            for check_mode in (True, False):
                refused = failure({RANGE: WIDE, SOMAXCONN: 8192}, check_mode=check_mode)
                assert f"let {RESERVED} cover 18080,25672" in refused["msg"]
                assert refused["settings"][RANGE]["status"] == "refused"
            assert runtime(SOMAXCONN) == "4096"
            result = sysctl({RANGE: WIDE, RESERVED: {"covers": "18080,25672"}})
            assert row(result, RANGE)["status"] == "changed"
            assert "listen on 25672" in failure({RESERVED: 18080})["msg"]
            assert not sysctl({RANGE: WIDE})["changed"]

    on_fresh_host(body)


def test_force_lifts_a_guard_and_what_was_forced_stays(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        with listening(18080):
            sysctl({RANGE: WIDE}, force=True)
            assert str(runtime(RANGE)).split() == ["15000", "60999"]
            assert not sysctl({RANGE: WIDE})["changed"]

    on_fresh_host(body)


def test_reuse_needs_timestamps_now_or_planned(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        put("net.ipv4.tcp_timestamps", "0")
        assert "no effect" in failure({"net.ipv4.tcp_tw_reuse": 1})["msg"]
        sysctl({"net.ipv4.tcp_tw_reuse": 1, "net.ipv4.tcp_timestamps": 1})
        assert runtime("net.ipv4.tcp_tw_reuse") == "1"

    on_fresh_host(body)


def test_limits_of_the_host_stay_above_what_is_in_use(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        before = runtime("fs.nr_open"), runtime("fs.file-max")
        assert "has a limit of" in failure({"fs.nr_open": 64})["msg"]
        with open(os.devnull, encoding="ascii"):
            assert "files are open now" in failure({"fs.file-max": 1})["msg"]
        assert "nothing was changed" in failure({"fs.file-max": 0})["msg"]
        assert (runtime("fs.nr_open"), runtime("fs.file-max")) == before

    on_fresh_host(body)
