# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module in a play."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import apply

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

# .../ansible_collections/nettune/tcp/plugins/module_utils/_sysctl/apply.py
COLLECTIONS = pathlib.Path(str(apply.__file__)).parents[6]


def test_a_play(on_fresh_host: Sandbox) -> None:
    def body() -> str:
        command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-v"]
        done = subprocess.run(
            [*command, str(pathlib.Path(__file__).with_name("play.yml"))],
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    assert "[DEPRECATION WARNING]" not in on_fresh_host(body)
