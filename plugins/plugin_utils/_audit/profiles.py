# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What the profiles of the role tcp_tuning want of a host, as nettune.tcp.tuning takes it.

Read once, on the controller, so that each host's comparison only has to combine what is here.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load

Wants = t.Dict[str, t.Any]


def read(directory: Path) -> t.Dict[str, Wants]:
    """For each profile, by name, ``{"sysctls": {key: want}, "file_limits": [...], "backlogs": [...]}``."""
    raw = {path.stem: yaml_load(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.yml"))}
    return {name: _wants(name, raw) for name in raw}


def nothing() -> Wants:
    """What no profile wants."""
    return {"sysctls": {}, "file_limits": [], "backlogs": []}


def _wants(name: str, raw: t.Mapping[str, t.Any]) -> Wants:
    """Those of the profiles it builds on, the first ones first, and then its own."""
    wants = nothing()
    for one in [*(_wants(inherited, raw) for inherited in raw[name].get("inherits", ())), _own(raw[name])]:
        wants["sysctls"].update(one["sysctls"])
        wants.update({kind: one[kind] for kind in ("file_limits", "backlogs") if one.get(kind)})
    return wants


def _own(profile: t.Mapping[str, t.Any]) -> Wants:
    sysctls = {key: entry["want"] for key, entry in (profile.get("sysctls") or {}).items() if "want" in entry}
    return {**profile, "sysctls": sysctls}
