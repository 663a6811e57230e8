# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest


@pytest.fixture
def open_place() -> t.Iterator[Path]:
    """A directory that everybody may go into, unlike that of pytest."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    if os.geteuid() == 0:
        os.chown(place, 0, 0)
    shutil.rmtree(place)
