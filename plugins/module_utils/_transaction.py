# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Do steps in order, undo them all when one fails."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._errors import NettuneError


@dataclass(frozen=True)
class Step:
    """One change and the way back; ``what`` names it for people, such as ``net.core.somaxconn = 4096``."""

    what: str
    do: t.Callable[[], None]
    undo: t.Callable[[], None]


def run(steps: t.Iterable[Step]) -> None:
    """Do every step.  When one fails, undo it and all before it, newest first, and raise its error again.

    The failed step is undone too, because it may have done half of its work.
    The error's details gain ``restored`` and, if any undo failed, ``not_restored``.
    """
    begun: t.List[Step] = []
    try:
        for step in steps:
            begun.append(step)
            step.do()
    except NettuneError as exc:
        exc.details.update(_undo(begun))
        raise
    except BaseException as exc:
        outcome = _undo(begun)
        raise NettuneError(f"{begun[-1].what}: {exc}", **outcome) from exc


def _undo(begun: t.List[Step]) -> t.Dict[str, t.List[str]]:
    restored: t.List[str] = []
    failed: t.List[str] = []
    for step in reversed(begun):
        try:
            step.undo()
        except (NettuneError, OSError) as exc:
            failed.append(f"{step.what}: {exc}")
        else:
            restored.append(step.what)
    return {"restored": restored, "not_restored": failed} if failed else {"restored": restored}
