# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host's way through the role: check mode, applied, again, rebooted, taken back, rebooted."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import lookup
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_value, parse_want
from ansible_collections.nettune.tcp.tests.profiles import WANTS
from ansible_collections.nettune.tcp.tests.vm.host import Data, Host, Play

WEB = {key: want for (profile, key), want in WANTS.items() if profile == "web"}
# Of the whole host too, in no profile; the second one comes with a kernel module that nothing here would load.
ORPHANS, CONNTRACK = "net.ipv4.tcp_max_orphans", "net.netfilter.nf_conntrack_max"
MORE = {ORPHANS: {"at_least": 65536}, CONNTRACK: {"at_least": 32768}}
# A module that is in use by then is not unloaded.
OF_CONNTRACK = re.compile(r"net\.(netfilter\.|nf_conntrack_max)")

Values = t.Dict[str, str]


@dataclass(frozen=True)
class Look:
    """The host at one moment: which boot it is, the values of the profile's keys, and all that a play could change."""

    boot_id: str
    values: Values
    state: t.FrozenSet[str]


@dataclass(frozen=True)
class Way:
    """What was seen, in this order."""

    clean: Look
    foretold: Play
    checked: Look
    first: Play
    second: Play
    more: Data
    applied: Look
    rebooted: Look
    more_values: Values
    verified: Data
    absent: Data
    given_back: Look
    rebooted_again: Look


def look(host: Host) -> Look:
    return Look(host.boot_id(), host.sysctl(*WEB), host.state())


def look_after_reboot(host: Host) -> Look:
    host.vm.reboot()
    return look(host)


@pytest.fixture(scope="module")
def way(host: Host) -> Way:
    """All of it; the arguments are evaluated from first to last."""
    return Way(
        clean=look(host),
        foretold=host.tune(check=True),
        checked=look(host),
        first=host.tune(),
        second=host.tune(),
        more=host.module("sysctl", settings=MORE, load_modules=True),
        applied=look(host),
        rebooted=look_after_reboot(host),
        more_values=host.sysctl(*MORE),
        verified=host.module("sysctl", settings=WEB, check=True),
        absent=host.module("sysctl", settings=dict.fromkeys([*WEB, *MORE]), state="absent"),
        given_back=look(host),
        rebooted_again=look_after_reboot(host),
    )


def short(values: Values) -> t.Dict[str, str]:
    """Those of the values that are not what the profile wants."""

    def holds(key: str) -> bool:
        ports = lookup(key).ports
        return parse_want(WEB[key], ports=ports).satisfied_by(parse_value(values[key], ports=ports))

    return {key: values[key] for key in WEB if not holds(key)}


def statuses(settings: Data) -> t.Set[str]:
    return {row["status"] for row in settings.values()}


def test_a_clean_host_falls_short(way: Way) -> None:
    assert "net.core.somaxconn" in short(way.clean.values)


def test_check_mode_changes_nothing_and_foretells_everything(way: Way) -> None:
    assert way.checked == way.clean
    assert way.foretold.changed == 1
    assert way.foretold.settings == way.first.settings


def test_the_role_brings_about_the_profile_and_has_then_nothing_left_to_do(way: Way) -> None:
    assert statuses(way.first.settings) <= {"ok", "changed"}
    assert statuses(way.second.settings) == {"ok"}
    assert way.second.changed == 0
    assert short(way.applied.values) == {}


def test_after_a_reboot_every_value_is_in_force(way: Way) -> None:
    assert way.rebooted.boot_id != way.applied.boot_id
    assert short(way.rebooted.values) == {}
    assert statuses(way.verified["settings"]) == {"ok"}
    assert not way.verified["changed"]


@pytest.mark.parametrize("key", ["fs.file-max", "fs.nr_open"])
def test_what_systemd_has_raised_at_boot_is_never_lowered(way: Way, key: str) -> None:
    highest = max(int(way.clean.values[key]), WEB[key]["at_least"])
    assert int(way.applied.values[key]) == highest
    assert int(way.rebooted.values[key]) == highest


def test_after_a_reboot_even_keys_of_a_kernel_module_have_their_values(way: Way) -> None:
    assert statuses(way.more["settings"]) == {"changed"}
    assert {key: int(value) for key, value in way.more_values.items()} == {
        key: want["at_least"] for key, want in MORE.items()
    }


def test_absent_gives_the_originals_back(way: Way) -> None:
    assert statuses(way.absent["settings"]) <= {"ok", "changed"}
    assert way.given_back.values == way.clean.values
    assert {line for line in way.given_back.state - way.clean.state if not OF_CONNTRACK.match(line)} == set()
    assert way.clean.state - way.given_back.state == set()


def test_the_boot_after_that_is_as_if_nothing_had_been(way: Way) -> None:
    assert way.rebooted_again.boot_id != way.given_back.boot_id
    assert way.rebooted_again.values == way.clean.values
    assert way.rebooted_again.state == way.clean.state
