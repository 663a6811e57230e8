# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at any system call that changes something can be rolled back, and so can a killed rollback."""

from __future__ import annotations

import itertools
import pathlib
import platform
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._record import originals, store
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import Nginx
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import RESERVED, put, runtime
from ansible_collections.nettune.tcp.tests.integration.sysctl.killed import kill_at_change
from ansible_collections.nettune.tcp.tests.integration.tuning.hosts import everything, rollback, tuning
from ansible_collections.nettune.tcp.tests.integration.tuning.test_tuning import HTTP, backlogs, site

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls have other numbers here")


Asked = t.Dict[str, t.Any]


class Case(t.NamedTuple):
    """What precedes each kill, what is killed, and what finishes it and leaves the host ``tuned`` or as it was."""

    before: t.Callable[[Asked], object]
    killed: t.Callable[[Asked], object]
    finish: t.Callable[[Asked], t.Dict[str, t.Any]]
    tuned: bool = False


def tune(asked: Asked) -> t.Dict[str, t.Any]:
    return tuning(**asked)


CASES = {
    "a run that is rolled back": Case(lambda _asked: None, tune, lambda _asked: rollback("original")),
    "a rollback that the next one finishes": Case(
        tune, lambda _asked: rollback("last"), lambda _asked: rollback("last")
    ),
    "a run that the next one finishes": Case(lambda _asked: rollback("original"), tune, tune, tuned=True),
}


@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_change(
    name: str, on_fresh_host: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]

    def body() -> int:
        site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            asked = backlogs(nginx, label="killed")
            pristine = everything(tmp_path)
            if case.tuned:
                tune(asked)
            goal = everything(tmp_path)
            case.before(asked)
            start = everything(tmp_path)
            for call in itertools.count(1):
                if not kill_at_change(call, lambda: case.killed(asked)):
                    return call
                case.finish(asked)
                assert everything(tmp_path) == goal, call
                assert not case.finish(asked)["changed"], call
                assert (originals.load() == {}) is (goal == pristine), call
                case.before(asked)
                assert everything(tmp_path) == start, call
        return 0

    _tell(capsys, name, on_fresh_host(body))


def test_a_set_of_ports_that_was_cut_short_is_our_own(
    on_fresh_host: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kernel takes a page at a time, so that there are states between the former set and the new one."""
    former, wanted = (",".join(map(str, range(start, start + 3200, 2))) for start in (10001, 30001))

    def body() -> int:
        store.KEPT = 1000  # forgetting runs takes calls, too, and another number of them each time
        put(RESERVED, former)
        seen: t.Set[str] = set()
        for call in itertools.count(1):
            ended = not kill_at_change(call, lambda: tuning(sysctls={RESERVED: wanted}))
            seen.add(str(runtime(RESERVED)))
            if call % 2:  # the next run finishes it first
                tuning(sysctls={RESERVED: wanted})
            rollback("original")
            assert runtime(RESERVED) == former, call
            assert originals.load() == {}, call
            if ended:
                assert len(seen) == 4, sorted(map(len, seen))
                return call
        return 0

    _tell(capsys, "ports", on_fresh_host(body))


def _tell(capsys: pytest.CaptureFixture[str], what: str, calls: int) -> None:
    with capsys.disabled():
        print(f"\n{what}: killed at {calls - 1} system calls")
    assert calls > 20
