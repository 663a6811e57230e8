# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Do steps in order, undo them all if one fails."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ._errors import KernelRefused, NettuneError, from_os

# How a run ended: all done, all undone, or something that could not be undone.
COMPLETED, RESTORED, FAILED = "completed", "restored", "failed"


@dataclass(frozen=True)
class Replaced:
    """One object that a step replaces, as plain data that can be recorded.

    ``kind`` and ``name`` say what it is, ``before`` and ``after`` are its states.  ``where`` distinguishes it from
    others of that name, such as one process of a unit.  ``content`` goes with the state ``before`` of a file.
    """

    kind: str
    name: str
    before: t.Any
    after: t.Any
    where: t.Mapping[str, t.Any] = field(default_factory=dict)
    content: t.Optional[bytes] = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Step:
    """One change and its undo; ``what`` names it for people, such as ``net.core.somaxconn = 4096``."""

    what: str
    do: t.Callable[[], None]
    undo: t.Callable[[], None]
    replaces: t.Tuple[Replaced, ...] = ()


# Steps whose order does not matter to us, but may matter to the kernel.
AnyOrder = t.Tuple[Step, ...]
Steps = t.Iterable[t.Union[Step, AnyOrder]]


class Journal(t.Protocol):
    """Records what is about to be replaced, and finally the outcome. Both raise NettuneError or OSError."""

    def begin(self, replaced: t.Sequence[Replaced]) -> None:
        """Called before each step, or all steps of a tuple; what it has recorded is on disk when it returns."""

    def close(self, end: str) -> None:
        """Called once."""


class _Unwritten:
    def begin(self, replaced: t.Sequence[Replaced]) -> None:
        pass

    def close(self, end: str) -> None:
        pass


def nothing() -> None:
    """The missing half of a step that goes only one way, or only looks."""


def run(steps: Steps, journal: t.Optional[Journal] = None) -> None:
    """Do every step. If one fails, undo it and all before it, newest first, and raise its error again.

    The failed step is undone too, because it may have done half of its work.  In a tuple of steps, those that the
    kernel refuses are retried after the others, as long as that makes progress; so are undos. An error raised by the
    iterable itself, between two steps, counts as a failure as well. The error's details gain ``restored`` and, if any
    undo failed, ``not_restored``.
    """
    begun: t.List[Step] = []
    journal = journal or _Unwritten()
    try:
        for step in steps:
            group = step if isinstance(step, tuple) else (step,)
            journal.begin([one for member in group for one in member.replaces])
            _do(group, begun)
        journal.close(COMPLETED)
    except NettuneError as exc:
        outcome = _take_back(begun, journal)
        exc.details.update(outcome if begun else {})
        raise
    except BaseException as exc:
        outcome = _take_back(begun, journal)
        what = f"{begun[-1].what}: " if begun else ""
        raise NettuneError(f"{what}{from_os(exc) if isinstance(exc, OSError) else exc}", **outcome) from exc


def _take_back(begun: t.List[Step], journal: Journal) -> t.Dict[str, t.List[str]]:
    outcome = _undo(begun)
    try:
        journal.close(FAILED if "not_restored" in outcome else RESTORED)
    except (NettuneError, OSError) as exc:
        outcome.setdefault("not_restored", []).append(f"the record of this run: {exc}")
    return outcome


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
