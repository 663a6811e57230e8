# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every system call of every changing module fails, or is the last: nothing is half done, the next run does it all."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.tests.integration.faults import hosts
from ansible_collections.nettune.tcp.tests.integration.faults.calls import (
    CHANGES,
    DENIALS,
    READS,
    Calls,
    Hit,
    intercepted,
)

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

HOSTS = {host.name: host for host in (hosts.Sysctl, hosts.SysctlAbsent, hosts.ListenBacklog, hosts.NoFile)}


class Cases:
    """All that happens to one host."""

    def __init__(self, host: hosts.Host) -> None:
        self.host = host
        self.start = host.state()
        host.run()
        self.goal = host.state()
        assert self.goal != self.start
        assert not host.run()["changed"]
        self.wrong: t.List[str] = []
        self.count = 0

    def failing(self, kind: str) -> None:
        """Each call fails, in turn and in every way: all is taken back, or nothing was to be taken back."""
        for number, place in self._numbers(kind):
            for error in DENIALS[kind]:
                hit = Hit(number, error)
                self._begin()
                calls = Calls(kind, hit)
                failure, told = "", []
                try:
                    with intercepted(calls):
                        told = self.host.run()["warnings"]
                except (NettuneError, OSError) as exc:
                    failure = str(exc) or "no message"
                    self._check(not getattr(exc, "details", {}).get("not_restored"), hit, place, f"not restored: {exc}")
                now = self.host.state()
                right = now == self.start if failure else now == self.goal or bool(told)
                self._check(right, hit, place, f"half done, without a word: {failure}")
                self._check(not self.host.temporary(), hit, place, f"left {self.host.temporary()}")
                self._finish(hit, place)

    def killed(self) -> None:
        """The run ends before each call that changes something, and after it."""
        for number, place in self._numbers(CHANGES):
            for after in (False, True):
                hit = Hit(number, after=after)
                self._begin()
                pid = os.fork()
                if pid == 0:
                    try:
                        with intercepted(Calls(CHANGES, hit)):
                            self.host.run()
                    finally:
                        os._exit(1)
                _pid, status = os.waitpid(pid, 0)
                self._check(os.WIFSIGNALED(status), hit, place, "was not killed")
                now = self.host.state()
                known = all(now.get(key) in (self.start.get(key), self.goal.get(key)) for key in {*now, *self.start})
                temporary = self.host.temporary()
                self._check(known or bool(temporary), hit, place, "a file is neither old nor new")
                self._finish(hit, place)
                self._check(not self.host.temporary(), hit, place, f"left {self.host.temporary()}")

    def _numbers(self, kind: str) -> t.List[t.Tuple[int, t.Any]]:
        self._begin()
        calls = Calls(kind)
        with intercepted(calls):
            self.host.run()
        numbers = range(len(calls.places)) if kind == CHANGES else calls.first_of_each_place()
        return [(number, calls.places[number]) for number in numbers]

    def _begin(self) -> None:
        self.host.reset()
        self.count += 1

    def _finish(self, hit: Hit, place: t.Any) -> None:
        """The next run reaches the goal; where nothing at all was touched, that has been seen before."""
        if self.host.is_untouched():
            return
        try:
            self.host.run()
            now = self.host.state()
        except Exception as exc:  # noqa: BLE001 - all cases are tried
            self._check(False, hit, place, f"the next run fails: {exc}")
        else:
            self._check(now == self.goal, hit, place, f"the next run does not finish: {_difference(now, self.goal)}")

    def _check(self, right: bool, hit: Hit, place: t.Any, message: str) -> None:
        if not right:
            self.wrong.append(
                f"{hit}: {place[0]} in {' < '.join(f'{file}:{line}' for file, line in place[1][:9])}: {message}"
            )


def _difference(one: hosts.State, other: hosts.State) -> t.Dict[str, t.Any]:
    return {key: (one.get(key), other.get(key)) for key in {*one, *other} if one.get(key) != other.get(key)}


WHAT: t.Mapping[str, t.Callable[[Cases], None]] = {
    "changes fail": lambda cases: cases.failing(CHANGES),
    "killed": Cases.killed,
    "reads fail": lambda cases: cases.failing(READS),
}


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("name", HOSTS)
def test_every_call(
    name: str, what: str, on_fresh_host: Sandbox, record_testsuite_property: t.Callable[[str, object], None]
) -> None:
    def body() -> t.Tuple[int, t.List[str]]:
        hosts.own_places()
        host = HOSTS[name]()
        try:
            cases = Cases(host)
            WHAT[what](cases)
        finally:
            host.end()
        return cases.count, cases.wrong

    count, wrong = on_fresh_host(body)
    record_testsuite_property(f"cases: {name}, {what}", count)
    print(f"{name}, {what}: {count} cases, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
