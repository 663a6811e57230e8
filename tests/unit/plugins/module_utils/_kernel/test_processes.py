# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which unit a process belongs to: /proc/PID/cgroup as captured on hosts and in containers."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.processes import parse_unit

CONTAINER = "/libpod_parent/libpod-3bbb1d0e"


@pytest.mark.parametrize(
    "cgroup, init_cgroup, unit",
    [
        pytest.param("0::/system.slice/nginx.service\n", "0::/init.scope\n", "nginx.service", id="v2"),
        pytest.param(
            "4:memory:/system.slice\n1:name=systemd:/system.slice/nginx.service\n0::/system.slice\n",
            "1:name=systemd:/init.scope\n0::/init.scope\n",
            "nginx.service",
            id="hybrid",
        ),
        pytest.param(
            f"9:name=systemd:{CONTAINER}/system.slice/nginx.service\n0::{CONTAINER}\n",
            f"9:name=systemd:{CONTAINER}/init.scope\n0::{CONTAINER}\n",
            "nginx.service",
            id="container-without-cgroup-namespace",
        ),
        pytest.param(
            f"9:name=systemd:{CONTAINER}\n", f"9:name=systemd:{CONTAINER}/init.scope\n", None, id="podman-exec"
        ),
        pytest.param(
            f"9:name=systemd:{CONTAINER}\n0::{CONTAINER}/system.slice/nginx.service\n",
            f"9:name=systemd:{CONTAINER}\n0::{CONTAINER}/init.scope\n",
            "nginx.service",
            id="container-with-v2-on-a-hybrid-host",
        ),
        pytest.param("0::/../nginx.service\n", "0::/\n", "nginx.service", id="outside-of-our-cgroup-namespace"),
        pytest.param("0::/system.slice/cron.service\n", "", "cron.service", id="pid-1-is-hidden"),
        pytest.param(
            "0::/user.slice/user-0.slice/user@0.service/app.slice/dev.service\n",
            "0::/init.scope\n",
            "user@0.service",
            id="below-a-user-manager",
        ),
        pytest.param("0::/\n", "0::/\n", None, id="no-systemd"),
    ],
)
def test_parse_unit(cgroup: str, init_cgroup: str, unit: t.Optional[str]) -> None:
    assert parse_unit(cgroup, init_cgroup) == unit
