# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module tells of a run."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.descriptors import Descriptor
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.match import Connection, choose
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.report import (
    CHANGED,
    CLOSED,
    GONE,
    REFUSED,
    Outcome,
    Process,
    Seen,
    result,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._reclaim.connections import connection, request

APP, WORKER = Process(811, "app", "app.service"), Process(900, "evil\nname", None)


def outcome(found: t.Sequence[Connection], fates: t.Sequence[str], *, seen: t.Any = None, **asked: t.Any) -> Outcome:
    """A run in which these were found, and this became of those chosen."""
    wanted = request(**asked)
    choice = choose(found, wanted)
    held = {one.inode: (Descriptor(811, 5, one.inode, one.inode),) for one in found}
    return Outcome(
        wanted,
        Seen(choice, **(seen or {})),
        list(zip(choice.connections, fates)),
        holders=held,
        held={one.inode: held[one.inode] for one, fate in zip(choice.connections, fates) if fate == CLOSED},
        processes={811: APP, 900: WORKER},
    )


FOUR = [connection(inode=inode, idle=(1000 * inode,) * 3, cookie=inode) for inode in (1, 2, 3, 4)]


def test_counts_are_exact_and_samples_bounded() -> None:
    told = result(outcome(FOUR, [CLOSED, CLOSED, CLOSED], max=3, samples=2))
    assert (told["matched"], told["destroyed"], told["beyond_max"], told["changed"]) == (4, 3, 1, True)
    assert [row["idle"] for row in told["samples"]] == [4.0, 3.0]
    assert told["samples"][0] == {
        "state": "CLOSE_WAIT",
        "family": "inet",
        "local_address": "10.0.0.1",
        "local_port": 80,
        "remote_address": "192.0.2.7",
        "remote_port": 40000,
        "v4_mapped": False,
        "idle": 4.0,
        "uid": 33,
        "processes": [{"pid": 811, "name": "app", "unit": "app.service"}],
    }
    assert told["states"] == {"CLOSE_WAIT": 4}
    assert told["diff"] == {
        "before_header": "matching sockets",
        "after_header": "matching sockets",
        "before": "CLOSE_WAIT: 4\n" + "CLOSE_WAIT 10.0.0.1:80 192.0.2.7:40000\n" * 2 + "... and 1 more\n",
        "after": "CLOSE_WAIT: 1\n",
    }


def test_what_was_spared_is_not_destroyed() -> None:
    told = result(outcome(FOUR, [GONE, CHANGED, REFUSED, CLOSED]))
    assert told["spared"] == {"gone": 1, "changed": 1, "refused": 1}
    assert (told["destroyed"], len(told["samples"])) == (1, 1)
    assert told["samples"][0]["idle"] == 1.0
    assert any("1 socket still there" in warning for warning in told["warnings"])


def test_nothing_closed_is_nothing_changed() -> None:
    told = result(outcome(FOUR, [], keep=4))
    assert (told["changed"], told["destroyed"], told["matched"], told["beyond_max"]) == (False, 0, 4, 0)
    assert (told["diff"]["before"], told["diff"]["after"], told["warnings"]) == ("", "", [])


def test_descriptors_are_counted_by_process() -> None:
    made = outcome(FOUR[:2], [CLOSED, CLOSED])
    held = {
        1: (Descriptor(900, 1, 3, 1), Descriptor(900, 1, 4, 1), Descriptor(811, 5, 9, 1)),
        2: (Descriptor(900, 1, 5, 2),),
    }
    told = result(Outcome(made.request, made.seen, made.fates, made.holders, held, made.processes))
    assert told["descriptors_still_held"] == [
        {"pid": 900, "name": "evil\nname", "unit": None, "count": 3},
        {"pid": 811, "name": "app", "unit": "app.service", "count": 1},
    ]
    [warning] = told["warnings"]
    assert "4 descriptors" in warning
    assert "only the application can close them" in warning


@pytest.mark.parametrize(
    "seen, asked, warning",
    [
        ({"idle_unknown": 3}, {}, "3 sockets left open, as the kernel does not report"),
        ({"own": 2}, {}, "2 sockets left open, as this task's connection"),
        ({"consistent": False}, {}, "too fast for a consistent dump"),
        ({}, {"max": 1}, "3 more sockets left open, as one run closes at most max=1"),
        ({}, {"max": 1, "keep": 1}, "2 more sockets left open, as one run closes at most max=1"),
    ],
)
def test_warnings(seen: t.Dict[str, t.Any], asked: t.Dict[str, t.Any], warning: str) -> None:
    fates = [GONE] * (1 if asked else 4)
    told = result(outcome(FOUR, fates, seen=seen, **asked))
    [said] = told["warnings"]
    assert warning in said


def test_mapped_addresses_are_said() -> None:
    mapped = connection(local="::ffff:10.0.0.1", remote="::ffff:192.0.2.7", inode=0, idle=None)
    told = result(Outcome(request(), Seen(choose([mapped], request())), [(mapped, CLOSED)]))
    assert told["v4_mapped"] == 1
    assert told["samples"][0]["local_address"] == "10.0.0.1"
    assert (told["samples"][0]["v4_mapped"], told["samples"][0]["uid"], told["samples"][0]["idle"]) == (
        True,
        None,
        None,
    )
    assert told["warnings"] == ["1 of these are IPv4 connections of IPv6 sockets, which IPv4 addresses also match"]


def test_addresses_of_ipv6_are_in_brackets() -> None:
    six = connection(local="2001:db8::1", remote="2001:db8::2")
    told = result(Outcome(request(), Seen(choose([six], request())), [(six, CLOSED)]))
    assert "CLOSE_WAIT [2001:db8::1]:80 [2001:db8::2]:40000\n" in told["diff"]["before"]
