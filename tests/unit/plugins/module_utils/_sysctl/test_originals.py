# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import originals


def test_originals_survive_the_way_through_the_file() -> None:
    record = {"net.core.somaxconn": "4096", "net.ipv4.ip_local_port_range": "32768\t60999"}
    assert originals.parse(originals.compose(record)) == record
    assert originals.compose({}) is None
    assert originals.parse(None) == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"originals": 3}', b"\xff"])
def test_a_damaged_record_is_an_error_that_names_the_file(content: bytes) -> None:
    with pytest.raises(NettuneError, match=originals.PATH):
        originals.parse(content)
