# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Files and directories with their attributes, as steps that record what they replace."""

from __future__ import annotations

import base64
import hashlib
import os
import typing as t
from dataclasses import replace

from .. import _files
from .._files import Attributes
from .._transaction import Replaced, Step
from . import entries

# A file: sha256, mode, uid, gid and xattrs, which include ACLs and labels.  A directory: the same without sha256.
State = t.Optional[t.Dict[str, t.Any]]

_MODE = 0o755  # of directories created here


def state_of(path: str) -> t.Tuple[State, t.Optional[bytes]]:
    """A file's state and content, both None if there is none."""
    content, attributes = _files.look(path)
    if content is None or attributes is None:
        return None, None
    return {"sha256": digest(content), **_as_data(attributes)}, content


def state_of_directory(path: str) -> State:
    """A directory's state, None if there is none."""
    return _as_data(_files.attributes_of(path)) if os.path.isdir(path) else None


def digest(content: bytes) -> str:
    """The name of a content."""
    return hashlib.sha256(content).hexdigest()


def steps(path: str, content: t.Optional[bytes], *, mode: int = 0o644, was: _files.Was = _files.UNREAD) -> t.List[Step]:
    """Give ``path`` this content, or remove it for None; first create missing directories.

    Raises Changed if the file is not what it ``was`` when the content was derived from it.
    """
    real = _files.located(path)
    missing = list(_missing(os.path.dirname(real))) if content is not None else []
    verb = "remove" if content is None else "write"
    return [*map(make_directory, reversed(missing)), _replacement(f"{verb} {path}", real, content, mode, was)]


def _missing(directory: str) -> t.Iterator[str]:
    while not os.path.isdir(directory):
        yield directory
        directory = os.path.dirname(directory)


def _replacement(what: str, path: str, content: t.Optional[bytes], mode: int, was: _files.Was) -> Step:
    before, old = state_of(path)
    after = None if content is None else {**(before or {"mode": mode}), "sha256": digest(content)}
    step = _files.step(path, content, mode=mode, was=old if was is _files.UNREAD else was)
    return replace(step, what=what, replaces=(Replaced(entries.FILE, path, before, after, content=old),))


def restoration(path: str, present: State, state: State, content: t.Callable[[], t.Optional[bytes]]) -> Step:
    """The step back to a recorded state; undoing it restores the present state."""
    now = state_of(path)[1]
    begun: t.List[Step] = []

    def do() -> None:
        wanted = _attributes(state)
        begun.append(_files.step(path, None if state is None else content(), attributes=wanted, was=now))
        begun[-1].do()

    def undo() -> None:
        for step in begun:
            step.undo()

    verb = "remove" if state is None else "restore"
    return Step(f"{verb} {path}", do, undo, (Replaced(entries.FILE, path, present, state, content=now),))


def make_directory(path: str, state: State = None) -> Step:
    """Create a directory, with these attributes if given."""
    return Step(
        f"make {path}",
        lambda: _files.make_directory(path, _attributes(state)),
        lambda: _files.remove_directory(path),
        (Replaced(entries.DIRECTORY, path, None, state or {"mode": _MODE}),),
    )


def remove_directory(path: str) -> Step:
    """Remove a directory, unless there is anything in it."""
    before = state_of_directory(path)
    return Step(
        f"remove {path}",
        lambda: _files.remove_directory(path),
        lambda: _files.make_directory(path, _attributes(before)),
        (Replaced(entries.DIRECTORY, path, before, None),),
    )


def _as_data(attributes: Attributes) -> t.Dict[str, t.Any]:
    xattrs = {name: base64.b64encode(value).decode() for name, value in sorted(attributes.extended.items())}
    return {"mode": attributes.mode, "uid": attributes.uid, "gid": attributes.gid, "xattrs": xattrs}


def _attributes(state: State) -> t.Optional[Attributes]:
    """The attributes in a recorded state; what it lacks defaults to what root's files are created with."""
    if state is None:
        return None
    xattrs = {name: base64.b64decode(value) for name, value in state.get("xattrs", {}).items()}
    return Attributes(state["mode"], state.get("uid", 0), state.get("gid", 0), xattrs)
