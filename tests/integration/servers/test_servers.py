# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the adapters say of a configuration, against the sockets that the real servers open.

NETTUNE_SERVERS_CASES and NETTUNE_SERVERS_SEED choose how many random configurations are tried, and which.
"""

from __future__ import annotations

import os

import pytest

from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox
from ansible_collections.nettune.tcp.tests.integration.servers import running


@pytest.mark.parametrize("name", running.CASES)
def test_the_kernel_has_what_the_adapter_says(name: str, in_namespace: Sandbox) -> None:
    case = running.CASES[name]
    if case.program() is None:
        pytest.skip(f"{case.command[0]} is not installed")
    result = in_namespace(lambda: running.prove(case))
    # HAProxy does not hand over sockets on an IPv6 address unless the bind says v6only: it opens them anew.
    expected = [("inet6", "::1", 8002), ("inet6", "::1", 8005)] if name == "haproxy, lines" else []
    assert result["changed_by_reload"] == expected
    assert case.adapter.relisten.on_reload_if_number_changed is False


@pytest.mark.parametrize("server", running.RANDOM)
def test_random_configurations(server: str, in_namespace: Sandbox) -> None:
    count, seed = int(os.environ.get("NETTUNE_SERVERS_CASES", "5")), int(os.environ.get("NETTUNE_SERVERS_SEED", "1"))
    cases = [running.random_case(server, number) for number in range(seed, seed + count)]
    if any(case.program() is None for case in cases):
        pytest.skip(f"{server} is not installed")
    for case in cases:
        result = in_namespace(lambda case=case: running.prove(case))  # type: ignore[misc]
        # HAProxy opens sockets on one IPv6 address anew.
        assert all(family == "inet6" and address != "::" for family, address, _port in result["changed_by_reload"])
