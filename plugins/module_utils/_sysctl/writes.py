# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Values written to the kernel, and read back."""

from __future__ import annotations

import typing as t

from .. import _transaction
from .._errors import KernelRefused
from .._kernel import proc_sys
from .._record import entries
from .._transaction import Replaced
from . import plan as planning

Texts = t.Mapping[str, str]


def steps(writes: Texts, before: Texts, netns: t.Optional[str] = None) -> _transaction.AnyOrder:
    """A step per key; which must come first, such as one end of a range, is up to the kernel.

    ``netns`` is the name of the network namespace in which to write, None for the host's.
    """
    where = {} if netns is None else {"netns": netns}
    return tuple(step(key, before[key], text, where) for key, text in writes.items())


def check(writes: Texts) -> None:
    """Raise KernelRefused if the kernel holds something else: a later write may have changed an earlier one."""
    for key, text in writes.items():
        _check(key, text)


def step(key: str, before: str, after: str, where: t.Mapping[str, str]) -> _transaction.Step:
    """The write as a step that fails if the kernel alters the value."""
    plain = proc_sys.step(key, before, after)

    def do() -> None:
        plain.do()
        _check(key, after)

    return _transaction.Step(plain.what, do, plain.undo, (Replaced(entries.SYSCTL, key, before, after, where),))


def _check(key: str, wanted: str) -> None:
    now = proc_sys.read(key)
    if now is None or planning.data(key, now) != planning.data(key, wanted):
        raise KernelRefused(f"the kernel accepted {key} = {wanted}, but turned it into {now}", key=key, value=wanted)
