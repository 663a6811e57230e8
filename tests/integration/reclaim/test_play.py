# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module as Ansible runs it."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.nettune.tcp.tests.integration.plays import play
from ansible_collections.nettune.tcp.tests.integration.reclaim.holder import holding, states
from ansible_collections.nettune.tcp.tests.integration.reclaim.test_every_state import leak
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox


def test_play(in_namespace: Sandbox) -> None:
    def body() -> None:
        with holding(leak) as holder:
            play(Path(__file__).parent / "play.yml")
            holder.go_on()
            assert states() == {"LISTEN": 1}
            holder.go_on()

    in_namespace(body)
