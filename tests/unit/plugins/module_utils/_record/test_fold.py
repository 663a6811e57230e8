# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._record import entries, originals, store
from ansible_collections.nettune.tcp.plugins.module_utils._record.fold import (
    ANYTHING,
    Thing,
    fold,
    since,
    to_originals,
)
from ansible_collections.nettune.tcp.plugins.module_utils._record.store import Run
from ansible_collections.nettune.tcp.plugins.module_utils._transaction import COMPLETED, FAILED, RESTORED, Replaced

Values = t.Tuple[t.Any, t.Any]
ID = "20260314T092653.{:06d}Z-1f3a"


def run(number: int, *values: Values, end: str = COMPLETED, label: str = "", module: str = "tuning") -> Run:
    """A run that has given one sysctl these values in turn, each with what it replaced."""
    replaced = tuple(Replaced(entries.SYSCTL, "k", before, after) for before, after in values)
    return Run(ID.format(number), {"label": label, "module": module}, replaced, end)


def folded(*runs: Run) -> t.List[Thing]:
    return fold(runs, lambda one: f"/runs/{one}")


@pytest.mark.parametrize(
    "runs, before, left, foreign",
    [
        ([run(1, ("a", "b"))], "a", ("b",), ()),
        ([run(1, ("a", "b"), ("b", "c"))], "a", ("c",), ()),
        ([run(1, ("a", "b")), run(2, ("b", "c"))], "a", ("c",), ()),
        ([run(1, ("a", "b")), run(2, ("b", "a"), module="rollback")], "a", ("a",), ()),
        # cut short, failed, restored
        ([run(1, ("a", "b"), end="")], "a", ("b", "a"), ()),
        ([run(1, ("a", "b"), end=FAILED)], "a", ("b", "a"), ()),
        ([run(1, ("a", "b")), run(2, ("b", "c"), end=RESTORED)], "a", ("b",), ()),
        ([run(1, ("a", "b"), end=""), run(2, ("a", "c"))], "a", ("c",), ()),
        ([run(1, ("a", "b"), end=""), run(2, ("b", "c"))], "a", ("c",), ()),
        # somebody else
        ([run(1, ("a", "b")), run(2, ("x", "c"))], "a", ("c",), ("x",)),
        ([run(1, ("a", "b"), end=""), run(2, ("x", "c"))], "a", ("c",), ("x",)),
        # the kernel's spelling
        ([run(1, ("1\t2", "1 3")), run(2, ("1\t3", "1 4"))], "1\t2", ("1 4",), ()),
    ],
)
def test_runs_are_folded(runs: t.List[Run], before: t.Any, left: t.Tuple[t.Any, ...], foreign: t.Tuple[t.Any]) -> None:
    [thing] = folded(*runs)
    assert (thing.before, thing.left, thing.foreign) == (before, left, foreign)
    assert thing.contents == f"/runs/{runs[0].id}"


def test_things_are_told_apart_and_come_in_the_order_of_their_first_touch() -> None:
    those = [
        Replaced(entries.LIMIT, "u", "1", "2", {"pid": 1}),
        Replaced(entries.LIMIT, "u", "1", "2", {"pid": 2}),
        Replaced(entries.FILE, "u", None, {"sha256": "x"}),
        Replaced(entries.LIMIT, "u", "2", "3", {"pid": 1}),
    ]
    things = folded(Run("r", {}, tuple(those), COMPLETED))
    assert [(thing.kind, thing.where.get("pid"), thing.left) for thing in things] == [
        (entries.LIMIT, 1, ("3",)),
        (entries.LIMIT, 2, ("2",)),
        (entries.FILE, None, ({"sha256": "x"},)),
    ]


def limit(pid: t.Optional[int], before: str, after: str) -> Replaced:
    return Replaced(entries.LIMIT, "u", before, after, {} if pid is None else {"pid": pid})


@pytest.mark.parametrize(
    "before, after, expected",
    [
        # It was started with what the unit gave it since the first run, and a rollback has given it that back.
        ("9", "1", ("1", ("1",))),
        # A rollback has given it what another one had raised that to.
        ("9", "2", ("2", ("2",))),
        # Another run has given it something new.
        ("9", "10", ("1", ("10",))),
        # Somebody else gave it that.
        ("5", "1", ("5", ("1",))),
    ],
)
def test_a_process_that_was_started_since_is_in_the_place_of_another(
    before: str, after: str, expected: t.Tuple[t.Any, ...]
) -> None:
    first = Run("1", {}, (limit(None, "1", "9"), limit(7, "2", "9")), COMPLETED)
    second = Run("2", {}, (limit(8, before, after),), COMPLETED)
    thing = folded(first, second)[-1]
    assert (thing.where, (thing.before, thing.left)) == ({"pid": 8}, expected)


def test_a_file_of_a_run_cut_short_may_lack_its_owner() -> None:
    after = {"sha256": "x", "mode": 0o640, "uid": 7}
    replaced = (Replaced(entries.FILE, "/f", None, after),)
    [whole], [short] = folded(Run("r", {}, replaced, COMPLETED)), folded(Run("r", {}, replaced, ""))
    half = {**after, "uid": 0}
    assert (whole.is_ours(half), short.is_ours(half), short.is_ours({**half, "sha256": "y"})) == (False, True, False)


def test_a_directory_of_a_run_cut_short_may_lack_its_mode() -> None:
    replaced = (Replaced(entries.DIRECTORY, "/d", None, {"mode": 0o755}),)
    [whole], [short] = folded(Run("r", {}, replaced, COMPLETED)), folded(Run("r", {}, replaced, ""))
    half = {"mode": 0o700, "uid": 0}
    assert (whole.is_ours(half), short.is_ours(half), short.is_ours(None)) == (False, True, True)


def test_a_long_set_of_ports_of_a_run_cut_short_may_be_there_in_part() -> None:
    former, wanted = (",".join(map(str, range(start, start + 3200, 2))) for start in (10001, 30001))
    [whole], [short] = folded(run(1, (former, wanted))), folded(run(1, (former, wanted), end=""))
    parts = [text[: text.rindex(",", 0, 4095)] for text in (former, wanted)]
    for part in parts:
        assert (whole.is_ours(part), short.is_ours(part), short.is_ours(part[:-6])) == (False, True, False)
    [continued] = folded(run(1, (former, wanted), end=""), run(2, (parts[1], wanted)))
    assert (continued.before, continued.left, continued.foreign) == (former, (wanted,), ())


RUNS = [
    run(1, ("0", "1"), label="a"),
    run(2, ("1", "2"), label="b"),
    run(3, ("2", "3"), label="b"),
    run(4, ("3", "4"), label="b", end=RESTORED),
    run(5, ("4", "5"), label="a"),
    run(6, ("5", "4"), module="rollback"),
    run(7, ("4", "6"), label="a", end=""),
    run(8, ("6", "4"), module="rollback"),
]


@pytest.mark.parametrize(
    "before, undone",
    [
        (ID.format(1), [1, 2, 3, 5, 6, 7, 8]),
        (ID.format(6), [6, 7, 8]),
        ("last", [7, 8]),
        ("a", [7, 8]),
        ("b", [2, 3, 5, 6, 7, 8]),
        ("never", []),
    ],
)
def test_words_name_runs(before: str, undone: t.List[int]) -> None:
    assert [one.id for one in since(RUNS, before)] == [ID.format(number) for number in undone]


def test_last_of_nothing_is_nothing() -> None:
    assert since([], "last") == since([run(1, ("a", "b"), end=RESTORED)], "last") == ()


@pytest.mark.parametrize("name, known", [(ID.format(99), False), (ID.format(4), True)])
def test_the_id_of_no_run_is_an_error_but_one_that_was_restored_has_nothing_left(name: str, known: bool) -> None:
    if known:
        assert since(RUNS, name) == ()
    else:
        with pytest.raises(BadRequest, match="pruned"):
            since(RUNS, name)


@pytest.mark.parametrize("text, is_one", [(ID.format(1), True), ("change-4711", False), (f"{ID.format(1)}0", False)])
def test_ids_are_no_labels(text: str, is_one: bool) -> None:
    assert store.is_id(text) is is_one


def recorded(name: str, before: t.Any) -> Replaced:
    return originals.replaced(name, None, Replaced(entries.SYSCTL, "k", before, None))


@pytest.mark.parametrize(
    "known, runs, expected",
    [
        # changed by a run that is still recorded, by one that is forgotten, by none, by a former version
        (Replaced(entries.SYSCTL, "k", "a", "b"), [run(1, ("a", "b")), run(2, ("b", "c"))], ("a", ("c",))),
        (Replaced(entries.SYSCTL, "k", "a", "b"), [], ("a", ("b",))),
        (Replaced(entries.SYSCTL, "k", "a", "a"), [], None),
        (Replaced(entries.SYSCTL, "k", "a", None), [], ("a", (ANYTHING,))),
        # given back and managed again: what was before counts no more
        (
            Replaced(entries.SYSCTL, "k", "z", "b"),
            [
                run(1, ("a", "b")),
                run(2, ("b", "a")),
                Run("r", {}, (Replaced(entries.SYSCTL, "k", "z", "b"), recorded("sysctl k", "z")), COMPLETED),
            ],
            ("z", ("b",)),
        ),
    ],
)
def test_originals_are_given_back_from_what_runs_have_left(
    known: Replaced, runs: t.List[Run], expected: t.Optional[t.Tuple[t.Any, ...]]
) -> None:
    things = to_originals({"sysctl k": known}, runs, str, "/kept")
    assert [(thing.before, thing.left) for thing in things] == ([expected] if expected else [])
    assert all(not thing.foreign for thing in things)
