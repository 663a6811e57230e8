# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever the files hold, there is an answer, and soon."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._boot.sysctl_d import Procps, resolve, with_file
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._boot.sysctl_trees import (
    MIDDLE,
    NEW,
    OLD,
    Files,
    outcome,
    tree_of,
)

KEY = "net.core.somaxconn"


def test_thousands_of_lines_take_milliseconds() -> None:
    keys = [f"net.ipv4.key_{number}" for number in range(60)]
    files = {
        f"/etc/sysctl.d/{number:02}.conf": "".join(f"# why\n{key} = {number}\n" for key in keys) + "net.*.key_1? = 3\n"
        for number in range(25)
    }
    tree = tree_of(files)
    started = time.process_time()
    values = resolve(tree, keys)
    elapsed = time.process_time() - started
    assert {value.value for value in values.values()} == {"24"}
    assert elapsed < 0.1  # 10 ms here; the rest is for slow machines


hostile = st.text(st.sampled_from("net.core/somaxconn*?[]!-^{},\\=#; \t\r\n\0\v\ufeff\udcff1"), max_size=200)


@given(st.lists(hostile, max_size=4), hostile, st.sampled_from((OLD, MIDDLE, NEW)))
def test_any_text_gives_an_answer(texts: list[str], key: str, procps: Procps) -> None:
    tree = tree_of({f"/etc/sysctl.d/{number}.conf": text for number, text in enumerate(texts)}, procps=procps)
    values = resolve(tree, [KEY, key])
    assert set(values) == {KEY, key}
    assert all(value.source or value.value is None for value in values.values())


def test_a_hostile_glob_does_not_hang() -> None:
    key = "net." + "a" * 200
    started = time.process_time()
    assert outcome({"/etc/sysctl.d/a.conf": "net." + "*a?" * 40 + "*b=1\n" + "net.{a,b}" * 12 + "*=1"}, key) == (
        None,
        None,
    )
    assert time.process_time() - started < 1


assignments = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 99)), min_size=1, max_size=20)


@given(assignments)
def test_the_last_line_of_the_last_file_wins(lines: list[tuple[str, int]]) -> None:
    """Plain lines need no subtle rule, for either tool."""
    files: Files = {}
    lines = sorted(lines, key=lambda line: line[0])
    for name, value in lines:
        path = f"/etc/sysctl.d/{name}.conf"
        files[path] = files.get(path, "") + f"{KEY} = {value}\n"
    last = str(lines[-1][1])
    assert outcome(files, KEY) == (last, last)


@given(st.dictionaries(st.sampled_from("abc"), hostile), st.sampled_from("abcd"), hostile)
def test_with_file_is_the_same_as_having_it(texts: dict[str, str], name: str, text: str) -> None:
    files = {f"/etc/sysctl.d/{one}.conf": content for one, content in texts.items()}
    path = f"/etc/sysctl.d/{name}.conf"
    assert resolve(with_file(tree_of(files), path, text), [KEY]) == resolve(tree_of({**files, path: text}), [KEY])
    assert with_file(with_file(tree_of(files), path, text), path, None) == with_file(tree_of(files), path, None)
