# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netns


@pytest.mark.parametrize(
    "namespace, path",
    [("812", "/proc/812/ns/net"), ("web", "/run/netns/web"), ("/proc/1/ns/net", "/proc/1/ns/net")],
)
def test_names_paths_and_pids(namespace: str, path: str) -> None:
    assert netns.path_of(namespace) == path


@pytest.mark.parametrize("namespace", ["", ".", "..", "a/b", "../x"])
def test_what_names_no_namespace_is_refused(namespace: str) -> None:
    with pytest.raises(BadRequest, match="netns must be"):
        netns.path_of(namespace)


def test_a_namespace_that_does_not_exist_is_named() -> None:
    with pytest.raises(BadRequest, match="no network namespace nothing-here"):
        netns.run_in("nothing-here", os.getpid)
