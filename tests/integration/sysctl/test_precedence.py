# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which file decides at the next boot, and who else sets keys, as the module tells it."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import FILE, SOMAXCONN, row, runtime, sysctl

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

LINE = f"{SOMAXCONN} = 5000\n"


@pytest.mark.parametrize(
    "others, file, status, boot, source",
    [
        pytest.param({"/usr/lib/sysctl.d/50-v.conf": LINE}, FILE, "changed", 8192, f"{FILE}:2", id="ours is last"),
        pytest.param(
            {"/usr/lib/sysctl.d/90-v.conf": LINE},
            "/etc/sysctl.d/10-ours.conf",
            "overridden",
            5000,
            "/usr/lib/sysctl.d/90-v.conf:1",
            id="names decide, not directories",
        ),
        pytest.param(
            {"/run/sysctl.d/zz-nettune-tcp.conf": LINE, "/usr/lib/sysctl.d/zz-nettune-tcp.conf": LINE},
            FILE,
            "changed",
            8192,
            f"{FILE}:2",
            id="the same name: /etc hides /run and /usr/lib",
        ),
        pytest.param(
            {"/etc/sysctl.d/zz.conf": LINE},
            "/usr/lib/sysctl.d/zz-nettune-tcp.conf",
            "overridden",
            5000,
            "/etc/sysctl.d/zz.conf:1",
            id="a dot sorts after a hyphen",
        ),
        pytest.param(
            {"/etc/sysctl.d/zzz.conf": f"# later\n{LINE}{SOMAXCONN} = 6000\n"},
            FILE,
            "overridden",
            6000,
            "/etc/sysctl.d/zzz.conf:3",
            id="the last line of the last file",
        ),
        pytest.param(
            {"/etc/sysctl.d/zzz.conf": f"{SOMAXCONN} = 6000 # enough\n"},
            FILE,
            "overridden",
            6000,
            "/etc/sysctl.d/zzz.conf:1",
            id="as the kernel takes it",
        ),
        pytest.param(
            {"/etc/sysctl.d/zzz.conf": "net.core.* = 6000\n"}, FILE, "changed", 8192, f"{FILE}:2", id="not a glob"
        ),
    ],
)
def test_the_line_that_decides_is_named(
    on_fresh_host: Sandbox, others: t.Dict[str, str], file: str, status: str, boot: int, source: str
) -> None:
    def body() -> None:
        for path, content in others.items():
            calls.write(path, content)
        predicted = sysctl({SOMAXCONN: {"at_least": 8192}}, file=file, check_mode=True)
        result = sysctl({SOMAXCONN: {"at_least": 8192}}, file=file)
        assert predicted["settings"] == result["settings"]
        found = row(result, SOMAXCONN)
        assert (found["status"], found["boot"], found["source"]) == (status, boot, source)
        assert runtime(SOMAXCONN) == "8192"
        if status == "overridden":
            assert found["reason"] == f"the next boot gives {boot}, from {source}"
            assert any(source in warning for warning in result["warnings"])
        assert not sysctl({SOMAXCONN: {"at_least": 8192}}, file=file)["changed"]

    on_fresh_host(body)


def test_what_boot_does_not_read_but_sysctl_system_does_is_told(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        calls.own_etc()
        calls.write("/etc/sysctl.conf", f"{SOMAXCONN} = 7777\n")
        found = row(sysctl({SOMAXCONN: 8192}), SOMAXCONN)
        assert (found["status"], found["boot"], found["source"]) == ("changed", 8192, f"{FILE}:2")
        assert found["reason"] == "sysctl --system would give 7777, from /etc/sysctl.conf:1"

    on_fresh_host(body)


@pytest.mark.parametrize(
    "others, boot, source, reason",
    [
        pytest.param(
            {"/run/sysctl.d/zzz.conf": LINE},
            8192,
            f"{FILE}:2",
            "until the reboot, systemd-sysctl gives 5000, from /run/sysctl.d/zzz.conf:1",
            id="a later file",
        ),
        pytest.param(
            {"/run/sysctl.d/zzz.conf": "", "/usr/lib/sysctl.d/zzz.conf": LINE},
            5000,
            "/usr/lib/sysctl.d/zzz.conf:1",
            "the next boot gives 5000, from /usr/lib/sysctl.d/zzz.conf:1; "
            "until the reboot, /run/sysctl.d/zzz.conf masks /usr/lib/sysctl.d/zzz.conf",
            id="a mask",
        ),
    ],
)
def test_what_lasts_until_the_reboot_is_not_the_next_boot(
    on_fresh_host: Sandbox, others: t.Dict[str, str], boot: int, source: str, reason: str
) -> None:
    def body() -> None:
        for path, content in others.items():
            calls.write(path, content)
        predicted = sysctl({SOMAXCONN: 8192}, check_mode=True)
        result = sysctl({SOMAXCONN: 8192})
        assert predicted["settings"] == result["settings"]
        found = row(result, SOMAXCONN)
        assert (found["boot"], found["source"], found["reason"]) == (boot, source, reason)

    on_fresh_host(body)


def test_rivals_are_named(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        calls.own_etc()
        profile = "/etc/tuned/profiles/busy/tuned.conf"
        calls.write("/etc/tuned/active_profile", "busy\n")
        calls.write(profile, "[main]\ninclude=base\n[sysctl]\nnet.core.somaxconn=>2048\n")
        calls.write("/etc/tuned/profiles/base/tuned.conf", "[sysctl]\nnet.ipv4.tcp_fin_timeout = 15\n")
        calls.write("/etc/ufw/ufw.conf", "ENABLED=yes\n")
        calls.write("/etc/default/ufw", "IPT_SYSCTL=/etc/ufw/sysctl.conf\n")
        calls.write("/etc/ufw/sysctl.conf", "net/ipv4/tcp_syncookies=0\nnet/ipv4/tcp_sack=1\n")
        wanted = {
            SOMAXCONN: 8192,
            "net.ipv4.tcp_fin_timeout": 30,
            "net.ipv4.tcp_syncookies": 1,
            "net.ipv4.tcp_sack": 1,
            "net.ipv4.tcp_rmem": {"at_least": [4096, 131072, 67108864]},
        }
        said = {
            SOMAXCONN: f"tuned, with the profile busy, sets it to >2048 from {profile}:4",
            "net.ipv4.tcp_fin_timeout": "sets it to 15 from /etc/tuned/profiles/base/tuned.conf:2",
            "net.ipv4.tcp_syncookies": "ufw sets it to 0 when it starts, from /etc/ufw/sysctl.conf:1",
            "net.ipv4.tcp_rmem": "bpftune runs here",
        }
        with pretend("tuned"), pretend("bpftune"):
            predicted, result = sysctl(wanted, check_mode=True), sysctl(wanted)
        assert predicted["settings"] == result["settings"]
        for key, words in said.items():
            assert words in row(result, key)["reason"]
            assert any(words in warning for warning in result["warnings"])
        assert row(result, "net.ipv4.tcp_sack")["reason"] == ""
        assert row(result, SOMAXCONN)["status"] == "changed"

    on_fresh_host(body)


class pretend:  # noqa: N801
    """A process that goes by the name of a daemon."""

    def __init__(self, name: str) -> None:
        path = f"/run/nettune-test/{name}"
        shutil.copy(str(shutil.which("sleep")), path)
        self._process = subprocess.Popen([path, "60"])
        while not os.path.exists(f"/proc/{self._process.pid}/comm"):
            pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.wait()
