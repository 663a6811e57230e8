# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What several runs together did to each object, and which runs a request selects. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._errors import BadRequest
from .._kernel import proc_sys
from .._transaction import Replaced
from . import entries, store
from .store import Run

LAST, ORIGINAL = "last", "original"
RESERVED = (LAST, ORIGINAL)
ANYTHING = "anything"


@dataclass(frozen=True)
class Thing:
    """An object with the state to restore, and those in which our runs may have left it.

    ``foreign`` are states that somebody else has set between two of the runs. ``contents`` is the directory with the
    content of a file.
    """

    kind: str
    name: str
    where: t.Mapping[str, t.Any]
    before: t.Any
    left: t.Tuple[t.Any, ...]
    contents: str = ""
    foreign: t.Tuple[t.Any, ...] = ()

    def is_given_back(self, present: t.Any) -> bool:
        """Whether there is nothing left to do."""
        return entries.same(present, self.before)

    def is_ours(self, present: t.Any) -> bool:
        """Whether nobody else has changed it since."""
        return not self.foreign and self.was_left_in(present)

    def was_left_in(self, present: t.Any) -> bool:
        """Whether the last of our runs may have left it in this state."""
        return any(state == ANYTHING or entries.same(present, state) for state in self.left)


def fold(runs: t.Iterable[Run], contents: t.Callable[[str], str]) -> t.List[Thing]:
    """Each object once: the state before the first of these runs, and that after the last one.

    In the order in which they were first touched.  ``contents`` gives the directory of a run.
    """
    things: t.Dict[entries.Thing, Thing] = {}
    for run in runs:
        former = list(things.values())
        for one in run.replaced if run.changed else ():
            key = entries.thing_of(one)
            known = things.get(key) or _ancestor(one, former)
            things[key] = _after(known, one, run, contents)
    return list(things.values())


def _ancestor(one: Replaced, former: t.Iterable[Thing]) -> t.Optional[Thing]:
    """The process or socket that has been replaced by another one since, as after a reboot, with what a run gave it."""
    if one.kind not in (entries.LIMIT, entries.BACKLOG):
        return None
    those = (thing for thing in former if (thing.kind, thing.name) == (one.kind, one.name))
    # Of several, a rollback has given it back what this one had.
    fitting = sorted(
        (thing for thing in those if thing.was_left_in(one.before)),
        key=lambda thing: not entries.same(thing.before, one.after),
    )
    return replace(fitting[0], where=one.where) if fitting else None


def _after(known: t.Optional[Thing], one: Replaced, run: Run, contents: t.Callable[[str], str]) -> Thing:
    # Nobody knows how far an interrupted run got.
    left = (one.after,) if run.done else (_half(one.after), one.before, *_between(one))
    if known is None:
        return Thing(one.kind, one.name, one.where, one.before, left, contents(run.id))
    foreign = known.foreign if known.was_left_in(one.before) else (*known.foreign, one.before)
    return replace(known, left=left, foreign=foreign)


def _half(state: t.Any) -> t.Any:
    """A state as it may be found in the middle of a step: a file or directory may not have its owner and mode yet."""
    return {key: state[key] for key in ("sha256",) if key in state} if isinstance(state, dict) else state


def _between(one: Replaced) -> t.List[str]:
    """The values in which a sysctl may be found that the kernel takes in pieces, on its way to either state."""
    texts = (one.after, one.before) if one.kind == entries.SYSCTL else ()
    return [part for text in texts if isinstance(text, str) for part in proc_sys.beginnings(text)]


def to_originals(
    known: t.Mapping[str, Replaced], runs: t.Sequence[Run], contents: t.Callable[[str], str], kept: str
) -> t.List[Thing]:
    """The objects to restore to their first state, from the originals, by name, and from what recorded runs have left.

    Single processes and sockets that a run has changed get back what they had themselves. Objects that no run is known
    to have changed, such as a sysctl that was as wanted, are left alone. ``kept`` has the contents of the originals.
    """
    things: t.List[Thing] = []
    folded: t.Dict[int, t.List[Thing]] = {}
    for name, one in known.items():
        start = _recorded(name, runs)
        if (start or 0) not in folded:
            folded[start or 0] = fold(runs[start or 0 :], contents)
        those = [thing for thing in folded[start or 0] if (thing.kind, thing.name) == (one.kind, one.name)]
        if one.kind in (entries.LIMIT, entries.BACKLOG) and those:
            things += those if start is not None else [replace(thing, before=one.before) for thing in those]
        elif those or one.after != one.before:
            left = tuple(state for thing in those for state in thing.left) or (one.after,)
            # If an earlier version has kept only the value, it is unknown whether it has changed since.
            former = one.after is None and one.kind == entries.SYSCTL
            foreign = tuple(state for thing in those for state in thing.foreign)
            left = (ANYTHING,) if former else left
            things.append(Thing(one.kind, one.name, one.where, one.before, left, kept, foreign))
    return things


def _recorded(original: str, runs: t.Sequence[Run]) -> t.Optional[int]:
    """The run that last recorded an original, None if its record has been pruned."""
    for number in reversed(range(len(runs))):
        for one in runs[number].replaced:
            if (one.kind, one.name, one.before) == (entries.ORIGINAL, original, None):
                return number
    return None


def since(runs: t.Sequence[Run], before: str) -> t.Tuple[Run, ...]:
    """The runs to undo, oldest first: from the one that ``before`` names to the newest.

    ``last`` is the newest run that changed something and is not a rollback. A label selects the block of consecutive
    runs that have it and that ends with the newest of them: a play that calls several modules leaves such a block, and
    a reused label means its last use. A rollback ends a block, so that nothing is undone twice.

    Empty if no run matches: a host that already had everything has recorded nothing under that label. Raises BadRequest
    for the id of a run that is not recorded.
    """
    changed = [run for run in runs if run.changed]
    start = _start(changed, before)
    if start is None and store.is_id(before) and before not in {run.id for run in runs}:
        raise BadRequest(f"before: there is no run {before} here, or its record has been pruned")
    return () if start is None else tuple(changed[start:])


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
