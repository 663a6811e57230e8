# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctls of a web server on its way through the role."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import lookup
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.plan import data
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_value, parse_want
from ansible_collections.nettune.tcp.tests.vm import others
from ansible_collections.nettune.tcp.tests.vm.host import Data
from ansible_collections.nettune.tcp.tests.vm.way import MORE, WEB, Values, Way

# What only another boot gives back: values of a kernel module that is in use by then, and those that were the boot's.
LATE = re.compile(
    "|".join([r"net\.netfilter\.", "net.nf_conntrack_max", r"net\.ipv4\.conf\.\w+\.log_martians", *others.KEYS])
)


# Their maximum is computed from the memory that is free at boot, and differs by some bytes from boot to boot.
FROM_MEMORY = re.compile(r"net\.ipv4\.tcp_[rw]mem\b")


def short(values: Values) -> t.Dict[str, str]:
    """Those of the values that are not what the profile wants."""

    def holds(key: str) -> bool:
        ports = lookup(key).ports
        return parse_want(WEB[key], ports=ports).satisfied_by(parse_value(values[key], ports=ports))

    return {key: values[key] for key in WEB if not holds(key)}


def statuses(settings: t.Union[Data, t.List[Data]]) -> t.Set[str]:
    return {row["status"] for row in (settings.values() if isinstance(settings, dict) else settings)}


def test_a_clean_host_falls_short(way: Way) -> None:
    assert "net.core.somaxconn" in short(way.clean.values)


def test_check_mode_changes_nothing_and_predicts_everything(way: Way) -> None:
    assert way.checked == way.clean
    assert way.predicted.changed == 1
    assert way.predicted.settings == way.first.settings


def test_the_role_brings_about_the_profile_and_has_then_nothing_left_to_do(way: Way) -> None:
    assert statuses(way.first.settings) <= {"ok", "changed"}
    assert statuses(way.second.settings) == {"ok"}
    assert way.second.changed == 0
    assert short(way.applied.values) == {}


def test_after_a_reboot_every_value_is_in_force(way: Way) -> None:
    assert way.rebooted.boot_id != way.applied.boot_id
    assert short(way.rebooted.values) == {}
    assert statuses(way.verified.settings) == {"ok"}
    assert way.verified.changed == 0


@pytest.mark.parametrize("key", ["fs.file-max", "fs.nr_open"])
def test_what_systemd_has_raised_at_boot_is_never_lowered(way: Way, key: str) -> None:
    highest = max(int(way.clean.values[key]), WEB[key]["at_least"])
    assert int(way.applied.values[key]) == highest
    assert int(way.rebooted.values[key]) == highest


def test_a_boot_gives_what_was_said_it_would(way: Way) -> None:
    said = {
        key: row["runtime_before"] if row["boot_before"] is None else row["boot_before"]
        for key, row in way.predicted_boot.items()
    }
    assert said == {key: data(key, value) for key, value in way.found.items()}


def test_the_file_that_wins_at_boot_is_named(way: Way) -> None:
    told = {key: way.predicted_boot[key]["source"] for key in others.KEYS}
    by_release = told.pop(others.BY_RELEASE)
    assert told == others.SOURCES
    assert (by_release is None) == (way.found[others.BY_RELEASE] != "4")


def test_what_is_below_run_is_said_to_last_until_the_reboot(way: Way) -> None:
    assert {key: way.predicted_boot[key]["reason"] for key in others.UNTIL_REBOOT} == others.UNTIL_REBOOT


def test_after_a_reboot_even_keys_of_a_kernel_module_have_their_values(way: Way) -> None:
    assert statuses(way.more["settings"]) == {"changed"}
    assert {key: int(way.found[key]) for key in MORE} == {key: want["at_least"] for key, want in MORE.items()}


def test_absent_gives_the_originals_back(way: Way) -> None:
    assert statuses(way.absent["settings"]) <= {"ok", "changed"}
    assert way.given_back.values == way.clean.values
    assert {line for line in way.given_back.state ^ way.clean.state if not LATE.match(line)} == set()


def test_the_boot_after_that_is_as_if_nothing_had_been(way: Way) -> None:
    assert way.rebooted_again.boot_id != way.given_back.boot_id
    assert way.rebooted_again.values == way.clean.values
    assert {line for line in way.rebooted_again.state ^ way.clean.state if not FROM_MEMORY.match(line)} == set()
