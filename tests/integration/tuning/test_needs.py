# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role sets for the sake of backlogs and file limits."""

from __future__ import annotations

import pathlib

from ansible_collections.nettune.tcp.tests.integration.plays import play


def test_backlogs_and_file_limits_get_what_they_need_of_the_kernel() -> None:
    play(pathlib.Path(__file__).with_name("needs.yml"))
