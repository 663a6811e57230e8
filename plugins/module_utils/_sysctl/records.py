# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What is recorded on the host: our drop-in, the modules it needs, and what keys held before. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from . import modules
from .plan import Observed, Plan


@dataclass(frozen=True)
class Records:
    """``lines`` are values by key in our drop-in, ``originals`` the values of keys before they were first managed.

    ``modules`` are loaded at boot for keys that are managed here.
    """

    lines: t.Mapping[str, str]
    originals: t.Mapping[str, str]
    modules: t.FrozenSet[str] = frozenset()

    def after(
        self, plan: Plan, observed: t.Mapping[str, Observed], loadable: t.AbstractSet[str] = frozenset()
    ) -> Records:
        """The records after the plan is done; ``loadable`` modules join those loaded at boot if needed."""
        lines, kept = dict(self.lines), dict(self.originals)
        for key, entry in plan.keys.items():
            runtime = observed[key].runtime
            if entry.want is None:
                lines.pop(key, None)
                # A key that could not be restored keeps its record for a later attempt.
                if entry.status == "ok" and observed[key].elsewhere is None:
                    kept.pop(key, None)
            elif entry.line is not None:
                lines[key] = entry.line
                if runtime is not None:
                    original = observed[key].original
                    kept[key] = runtime if original is None else original
        return Records(lines, kept, (self.modules | loadable) & needed_by({**lines, **kept}))


def needed_by(keys: t.Iterable[str]) -> t.FrozenSet[str]:
    """The names of the modules that provide these keys."""
    needed = (modules.bringing(key) for key in keys)
    return frozenset(module.name for module in needed if module)
