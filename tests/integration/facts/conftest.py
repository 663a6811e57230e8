# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network namespace with a name."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest


@pytest.fixture
def named_namespace(namespace_pid: int) -> t.Iterator[str]:
    """The same namespace under a name, as ``ip netns`` keeps it."""
    name = f"nettune-test-{os.getpid()}"
    subprocess.run(["ip", "netns", "attach", name, str(namespace_pid)], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)
