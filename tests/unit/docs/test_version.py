# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.nettune.tcp.plugins.module_utils._record import journal


def test_records_name_the_version_of_the_collection() -> None:
    galaxy = Path(__file__).resolve().parents[3] / "galaxy.yml"
    assert yaml.safe_load(galaxy.read_text(encoding="utf-8"))["version"] == journal.COLLECTION
