# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets whose processes end, or pass them on, between the look and the call."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import host as hosts
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import running
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.sockets import Kernel
from ansible_collections.nettune.tcp.plugins.module_utils._errors import Gone, MissingRight
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import holders, pidfd
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.holders import Holder
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import Listener

OLD, MOVED, NEW = (Holder(pid, "haproxy", None, number) for pid, number in ((7, 5), (7, 9), (8, 5)))
PLACE = ("inet", "0.0.0.0", 80)


class Processes:
    """Holders as they are found, one at each look, of whom only the last is there when it is called."""

    def __init__(self, *found: Holder) -> None:
        self.found = list(found)
        self.listened: t.List[t.Tuple[Holder, int]] = []

    def find(self, inodes: t.Iterable[int], _names: t.Sequence[str] = ()) -> t.Dict[int, Holder]:
        return {inode: self.found.pop(0) if len(self.found) > 1 else self.found[0] for inode in inodes if self.found}

    def check(self, pid: int, number: int) -> Holder:
        there = [one for one in self.found[-1:] if (one.pid, one.descriptor) == (pid, number)]
        if not there or len(self.found) > 1:
            raise Gone(f"pid {pid} closed it")
        return there[0]

    def relisten(self, pid: int, number: int, _inode: int, backlog: int) -> None:
        self.listened.append((self.check(pid, number), backlog))

    @contextlib.contextmanager
    def duplicate(self, pid: int, number: int, _inode: int) -> t.Iterator[None]:
        self.check(pid, number)
        yield


@pytest.fixture(name="processes")
def fixture_processes(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Processes]:
    def processes(*found: Holder) -> Processes:
        made = Processes(*found)
        monkeypatch.setattr(holders, "find", made.find)
        monkeypatch.setattr(pidfd, "relisten", made.relisten)
        monkeypatch.setattr(pidfd, "duplicate", made.duplicate)
        monkeypatch.setattr("time.sleep", lambda _seconds: None)
        return made

    return processes


@pytest.mark.parametrize("others", [[OLD], [OLD, MOVED], [OLD, OLD, NEW], [MOVED, NEW]])
def test_listen_is_called_at_whoever_has_the_socket_now(
    processes: t.Callable[..., Processes], others: t.List[Holder]
) -> None:
    made = processes(*others)
    running.relisten(OLD, 11, 4096)
    assert made.listened == [(others[-1], 4096)]


def test_a_socket_that_nobody_has_any_more_is_said_to_be_gone(
    processes: t.Callable[..., Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", iter(range(100)).__next__)
    made = processes()
    with pytest.raises(Gone, match="pid 7 closed it"):
        running.relisten(OLD, 11, 4096)
    assert not made.listened


def look(monkeypatch: pytest.MonkeyPatch) -> hosts.Host:
    """What is seen of one socket that is short."""
    kernel = Kernel(4096, {PLACE: (Listener(*PLACE, 0, 128, 11, None, 0),)})
    monkeypatch.setattr(hosts, "kernel_of", lambda *_: kernel)
    given = {
        "server": "any",
        "backlog": 4096,
        "listen": ["80"],
        "config": None,
        "unit": None,
        "apply": "auto",
        "state": "present",
    }
    return hosts.look(parse_request(given))


def test_a_server_that_passes_its_sockets_on_is_looked_at_until_it_has(
    processes: t.Callable[..., Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes(OLD, MOVED, NEW, NEW)
    host = look(monkeypatch)
    assert (host.holders, host.blockers) == ({11: NEW}, {})


def test_one_that_never_ends_to_is_said_to(
    processes: t.Callable[..., Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", iter(range(100)).__next__)
    processes(*[OLD] * 10)
    host = look(monkeypatch)
    assert str(host.blockers[7]) == "pid 7 closed it"


@pytest.mark.parametrize("uid, kind", [(0, Gone), (1000, MissingRight)])
def test_a_socket_without_a_process_is_one_or_a_matter_of_rights(
    processes: t.Callable[..., Processes], monkeypatch: pytest.MonkeyPatch, uid: int, kind: t.Type[Exception]
) -> None:
    monkeypatch.setattr("time.monotonic", iter(range(100)).__next__)
    monkeypatch.setattr("os.geteuid", lambda: uid)
    processes()
    host = look(monkeypatch)
    assert isinstance(host.blocker(host.kernel.sockets[PLACE][0]), kind)


def test_what_no_second_look_helps_is_said_at_once(
    processes: t.Callable[..., Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = processes(*[OLD] * 3)

    def refuse(_pid: int, _number: int) -> Holder:
        raise MissingRight("no right")

    monkeypatch.setattr(made, "check", refuse)
    assert isinstance(look(monkeypatch).blockers[7], MissingRight)
    assert len(made.found) == 2
