# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that make sense, and those that do not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import STATES, address_bytes
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.request import (
    CLOSABLE,
    End,
    Network,
    parse_network,
    parse_request,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._reclaim.connections import params


def test_what_listens_cannot_be_asked_for() -> None:
    assert set(STATES) - set(CLOSABLE) == {"LISTEN", "CLOSE"}


def test_a_whole_request() -> None:
    request = parse_request(
        params(
            state=["CLOSE_WAIT"], local_port=[80, 443], remote_address=["192.0.2.0/24"], idle=1.5, unit="app", keep=3
        )
    )
    assert request.states == {"CLOSE_WAIT"}
    assert request.local == End((), frozenset({80, 443}))
    assert request.remote == End((Network(bytes((192, 0, 2, 0)), 24),), frozenset())
    assert (request.idle, request.unit, request.keep, request.max) == (1500, "app.service", 3, 100)


@pytest.mark.parametrize(
    "network, address, covered",
    [
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.6", False),
        ("192.0.2.7/32", "192.0.2.8", False),
        ("0.0.0.0/0", "203.0.113.9", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("::/0", "2001:db8::1", True),
        ("::/0", "203.0.113.9", False),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/33", "2001:db8:8000::1", False),
        ("::ffff:192.0.2.0/120", "192.0.2.1", True),
        ("::ffff:192.0.2.0/120", "192.0.3.1", False),
        ("128.0.0.0/1", "127.255.255.255", False),
    ],
)
def test_networks(network: str, address: str, covered: bool) -> None:
    assert parse_network("local_address", network).covers(address_bytes(address)) == covered


@pytest.mark.parametrize(
    "given, message",
    [
        ({"state": []}, "at least one state"),
        ({"state": ["TIME_WAIT"]}, "closing it needs force=true"),
        ({"state": ["CLOSE_WAIT", "TIME_WAIT"]}, "closing it needs force=true"),
        ({"state": ["TIME_WAIT"], "force": True, "idle": 1}, "idle makes no sense with TIME_WAIT"),
        ({"state": ["SYN_RECV", "SYN_SENT"], "idle": 0.5}, "idle makes no sense with SYN_RECV, SYN_SENT"),
        ({"state": ["CLOSE_WAIT", "SYN_RECV"], "unit": "app"}, "unit makes no sense with SYN_RECV"),
        ({"state": ["ESTABLISHED"]}, "say which"),
        ({"state": ["CLOSE_WAIT", "ESTABLISHED"], "keep": 5}, "say which"),
        ({"local_address": ["192.0.2.1/24"]}, "local_address .* host bits set"),
        ({"remote_address": ["example.org"]}, "remote_address takes an address"),
        ({"remote_address": ["fe80::1%eth0/64"]}, "remote_address takes an address without the name"),
        ({"local_address": ["fe80::1%eth0"]}, "local_address takes an address without the name of an interface"),
        ({"local_port": [0]}, "local_port: 0 is not a port"),
        ({"remote_port": [65536]}, "remote_port: 65536 is not a port"),
        ({"idle": -1}, "idle must be a number of at least 0"),
        ({"idle": float("nan")}, "idle must be a number of at least 0, got nan"),
        ({"idle": float("inf")}, "idle must be a number of at least 0, got inf"),
        ({"keep": -1}, "keep must be a number of at least 0"),
        ({"max": 0}, "max must be a number of at least 1"),
        ({"samples": -1}, "samples must be a number of at least 0"),
        ({"unit": "../app"}, "not the name of a systemd unit"),
    ],
)
def test_what_makes_no_sense_is_refused(given: t.Dict[str, t.Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse_request(params(**given))


@pytest.mark.parametrize(
    "given",
    [
        {"state": ["ESTABLISHED"], "local_port": [80]},
        {"state": ["ESTABLISHED"], "remote_address": ["::1"]},
        {"state": ["ESTABLISHED"], "idle": 1},
        {"state": ["ESTABLISHED"], "unit": "app.service"},
        {"state": ["TIME_WAIT"], "force": True},
        {"state": ["CLOSE_WAIT"]},
    ],
)
def test_what_is_enough(given: t.Dict[str, t.Any]) -> None:
    parse_request(params(**given))
