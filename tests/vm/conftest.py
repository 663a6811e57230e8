# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One virtual machine for each suite that SUITES names; its tests share it, in the order of the files."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.nettune.tcp.tests.lab.vm import running
from ansible_collections.nettune.tcp.tests.vm.host import Host
from ansible_collections.nettune.tcp.tests.vm.way import Way, walk


@pytest.fixture(scope="session", params=os.environ.get("SUITES", "").split() or ["trixie"])
def host(request: pytest.FixtureRequest) -> t.Iterator[Host]:
    """A machine that has just been installed and booted."""
    with running(request.param) as vm:
        yield Host(vm)


@pytest.fixture(scope="session")
def way(host: Host) -> Way:
    """What was seen on the machine's way through the role."""
    return walk(host)
