# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import json
import os
import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._record import entries, files, journal, originals, store
from ansible_collections.nettune.tcp.plugins.module_utils._record.journal import Journal
from ansible_collections.nettune.tcp.plugins.module_utils._transaction import (
    COMPLETED,
    RESTORED,
    Replaced,
    Step,
    nothing,
    run,
)

KEY = Replaced(entries.SYSCTL, "k", "a", "b")
GALAXY = pathlib.Path(__file__).parents[5] / "galaxy.yml"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="records are root's")


def step(*replaced: Replaced, fails: bool = False) -> Step:
    def do() -> None:
        if fails:
            raise NettuneError("no")

    return Step("step", do, nothing, tuple(replaced))


def journals() -> t.List[t.Tuple[t.List[Replaced], str]]:
    return [([one for one in found.replaced if one.kind != entries.ORIGINAL], found.end) for found in store.runs()]


def test_a_run_that_replaces_nothing_leaves_no_record() -> None:
    run([step(), step(Replaced(entries.SYSCTL, "k", "a", "a"))], Journal("sysctl"))
    assert not os.path.exists(store.ROOT)


def test_what_is_replaced_is_on_disk_before_it_is() -> None:
    seen: t.List[t.Any] = []
    steps = [Step("look", lambda: seen.append(journals()), nothing, (KEY,))]
    run(steps, Journal("sysctl", label="x"))
    assert (seen, journals()) == ([[([KEY], "")]], [([KEY], COMPLETED)])
    [one] = store.runs()
    assert (one.label, one.info["module"], one.info["id"]) == ("x", "sysctl", one.id)
    assert originals.sysctls(originals.load()) == {"k": "a"}


def test_facts_tell_the_newest_runs() -> None:
    for label in "abc":
        run([step(KEY)], Journal("sysctl", label=label))
    assert [one["label"] for one in store.as_facts(2)] == ["c", "b"]


def test_records_are_for_root_alone() -> None:
    run([step(KEY)], Journal("sysctl"))
    places = [store.ROOT, store.runs_path(), *map(store.run_path, store.ids())]
    assert {os.stat(place).st_mode & 0o777 for place in places} == {0o700}
    assert os.stat(originals.path()).st_mode & 0o777 == 0o600


def test_what_was_restored_leaves_the_originals_as_they_were() -> None:
    with pytest.raises(NettuneError):
        run([step(KEY), step(fails=True)], Journal("sysctl"))
    assert journals() == [([KEY], RESTORED)]
    assert originals.load() == {}


def test_what_is_given_its_first_state_again_needs_no_record(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    run(files.steps(str(path), b"x"), Journal("nofile"))
    assert list(originals.load()) == [f"file {path}"]
    run(files.steps(str(path), None), Journal("nofile"))
    assert originals.load() == {}


def test_a_torn_line_is_passed_over_and_goes_with_the_next() -> None:
    run([step(KEY)], Journal("sysctl"))
    [name] = store.ids()
    path = f"{store.run_path(name)}/journal"
    with open(path, "r+b") as handle:
        whole = handle.read().rpartition(b'{"end"')[0]
        handle.truncate(len(whole))
        handle.seek(0, 2)
        handle.write(b'{"kind": "sys')
    assert store.load(name).is_cut_short
    store.tidy_up()
    assert (store.load(name).end, len(store.load(name).replaced)) == ("killed", 2)


@pytest.mark.parametrize(
    "content",
    [
        b"{\n",
        b'{"kind": 3}\n',
        b"\xff\n",
        b'{"kind": "file", "name": "/etc/f", "before": "x", "after": null}\n',
        b'{"kind": "sysctl", "name": "k", "before": "1", "after": [1]}\n',
        b'{"kind": "backlog", "name": "[::]:80", "before": "1", "after": 2}\n',
    ],
)
def test_a_damaged_record_is_an_error_that_names_the_file(content: bytes) -> None:
    store.make("x")
    path = f"{store.run_path('x')}/journal"
    with open(path, "wb") as handle:
        handle.write(content)
    with pytest.raises(NettuneError, match=path):
        store.load("x")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"originals": 3}', b'{"originals": {"a": 3}}', b"\xff"])
def test_damaged_originals_are_an_error_that_names_the_file(content: bytes) -> None:
    os.makedirs(store.ROOT)
    with open(originals.path(), "wb") as handle:
        handle.write(content)
    with pytest.raises(NettuneError, match=originals.path()):
        originals.load()


def test_a_former_record_becomes_part_of_the_originals() -> None:
    os.makedirs(store.ROOT)
    former = pathlib.Path(store.ROOT, "sysctl-originals.json")
    former.write_text(json.dumps({"originals": {"old": "1"}}))
    assert originals.sysctls(originals.load()) == {"old": "1"}
    run([step(KEY)], Journal("sysctl"))
    assert (originals.sysctls(originals.load()), former.exists()) == ({"old": "1", "k": "a"}, False)


def test_old_runs_are_forgotten_and_what_they_left_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "KEPT", 3)
    run([step(KEY)], Journal("sysctl"))
    for number in range(5):
        run([step(Replaced(entries.SYSCTL, "other", str(number), str(number + 1)))], Journal("sysctl"))
    assert len(store.ids()) == 3
    known = originals.load()
    assert (known["sysctl k"].before, known["sysctl k"].after) == ("a", "b")
    assert known["sysctl other"].before == "0"
    assert originals.left("sysctl k") == ("b",)


def test_what_a_run_left_is_known_though_the_run_that_forgets_it_records_an_original(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "KEPT", 2)
    run([step(KEY)], Journal("sysctl"))
    run([step(Replaced(entries.SYSCTL, "k", "b", "c"))], Journal("sysctl"))
    for name in ("other", "another"):
        run([step(Replaced(entries.SYSCTL, name, "0", "1"))], Journal("sysctl"))
    assert originals.left("sysctl k") == ("c",)


def test_a_full_disk_is_named_and_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    done: t.List[str] = []
    writes = os.write

    def write(descriptor: int, text: bytes) -> int:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("/journal"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return writes(descriptor, text)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(NettuneError, match=f"{store.runs_path()}/.*/journal cannot be written: No space left"):
        run([Step("change", lambda: done.append("it"), nothing, (KEY,))], Journal("sysctl"))
    assert not done


@pytest.mark.parametrize("name", ["lost+found", "zzz", "{}.bak"])
def test_what_others_keep_beside_the_runs_is_no_run(name: str) -> None:
    run([step(KEY)], Journal("sysctl"))
    [one] = store.ids()
    shutil.copytree(store.run_path(one), store.run_path(name.format(one)))
    assert store.ids() == [one]


@pytest.mark.parametrize(
    "info, then",
    [
        (b'{"time": "2023-11-14T22:13:00Z"}', 60),
        (b'{"time": "yesterday"}', 40),
        (b'{"time": 5}', 40),
        (b"[]", 40),
        (b"\xff", 40),
        (b'{"time": "2024-01-01T00:00:00Z"}', 0),
    ],
)
def test_when_the_latest_run_was(info: bytes, then: int, monkeypatch: pytest.MonkeyPatch) -> None:
    store.make("20231114T221320.000000Z-1f3a")
    store.append("20231114T221320.000000Z-1f3a", entries.encode(KEY), {"end": COMPLETED})
    pathlib.Path(store.run_path("20231114T221320.000000Z-1f3a"), "run.json").write_bytes(info)
    monkeypatch.setattr("time.time", lambda: 1_700_000_040.0)
    latest = store.latest()
    assert latest
    assert latest["seconds_ago"] == then


def test_ids_sort_though_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for now in (1_700_000_000_000_000_000, 1_600_000_000_000_000_000, 1_600_000_000_000_000_000):
        monkeypatch.setattr("time.time_ns", lambda now=now: now)
        run([step(KEY)], Journal("sysctl"))
    assert len(store.ids()) == 3
    assert [one[:22] for one in store.ids()] == [f"20231114T221320.00000{digit}" for digit in range(3)]


def test_the_version_is_that_of_the_collection() -> None:
    assert f"\nversion: {journal.COLLECTION}\n" in GALAXY.read_text(encoding="utf-8")
