# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What facts say of what they lack."""

from __future__ import annotations

import os

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._facts import gather


@pytest.mark.parametrize(
    "count, uid, said",
    [
        (1, 0, "the open files of 1 process could not be read"),
        (2, 0, "the open files of 2 processes could not be read"),
        (1, 1000, "the open files of 1 process could not be read, run as root to see them"),
        (31, 1000, "the open files of 31 processes could not be read, run as root to see them"),
    ],
)
def test_open_files_that_could_not_be_read(count: int, uid: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert gather._unreadable(count) == said
