# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._tuning.options import checked
from ansible_collections.nettune.tcp.plugins.module_utils._tuning.request import Request, parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._tuning.running import RunningServer


def request(**given: t.Any) -> Request:
    return parse_request(checked(given, "test"))


RUNNING = [
    RunningServer("haproxy", "haproxy.service"),
    RunningServer("nginx", "nginx.service"),
    RunningServer("lighttpd", None),
]


def test_auto_is_spread_over_what_is_found_but_what_is_named() -> None:
    asked = request(
        backlogs=[{"server": "auto", "backlog": 1}, {"server": "nginx", "backlog": 2, "unit": "web"}],
        file_limits=[{"unit": "auto", "limit": 10}, {"unit": "haproxy", "limit": 20, "live": False}],
    )
    assert asked.needs_servers
    spread = asked.spread(RUNNING)
    queues = [(one.server.name if one.server else "any", str(one.want), one.unit) for one in spread.backlogs]
    assert queues == [
        ("nginx", "exactly 2", "web.service"),
        ("haproxy", "exactly 1", "haproxy.service"),
        ("lighttpd", "exactly 1", "lighttpd.service"),
    ]
    limits = [(one.unit, str(one.want), one.live) for one in spread.limits]
    assert limits == [("haproxy.service", "exactly 20", False), ("nginx.service", "exactly 10", True)]


def test_a_server_beside_its_unit_is_the_one_of_the_unit() -> None:
    asked = request(backlogs=[{"server": "auto", "backlog": 1}])
    spread = asked.spread([RunningServer("nginx", "nginx.service"), RunningServer("nginx", None)])
    assert [one.unit for one in spread.backlogs] == ["nginx.service"]


def test_space_around_a_label_does_not_count() -> None:
    assert request(label=" change 4711\n").label == "change 4711"


def test_nothing_is_looked_for_where_all_is_named() -> None:
    assert not request(backlogs=[{"server": "any", "listen": [3000], "backlog": 1}]).needs_servers


@pytest.mark.parametrize(
    "given, said",
    [
        ({"backlogs": [{"server": "auto", "backlog": 1}] * 2}, "auto is given twice"),
        ({"backlogs": [{"server": "auto", "backlog": 1, "listen": ["80"]}]}, "listen is for a single server"),
        ({"backlogs": [{"server": "auto", "backlog": 0}]}, "backlog must be one number"),
        ({"backlogs": [{"server": "iis", "backlog": 1}]}, "test: value of server must be one of"),
        ({"file_limits": [{"unit": "auto", "limit": "many"}]}, "a number of files is needed"),
        ({"file_limits": [{"limit": 1}]}, "missing required arguments: unit"),
        ({"label": "last"}, "your own word"),
        ({"label": "original"}, "your own word"),
        ({"label": "20260314T092653.589793Z-1f3a"}, "your own word"),
        ({"label": " last "}, "your own word"),
        ({"label": "a\nb"}, "label must be one line"),
        ({"label": "x" * 101}, "at most 100 printable"),
        ({"exclude": ["no sysctl"]}, "not the name of a sysctl"),
        ({"colour": 1}, "test: .*colour"),
    ],
)
def test_what_makes_no_sense_is_named(given: t.Dict[str, t.Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        request(**given)
