# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts laid out as by other distributions, in a root directory of their own: what is found, and what is edited."""

from __future__ import annotations

import difflib
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _command
from ansible_collections.nettune.tcp.plugins.module_utils._boot import sysctl_d
from ansible_collections.nettune.tcp.plugins.module_utils._servers import table, unit
from ansible_collections.nettune.tcp.tests.integration import sandbox
from ansible_collections.nettune.tcp.tests.integration.layouts.families import FAMILIES, Family

SERVERS = [(family, server) for family, one in FAMILIES.items() for server in one.servers]
BACKLOG = 4096

Inside = t.Callable[[str, t.Callable[[], t.Any]], t.Any]


@pytest.fixture(name="inside")
def fixture_inside(top: Path, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """Call something where the root directory is that of a host of a family."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a root directory of its own")

    def inside(family: str, body: t.Callable[[], t.Any]) -> t.Any:
        # There is no program in that root, and lighttpd is asked for its version.
        monkeypatch.setattr(_command, "run", lambda *_words, **_rest: _command.Outcome(0, "lighttpd/1.4.76 (ssl)", ""))
        lay_out(FAMILIES[family], top)
        return sandbox.in_child(lambda: enter(top), body)

    return inside


def lay_out(family: Family, top: Path) -> None:
    """Make the files and links of a host below a directory."""
    for path, target in family.links.items():
        link = top / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    for path, text in family.files.items():
        file = top / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def enter(top: Path) -> None:
    """See nothing of this machine any more but its kernel."""
    sandbox.enter_fresh_host()
    (top / "proc").mkdir()
    subprocess.run(["mount", "-t", "proc", "proc", str(top / "proc")], check=True)
    os.chroot(top)
    os.chdir("/")


@pytest.mark.parametrize("family, name", SERVERS)
def test_what_a_server_listens_on_and_where_its_backlog_goes(family: str, name: str, inside: Inside) -> None:
    expected, adapter = FAMILIES[family].servers[name], table.BY_NAME[name].adapter

    def body() -> t.Tuple[t.FrozenSet[t.Tuple[str, int]], t.Dict[str, str]]:
        config = adapter.read(None, expected.unit)
        listens = adapter.listens(config)
        edits = adapter.edit(config, dict.fromkeys(listens, BACKLOG))
        return frozenset((one.address, one.port) for one in listens), first_lines(config.files, edits)

    assert inside(family, body) == (expected.listens, expected.edited)


def first_lines(before: t.Mapping[str, bytes], after: t.Mapping[str, t.Optional[bytes]]) -> t.Dict[str, str]:
    """The first line that each edit puts in, but for comments."""
    found = {}
    for path, content in after.items():
        old, new = ((text or b"").decode().splitlines() for text in (before.get(path), content))
        added = [line for line in difflib.ndiff(old, new) if line.startswith("+ ") and not line.startswith("+ #")]
        found[path] = added[0].replace("+ ", "+", 1)
    return found


@pytest.mark.parametrize("family, name", SERVERS)
def test_a_running_server_has_the_same_configuration(family: str, name: str, inside: Inside) -> None:
    expected, adapter = FAMILIES[family].servers[name], table.BY_NAME[name].adapter

    def body() -> t.Tuple[t.Set[str], t.Set[str]]:
        return (
            set(adapter.read(None, expected.unit).files),
            set(adapter.started(expected.command, expected.unit).files),
        )

    read, started = inside(family, body)
    assert started <= read
    assert set(expected.edited) & set(FAMILIES[family].files) <= started


@pytest.mark.parametrize("family, name", SERVERS)
def test_its_program_and_its_unit_are_known(family: str, name: str, inside: Inside) -> None:
    expected, server = FAMILIES[family].servers[name], table.BY_NAME[name]
    program = expected.command[0].partition("master process ")[2] or expected.command[0]
    assert os.path.basename(program.split()[0]) in server.processes
    assert inside(family, lambda: unit.usual(server.units)) == expected.unit


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_next_boot_gives(family: str, inside: Inside) -> None:
    expected = FAMILIES[family].boot

    def body() -> t.Dict[str, t.Tuple[t.Optional[str], t.Optional[str]]]:
        boot = sysctl_d.next_boot(sysctl_d.read_tree(), expected)
        return {key: (one.value, one.source) for key, one in boot.items()}

    assert inside(family, body) == expected
