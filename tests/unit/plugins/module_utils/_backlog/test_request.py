# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module's options mean, and which make no sense."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import Filter, parse_filter, parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest

PARAMS: t.Dict[str, t.Any] = {
    "server": "nginx",
    "backlog": 4096,
    "listen": None,
    "config": None,
    "unit": None,
    "apply": "auto",
    "state": "present",
}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("80", (None, None, 80)),
        ("*:80", ("inet", "0.0.0.0", 80)),
        ("0.0.0.0:80", ("inet", "0.0.0.0", 80)),
        ("127.0.0.1:8080", ("inet", "127.0.0.1", 8080)),
        ("[::]:80", ("inet6", "::", 80)),
        ("[2001:DB8::0:1]:80", ("inet6", "2001:db8::1", 80)),
        ("/run/a.sock", ("unix", "/run/a.sock", 0)),
        ("unix:/run/a.sock", ("unix", "/run/a.sock", 0)),
        ("@abstract", ("unix", "@abstract", 0)),
    ],
)
def test_sockets_are_named_in_these_ways(text: str, expected: t.Tuple[t.Any, ...]) -> None:
    found = parse_filter(text)
    assert (found.family, found.address, found.port) == expected


@pytest.mark.parametrize("text", "0 65536 unix: localhost:80 ::1:80 [::1] [x]:80 1.2.3:80 80-90 :80".split())
def test_what_names_no_socket_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="listen"):
        parse_filter(text)


def test_a_port_alone_means_every_address() -> None:
    port = Filter("80", None, None, 80)
    assert port.covers("inet", "127.0.0.1", 80)
    assert port.covers("inet6", "::", 80)
    assert not port.covers("inet", "127.0.0.1", 81)
    assert not port.covers("unix", "/run/80", 0)
    four = parse_filter("*:80")
    assert four.covers("inet", "0.0.0.0", 80)
    assert not four.covers("inet", "127.0.0.1", 80)
    assert not four.covers("inet6", "::", 80)


@pytest.mark.parametrize(
    "raw, expected",
    [
        (4096, "exactly 4096"),
        ("4096", "exactly 4096"),
        ({"exactly": 1}, "exactly 1"),
        ({"at_least": "4096"}, "at least 4096"),
        ({"at_most": 2147483647}, "at most 2147483647"),
    ],
)
def test_backlogs(raw: t.Any, expected: str) -> None:
    assert str(parse_request({**PARAMS, "backlog": raw}).want) == expected


@pytest.mark.parametrize(
    "raw", [0, -1, 2**31, "many", "", True, [1, 2], {"covers": [1, 2]}, {"at_least": 0}, {"few": 1}]
)
def test_what_is_no_backlog_is_refused(raw: t.Any) -> None:
    with pytest.raises(BadRequest, match="backlog"):
        parse_request({**PARAMS, "backlog": raw})


@pytest.mark.parametrize(
    "unit, expected", [(None, "nginx.service"), ("edge", "edge.service"), ("edge.service", "edge.service")]
)
def test_units(unit: t.Optional[str], expected: str) -> None:
    assert parse_request({**PARAMS, "unit": unit}).unit == expected


def test_the_unit_of_sockets_is_one_of_them() -> None:
    params = {**PARAMS, "server": "systemd_socket"}
    assert parse_request({**params, "unit": "cups"}).unit == "cups.socket"
    assert parse_request({**params, "unit": "cups.socket"}).unit == "cups.socket"
    assert parse_request(params).unit is None


def test_a_socket_unit_has_no_reload() -> None:
    with pytest.raises(BadRequest, match="server=systemd_socket cannot be reloaded: use apply=live or apply=restart"):
        parse_request({**PARAMS, "server": "systemd_socket", "unit": "x", "apply": "reload"})


@pytest.mark.parametrize(
    "params, message",
    [
        ({}, "needs listen"),
        ({"listen": ["80"], "config": "/etc/x"}, "config makes no sense"),
        ({"listen": ["80"], "apply": "reload"}, "apply=reload makes no sense"),
        ({"listen": ["80"], "apply": "restart"}, "apply=restart makes no sense"),
    ],
)
def test_any_has_neither_configuration_nor_reload(params: t.Dict[str, t.Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse_request({**PARAMS, "server": "any", **params})


def test_any_needs_no_unit() -> None:
    request = parse_request({**PARAMS, "server": "any", "listen": ["3000"]})
    assert (request.server, request.unit, request.filters) == (None, None, (Filter("3000", None, None, 3000),))
