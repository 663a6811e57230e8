# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every place that has to know all servers knows them; what is not derived from the table is held against it here."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.module_utils._servers import table
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Server

COLLECTION = Path(__file__).resolve().parents[5]
SERVERS = tuple(table.BY_NAME.values())
RUNNING = tuple(server for server in SERVERS if server.processes)  # those that are known by their program

Words = t.Callable[[Server], t.Iterable[str]]


def text(path: str) -> t.Callable[[], str]:
    """A whole file."""
    return lambda: (COLLECTION / path).read_text(encoding="utf-8")


def documentation(module: str, block: str, *names: str) -> t.Callable[[], str]:
    """A part of what a module says of itself."""

    def read() -> str:
        found = re.search(
            rf'^{block} = r"""\n(.*?)^"""$', text(f"plugins/modules/{module}.py")(), re.MULTILINE | re.DOTALL
        )
        return part(yaml.safe_load(found[1] if found else ""), *names)

    return read


def role(*names: str) -> t.Callable[[], str]:
    """A part of the role's argument specs."""
    return lambda: part(yaml.safe_load(text("roles/tcp_tuning/meta/argument_specs.yml")()), *names)


def rule(policy: str, name: str) -> t.Callable[[], str]:
    """A rule of a policy."""

    def read() -> str:
        rules = yaml.safe_load(text(f"roles/tcp_audit/policies/{policy}.yml")())["rules"]
        return str(next(one for one in rules if one["id"] == name))

    return read


def part(data: t.Any, *names: str) -> str:
    for name in names:
        data = data[name]
    return str(data)


def name(server: Server) -> t.Iterable[str]:
    return (server.name,)


def programs(server: Server) -> t.Iterable[str]:
    return server.processes


def units(server: Server) -> t.Iterable[str]:
    return server.units


PLACES: t.Dict[str, t.Tuple[t.Callable[[], str], Words, t.Sequence[Server]]] = {
    "choices of listen_backlog": (
        documentation("listen_backlog", "DOCUMENTATION", "options", "server", "choices"),
        name,
        SERVERS,
    ),
    "what listen_backlog does": (
        documentation("listen_backlog", "DOCUMENTATION", "options", "server", "description"),
        lambda server: (f"V({server.name})",),
        SERVERS,
    ),
    "units of listen_backlog": (
        documentation("listen_backlog", "DOCUMENTATION", "options", "unit", "description"),
        units,
        SERVERS,
    ),
    "choices of tuning": (
        documentation("tuning", "DOCUMENTATION", "options", "backlogs", "suboptions", "server", "choices"),
        name,
        SERVERS,
    ),
    "auto of tuning": (
        documentation("tuning", "DOCUMENTATION", "options", "backlogs", "suboptions", "server", "description"),
        name,
        RUNNING,
    ),
    "facts": (
        documentation("tcp_facts", "RETURN", "ansible_facts", "contains", "tcp", "contains", "servers", "description"),
        name,
        RUNNING,
    ),
    "options of the role": (
        role("argument_specs", "main", "options", "tcp_tuning_backlogs", "description"),
        name,
        RUNNING,
    ),
    "variables of the role": (text("roles/tcp_tuning/defaults/main.yml"), name, RUNNING),
    "rule open-files": (rule("baseline", "open-files"), programs, RUNNING),
    "README": (text("README.md"), name, RUNNING),
    "unit tests of command lines": (text("tests/unit/plugins/module_utils/_servers/test_started.py"), name, RUNNING),
    "unit tests of settings": (text("tests/unit/plugins/module_utils/_servers/test_settings.py"), name, RUNNING),
    "tests with each server": (text("tests/integration/backlog/servers.py"), name, RUNNING),
    "image of the lab": (text("tests/lab/image.toml"), lambda server: server.units[:1], RUNNING),
    "servers of the scenarios": (text("molecule/common/tasks/servers.yml"), lambda server: server.units[:1], RUNNING),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_place_lacks_a_server(place: str) -> None:
    read, words, servers = PLACES[place]
    there = read().lower()
    assert {server.name: word for server in servers for word in words(server) if word.lower() not in there} == {}


@pytest.mark.parametrize("server", SERVERS, ids=name)
def test_a_row_has_its_adapter_and_tests_of_its_own(server: Server) -> None:
    here = Path(__file__).parent
    assert server.adapter.relisten.tested
    assert (here / server.name / "test_adapter.py").exists() or (here / f"test_{server.name}.py").exists()


def test_no_two_servers_have_a_name_or_a_program_in_common() -> None:
    assert len(table.BY_NAME) == len(SERVERS)
    names = [program for server in SERVERS for program in server.processes]
    assert len(names) == len(set(names))
