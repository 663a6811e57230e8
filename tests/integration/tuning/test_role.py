# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role, the facts and the rollback in a play."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import Nginx
from ansible_collections.nettune.tcp.tests.integration.plays import play
from ansible_collections.nettune.tcp.tests.integration.tuning.hosts import everything
from ansible_collections.nettune.tcp.tests.integration.tuning.test_tuning import HTTP, site

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox


def test_a_play_and_the_way_back(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> str:
        site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            pristine = everything(tmp_path)
            printed = play(pathlib.Path(__file__).with_name("role.yml"), config=str(nginx.config))
            assert everything(tmp_path) == pristine
        return printed

    printed = on_fresh_host(body)
    assert "[DEPRECATION WARNING]" not in printed
