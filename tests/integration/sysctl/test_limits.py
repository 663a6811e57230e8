# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where something cannot be done: no right, nothing to write to, no such key, two runs at once."""

from __future__ import annotations

import os
import pathlib
import stat

from ansible_collections.nettune.tcp.plugins.module_utils._record import store
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox, fork
from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import (
    FILE,
    FIN_TIMEOUT,
    SOMAXCONN,
    failure,
    mount,
    row,
    runtime,
    sysctl,
)

NOBODY = 65534
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"


def test_without_root_the_missing_right_is_told_and_nothing_changed(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({SOMAXCONN: 8192})
        os.setuid(NOBODY)
        for check_mode in (True, False):
            assert not sysctl({SOMAXCONN: 8192}, check_mode=check_mode)["changed"]
            result = failure({SOMAXCONN: 8192, FIN_TIMEOUT: 30}, check_mode=check_mode)
            assert "/etc/sysctl.d" in result["msg"]
            assert f"uid {NOBODY}" in result["msg"]
            assert (runtime(FIN_TIMEOUT), FIN_TIMEOUT in str(calls.text())) == ("60", False)
            assert "root" in failure({}, purge=True, check_mode=check_mode)["msg"]

    on_fresh_host(body)


def test_a_read_only_proc_sys_is_told_and_the_next_boot_still_set(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        mount("--bind", "/proc/sys", "/proc/sys")
        mount("-o", "remount,bind,ro", "/proc/sys")
        predicted = sysctl({SOMAXCONN: 8192, FIN_TIMEOUT: 60}, check_mode=True)
        result = sysctl({SOMAXCONN: 8192, FIN_TIMEOUT: 60})
        assert predicted["settings"] == result["settings"]
        assert (row(result, SOMAXCONN)["status"], row(result, FIN_TIMEOUT)["status"]) == ("read_only", "changed")
        assert "read-only" in row(result, SOMAXCONN)["reason"]
        assert any(SOMAXCONN in warning for warning in result["warnings"])
        assert (row(result, SOMAXCONN)["runtime"], row(result, SOMAXCONN)["boot"]) == (4096, 8192)
        assert not sysctl({SOMAXCONN: 8192, FIN_TIMEOUT: 60})["changed"]

    on_fresh_host(body)


def test_a_read_only_etc_is_told_before_anything_is_touched(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        mount("-o", "remount,ro", "/etc/sysctl.d")
        for check_mode in (True, False):
            result = failure({SOMAXCONN: 8192}, check_mode=check_mode)
            assert "/etc/sysctl.d" in result["msg"]
            assert "read-only" in result["msg"]
            assert (runtime(SOMAXCONN), calls.text()) == ("4096", None)

    on_fresh_host(body)


def test_a_full_disk_leaves_kernel_and_files_as_they_were(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        mount("-t", "tmpfs", "-o", "size=4k", "none", "/etc/sysctl.d")
        calls.write("/etc/sysctl.d/10-filler.conf", "# " + "x" * 4000)
        result = failure({SOMAXCONN: 8192})
        assert "No space left" in result["msg"]
        assert f"{FILE} cannot be written" in result["msg"]
        assert (runtime(SOMAXCONN), os.listdir("/etc/sysctl.d")) == ("4096", ["10-filler.conf"])
        assert os.listdir("/var/lib/nettune-tcp") == ["runs"]
        assert [run.end for run in store.runs()] == ["restored"]

    on_fresh_host(body)


def test_the_file_keeps_its_mode_and_owner(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        os.umask(0o077)
        sysctl({SOMAXCONN: 8192})
        assert stat.S_IMODE(pathlib.Path(FILE).stat().st_mode) == 0o644
        os.chmod(FILE, 0o640)
        os.chown(FILE, 0, NOBODY)
        sysctl({SOMAXCONN: 16384})
        found = pathlib.Path(FILE).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o640, NOBODY)

    on_fresh_host(body)


def test_missing_keys_are_told_apart(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        mount("-t", "tmpfs", "none", "/proc/sys/net/netfilter")
        expected = {
            "net.ipv4.tcp_tw_recycle": "removed in Linux 4.12",
            "net.ipv4.no_such_key": "does not exist in this kernel",
            "net.ipv4.tcp_mem": "this network namespace has none of its own",
            "net.ipv4.conf.eth0/7.rp_filter": "no interface eth0.7",
            ESTABLISHED: "module nf_conntrack",
        }
        for check_mode in (True, False):
            result = sysctl(dict.fromkeys(expected, 1), check_mode=check_mode)
            assert not result["changed"]
            for key, said in expected.items():
                assert row(result, key)["status"] == "skipped"
                assert said in row(result, key)["reason"]
            refused = failure({SOMAXCONN: 8192, "net.ipv4.no_such_key": 1}, missing="fail", check_mode=check_mode)
            assert "net.ipv4.no_such_key: does not exist" in refused["msg"]
        assert (calls.text(), runtime(SOMAXCONN)) == (None, "4096")

    on_fresh_host(body)


MODPROBE = """#!/bin/sh
case "$*" in
  "--dry-run --quiet nf_conntrack") exit 0;;
  "-- nf_conntrack") exec umount /proc/sys/net/netfilter;;
  "--remove -- nf_conntrack") exec mount -t tmpfs none /proc/sys/net/netfilter;;
esac
exit 1
"""


def test_a_module_is_loaded_now_and_at_boot(on_fresh_host: Sandbox) -> None:
    """With a modprobe that uncovers the keys of conntrack, as this kernel may have it built in."""

    def body() -> None:
        calls.own_etc()
        mount("-t", "tmpfs", "none", "/proc/sys/net/netfilter")
        calls.write("/run/nettune-test/modprobe", MODPROBE)
        os.chmod("/run/nettune-test/modprobe", 0o755)
        os.environ["PATH"] = f"/run/nettune-test:{os.environ['PATH']}"
        listed = "/etc/modules-load.d/zz-nettune-tcp.conf"

        predicted = sysctl({ESTABLISHED: 86400}, load_modules=True, check_mode=True)
        assert runtime(ESTABLISHED) is None
        result = sysctl({ESTABLISHED: 86400}, load_modules=True)
        assert predicted["settings"] == result["settings"]
        assert row(result, ESTABLISHED)["status"] == "changed"
        assert (row(result, ESTABLISHED)["runtime_before"], row(result, ESTABLISHED)["runtime"]) == (None, 86400)
        assert runtime(ESTABLISHED) == "86400"
        assert str(calls.text(listed)).splitlines()[1:] == ["nf_conntrack"]
        assert not sysctl({ESTABLISHED: 86400}, load_modules=True)["changed"]
        assert not sysctl({ESTABLISHED: 86400})["changed"]

        sysctl({ESTABLISHED: None}, state="absent")
        assert (runtime(ESTABLISHED), calls.text(listed)) == ("432000", None)

        mount("-t", "tmpfs", "none", "/proc/sys/net/netfilter")
        result = failure({ESTABLISHED: 86400, "net.ipv4.tcp_syn_retries": 9999}, load_modules=True)
        assert "load module nf_conntrack" in result["restored"]
        assert (runtime(ESTABLISHED), calls.text(listed), calls.text()) == (None, None, None)

    on_fresh_host(body)


def test_two_runs_at_once_lose_nothing_of_each_other(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        keys = [f"net.ipv4.tcp_keepalive_{name}" for name in ("intvl", "probes", "time")] + [FIN_TIMEOUT, SOMAXCONN]
        wanted = {key: 7000 + 10 * number for number, key in enumerate(keys)}
        wanted["net.ipv4.tcp_keepalive_probes"] = 9
        for _round in range(10):
            sysctl({}, purge=True)
            children = [fork(lambda key=key: sysctl({key: wanted[key]}, force=True)) for key in keys]  # type: ignore[misc]
            assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(keys)
            assert str(calls.text()).splitlines()[1:] == [f"{key} = {wanted[key]}" for key in sorted(keys)]
            assert {key: runtime(key) for key in keys} == {key: str(value) for key, value in wanted.items()}

    on_fresh_host(body)


def test_the_file_keeps_its_security_context(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({SOMAXCONN: 8192})
        context = b"system_u:object_r:system_conf_t:s0\0"
        os.setxattr(FILE, "security.selinux", context)
        sysctl({SOMAXCONN: 16384})
        assert os.getxattr(FILE, "security.selinux") == context

    on_fresh_host(body)
