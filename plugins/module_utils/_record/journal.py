# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The record of one run, a write-ahead log: what is replaced is on disk before it is replaced."""

from __future__ import annotations

import datetime
import json
import os
import pwd
import secrets
import time
import typing as t
from dataclasses import dataclass, field, replace

from .. import _files
from .._kernel import proc_sys
from .._transaction import COMPLETED, RESTORED, Replaced
from . import entries, originals, store

COLLECTION = "1.0.0"
_STAMP = "%Y%m%dT%H%M%S"


def for_run(module: str, label: str = "", undoes: t.Sequence[str] = ()) -> t.Optional[Journal]:
    """A journal, or None without root: the record belongs to root alone."""
    return Journal(module, label, tuple(undoes)) if os.geteuid() == 0 else None


@dataclass
class Journal:
    """Nothing is written for a run that replaces nothing; ``id`` is then None."""

    module: str
    label: str = ""
    undoes: t.Tuple[str, ...] = ()
    id: t.Optional[str] = field(default=None, init=False)
    _originals: t.Dict[str, Replaced] = field(default_factory=dict, init=False)
    _before: t.Dict[str, Replaced] = field(default_factory=dict, init=False)
    _replaced: t.List[Replaced] = field(default_factory=list, init=False)
    _torn: bool = field(default=False, init=False)

    def begin(self, replaced: t.Sequence[Replaced]) -> None:
        """Record what is about to be replaced, and its original if there is none yet."""
        changing = [one for one in replaced if one.before != one.after]
        if not changing:
            return
        if self.id is None:
            self._open()
        for one in changing:
            if one.content is not None:
                originals.save_content(store.run_path(str(self.id)), one)
        new = self._new_originals(changing)
        self._append(*changing, *(originals.replaced(name, None, one) for name, one in new.items()))
        self._replaced += changing
        self._keep({**self._known(changing), **new})

    def close(self, end: str) -> None:
        """Record how it ended. Objects that are back in their original state need no original any longer."""
        if self.id is None:
            return
        if end == COMPLETED:
            given_back = self._given_back()
            if given_back:
                self._append(*(originals.replaced(name, one, None) for name, one in given_back.items()))
                self._keep({name: one for name, one in self._originals.items() if name not in given_back})
        elif end == RESTORED:
            self._keep(self._before)
        store.append(self.id, {"end": end})

    def _open(self) -> None:
        known, kept = store.ids(), originals.load()
        run = _new_id(known[-1] if known else "")
        try:
            store.make(run)
            info = json.dumps({"id": run, **self._info()}, indent=1).encode() + b"\n"
            _files.replace(f"{store.run_path(run)}/run.json", info, mode=0o600)
        except BaseException:
            store.remove(run)
            raise
        self.id = run
        self._before = _prune(known, kept)
        self._originals = dict(self._before)

    def _info(self) -> t.Dict[str, t.Any]:
        return {
            "module": self.module,
            "label": self.label or None,
            "undoes": list(self.undoes),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "boot_id": proc_sys.boot_id(),
            "user": os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name,
            "collection": COLLECTION,
        }

    def _append(self, *replaced: Replaced) -> None:
        store.append(str(self.id), *map(entries.encode, replaced))

    def _new_originals(self, changing: t.Sequence[Replaced]) -> t.Dict[str, Replaced]:
        new: t.Dict[str, Replaced] = {}
        for one in changing:
            name = originals.name_of(one.kind, one.name)
            # Settings in somebody else's namespace disappear with it.
            if one.kind != entries.ORIGINAL and "netns" not in one.where and name not in self._originals:
                new.setdefault(name, one)
        return new

    def _known(self, changing: t.Sequence[Replaced]) -> t.Dict[str, Replaced]:
        """The originals, as the steps themselves are about to change them too."""
        known: t.Dict[str, Replaced] = dict(self._originals)
        for one in changing:
            if one.kind == entries.ORIGINAL:
                known.pop(one.name, None)
                if one.after is not None:
                    known[one.name] = entries.decode(one.after, originals.path())
        return known

    def _given_back(self) -> t.Dict[str, Replaced]:
        """Those whose object is back in its first state; which sysctls are managed is known to their own code."""
        last = {originals.name_of(one.kind, one.name): one for one in self._replaced if one.kind != entries.SYSCTL}
        return {
            name: self._originals[name]
            for name, one in last.items()
            if name in self._originals and entries.same(one.after, self._originals[name].before)
        }

    def _keep(self, wanted: t.Dict[str, Replaced]) -> None:
        if wanted != self._originals or self._torn:
            self._torn = True  # until it is known to be on disk
            originals.save(wanted)
            self._originals, self._torn = wanted, False


def _new_id(newest: str) -> str:
    """An id that sorts after all others, even if the clock was set back."""
    now = time.time_ns() // 1000
    last = _microseconds(newest)
    now = max(now, last + 1)
    stamp = time.strftime(_STAMP, time.gmtime(now // 10**6))
    return f"{stamp}.{now % 10**6:06d}Z-{secrets.token_hex(2)}"


def _microseconds(run: str) -> int:
    try:
        stamp, _dot, rest = run.partition(".")
        when = datetime.datetime.strptime(stamp, _STAMP).replace(tzinfo=datetime.timezone.utc)
        return int(when.timestamp()) * 10**6 + int(rest[:6])
    except ValueError:
        return 0


def _prune(known: t.Sequence[str], kept: originals.Originals) -> t.Dict[str, Replaced]:
    """Prune the oldest runs.  What they left is kept with the originals, to detect what others did since.

    Returns the originals as they are afterwards.
    """
    old = known[: max(len(known) - store.KEPT + 1, 0)]
    left = dict(kept)
    for forgotten in map(store.load, old):
        for one in forgotten.replaced if forgotten.changed else ():
            name = originals.name_of(one.kind, one.name)
            if name in left and one.kind != entries.ORIGINAL:
                left[name] = replace(left[name], after=one.after)
    if left != kept:
        originals.save(left)
    for run in old:
        store.remove(run)
    return left
