# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Rolling back running values of sysctls, and kernel modules."""

from __future__ import annotations

import functools
import os
import typing as t
from dataclasses import replace

from .._errors import BadRequest
from .._kernel import netns, proc_sys
from .._record import entries
from .._record.fold import ANYTHING, Thing
from .._sysctl import modules, writes
from .._sysctl.plan import data, data_text
from .._transaction import Replaced, Step
from .item import BACK, STAYS, Item, judge

_Answer = t.TypeVar("_Answer")


def sysctl(thing: Thing) -> Item:
    """One key, in the namespace where it was set."""
    key, namespace = thing.name, thing.where.get("netns")
    try:
        present = _inside(namespace, lambda: proc_sys.read(key))
    except BadRequest as exc:
        return _gone(thing, str(exc))
    if present is None:
        return _gone(thing, "the key no longer exists")
    spelled = replace(thing, before=_spelled(key, thing.before), left=tuple(_spelled(key, one) for one in thing.left))
    step = writes.step(key, present, thing.before, thing.where)
    if namespace:
        step = replace(step, do=_call_inside(namespace, step.do), undo=_call_inside(namespace, step.undo))
    return Item(
        thing.kind,
        key,
        judge(spelled, data_text(key, present)),
        data(key, present),
        data(key, thing.before),
        lambda: data(key, _inside(namespace, lambda: proc_sys.read(key))),
        step,
        data(key, thing.left[0]),
        data(key, thing.foreign[-1]) if thing.foreign else None,
    )


def _spelled(key: str, text: str) -> str:
    return text if text == ANYTHING else data_text(key, text)


def _gone(thing: Thing, reason: str) -> Item:
    return Item(thing.kind, thing.name, BACK, None, None, lambda: None, reason=reason)


def _inside(namespace: t.Optional[str], body: t.Callable[[], _Answer]) -> _Answer:
    return netns.run_in(namespace, body) if namespace else body()


def _call_inside(namespace: str, body: t.Callable[[], None]) -> t.Callable[[], None]:
    return functools.partial(netns.run_in, namespace, body)


def module(thing: Thing) -> Item:
    """A kernel module; one that is in use stays loaded."""
    name, present = thing.name, modules.loaded(thing.name)
    words = {True: "loaded", False: "not loaded"}
    item = Item(
        thing.kind,
        name,
        judge(thing, present),
        words[present],
        words[bool(thing.before)],
        lambda: words[modules.loaded(name)],
        Step(
            f"{'load' if thing.before else 'unload'} module {name}",
            lambda: _load(name, bool(thing.before)),
            lambda: _load(name, present),
            (Replaced(entries.MODULE, name, present, bool(thing.before)),),
        ),
    )
    if present and not thing.before and _used(name):
        return replace(item, state=STAYS, goal=item.present, reason="it is in use now, so it cannot be unloaded")
    return item


def _load(name: str, wanted: bool) -> None:
    if wanted != modules.loaded(name):
        (modules.load if wanted else modules.unload)(name)


def _used(name: str, root: str = "/sys/module") -> bool:
    try:
        with open(os.path.join(root, name, "refcnt"), encoding="ascii") as stream:
            return stream.read().strip() != "0"
    except OSError:  # a part of the kernel
        return True
