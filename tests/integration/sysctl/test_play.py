# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module in a play."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.nettune.tcp.tests.integration.plays import play

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox


def test_a_play(on_fresh_host: Sandbox) -> None:
    printed = on_fresh_host(lambda: play(pathlib.Path(__file__).with_name("play.yml")))
    assert "[DEPRECATION WARNING]" not in printed
