# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sandboxes on the real kernel."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _lock
from ansible_collections.nettune.tcp.plugins.module_utils._record import store
from ansible_collections.nettune.tcp.tests.integration import sandbox


@pytest.fixture(autouse=True)
def _records_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves a record on the machine where it runs, or waits for another one."""
    place = tmp_path_factory.mktemp("records")
    monkeypatch.setattr(store, "ROOT", str(place / "nettune-tcp"))
    monkeypatch.setattr(_lock, "PATH", str(place / "lock"))


@pytest.fixture
def in_namespace() -> sandbox.Sandbox:
    """Run a test's body in a network namespace of its own."""
    return _sandbox(sandbox.enter_network)


@pytest.fixture
def on_fresh_host() -> sandbox.Sandbox:
    """Run a test's body on a host of its own: its own network namespace, and empty directories for sysctl files."""
    return _sandbox(sandbox.enter_fresh_host)


def _sandbox(enter: sandbox.Enter) -> sandbox.Sandbox:
    if os.geteuid() != 0:
        pytest.skip("needs root for a namespace of its own")
    return functools.partial(sandbox.in_child, enter)


@pytest.fixture
def namespace_pid() -> t.Iterator[int]:
    """The pid of a process that sleeps in a new network namespace, where lo is up."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a namespace of its own")
    script = "ip link set lo up && echo ready && exec sleep 600"
    with subprocess.Popen(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.kill()


@pytest.fixture(name="top")
def fixture_top() -> t.Iterator[pathlib.Path]:
    """A directory that everybody may go through."""
    top = pathlib.Path(tempfile.mkdtemp())
    top.chmod(0o755)
    yield top
    shutil.rmtree(top)
