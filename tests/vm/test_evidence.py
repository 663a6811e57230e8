# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For every value of the whole host that a profile ships: what fails without it, and that with it it does not."""

from __future__ import annotations

from ansible_collections.nettune.tcp.tests.profiles import WANTS, profiles_with, without_proof
from ansible_collections.nettune.tcp.tests.vm.host import Host


@profiles_with("fs.file-max")
def test_processes_without_privileges_can_open_files(host: Host, profile: str) -> None:
    key = "fs.file-max"
    with host.lowered(key, 5000):
        before = host.probe("open_files", "6000")
        host.module("sysctl", settings={key: WANTS[profile, key]})
        after = host.probe("open_files", "6000")
    assert before["error"] == "ENFILE"
    assert before["opened"] < 5000
    assert after == {"opened": 6000, "error": None}


@profiles_with("fs.nr_open")
def test_a_process_and_a_service_can_be_given_as_many_files(host: Host, profile: str) -> None:
    key = "fs.nr_open"
    # Not what systemd has itself in some releases: a service inherits that, however low the ceiling has become.
    asked = WANTS[profile, key]["at_least"] - 1
    with host.lowered(key, 65536):
        before = host.probe("raise_nofile", str(asked))
        host.module("sysctl", settings={key: WANTS[profile, key]})
        after = host.probe("raise_nofile", str(asked))
    # systemd may raise a limit as far as nr_open was when it started, and finds that this is too far now.
    assert before == {"error": "EPERM", "service": "205/LIMITS"}
    assert after == {"error": None, "service": asked}


def test_a_service_gets_less_without_a_word_where_systemd_has_always_known_the_ceiling(host: Host) -> None:
    ceiling = int(host.sysctl("fs.nr_open")["fs.nr_open"])
    assert host.probe("raise_nofile", str(ceiling + 1)) == {"error": "EPERM", "service": ceiling}


def test_no_value_ships_without_its_proof() -> None:
    assert without_proof("host") == set()
