# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of all unit tests."""

from __future__ import annotations

import stat

import pytest
from hypothesis import HealthCheck, settings

from ansible_collections.nettune.tcp.plugins.module_utils import _files
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NotTrusted

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
