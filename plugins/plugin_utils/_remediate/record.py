# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The record of a run: every host with its outcome, every batch with its verdict, as a JSON file.

``{"run", "started", "finished", "verdict", "why", "fleet", "budget", "batches": [{"name", "hosts", "controls",
"verdict", "why", "numbers", "done"}], "hosts": [{"name", "state", "why", "changes", "batch", "run"}]}``.  A verdict is
pass, fail, inconclusive, or running; one that stays running means that the controller died.
"""

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .errors import RemediateError
from .survey import Host

RUNNING = "running"


@dataclass(frozen=True)
class Batch:
    """One batch; ``numbers`` are those behind the verdict, ``done`` is what was done as a result."""

    name: str
    hosts: t.Tuple[str, ...]
    controls: t.Tuple[str, ...] = ()
    verdict: str = ""
    why: str = ""
    numbers: t.Mapping[str, t.Any] = field(default_factory=dict)
    done: str = ""


@dataclass(frozen=True)
class Record:
    """A run so far; times are ISO 8601 in UTC."""

    run: str
    started: str
    fleet: int
    budget: int
    hosts: t.Mapping[str, Host]
    batches: t.Tuple[Batch, ...] = ()
    verdict: str = RUNNING
    why: str = ""
    finished: t.Optional[str] = None

    def with_hosts(self, *hosts: Host) -> Record:
        """The record with these hosts updated."""
        return replace(self, hosts={**self.hosts, **{host.name: host for host in hosts}})

    def with_batch(self, number: int, batch: Batch) -> Record:
        """The record with this batch replaced, by number."""
        return replace(self, batches=(*self.batches[:number], batch, *self.batches[number + 1 :]))

    def in_state(self, *states: str) -> t.List[Host]:
        """The hosts in one of these states."""
        return [host for host in self.hosts.values() if host.state in states]


def path(directory: Path, run: str) -> Path:
    """Where the record of the run is."""
    return directory / f"{run}.json"


def save(directory: Path, record: Record) -> None:
    """Write it, completely or not at all. Raises RemediateError."""
    data = {**asdict(record), "hosts": [asdict(host) for host in record.hosts.values()]}
    target = path(directory, record.run)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=directory, prefix=f".{target.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(data, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, target)
    except OSError as exc:
        raise RemediateError(f"the record of the run cannot be written: {exc}") from exc


def load(directory: Path, run: str) -> Record:
    """Read what :func:`save` has written.  Raises RemediateError."""
    try:
        data = json.loads(path(directory, run).read_text(encoding="utf-8"))
        hosts = {one["name"]: Host(**{**one, "changes": tuple(one["changes"])}) for one in data.pop("hosts")}
        batches = tuple(
            Batch(**{**one, "hosts": tuple(one["hosts"]), "controls": tuple(one["controls"])})
            for one in data.pop("batches")
        )
        return Record(**data, hosts=hosts, batches=batches)
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise RemediateError(f"the record of the run cannot be read: {exc!r}") from exc


def unfinished(directory: Path) -> str:
    """The newest run of the directory if it never finished: it is still running, or its controller died."""
    newest = max((found.stem for found in directory.glob("remediate-*.json")), default="")
    try:
        return newest if newest and load(directory, newest).verdict == RUNNING else ""
    except RemediateError:
        return ""
