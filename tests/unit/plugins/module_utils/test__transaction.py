# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused, NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._transaction import Step, run


def step(name: str, log: t.List[str], error: t.Optional[Exception] = None, stuck: bool = False) -> Step:
    def do() -> None:
        log.append(f"do {name}")
        if error:
            raise error

    def undo() -> None:
        log.append(f"undo {name}")
        if stuck:
            raise OSError("stuck")

    return Step(name, do, undo)


def test_steps_are_done_in_order() -> None:
    log: t.List[str] = []
    run([step("a", log), step("b", log)])
    assert log == ["do a", "do b"]


def test_a_failure_undoes_everything_begun_newest_first() -> None:
    log: t.List[str] = []
    steps = [step("a", log), step("b", log, KernelRefused("no", key="k")), step("c", log)]
    with pytest.raises(KernelRefused, match="no") as caught:
        run(steps)
    assert log == ["do a", "do b", "undo b", "undo a"]
    assert caught.value.details == {"key": "k", "restored": ["b", "a"]}


def test_what_cannot_be_undone_is_told_and_the_rest_is_still_undone() -> None:
    log: t.List[str] = []
    with pytest.raises(NettuneError, match="b: boom") as caught:
        run([step("a", log), step("b", log, ValueError("boom"), stuck=True)])
    assert caught.value.details == {"restored": ["a"], "not_restored": ["b: stuck"]}


def test_a_step_that_cannot_even_be_made_undoes_those_before() -> None:
    log: t.List[str] = []

    def steps() -> t.Iterator[Step]:
        yield step("a", log)
        raise OSError("disk")

    with pytest.raises(NettuneError, match="disk"):
        run(steps())
    assert log == ["do a", "undo a"]
