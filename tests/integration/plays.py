# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays on this machine, by the Ansible of the Python that runs the tests."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

from ansible_collections.nettune.tcp.plugins.module_utils import _want

# .../ansible_collections/nettune/tcp/plugins/module_utils/_want.py
COLLECTIONS = pathlib.Path(str(_want.__file__)).parents[5]


def play(playbook: pathlib.Path, **variables: str) -> str:
    """What ansible-playbook prints, once it has ended well."""
    given = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-v", *given, str(playbook)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
