# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused, NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._transaction import (
    COMPLETED,
    FAILED,
    RESTORED,
    Replaced,
    Step,
    run,
)


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


class Range:
    """Two settings of which one must never be above the other, as the kernel checks it: at every single write."""

    def __init__(self, low: int, high: int) -> None:
        self.values = {"low": low, "high": high}

    def put(self, name: str, value: int) -> None:
        wanted = {**self.values, name: value}
        if wanted["low"] > wanted["high"]:
            raise KernelRefused(f"{name} = {value} refused", key=name)
        self.values = wanted

    def to(self, name: str, value: int) -> Step:
        before = self.values[name]
        return Step(f"{name} = {value}", lambda: self.put(name, value), lambda: self.put(name, before))


@pytest.mark.parametrize("low, high", [(10, 20), (1, 2), (3, 9)])
@pytest.mark.parametrize("names", [("low", "high"), ("high", "low")])
def test_an_order_that_works_is_found_there_and_back(low: int, high: int, names: t.Tuple[str, str]) -> None:
    target = {"low": low, "high": high}
    both = Range(3, 9)
    run([tuple(both.to(name, target[name]) for name in names)])
    assert both.values == target

    def steps() -> t.Iterator[t.Union[Step, t.Tuple[Step, ...]]]:
        yield tuple(again.to(name, target[name]) for name in names)
        raise OSError("disk")

    again = Range(3, 9)
    with pytest.raises(NettuneError) as caught:
        run(steps())
    assert again.values == {"low": 3, "high": 9}
    assert sorted(caught.value.details["restored"]) == sorted(f"{name} = {target[name]}" for name in names)


def test_all_that_stay_refused_are_named_and_the_rest_is_undone() -> None:
    log: t.List[str] = []
    steps = (step("a", log, KernelRefused("a no", key="a")), step("b", log), step("c", log, KernelRefused("c no")))
    with pytest.raises(KernelRefused, match="a no; c no") as caught:
        run([steps])
    assert log.count("do a") == 2
    assert sorted(caught.value.details["restored"]) == ["a", "b", "c"]
    assert caught.value.details["key"] == "a"


def test_other_errors_are_not_tried_again() -> None:
    log: t.List[str] = []
    with pytest.raises(NettuneError, match="disk"):
        run([(step("a", log, OSError("disk")), step("b", log))])
    assert log == ["do a", "undo a"]


def test_what_fails_before_the_first_step_has_nothing_to_undo() -> None:
    def refuse(name: str) -> Step:
        raise KernelRefused("no", key=name)

    with pytest.raises(KernelRefused) as caught:
        run(map(refuse, "k"))
    assert caught.value.details == {"key": "k"}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_error_that_is_none_of_ours_names_the_last_step_that_was_begun(count: int) -> None:
    def steps() -> t.Iterator[Step]:
        yield from (step(name, []) for name in "abc"[:count])
        raise OSError("disk")

    with pytest.raises(NettuneError) as caught:
        run(steps())
    assert str(caught.value) == ("disk" if count == 0 else f"{'abc'[count - 1]}: disk")
    assert caught.value.details == {"restored": list("abc"[:count])[::-1]}


class Record:
    """A journal that notes how runs end, and may fail to."""

    def __init__(self, *errors: Exception) -> None:
        self.ends: t.List[str] = []
        self._errors = list(errors)

    def begin(self, replaced: t.Sequence[Replaced]) -> None:
        """Nothing is replaced in these tests."""

    def close(self, end: str) -> None:
        self.ends.append(end)
        if self._errors:
            raise self._errors.pop(0)


@pytest.mark.parametrize(
    "fails, stuck, end",
    [(False, False, COMPLETED), (True, False, RESTORED), (True, True, FAILED)],
)
def test_the_record_has_how_it_ended(fails: bool, stuck: bool, end: str) -> None:
    record, log = Record(), t.cast("t.List[str]", [])
    steps = [step("a", log, NettuneError("no") if fails else None, stuck=stuck)]
    if fails:
        with pytest.raises(NettuneError, match="no"):
            run(steps, record)
    else:
        run(steps, record)
    assert record.ends == [end]


@pytest.mark.parametrize("error", [OSError("full"), NettuneError("full")])
def test_a_record_that_cannot_be_closed_is_told_and_all_else_restored(error: Exception) -> None:
    record, log = Record(error, error), t.cast("t.List[str]", [])
    with pytest.raises(NettuneError, match="full") as caught:
        run([step("a", log)], record)
    assert (record.ends, log) == ([COMPLETED, RESTORED], ["do a", "undo a"])
    assert caught.value.details == {"restored": ["a"], "not_restored": ["the record of this run: full"]}


def test_what_a_file_held_is_neither_compared_nor_shown() -> None:
    one, other = (Replaced("file", "/f", "x", "y", content=content) for content in (b"secret", None))
    assert one == other
    assert "secret" not in repr(one)
