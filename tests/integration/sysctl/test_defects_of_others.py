# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen to go wrong with ansible.posix.sysctl, one task per key, does not go wrong here."""

from __future__ import annotations

import sys
import typing as t

from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import (
    FILE,
    FIN_TIMEOUT,
    SOMAXCONN,
    SYNCOOKIES,
    failure,
    put,
    row,
    runtime,
    sysctl,
)

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

RECYCLE = "net.ipv4.tcp_tw_recycle"
OTHERS = "/etc/sysctl.d/50-others.conf"


def test_1_an_unknown_key_is_not_changed_on_every_run(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        for _run in range(3):
            result = sysctl({RECYCLE: 0})
            assert (result["changed"], row(result, RECYCLE)["status"]) == (False, "skipped")
        assert calls.text() is None

    on_fresh_host(body)


def test_2_what_the_kernel_rejects_is_not_left_in_the_file(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        assert RECYCLE in failure({RECYCLE: 0}, missing="fail")["msg"]
        assert f"{SYNCOOKIES} = 99999" in failure({SYNCOOKIES: 99999}, force=True)["msg"]
        assert calls.text() is None
        # so later tasks do not inherit the failure
        assert row(sysctl({SOMAXCONN: 8192}), SOMAXCONN)["status"] == "changed"
        assert calls.text() is not None

    on_fresh_host(body)


def test_3_double_definitions_keep_their_effect_when_another_key_is_set(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        content = f"{FIN_TIMEOUT} = 30\n{FIN_TIMEOUT} = 60\n"
        calls.write(OTHERS, content)
        sysctl({SOMAXCONN: 8192})
        assert calls.text(OTHERS) == content
        result = sysctl({FIN_TIMEOUT: 60}, check_mode=True)
        assert row(result, FIN_TIMEOUT)["boot_before"] == 60

    on_fresh_host(body)


def test_4_all_spellings_are_one_key(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        assert "given twice" in failure({"net.core.somaxconn": 8192, "net/core/somaxconn": 8192})["msg"]
        sysctl({"net/core/somaxconn": 8192})
        assert not sysctl({SOMAXCONN: 8192})["changed"]
        assert str(calls.text()).splitlines()[1:] == [f"{SOMAXCONN} = 8192"]
        calls.write("/etc/sysctl.d/zzz.conf", "-net/core/somaxconn = 128\n")
        found = row(sysctl({SOMAXCONN: 8192}), SOMAXCONN)
        assert (found["status"], found["boot"], found["source"]) == ("overridden", 128, "/etc/sysctl.d/zzz.conf:1")

    on_fresh_host(body)


def test_5_check_and_diff_tell_what_changes_where(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        calls.write(OTHERS, f"{SOMAXCONN} = 5000\n")
        for check_mode in (True, False):
            result = sysctl({SOMAXCONN: 8192, FIN_TIMEOUT: 60}, check_mode=check_mode)
            assert result["diff"]["before"] == (
                f"{SOMAXCONN}: runtime 4096, boot 5000\n{FIN_TIMEOUT}: runtime 60, boot unset\n"
            )
            assert result["diff"]["after"] == (
                f"{SOMAXCONN}: runtime 8192, boot 8192\n{FIN_TIMEOUT}: runtime 60, boot 60\n"
            )
            assert (result["file"], row(result, SOMAXCONN)["source"]) == (FILE, f"{FILE}:2")

    on_fresh_host(body)


def test_6_nothing_is_lowered_silently_and_absent_gives_back(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        put(SOMAXCONN, "5000")
        for check_mode in (True, False):
            refused = failure({SOMAXCONN: 1024}, check_mode=check_mode)
            assert "5000 to 1024" in refused["msg"]
            assert refused["settings"][SOMAXCONN]["status"] == "refused"
        assert (runtime(SOMAXCONN), calls.text()) == ("5000", None)
        sysctl({SOMAXCONN: 1024}, force=True)
        assert runtime(SOMAXCONN) == "1024"
        sysctl({SOMAXCONN: None}, state="absent")
        assert runtime(SOMAXCONN) == "5000"

    on_fresh_host(body)


def test_6_nor_is_what_another_file_gives_at_boot(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        calls.write(OTHERS, f"# ours\n{SOMAXCONN} = 65535\n")
        assert f"from 65535 that {OTHERS}:2 sets for the next boot to 8192" in failure({SOMAXCONN: 8192})["msg"]
        assert row(sysctl({SOMAXCONN: {"at_least": 8192}}), SOMAXCONN)["boot"] == 65535

    on_fresh_host(body)


def test_7_no_process_is_started_and_only_what_differs_is_written(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        sysctl({FIN_TIMEOUT: 30})
        started: t.List[str] = []
        written: t.List[str] = []

        def watch(event: str, arguments: t.Tuple[t.Any, ...]) -> None:
            if event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn"):
                started.append(event)
            if event == "open" and str(arguments[0]).startswith("/proc/sys/") and arguments[2] & 3:
                written.append(str(arguments[0]))

        sys.addaudithook(watch)
        sysctl({FIN_TIMEOUT: 30, SOMAXCONN: 8192, SYNCOOKIES: 1, "net.ipv4.tcp_rmem": {"at_least": [4096, 1, 1]}})
        assert (started, written) == ([], ["/proc/sys/net/core/somaxconn"])

    on_fresh_host(body)
