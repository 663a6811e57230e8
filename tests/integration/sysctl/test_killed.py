# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at any call that changes something leaves nothing that the next run does not put right."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._record import originals
from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import (
    FIN_TIMEOUT,
    RANGE,
    SOMAXCONN,
    SYNCOOKIES,
    runtime,
    sysctl,
)
from ansible_collections.nettune.tcp.tests.integration.sysctl.killed import kill_at_change

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

KEYS = (FIN_TIMEOUT, RANGE, SOMAXCONN, SYNCOOKIES)
OLD = {FIN_TIMEOUT: 30, SOMAXCONN: 8192}
NEW = {SOMAXCONN: 16384, RANGE: "15000 60999"}


def everything() -> t.Dict[str, t.Optional[str]]:
    return {key: runtime(key) for key in KEYS}


@pytest.mark.parametrize(
    "run",
    [lambda: sysctl(NEW, purge=True), lambda: sysctl(dict.fromkeys(OLD), state="absent")],
    ids=["change and purge", "absent"],
)
def test_killed_at_every_change(on_fresh_host: Sandbox, run: t.Callable[[], calls.Result]) -> None:
    def body() -> int:
        pristine = everything()
        sysctl(OLD)
        before = calls.text()
        run()
        wanted, after = everything(), calls.text()
        for call in itertools.count(1):
            sysctl({}, purge=True)
            assert everything() == pristine
            sysctl(OLD)
            if not kill_at_change(call, run):
                return call
            assert calls.text() in (before, after), call
            recorded = originals.sysctls(originals.load())
            moved = {key: value for key, value in pristine.items() if runtime(key) != value}
            assert moved.items() <= recorded.items(), call
            run()
            assert (everything(), calls.text()) == (wanted, after), call
            assert not run()["changed"], call
        return 0

    assert on_fresh_host(body) > 40
