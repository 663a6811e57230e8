# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What a server's configuration and queues were before they were first managed, as recorded on the host."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .. import _files
from .._record import entries, fold, originals, store
from .._record import files as recorded
from .._record.fold import Thing
from .._transaction import Step
from .host import Files, Host, endpoint_of, with_files
from .plan import Original
from .sockets import Endpoint


@dataclass(frozen=True)
class Recorded:
    """The originals of a server.

    ``files`` are those that can be restored as they were, since nobody else has changed them, and ``all_files`` the
    contents of all of them. ``directories`` were created for files among them.
    """

    endpoints: t.Mapping[Endpoint, Original]
    files: Files
    all_files: Files
    directories: t.FrozenSet[str] = frozenset()

    def removals(self, files: Files) -> t.List[Step]:
        """Directories that are empty when these files are gone."""
        gone = {os.path.dirname(path) for path, content in files.items() if content is None}
        return [recorded.remove_directory(path) for path in sorted(gone & self.directories)]


def of(host: Host) -> Recorded:
    """What is recorded about the server's configuration and the managed endpoints."""
    known = originals.load()
    things = fold.to_originals(known, [run for run in store.runs() if run.changed], store.run_path, store.ROOT)
    paths = {os.path.realpath(path): path for path in (host.config.files if host.config else ())}
    files = [(paths[one.name], one) for one in things if one.kind == entries.FILE and one.name in paths]
    contents = {path: _content(one) for path, one in files}
    return Recorded(
        endpoints=_endpoints(host, contents, things),
        files={path: contents[path] for path, one in files if one.is_ours(recorded.state_of(one.name)[0])},
        all_files=contents,
        directories=frozenset(one.name for one in things if one.kind == entries.DIRECTORY and one.before is None),
    )


def _content(thing: Thing) -> t.Optional[bytes]:
    if thing.before is None:
        return None
    return _files.read(store.content_path(thing.contents, thing.before["sha256"]))


def _endpoints(host: Host, contents: Files, things: t.Iterable[Thing]) -> t.Dict[Endpoint, Original]:
    queues: t.Dict[Endpoint, int] = {}
    for thing in things:
        if thing.kind == entries.BACKLOG and "inode" in thing.where:
            family, address, port = thing.where["endpoint"]
            queues.setdefault((family, address, port), int(thing.before))
    asked = _asked(host, contents)
    return {
        endpoint: Original(asked.get(endpoint, ()), queues.get(endpoint))
        for endpoint in host.endpoints
        if endpoint in queues or endpoint in asked
    }


def _asked(host: Host, contents: Files) -> t.Dict[Endpoint, t.Tuple[int, ...]]:
    """The numbers in the original configuration, if any of its files is recorded."""
    server, config = host.request.server, with_files(host.config, contents)
    if server is None or config is None or not contents:
        return {}
    numbers: t.Dict[Endpoint, t.Tuple[int, ...]] = {}
    for listen in server.adapter.listens(config):
        numbers[endpoint_of(listen)] = (*numbers.get(endpoint_of(listen), ()), listen.asked)
    return numbers
