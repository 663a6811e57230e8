# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Files and directories with all that belongs to them, as steps that record what they replace."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
import typing as t

from .. import _files
from .._transaction import Replaced, Step
from . import entries

# A file: sha256, mode, uid, gid and xattrs, which have ACLs and labels too.  A directory: the same without sha256.
State = t.Optional[t.Dict[str, t.Any]]

_MODE = 0o755  # of directories made here


def state_of(path: str) -> t.Tuple[State, t.Optional[bytes]]:
    """A file's state and content, both None where there is none."""
    content = _files.read(path)
    if content is None:
        return None, None
    return {"sha256": digest(content), **_attributes(path)}, content


def state_of_directory(path: str) -> State:
    """A directory's state, None where there is none."""
    return _attributes(path) if os.path.isdir(path) else None


def digest(content: bytes) -> str:
    """The name of a content."""
    return hashlib.sha256(content).hexdigest()


def steps(path: str, content: t.Optional[bytes], *, mode: int = 0o644) -> t.List[Step]:
    """Give ``path`` this content, or remove it for None; first make the directories that are not there."""
    real = os.path.realpath(path)
    missing = list(_missing(os.path.dirname(real))) if content is not None else []
    verb = "remove" if content is None else "write"
    return [*map(make_directory, reversed(missing)), _replacement(f"{verb} {path}", real, content, mode)]


def _missing(directory: str) -> t.Iterator[str]:
    while not os.path.isdir(directory):
        yield directory
        directory = os.path.dirname(directory)


def _replacement(what: str, path: str, content: t.Optional[bytes], mode: int) -> Step:
    before, old = state_of(path)
    after = None if content is None else {**(before or {"mode": mode}), "sha256": digest(content)}
    return Step(
        what,
        lambda: put(path, after, content),
        lambda: put(path, before, old),
        (Replaced(entries.FILE, path, before, after, content=old),),
    )


def put(path: str, state: State, content: t.Optional[bytes]) -> None:
    """Give a file its content and attributes, or remove it for None."""
    if state is None or content is None:
        _files.replace(path, None)
        return
    _files.replace(path, content, mode=state["mode"])
    wanted = {key: value for key, value in state.items() if key != "sha256"}
    if not entries.same(_attributes(path), wanted):
        _give_attributes(path, wanted)


def restoration(path: str, present: State, state: State, content: t.Callable[[], t.Optional[bytes]]) -> Step:
    """The step back to a recorded state; the other way it puts back what is there now."""
    now = state_of(path)[1]
    verb = "remove" if state is None else "put back"
    return Step(
        f"{verb} {path}",
        lambda: put(path, state, content()),
        lambda: put(path, present, now),
        (Replaced(entries.FILE, path, present, state, content=now),),
    )


def make_directory(path: str, state: State = None) -> Step:
    """Make a directory, with these attributes where there are any."""
    return Step(
        f"make {path}",
        lambda: _make(path, state),
        lambda: _remove_empty(path),
        (Replaced(entries.DIRECTORY, path, None, state or {"mode": _MODE}),),
    )


def remove_directory(path: str) -> Step:
    """Remove a directory, unless there is anything in it."""
    before = state_of_directory(path)
    return Step(
        f"remove {path}",
        lambda: _remove_empty(path),
        lambda: _make(path, before),
        (Replaced(entries.DIRECTORY, path, before, None),),
    )


def _make(path: str, state: State) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(path)
    if state is None:
        os.chmod(path, _MODE)  # whatever the umask
    else:
        _give_attributes(path, state)


def _remove_empty(path: str) -> None:
    if os.path.isdir(path) and not os.listdir(path):
        os.rmdir(path)


def _attributes(path: str) -> t.Dict[str, t.Any]:
    status = os.stat(path)
    return {
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "xattrs": {name: base64.b64encode(os.getxattr(path, name)).decode() for name in sorted(_names(path))},
    }


def _names(path: str) -> t.List[str]:
    try:
        return os.listxattr(path)
    except OSError:  # a file system that has none
        return []


def _give_attributes(path: str, state: t.Mapping[str, t.Any]) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        if "uid" in state:
            os.fchown(descriptor, state["uid"], state["gid"])
        os.fchmod(descriptor, state["mode"])
        for name in set(os.listxattr(descriptor)) - set(state["xattrs"]) if state.get("xattrs") is not None else ():
            with contextlib.suppress(OSError):
                os.removexattr(descriptor, name)
        for name, value in state.get("xattrs", {}).items():
            os.setxattr(descriptor, name, base64.b64decode(value))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
