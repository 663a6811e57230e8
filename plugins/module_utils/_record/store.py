# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Where records live, and how they are read.

``/var/lib/nettune-tcp/`` has ``originals.json`` and ``runs/ID/`` with ``run.json`` (who, when), ``journal`` (what was
replaced, a JSON line each, and how it ended) and ``files/`` (what replaced files held, named by their SHA-256).
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import os
import re
import shutil
import time
import typing as t
from collections import Counter
from dataclasses import dataclass

from .. import _files
from .._errors import MissingRight, NettuneError, from_os
from .._transaction import COMPLETED, RESTORED, Replaced
from . import entries

ROOT = "/var/lib/nettune-tcp"
KEPT = 50  # runs
KILLED = "killed"
_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{4}\Z")


@dataclass(frozen=True)
class Run:
    """One run as it was recorded.

    ``info`` is who and when. ``end`` is one of a transaction's, ``killed``, or empty until that is noticed.
    """

    id: str
    info: t.Mapping[str, t.Any]
    replaced: t.Tuple[Replaced, ...]
    end: str

    @property
    def changed(self) -> bool:
        """Whether any of its changes may be left on the host."""
        return bool(self.replaced) and self.end != RESTORED

    @property
    def is_cut_short(self) -> bool:
        """Whether it was killed, and has not been cleaned up yet."""
        return not self.end

    @property
    def label(self) -> str:
        """The caller's label for it."""
        return str(self.info.get("label") or "")

    @property
    def is_rollback(self) -> bool:
        """Whether it restored what other runs had replaced."""
        return self.info.get("module") == "rollback"

    @property
    def done(self) -> bool:
        """Whether it finished, so that everything has the state ``after``."""
        return self.end == COMPLETED


def runs_path() -> str:
    """The directory of all runs."""
    return f"{ROOT}/runs"


def run_path(run: str) -> str:
    """The directory of one run."""
    return f"{runs_path()}/{run}"


def content_path(directory: str, digest: str) -> str:
    """Where the content of a file is stored, by its digest, below the directory of a run or of the originals."""
    return f"{directory}/files/{digest}"


def is_id(text: str) -> bool:
    """Whether a text looks like the id of a run, and is therefore not a label."""
    return bool(_ID.match(text))


def ids() -> t.List[str]:
    """The recorded runs, oldest first, without what others keep beside them, such as copies.

    Raises MissingRight if they are not readable.
    """
    try:
        return sorted(filter(is_id, os.listdir(runs_path())))
    except FileNotFoundError:
        return []
    except PermissionError as exc:
        raise MissingRight(f"{runs_path()}: {exc.strerror}, root is needed", path=runs_path()) from exc
    except OSError as exc:
        raise from_os(exc, runs_path(), doing="cannot be listed") from exc


def runs() -> t.List[Run]:
    """All runs, oldest first."""
    return [load(one) for one in ids()]


def load(run: str) -> Run:
    """One run. Raises NettuneError if its record is damaged."""
    path = f"{run_path(run)}/journal"
    replaced: t.List[Replaced] = []
    end = ""
    for line in _lines(path):
        if "end" in line:
            end = str(line["end"])
        else:
            replaced.append(entries.decode(line, path))
    return Run(run, _info(run), tuple(replaced), end)


def _lines(path: str) -> t.Iterator[t.Dict[str, t.Any]]:
    """The lines of a journal except one that a kill has torn: what it would describe had not been done yet."""
    for line in (_files.read(path) or b"").split(b"\n")[:-1]:
        try:
            data = json.loads(line)
        except ValueError as exc:
            raise NettuneError(f"{path} is damaged ({exc}): repair or remove it", path=path) from exc
        yield data if isinstance(data, dict) else {}


def append(run: str, *lines: t.Mapping[str, t.Any]) -> None:
    """Append lines to a journal and sync them to disk; a line that a kill has torn is removed first.

    Raises NettuneError naming the journal, as when the disk is full.
    """
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    path = f"{run_path(run)}/journal"
    try:
        _append(path, text)
    except OSError as exc:
        raise from_os(exc, path, doing="cannot be written") from exc


def _append(path: str, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        whole = (_files.read(path) or b"").rfind(b"\n") + 1
        if whole != os.fstat(descriptor).st_size:
            os.ftruncate(descriptor, whole)
        while text:
            text = text[os.write(descriptor, text) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def tidy_up() -> None:
    """Note that the newest run was killed, and remove the temporary files that it has left."""
    newest = ids()[-1:]
    for run in map(load, newest):
        if run.is_cut_short:
            own = [ROOT, run_path(run.id)]
            beside = [f"{path}/{name}" for path in own for name in ("run.json", "files/content")]
            _files.tidy([*beside, *(one.name for one in run.replaced if one.kind == entries.FILE)])
            append(run.id, {"end": KILLED})


def _info(run: str) -> t.Mapping[str, t.Any]:
    try:
        data = json.loads(_files.read(f"{run_path(run)}/run.json") or b"{}")
    except ValueError:
        data = {}
    return data if isinstance(data, dict) else {}


def make(run: str) -> None:
    """Create the directory of a run, for root alone."""
    for path in (ROOT, runs_path(), run_path(run)):
        if not os.path.isdir(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.mkdir(path, 0o700)
            _sync(os.path.dirname(path))


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(run: str) -> None:
    """Remove a run."""
    shutil.rmtree(run_path(run), ignore_errors=True)


def latest() -> t.Optional[t.Dict[str, t.Any]]:
    """The newest run that changed something: its id, module and label, and how many seconds ago it was.

    None if there is none, or if records are not readable.
    """
    try:
        run = next((run for run in map(load, reversed(ids())) if run.changed), None)
    except MissingRight:
        return None
    if run is None:
        return None
    ago = max(0, int(time.time() - _time(run).timestamp()))
    return {"id": run.id, "module": run.info.get("module"), "label": run.info.get("label"), "seconds_ago": ago}


def _time(run: Run) -> datetime.datetime:
    """When a run began; by its id, which is ahead of the clock if that was set back, only if nothing else says so."""
    for text, form in ((run.info.get("time"), "%Y-%m-%dT%H:%M:%SZ"), (run.id.partition(".")[0], "%Y%m%dT%H%M%S")):
        with contextlib.suppress(ValueError):
            return datetime.datetime.strptime(str(text), form).replace(tzinfo=datetime.timezone.utc)
    return datetime.datetime.fromtimestamp(0, datetime.timezone.utc)


def as_facts(most: int) -> t.List[t.Dict[str, t.Any]]:
    """The newest runs, newest first, without file contents."""
    return [
        {
            "id": run.id,
            "end": run.end or KILLED,
            **{key: run.info.get(key) for key in ("module", "label", "time", "user", "boot_id", "undoes")},
            "replaced": dict(Counter(one.kind for one in run.replaced if one.kind != entries.ORIGINAL)),
        }
        for run in itertools.islice(reversed(runs()), most)
    ]
