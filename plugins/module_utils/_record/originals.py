# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What each object was before it was first changed here, until it is restored. Never pruned."""

from __future__ import annotations

import json
import os
import typing as t

from .. import _files
from .._errors import NettuneError
from .._transaction import Replaced, Step, nothing
from . import entries, store

Originals = t.Mapping[str, Replaced]

# Where only the values of sysctls were kept, before runs were recorded.
_FORMER = "sysctl-originals.json"


def path() -> str:
    """The file."""
    return f"{store.ROOT}/originals.json"


def name_of(kind: str, name: str) -> str:
    """The key of an original: not a single process or socket, which come and go, but its unit or endpoint."""
    return f"{kind} {name}"


def load() -> t.Dict[str, Replaced]:
    """The originals, in the order in which they were recorded; none without root, which changes nothing.

    Raises NettuneError for an unreadable record: it is never silently dropped.
    """
    if os.geteuid() != 0:
        return {}
    former = _read(f"{store.ROOT}/{_FORMER}")
    originals = {
        name_of(entries.SYSCTL, key): Replaced(entries.SYSCTL, key, text, None) for key, text in sorted(former.items())
    }
    for name, data in _read(path()).items():
        originals[name] = entries.decode(data, path())
    return originals


def _read(file: str) -> t.Dict[str, t.Any]:
    content = _files.read(file)
    if content is None:
        return {}
    try:
        return dict(json.loads(content)["originals"].items())
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise NettuneError(f"{file} is damaged ({exc!r}): repair or remove it", path=file) from exc


def save(originals: Originals) -> None:
    """Replace them all; if there are none, there is no file."""
    data = {"originals": {name: entries.encode(one) for name, one in originals.items()}}
    content = json.dumps(data, indent=1).encode() + b"\n" if originals else None
    for one in originals.values():
        if one.content is not None:
            save_content(store.ROOT, one)
    _files.replace(path(), content, mode=0o600)
    _forget_contents({one.before["sha256"] for one in originals.values() if one.kind == entries.FILE and one.before})
    former = f"{store.ROOT}/{_FORMER}"
    if os.path.exists(former):
        _files.replace(former, None)


def _forget_contents(needed: t.Container[str]) -> None:
    directory = os.path.dirname(store.content_path(store.ROOT, ""))
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        if name not in needed:
            os.unlink(f"{directory}/{name}")


def save_content(directory: str, one: Replaced) -> None:
    """Keep a file's content, unless it is already kept."""
    file = store.content_path(directory, one.before["sha256"])
    if one.content is not None and not os.path.exists(file):
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        _files.replace(file, one.content, mode=0o600)


def sysctls(originals: Originals) -> t.Dict[str, str]:
    """The texts of sysctls, by key."""
    return {one.name: str(one.before) for one in originals.values() if one.kind == entries.SYSCTL}


def left(name: str) -> t.Tuple[t.Any, ...]:
    """The states in which pruned runs have left an object, empty if unknown."""
    one = load().get(name)
    return (one.after,) if one and one.after not in (None, one.before) else ()


def step(changes: t.Mapping[str, t.Optional[Replaced]]) -> Step:
    """Record originals by name, or drop those that are None: the journal does it, as it begins the step."""
    known = load()
    new = {name: one for name, one in changes.items() if known.get(name) != one}
    return Step(
        f"record originals in {path()}",
        nothing,
        nothing,
        tuple(replaced(name, known.get(name), one) for name, one in new.items()),
    )


def replaced(name: str, before: t.Optional[Replaced], after: t.Optional[Replaced]) -> Replaced:
    """The entry of a journal for a change of originals."""
    old, new = (None if one is None else entries.encode(one) for one in (before, after))
    return Replaced(entries.ORIGINAL, name, old, new)
