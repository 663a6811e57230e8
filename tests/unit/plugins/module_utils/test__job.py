# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _job
from ansible_collections.nettune.tcp.plugins.module_utils._transaction import Step, nothing


class Recorder:
    """A job that notes what is asked of it."""

    def __init__(self, name: str, count: int, called: t.List[str]) -> None:
        self.name, self.count, self.called = name, count, called

    def steps(self) -> t.Iterator[Step]:
        for number in range(self.count):
            yield Step(f"{self.name} {number}", nothing, nothing)

    def look(self) -> None:
        self.called.append(f"look at {self.name}")

    def predict(self) -> None:
        self.called.append(f"predict {self.name}")


@pytest.mark.parametrize(
    "counts, expected",
    [
        # Where anything was done, everything is looked at again: one job may have changed what another tells.
        ((0, 1), ["look at a", "look at b"]),
        ((2, 0), ["look at a", "look at b"]),
        # Where nothing was, what was seen a moment ago is how it is.
        ((0, 0), ["predict a", "predict b"]),
    ],
)
def test_a_second_look_follows_what_was_done(counts: t.Tuple[int, int], expected: t.List[str]) -> None:
    called: t.List[str] = []
    jobs = [Recorder(name, count, called) for name, count in zip("ab", counts)]
    for _step in _job._all(jobs):
        assert called == []
    assert called == expected
