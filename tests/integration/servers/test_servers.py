# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the adapters say of a configuration, against the sockets that the real servers open."""

from __future__ import annotations

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
    assert case.server.relisten.on_reload_if_number_changed is False
