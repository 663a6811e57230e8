# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that the profiles of the role ship, and the tests that prove them.

A value of a network namespace is proven in one, by tests/integration; one of the whole host in a virtual machine, by
tests/vm. Which is which, the collection's own catalog of sysctls says, so each side knows what it has to prove.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import lookup

PROFILES = Path(__file__).parents[1] / "roles" / "tcp_tuning" / "profiles"


def sysctls(profile: str) -> t.Dict[str, t.Dict[str, t.Any]]:
    """The sysctls of a profile, with those of the profiles that it builds on."""
    own = yaml.safe_load((PROFILES / f"{profile}.yml").read_text(encoding="utf-8"))
    found: t.Dict[str, t.Dict[str, t.Any]] = {}
    for inherited in own.get("inherits", ()):
        found.update(sysctls(inherited))
    return {**found, **{key: {**found.get(key, {}), **entry} for key, entry in own["sysctls"].items()}}


WANTS: t.Dict[t.Tuple[str, str], t.Any] = {
    (path.stem, key): entry["want"]
    for path in sorted(PROFILES.glob("*.yml"))
    for key, entry in sysctls(path.stem).items()
}

_PROVEN: t.Set[str] = set()


def profiles_with(key: str) -> pytest.MarkDecorator:
    """One run of the test, which proves the key's value, for each want that profiles ship, with one that ships it."""
    _PROVEN.add(key)
    alike: t.Dict[str, t.List[str]] = {}
    for (profile, shipped), want in WANTS.items():
        if shipped == key:
            alike.setdefault(str(want), []).append(profile)
    assert alike, f"no profile ships {key}"
    return pytest.mark.parametrize("profile", [pytest.param(same[0], id="+".join(same)) for same in alike.values()])


def without_proof(scope: str) -> t.Set[str]:
    """The keys of the scope, ``netns`` or ``host``, that a profile ships and no test proves."""
    return {key for _profile, key in WANTS if lookup(key).scope == scope} - _PROVEN
