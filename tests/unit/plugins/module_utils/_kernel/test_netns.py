# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, KernelRefused, NettuneError
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


def test_the_answer_of_a_child_is_the_caller_s() -> None:
    assert netns._in_child(lambda: None, lambda: {"key": ["value"]}) == {"key": ["value"]}
    assert netns._in_child(lambda: None, os.getpid) != os.getpid()


def test_an_error_of_a_child_is_raised_whole() -> None:
    def refuse() -> None:
        raise KernelRefused("no", key="net.core.somaxconn")

    with pytest.raises(KernelRefused, match="no") as caught:
        netns._in_child(lambda: None, refuse)
    assert caught.value.details == {"key": "net.core.somaxconn"}
    with pytest.raises(NettuneError, match="ValueError"):
        netns._in_child(lambda: None, lambda: int("odd") and None)


def test_a_child_that_vanishes_is_told() -> None:
    with pytest.raises(NettuneError, match="wait status 9 and no answer"):
        netns._in_child(lambda: None, lambda: os.kill(os.getpid(), signal.SIGKILL))
