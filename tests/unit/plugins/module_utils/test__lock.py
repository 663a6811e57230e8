# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import pathlib

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _lock
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError


def test_the_lock_is_held_and_let_go(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    with _lock.exclusive("sysctl", path):
        other = os.open(path, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_who_gives_up_is_told_whom_it_has_waited_for(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    waiting = _lock.exclusive("sysctl", path, timeout=0.01)
    with _lock.exclusive("tuning", path), pytest.raises(
        NettuneError, match=r"tuning, pid \d+, since 2"
    ) as caught, waiting:
        pass
    assert caught.value.details["holder"].startswith("tuning, ")


def test_nobody_is_named_who_is_gone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(NettuneError, match="it fails"), _lock.exclusive("tuning", str(path)):
        raise NettuneError("it fails")
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = _lock.exclusive("sysctl", str(path), timeout=0.01)
        with pytest.raises(NettuneError, match=r"no module of nettune\.tcp"), waiting:
            pass


def test_only_who_is_not_root_goes_on_without_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    path.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with _lock.exclusive("sysctl", str(path)):
        pass
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(NettuneError, match=r"lock cannot be locked: Is a directory"), _lock.exclusive("x", str(path)):
        pass
