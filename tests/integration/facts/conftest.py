# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network namespace of its own for each test, kept by a process that sleeps in it."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest


@pytest.fixture
def namespace_pid() -> t.Iterator[int]:
    """The pid of a process in a new network namespace, where lo is up."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a namespace of its own")
    script = "ip link set lo up && echo ready && exec sleep 600"
    with subprocess.Popen(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.kill()


@pytest.fixture
def named_namespace(namespace_pid: int) -> t.Iterator[str]:
    """The same namespace under a name, as ``ip netns`` keeps it."""
    name = f"nettune-test-{os.getpid()}"
    subprocess.run(["ip", "netns", "attach", name, str(namespace_pid)], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)
