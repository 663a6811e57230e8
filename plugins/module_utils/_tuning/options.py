# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The options that define what a host should have: those of tuning, and of comparisons with it."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._errors import BadRequest
from .._servers import table

OPTIONS: t.Dict[str, t.Any] = {
    "sysctls": {"type": "dict", "default": {}},
    "file_limits": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "unit": {"type": "str", "required": True},
            "limit": {"type": "raw", "required": True},
            "live": {"type": "bool", "default": True},
            "restart": {"type": "bool", "default": False},
        },
    },
    "backlogs": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "server": {"type": "str", "required": True, "choices": ["auto", *table.BY_NAME, "any"]},
            "backlog": {"type": "raw", "required": True},
            "listen": {"type": "list", "elements": "str"},
            "config": {"type": "path"},
            "unit": {"type": "str"},
            "apply": {"type": "str", "choices": ["auto", "live", "reload", "restart", "none"], "default": "auto"},
        },
    },
    "exclude": {"type": "list", "elements": "str", "default": []},
    "file": {"type": "path", "default": "/etc/sysctl.d/zz-nettune-tcp.conf"},
    "missing": {"type": "str", "choices": ["skip", "fail"], "default": "skip"},
    "force": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
    "load_modules": {"type": "bool", "default": False},
    "label": {"type": "str"},
    "confirm": {"type": "int", "default": 0},
}


def checked(given: t.Mapping[str, t.Any], name: str) -> t.Mapping[str, t.Any]:
    """These options with their defaults, from the option ``name`` of another module.

    Raises BadRequest for what tuning would not accept.
    """
    result = ArgumentSpecValidator(OPTIONS).validate(dict(given))
    if result.error_messages:
        raise BadRequest(f"{name}: {'; '.join(result.error_messages)}")
    return t.cast("t.Mapping[str, t.Any]", result.validated_parameters)
