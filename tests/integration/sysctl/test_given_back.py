# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keys get back after runs that were killed, files that were removed by hand, and sets that fill pages."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._record import originals
from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import FILE, FIN_TIMEOUT, RESERVED, runtime, sysctl

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

OTHER = "/etc/sysctl.d/zz-other.conf"


@pytest.mark.parametrize("text", [None, ""], ids=["removed", "emptied"])
def test_purge_gives_back_what_a_drop_in_said_that_was_removed(on_fresh_host: Sandbox, text: t.Optional[str]) -> None:
    def body() -> None:
        sysctl({FIN_TIMEOUT: 30})
        os.unlink(FILE)
        if text is not None:
            calls.write(FILE, text)
        assert sysctl({}, purge=True)["changed"]
        assert (runtime(FIN_TIMEOUT), originals.sysctls(originals.load())) == ("60", {})

    on_fresh_host(body)


def test_what_somebody_set_after_the_drop_in_was_removed_is_the_new_original(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({FIN_TIMEOUT: 30})
        os.unlink(FILE)
        calls.put(FIN_TIMEOUT, "45")
        sysctl({FIN_TIMEOUT: 30})
        sysctl({}, purge=True)
        assert runtime(FIN_TIMEOUT) == "45"

    on_fresh_host(body)


def test_purging_one_drop_in_leaves_the_other_its_keys(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({FIN_TIMEOUT: 30})
        sysctl({FIN_TIMEOUT: 20}, file=OTHER)
        assert sysctl({}, file=OTHER, purge=True)["settings"][FIN_TIMEOUT]["runtime"] == 30
        sysctl({}, purge=True)
        assert (runtime(FIN_TIMEOUT), originals.load()) == ("60", {})

    on_fresh_host(body)


@pytest.mark.parametrize("count", [700, 1300, 12000])
def test_no_port_of_a_long_set_is_lost(on_fresh_host: Sandbox, count: int) -> None:
    def body() -> None:
        before = ",".join(str(port) for port in range(1, 2 * count, 2))
        wanted = ",".join(str(port) for port in range(30001, 30001 + 2 * count, 2))
        sysctl({RESERVED: before}, netns=str(os.getpid()))
        assert runtime(RESERVED) == before
        result = sysctl({RESERVED: {"covers": wanted}})
        assert result["settings"][RESERVED]["status"] == "changed"
        assert runtime(RESERVED) == f"{before},{wanted}"
        sysctl({RESERVED: None}, state="absent")
        assert runtime(RESERVED) == before

    on_fresh_host(body)


def test_originals_of_a_former_version_are_given_back(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        calls.write("/var/lib/nettune-tcp/sysctl-originals.json", '{"originals": {"net.ipv4.tcp_fin_timeout": "60"}}')
        calls.write(FILE, f"# Managed by Ansible with nettune.tcp.sysctl.\n{FIN_TIMEOUT} = 30\n")
        calls.put(FIN_TIMEOUT, "30")
        assert not sysctl({FIN_TIMEOUT: 30})["changed"]
        sysctl({FIN_TIMEOUT: 20})
        assert "sysctl-originals.json" not in os.listdir("/var/lib/nettune-tcp")
        sysctl({FIN_TIMEOUT: None}, state="absent")
        assert (runtime(FIN_TIMEOUT), calls.text()) == ("60", None)

    on_fresh_host(body)
