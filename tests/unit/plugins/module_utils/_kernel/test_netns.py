# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import pathlib
import signal
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, KernelRefused, NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netns
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import ConfigError


@pytest.mark.parametrize(
    "namespace, path",
    [("812", "/proc/812/ns/net"), ("web", "/run/netns/web"), ("/proc/1/ns/net", "/proc/1/ns/net")],
)
def test_names_paths_and_pids(namespace: str, path: str) -> None:
    assert netns.path_of(namespace) == path


@pytest.mark.parametrize("namespace", ["", ".", "..", "a/b", "../x", "a\0b", "/a\0b"])
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


def test_errors_of_every_kind_cross() -> None:
    def raise_(exc: BaseException) -> t.NoReturn:
        raise exc

    with pytest.raises(ConfigError, match=r"/n\.conf:3: no number") as caught:
        netns._in_child(lambda: None, lambda: raise_(ConfigError("no number", "/n.conf", 3)))
    assert caught.value.details == {"file": "/n.conf", "line": 3}
    for error, message in (
        (OSError(errno.EIO, os.strerror(errno.EIO), "/x"), "^/x: Input/output error"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit(3), "SystemExit: 3"),
    ):
        with pytest.raises(NettuneError, match=message):
            netns._in_child(lambda: None, lambda error=error: raise_(error))  # type: ignore[misc]
    with pytest.raises(NettuneError, match=r"pickle|local object"):
        netns._in_child(lambda: None, lambda: lambda: None)


def test_what_is_no_namespace_is_named_and_not_waited_for(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(NettuneError, match="fifo"):
        netns.run_in(str(tmp_path / "fifo"), os.getpid)
    with pytest.raises(
        NettuneError, match=r"^/run/netns/a{80,100} cannot be opened as .*: File name too long"
    ) as caught:
        netns.run_in("a" * 5000, os.getpid)
    assert len(str(caught.value)) < 200


def test_a_child_that_vanishes_is_told() -> None:
    with pytest.raises(NettuneError, match="wait status 9 and no answer"):
        netns._in_child(lambda: None, lambda: os.kill(os.getpid(), signal.SIGKILL))
