# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole promise for a web server: its accept queue and its file limits, now and after a reboot."""

from __future__ import annotations

import typing as t

from ansible_collections.nettune.tcp.tests.vm.host import Data, Host
from ansible_collections.nettune.tcp.tests.vm.way import CLIENTS, UNITS, Look, Way

LIMIT, BACKLOG = 600000, 8192


def main_processes(seen: Look) -> t.Dict[str, int]:
    return {unit: seen.units[unit]["main"] for unit in UNITS}


def limits(seen: Look) -> t.Set[t.Tuple[int, ...]]:
    """The soft and hard limits that there are among all processes."""
    return {tuple(pair) for unit in UNITS for pair in seen.units[unit]["limits"]}


def statuses(rows: t.Iterable[Data]) -> t.Set[str]:
    return {row["status"] for row in rows}


def test_as_installed_the_queue_and_the_limits_are_short(way: Way) -> None:
    assert way.clean.backlog == 511
    assert limits(way.clean) == {(1024, 2000), (1024, 524288)}
    # The kernel lets one more in than the backlog says.
    assert way.first_crowd["queued"] == 512


def test_check_mode_starts_and_raises_nothing(way: Way) -> None:
    assert (way.checked.units, way.checked.backlog) == (way.clean.units, way.clean.backlog)


def test_hard_limits_are_raised_in_the_same_processes(way: Way) -> None:
    assert statuses(way.first.rows("file_limit")) == {"changed"}
    assert main_processes(way.applied) == main_processes(way.clean)
    assert limits(way.applied) == {(LIMIT, LIMIT)}


def test_the_queue_has_grown(way: Way) -> None:
    assert statuses(way.first.rows("backlog")) == {"changed"}
    assert way.applied.backlog == BACKLOG


def test_after_a_reboot_both_are_in_force(way: Way) -> None:
    assert limits(way.rebooted) == {(LIMIT, LIMIT)}
    assert way.rebooted.backlog == BACKLOG
    assert statuses(way.verified.rows("file_limit")) == {"ok"}
    assert statuses(way.verified.rows("backlog")) == {"ok"}


def test_after_a_reboot_a_crowd_is_queued_held_open_and_answered(way: Way) -> None:
    assert way.second_crowd["queued"] == way.second_crowd["answered"] == CLIENTS
    assert way.second_crowd["held"] > CLIENTS


def test_without_our_drop_ins_a_boot_gives_what_there_was(way: Way) -> None:
    assert statuses(way.limits_absent) <= {"ok", "changed"}
    assert limits(way.rebooted_again) == limits(way.clean)
    assert way.rebooted_again.backlog == way.clean.backlog


def test_a_limit_above_the_ceiling_is_refused_with_the_number(host: Host) -> None:
    ceiling = int(host.sysctl("fs.nr_open")["fs.nr_open"])
    reason = host.refusal("nofile", unit="low", limit={"at_least": ceiling + 1})
    assert f"needs fs.nr_open >= {ceiling + 1}, it is {ceiling}" in reason
