# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Do steps in order, undo them all when one fails."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._errors import KernelRefused, NettuneError


@dataclass(frozen=True)
class Step:
    """One change and the way back; ``what`` names it for people, such as ``net.core.somaxconn = 4096``."""

    what: str
    do: t.Callable[[], None]
    undo: t.Callable[[], None]


# Steps whose order does not matter to us, but may matter to the kernel.
AnyOrder = t.Tuple[Step, ...]


def run(steps: t.Iterable[t.Union[Step, AnyOrder]]) -> None:
    """Do every step.  When one fails, undo it and all before it, newest first, and raise its error again.

    The failed step is undone too, because it may have done half of its work.  Of a tuple of steps, those that the
    kernel refuses are tried again after the others, as long as that gets any further; so are undos.
    An error raised by the iterable itself, between two steps, counts as a failure as well.
    The error's details gain ``restored`` and, if any undo failed, ``not_restored``.
    """
    begun: t.List[Step] = []
    try:
        for step in steps:
            _do(step if isinstance(step, tuple) else (step,), begun)
    except NettuneError as exc:
        if begun:
            exc.details.update(_undo(begun))
        raise
    except BaseException as exc:
        outcome = _undo(begun)
        what = f"{begun[-1].what}: " if begun else ""
        raise NettuneError(f"{what}{exc}", **outcome) from exc


def _do(steps: AnyOrder, begun: t.List[Step]) -> None:
    todo = list(steps)
    while todo:
        refused: t.List[t.Tuple[Step, KernelRefused]] = []
        for step in todo:
            if step not in begun:
                begun.append(step)
            try:
                step.do()
            except KernelRefused as exc:
                refused.append((step, exc))
        if len(refused) == len(todo):
            first = refused[0][1]
            raise type(first)("; ".join(str(exc) for _step, exc in refused), **first.details) from first
        todo = [step for step, _exc in refused]


def _undo(begun: t.List[Step]) -> t.Dict[str, t.List[str]]:
    restored: t.List[str] = []
    todo = begun[::-1]
    while todo:
        failed: t.List[t.Tuple[Step, str]] = []
        for step in todo:
            try:
                step.undo()
            except (NettuneError, OSError) as exc:
                failed.append((step, f"{step.what}: {exc}"))
            else:
                restored.append(step.what)
        if len(failed) == len(todo):
            return {"restored": restored, "not_restored": [reason for _step, reason in failed]}
        todo = [step for step, _reason in failed]
    return {"restored": restored}
