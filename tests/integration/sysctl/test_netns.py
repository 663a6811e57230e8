# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of a network namespace that somebody else runs in, such as a container."""

from __future__ import annotations

import contextlib
import subprocess
import typing as t

from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import SOMAXCONN, failure, row, runtime, sysctl

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox


@contextlib.contextmanager
def container() -> t.Iterator[str]:
    """The pid of a process in a network namespace of its own."""
    command = ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield str(process.pid)
        process.kill()


def inside(pid: str, key: str) -> str:
    """A running value as the container sees it."""
    path = "/proc/sys/" + key.replace(".", "/")
    return subprocess.check_output(["nsenter", f"--net=/proc/{pid}/ns/net", "cat", path], text=True).strip()


def test_a_container_gets_its_own_value_and_the_host_keeps_its(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        with container() as pid:
            predicted = sysctl({SOMAXCONN: 8192}, netns=pid, check_mode=True)
            result = sysctl({SOMAXCONN: 8192}, netns=pid)
            assert predicted["settings"] == result["settings"]
            assert row(result, SOMAXCONN) == {
                "want": "exactly 8192",
                "runtime_before": 4096,
                "runtime": 8192,
                "boot_before": None,
                "boot": None,
                "source": None,
                "status": "changed",
                "reason": "",
            }
            assert (inside(pid, SOMAXCONN), runtime(SOMAXCONN), calls.text()) == ("8192", "4096", None)
            assert result["file"] is None
            assert not sysctl({SOMAXCONN: 8192}, netns=f"/proc/{pid}/ns/net")["changed"]

    on_fresh_host(body)


def test_what_is_host_wide_is_refused_even_with_force(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        with container() as pid:
            for key in ("fs.file-max", "net.core.netdev_max_backlog", "net.ipv4.tcp_mem"):
                result = failure({SOMAXCONN: 8192, key: 1}, netns=pid, force=True)
                assert f"{key}: " in result["msg"]
                assert "host-wide" in result["msg"]
                assert result["settings"][key]["status"] == "refused"
                assert inside(pid, SOMAXCONN) == "4096"

    on_fresh_host(body)


def test_a_failure_in_the_namespace_is_told_in_full(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        with container() as pid:
            result = failure({SOMAXCONN: 8192, "net.ipv4.tcp_syn_retries": 9999}, netns=pid)
            assert "tcp_syn_retries = 9999" in result["msg"]
            assert f"{SOMAXCONN} = 8192" in result["restored"]
            assert inside(pid, SOMAXCONN) == "4096"

    on_fresh_host(body)


def test_originals_and_namespaces_do_not_go_together(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        assert "netns" in failure({SOMAXCONN: None}, netns="1", state="absent")["msg"]
        assert "netns" in failure({}, netns="1", purge=True)["msg"]

    on_fresh_host(body)
