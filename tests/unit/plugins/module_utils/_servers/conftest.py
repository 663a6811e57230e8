# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import difflib
import socket
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Adapter, Config, Listen

Files = t.Mapping[str, str]
NAMES = {
    "localhost": [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")],
    "four.example": [(socket.AF_INET, "192.0.2.4")],
    "twice.example": [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")],
}
Changes = t.List[str]


def config_of(files: Files) -> Config:
    """A configuration whose main file is the first one."""
    return Config(next(iter(files)), {path: text.encode() for path, text in files.items()})


def changed_lines(before: Config, replaced: t.Mapping[str, t.Optional[bytes]]) -> Changes:
    """The lines that an edit takes out and puts in, each behind its sign."""
    changes: Changes = []
    for path, content in replaced.items():
        old = before.files.get(path, b"").decode("latin-1").splitlines(keepends=True)
        new = (content or b"").decode("latin-1").splitlines(keepends=True)
        diff = list(difflib.unified_diff(old, new, n=0))[2:]
        changes += [line for line in diff if not line.startswith("@@")]
    return changes


def after(before: Config, replaced: t.Mapping[str, t.Optional[bytes]]) -> Config:
    """The configuration once the files are replaced."""
    files = {**before.files, **replaced}
    return Config(before.main, {path: content for path, content in files.items() if content is not None})


@pytest.fixture(autouse=True)
def fixture_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """These names and no others, whatever the machine knows."""

    def getaddrinfo(host: str, port: None, type: int, flags: int = 0) -> t.List[t.Tuple[t.Any, ...]]:  # noqa: A002
        assert (port, type, flags) in ((None, socket.SOCK_STREAM, 0), (None, socket.SOCK_STREAM, socket.AI_ADDRCONFIG))
        if host not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(family, type, 6, "", (address, 0)) for family, address in NAMES[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(name="edited")
def fixture_edited() -> t.Callable[[Adapter, Config, t.Mapping[Listen, int]], Changes]:
    """Edit, check that the result asks for just what was wanted and that a second edit changes nothing."""

    def edited(adapter: Adapter, config: Config, wanted: t.Mapping[Listen, int]) -> Changes:
        before = adapter.listens(config)
        replaced = adapter.edit(config, wanted)
        result = after(config, replaced)
        found = adapter.listens(result)
        assert [(one.family, one.address, one.port) for one in found] == [
            (one.family, one.address, one.port) for one in before
        ]
        asked = [wanted.get(one, one.asked) for one in before]
        assert [one.asked for one in found] == asked
        assert not adapter.edit(result, dict(zip(found, asked)))
        return changed_lines(config, replaced)

    return edited
