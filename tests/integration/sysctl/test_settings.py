# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for is in force, stays, and is given back: on a real kernel."""

from __future__ import annotations

import typing as t

from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import (
    FILE,
    FIN_TIMEOUT,
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


def test_settings_come_into_force_and_stay(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        wanted = {SOMAXCONN: {"at_least": 16384}, FIN_TIMEOUT: 30}
        first, second = sysctl(wanted), sysctl(wanted)
        assert first["changed"]
        assert not second["changed"]
        assert row(first, SOMAXCONN) == {
            "want": "at least 16384",
            "runtime_before": 4096,
            "runtime": 16384,
            "boot_before": None,
            "boot": 16384,
            "source": f"{FILE}:2",
            "status": "changed",
            "reason": "",
        }
        assert {name: entry["status"] for name, entry in second["settings"].items()} == {
            SOMAXCONN: "ok",
            FIN_TIMEOUT: "ok",
        }
        assert runtime(FIN_TIMEOUT) == "30"

    on_fresh_host(body)


def test_texts_are_taken_as_they_are_and_numbers_as_the_kernel_reads_them(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        wanted = {"kernel.domainname": "0042", "kernel.hostname": "a  b", SOMAXCONN: "0x2000", FIN_TIMEOUT: "030"}
        predicted, result = sysctl(wanted, check_mode=True), sysctl(wanted)
        assert predicted["settings"] == result["settings"]
        assert {key: runtime(key) for key in wanted} == {
            "kernel.domainname": "0042",
            "kernel.hostname": "a  b",
            SOMAXCONN: "8192",
            FIN_TIMEOUT: "24",
        }
        assert {key: row(result, key)["boot"] for key in wanted} == {
            "kernel.domainname": "0042",
            "kernel.hostname": "a  b",
            SOMAXCONN: 8192,
            FIN_TIMEOUT: 24,
        }
        assert not sysctl(wanted)["changed"]
        more = sysctl({"kernel.domainname": "three words now", "kernel.hostname": 7})
        assert [row(more, key)["runtime"] for key in ("kernel.domainname", "kernel.hostname")] == [
            "three words now",
            "7",
        ]

    on_fresh_host(body)


def test_a_refused_run_tells_that_the_other_keys_were_left_alone(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({FIN_TIMEOUT: 30})
        result = failure({SOMAXCONN: 128, "net.ipv4.tcp_syn_retries": 3, FIN_TIMEOUT: 30})
        assert {key: entry["status"] for key, entry in result["settings"].items()} == {
            SOMAXCONN: "refused",
            "net.ipv4.tcp_syn_retries": "skipped",
            FIN_TIMEOUT: "ok",
        }
        left = row(result, "net.ipv4.tcp_syn_retries")
        assert (left["runtime"], left["boot"]) == (6, None)
        assert left["reason"] == "left as it is, since the run was refused for other keys"

    on_fresh_host(body)


def test_more_than_enough_is_kept(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        put(SOMAXCONN, "65535")
        result = sysctl({SOMAXCONN: {"at_least": 8192}})
        assert (runtime(SOMAXCONN), row(result, SOMAXCONN)["boot"]) == ("65535", 65535)

    on_fresh_host(body)


def test_the_order_that_the_kernel_needs_is_found_in_both_directions(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        start = "net.ipv4.ip_unprivileged_port_start"
        for settings in ({RANGE: [20000, 60999], start: 20000}, {RANGE: [900, 60999], start: 800}):
            for names in (list(settings), list(settings)[::-1]):
                sysctl({RANGE: [32768, 60999], start: 1024}, force=True)
                sysctl({name: settings[name] for name in names}, force=True)
                assert runtime(start) == str(settings[start])
                assert str(runtime(RANGE)).split()[0] == str(t.cast("t.List[int]", settings[RANGE])[0])

    on_fresh_host(body)


def test_absent_gives_back_what_was_there(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        put(FIN_TIMEOUT, "45")
        sysctl({FIN_TIMEOUT: 30, SOMAXCONN: 8192})
        sysctl({FIN_TIMEOUT: 20})
        result = sysctl({FIN_TIMEOUT: None}, state="absent")
        assert (runtime(FIN_TIMEOUT), runtime(SOMAXCONN)) == ("45", "8192")
        assert row(result, FIN_TIMEOUT)["status"] == "changed"
        assert FIN_TIMEOUT not in str(calls.text())
        assert not sysctl({FIN_TIMEOUT: None}, state="absent")["changed"]
        sysctl({SOMAXCONN: None}, state="absent")
        assert runtime(SOMAXCONN) == "4096"
        assert calls.text() is None
        assert calls.text("/var/lib/nettune-tcp/originals.json") is None

    on_fresh_host(body)


def test_purge_gives_back_what_is_no_longer_declared(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({FIN_TIMEOUT: 30, SOMAXCONN: 8192})
        predicted = sysctl({SOMAXCONN: 8192}, purge=True, check_mode=True)
        result = sysctl({SOMAXCONN: 8192}, purge=True)
        assert result["settings"] == predicted["settings"]
        assert row(result, FIN_TIMEOUT) == {
            "want": None,
            "runtime_before": 30,
            "runtime": 60,
            "boot_before": 30,
            "boot": None,
            "source": None,
            "status": "changed",
            "reason": "no longer declared",
        }
        assert not sysctl({SOMAXCONN: 8192}, purge=True)["changed"]
        sysctl({}, purge=True)
        assert (runtime(SOMAXCONN), calls.text()) == ("4096", None)

    on_fresh_host(body)


def test_reserved_ports_are_a_set(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        put(RESERVED, "8080,22-24")
        sysctl({RESERVED: {"covers": [23, 9000, "9001"]}})
        assert runtime(RESERVED) == "22-24,8080,9000-9001"
        assert not sysctl({RESERVED: "9001,9000,8080,22,23,24"})["changed"]

    on_fresh_host(body)


def test_a_rejected_value_restores_kernel_and_file(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({SOMAXCONN: 8192})
        before = calls.text()
        result = failure({SOMAXCONN: 16384, "net.ipv4.tcp_syn_retries": 9999, FIN_TIMEOUT: 30})
        assert "tcp_syn_retries = 9999" in result["msg"]
        assert "Invalid argument" in result["msg"]
        assert (runtime(SOMAXCONN), runtime(FIN_TIMEOUT), calls.text()) == ("8192", "60", before)
        assert f"{SOMAXCONN} = 16384" in result["restored"]

    on_fresh_host(body)
