# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server's way through the role: check mode, applied, again, rebooted, taken back, rebooted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.nettune.tcp.tests.profiles import WANTS
from ansible_collections.nettune.tcp.tests.vm import others
from ansible_collections.nettune.tcp.tests.vm.host import Data, Host, Play

WEB = {key: want for (profile, key), want in WANTS.items() if profile == "web"}
# Of the whole host too, in no profile; the second one comes with a kernel module that nothing here would load.
ORPHANS, CONNTRACK = "net.ipv4.tcp_max_orphans", "net.netfilter.nf_conntrack_max"
MORE = {ORPHANS: {"at_least": 65536}, CONNTRACK: {"at_least": 32768}}
UNITS = ("nginx", "low")
# Three times as many as nginx can hold as it is installed.
CLIENTS = 3000

Values = t.Dict[str, str]


@dataclass(frozen=True)
class Look:
    """The host at one moment: which boot it is, the values of the profile's keys, and all that a play could change.

    ``units`` has the main process and the limits of each service, ``backlog`` that of port 80.
    """

    boot_id: str
    values: Values
    state: t.FrozenSet[str]
    units: Data
    backlog: int


@dataclass(frozen=True)
class Way:
    """What was seen, in this order."""

    clean: Look
    first_crowd: Data
    predicted: Play
    checked: Look
    first: Play
    second: Play
    more: Data
    applied: Look
    predicted_boot: Data
    rebooted: Look
    found: Values
    verified: Play
    second_crowd: Data
    absent: Data
    limits_absent: t.List[Data]
    given_back: Look
    rebooted_again: Look


def look(host: Host) -> Look:
    return Look(host.boot_id(), host.sysctl(*WEB), host.state(), **host.probe("services"))


def prepared(host: Host) -> Look:
    """Also how the host is after all, but for what the role has changed."""
    host.script("serve")
    return look(host)


def look_after_reboot(host: Host) -> Look:
    host.vm.reboot()
    return look(host)


def predicted_boot(host: Host) -> Data:
    """What the module says of all keys, those that it does not manage too, with files of others there."""
    host.vm.run("sh", given=others.WRITE)
    wants = dict.fromkeys([*others.KEYS, *WEB, *MORE])
    return t.cast("Data", host.module("sysctl", settings=wants, state="absent", check=True)["settings"])


def found_after_boot(host: Host) -> Values:
    """The running values of these keys; the files of others are removed."""
    values = host.sysctl(*others.KEYS, *WEB, *MORE)
    host.vm.run("sh", given=others.REMOVE)
    return values


def walk(host: Host) -> Way:
    """All of it; the arguments are evaluated from first to last."""
    return Way(
        clean=prepared(host),
        first_crowd=host.probe("crowd", str(CLIENTS)),
        predicted=host.tune(check=True),
        checked=look(host),
        first=host.tune(),
        second=host.tune(),
        more=host.module("sysctl", settings=MORE, load_modules=True),
        applied=look(host),
        predicted_boot=predicted_boot(host),
        rebooted=look_after_reboot(host),
        found=found_after_boot(host),
        verified=host.tune(),
        second_crowd=host.probe("crowd", str(CLIENTS)),
        absent=host.module("sysctl", settings=dict.fromkeys([*WEB, *MORE]), state="absent"),
        limits_absent=[host.module("nofile", unit=unit, state="absent") for unit in UNITS],
        given_back=prepared(host),
        rebooted_again=look_after_reboot(host),
    )
