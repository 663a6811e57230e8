# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of all unit tests."""

from __future__ import annotations

import pathlib
import stat

import pytest
from hypothesis import HealthCheck, settings

from ansible_collections.nettune.tcp.plugins.module_utils import _files, _lock
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NotTrusted
from ansible_collections.nettune.tcp.plugins.module_utils._record import store

# A busy machine makes no test fail: what is slow shows in benchmarks, not here.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture
def trust_in_tmp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files that are ours below /tmp, where tests have their programs."""

    def open_trusted(path: str, *, directory: bool = False) -> int:
        with _files.walk(path, sticky=True) as place:
            if place.distrust or (place.status and directory != stat.S_ISDIR(place.status.st_mode)):
                raise NotTrusted(place.distrust)
            return place.open()

    monkeypatch.setattr(_files, "open_trusted", open_trusted)


@pytest.fixture(autouse=True)
def _records_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves a record on the machine where it runs, or waits for another one."""
    place: pathlib.Path = tmp_path_factory.mktemp("records")
    monkeypatch.setattr(store, "ROOT", str(place / "nettune-tcp"))
    monkeypatch.setattr(_lock, "PATH", str(place / "lock"))
