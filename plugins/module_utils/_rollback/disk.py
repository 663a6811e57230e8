# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Rolling back files and directories."""

from __future__ import annotations

import functools
import os
import typing as t
from dataclasses import replace

from .. import _files
from .._errors import NettuneError
from .._record import entries, store
from .._record import files as recorded
from .._record.fold import Thing
from .item import CHANGED, STAYS, Item, judge

_SHORT = 12  # digits of a digest


def file(thing: Thing) -> Item:
    """One file with its owner, mode, ACLs and labels, or its absence."""
    path = thing.name
    present, now = recorded.state_of(path)
    content = functools.partial(_content, thing)
    state = judge(thing, present)
    return Item(
        thing.kind,
        path,
        state,
        _text(present),
        _text(thing.before),
        lambda: _text(recorded.state_of(path)[0]),
        recorded.restoration(path, present, thing.before, content),
        _text(thing.left[0]),
        (_text(thing.foreign[-1]) or "absent") if thing.foreign else None,
        diff=_difference(path, now, content()) if state == CHANGED else None,
    )


def _content(thing: Thing) -> t.Optional[bytes]:
    if thing.before is None:
        return None
    path = store.content_path(thing.contents, thing.before["sha256"])
    content = _files.read(path)
    if content is None:
        raise NettuneError(f"{path}, the recorded content of {thing.name}, is gone", path=path)
    return content


def _text(state: recorded.State) -> t.Optional[str]:
    """A state in a few words: digest, mode and owner."""
    if state is None:
        return None
    words = [f"sha256 {state['sha256'][:_SHORT]}" if "sha256" in state else "a directory"]
    words += [f"mode {state['mode']:o}"] if "mode" in state else []
    owner = [f"owner {state['uid']}:{state['gid']}"] if "uid" in state else []
    names = [f"with {', '.join(state['xattrs'])}"] if state.get("xattrs") else []
    return ", ".join([*words, *owner, *names])


def _difference(path: str, now: t.Optional[bytes], then: t.Optional[bytes]) -> t.Dict[str, str]:
    before, after = ((content or b"").decode("utf-8", "replace") for content in (now, then))
    return {
        "before_header": f"{path}, now",
        "after_header": f"{path}, after the rollback",
        "before": before,
        "after": after,
    }


def directory(thing: Thing, leaving: t.Container[str]) -> Item:
    """A directory that was created or removed; ``leaving`` are the files to remove, and it stays if more is in it."""
    path = thing.name
    present = recorded.state_of_directory(path)
    step = recorded.remove_directory(path) if thing.before is None else recorded.make_directory(path, thing.before)
    item = Item(
        thing.kind,
        path,
        judge(thing, present),
        _text(present),
        _text(thing.before),
        lambda: _text(recorded.state_of_directory(path)),
        step,
        _text(thing.left[0]),
    )
    others = [] if present is None else [name for name in os.listdir(path) if f"{path}/{name}" not in leaving]
    if thing.before is None and others:
        return replace(
            item, state=STAYS, goal=item.present, reason=f"it is kept because of {', '.join(sorted(others)[:3])}"
        )
    return item


def is_units(kind: str, path: str) -> bool:
    """Whether systemd must be told that this has changed."""
    return kind in (entries.FILE, entries.DIRECTORY) and path.startswith(("/etc/systemd/system/", "/run/systemd/"))
