# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import pathlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.systemd import Systemd
from ansible_collections.nettune.tcp.plugins.module_utils._confirm import state, units
from ansible_collections.nettune.tcp.plugins.module_utils._record import entries, store
from ansible_collections.nettune.tcp.plugins.module_utils._transaction import COMPLETED, RESTORED, Replaced

RUN = "20260314T092653.589793Z-1f3a"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="records are root's")


class Manager(Systemd):
    """systemd that has nothing to do."""

    def stop(self, *_units: str) -> None:
        """Nothing runs."""

    def daemon_reload(self) -> None:
        """Nothing is loaded."""


def recorded(end: str) -> None:
    store.make(RUN)
    store.append(RUN, entries.encode(Replaced(entries.SYSCTL, "k", "a", "b")), {"end": end})
    state.mark(RUN, [])


def test_a_run_that_could_get_no_timer_is_forgotten_on_a_read_only_file_system(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removes = os.unlink

    def unlink(path: t.Any, **options: t.Any) -> None:
        if str(path).startswith(str(tmp_path)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        removes(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    monkeypatch.setattr(units, "DIRECTORY", str(tmp_path))
    monkeypatch.setattr(units, "WANTED", f"{tmp_path}/timers.target.wants")
    recorded(COMPLETED)
    assert state.waiting() == [RUN]
    state.disarm(RUN, Manager())
    assert not state.waits(RUN)


def test_what_was_restored_does_not_wait() -> None:
    recorded(RESTORED)
    assert state.waits(RUN)
    assert not state.waiting()
