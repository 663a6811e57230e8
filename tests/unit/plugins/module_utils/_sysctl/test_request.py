# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.request import parse_request

DEFAULTS = {
    "settings": {},
    "file": "/etc/sysctl.d/zz-nettune-tcp.conf",
    "state": "present",
    "missing": "skip",
    "force": False,
    "purge": False,
    "load_modules": False,
    "netns": None,
}


def test_keys_become_canonical_and_wants_are_read() -> None:
    request = parse_request({**DEFAULTS, "settings": {"net/core/somaxconn": {"at_least": 8192}}})
    assert list(request.wants) == ["net.core.somaxconn"]
    assert str(request.wants["net.core.somaxconn"]) == "at least 8192"


def test_with_absent_only_the_keys_matter() -> None:
    request = parse_request({**DEFAULTS, "settings": {"net.core.somaxconn": True}, "state": "absent"})
    assert (request.wants, request.absent) == ({"net.core.somaxconn": None}, True)


def test_a_namespace_has_no_file() -> None:
    request = parse_request({**DEFAULTS, "netns": "web"})
    assert (request.file, request.netns) == (None, "web")


@pytest.mark.parametrize(
    "params, said",
    [
        ({"settings": {"net.core.somaxconn": 1, "net/core/somaxconn": 1}}, "as net.core.somaxconn and as net/"),
        ({"settings": {"net.core.somaxconn": True}}, r"net\.core\.somaxconn: True is a boolean"),
        ({"settings": {"somaxconn": 1}}, "not the name of a sysctl"),
        ({"file": "zz.conf"}, "absolute path"),
        ({"netns": "web", "purge": True}, "netns"),
        ({"netns": "web", "state": "absent"}, "netns"),
    ],
)
def test_what_makes_no_sense_is_told(params: t.Dict[str, t.Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse_request({**DEFAULTS, **params})
