# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What a run replaced, as it is recorded: one line of JSON per object."""

from __future__ import annotations

import json
import typing as t

from .._errors import NettuneError
from .._transaction import Replaced

SYSCTL, FILE, DIRECTORY, MODULE = "sysctl", "file", "directory", "module"
LIMIT, BACKLOG, ORIGINAL = "file_limit", "backlog", "original"

# What the states of an object are recorded as, None where there is no such object.
_STATES: t.Mapping[str, t.Type[t.Any]] = {
    SYSCTL: str,
    FILE: dict,
    DIRECTORY: dict,
    MODULE: bool,
    LIMIT: str,
    BACKLOG: int,
    ORIGINAL: dict,
}

Data = t.Dict[str, t.Any]
Thing = t.Tuple[str, str, str]  # kind, name, and where as text


def thing_of(one: Replaced) -> Thing:
    """What two entries about the same object have in common."""
    return one.kind, one.name, json.dumps(one.where, sort_keys=True)


def encode(one: Replaced) -> Data:
    """An entry as data; the content of a file is stored separately."""
    data = {"kind": one.kind, "name": one.name, "before": one.before, "after": one.after}
    return {**data, "where": dict(one.where)} if one.where else data


def decode(data: t.Any, path: str) -> Replaced:
    """The entry in data that was read from ``path``. Raises NettuneError if it is not one."""
    try:
        kind, name = str(data["kind"]), str(data["name"])
        for state in (data["before"], data["after"]):
            if not isinstance(state, (_STATES.get(kind, object), type(None))):
                raise TypeError(f"{name} cannot have been {state!r}")
        return Replaced(kind, name, data["before"], data["after"], dict(data.get("where", {})))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise NettuneError(f"{path} is damaged ({exc!r}): repair or remove it", path=path) from exc


def same(present: t.Any, recorded: t.Any) -> bool:
    """Whether a state is the recorded one.

    In dictionaries only the recorded keys count, and in texts, such as those of sysctls, only the words.
    """
    if isinstance(present, str) and isinstance(recorded, str):
        return present.split() == recorded.split()
    if isinstance(present, dict) and isinstance(recorded, dict):
        return all(present.get(key) == value for key, value in recorded.items())
    return bool(present == recorded)
