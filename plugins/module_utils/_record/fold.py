# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What several runs together have done to each thing, and which runs a word of the caller's means.  Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import BadRequest
from .._transaction import Replaced
from . import entries
from .store import Run

LAST, ORIGINAL = "last", "original"
RESERVED = (LAST, ORIGINAL)


@dataclass(frozen=True)
class Thing:
    """A thing with the state to give back, and those in which our runs can have left it.

    ``contents`` is the directory that has the content of a file.
    """

    kind: str
    name: str
    where: t.Mapping[str, t.Any]
    before: t.Any
    left: t.Tuple[t.Any, ...]
    contents: str = ""

    def is_given_back(self, present: t.Any) -> bool:
        """Whether there is nothing left to do."""
        return entries.same(present, self.before)

    def is_ours(self, present: t.Any) -> bool:
        """Whether nobody else has changed it since."""
        return any(entries.same(present, state) for state in self.left)


def fold(runs: t.Iterable[Run], contents: t.Callable[[str], str]) -> t.List[Thing]:
    """Each thing once: the state before the first of these runs, and that after the last one.

    In the order in which they were first touched.  ``contents`` gives the directory of a run.
    """
    found: t.Dict[entries.Thing, Thing] = {}
    for run in runs:
        if run.changed:
            for one in run.replaced:
                key = entries.thing_of(one)
                found[key] = _after(found.get(key), one, run, contents)
    return list(found.values())


def _after(known: t.Optional[Thing], one: Replaced, run: Run, contents: t.Callable[[str], str]) -> Thing:
    # Of a run that was cut short nobody knows how far it got.
    left = (one.after,) if run.done else (one.after, one.before)
    if known is None:
        return Thing(one.kind, one.name, one.where, one.before, left, contents(run.id))
    return Thing(known.kind, known.name, known.where, known.before, left, known.contents)


def since(runs: t.Sequence[Run], before: str) -> t.Tuple[Run, ...]:
    """The runs to undo, oldest first: from the one that ``before`` names to the newest.

    ``last`` is the newest run that changed something and is no rollback.  A label names the block of consecutive runs
    that have it and that ends with the newest of them: a play that calls several modules leaves such a block, and a
    word that was used before means its last use.  A rollback ends a block, so that nothing is undone twice.

    Raises BadRequest for what names no run.
    """
    changed = [run for run in runs if run.changed]
    start = _start(changed, before)
    if start is None and before == LAST:
        return ()
    if start is None:
        known = ", ".join(run.label or run.id for run in changed[-5:]) or "none is recorded"
        raise BadRequest(f"before: there is no run {before!r} here; the newest are: {known}", before=before)
    return tuple(changed[start:])


def _start(runs: t.Sequence[Run], before: str) -> t.Optional[int]:
    for number in reversed(range(len(runs))):
        run = runs[number]
        if before == run.id or (before == LAST and not run.is_rollback):
            return number
        if before == run.label:
            while number and runs[number - 1].label == before:
                number -= 1
            return number
    return None
