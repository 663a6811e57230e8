# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each thing that can be wrong, made on the real kernel: its finding is there, with its numbers, and no other."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
import time
import typing as t
from dataclasses import dataclass, field

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._facts import sources
from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox
from ansible_collections.nettune.tcp.tests.judged import Facts, Findings, findings

from . import conditions
from .conditions import DATAGRAMS, HELD, PORTS, GoesOn

INTERVAL = 0.5


@dataclass(frozen=True)
class Condition:
    """What is made, the rule that finds it, thresholds that fit the scale, and some of what the evidence says."""

    make: t.Callable[[], GoesOn]
    rule: t.Optional[str] = None
    thresholds: t.Mapping[str, float] = field(default_factory=dict)
    evidence: t.Callable[[t.Any], t.Any] = lambda evidence: evidence
    expected: t.Any = None
    program: str = ""


OURSELVES = "ourselves"  # stands for the pid of the process that makes the condition

CONDITIONS = {
    "nothing": Condition(conditions.nothing),
    "CLOSE_WAIT": Condition(
        conditions.close_wait,
        "close-wait",
        {"close_wait": HELD},
        lambda found: (found["sockets"], found["processes"][0]["pid"], found["processes"][0]["sockets"]),
        (HELD, OURSELVES, HELD),
    ),
    "CLOSE_WAIT that nobody has accepted": Condition(
        conditions.close_wait_in_the_queue,
        "close-wait",
        {"close_wait": HELD},
        lambda found: (found["processes"], found["in_accept_queues"], found["listeners"][0]["sockets"]),
        ([], HELD, HELD),
    ),
    "FIN_WAIT2": Condition(
        conditions.fin_wait2,
        "fin-wait2",
        {"fin_wait2": 2 * HELD},
        lambda found: (found["without_process"], found["processes"][0]["pid"], found["processes"][0]["sockets"]),
        (HELD, OURSELVES, HELD),
    ),
    "SYN_SENT": Condition(
        conditions.syn_sent,
        "syn-sent",
        {"syn_sent": HELD},
        lambda found: (found["peers"], found["processes"][0]["pid"], found["processes"][0]["sockets"]),
        ([{"address": "10.9.8.1", "port": 3306, "sockets": HELD}], OURSELVES, HELD),
    ),
    "a flood of SYNs, with cookies": Condition(
        conditions.syn_flood,
        "syn-flood",
        {},
        lambda found: (found["cookies_per_second"] > 50, found["answered"], found["listeners"][0]["syn_recv"]),
        (True, 0.0, 17),
    ),
    "cookies that fail": Condition(
        conditions.cookies_failed,
        "cookies-failed",
        {},
        lambda found: (found["failed_per_second"] > 100, found["sent_per_second"]),
        (True, 0.0),
    ),
    "connections that are tracked": Condition(
        conditions.conntrack,
        "conntrack-full",
        {"conntrack_full": 0.001},
        lambda found: found["count"] >= DATAGRAMS,
        True,
        program="iptables",
    ),
    "a process at its limit": Condition(
        conditions.process_files,
        "process-files",
        {},
        lambda found: [(row["open"], row["limit"]) for row in found],
        [(64, 64)],
    ),
    "TIME_WAIT at its limit": Condition(
        conditions.time_wait_buckets,
        "time-wait-buckets",
        {},
        lambda found: (found["sockets"], found["tcp_max_tw_buckets"], found["since_boot"]),
        (50, 50, 10),
    ),
    "TIME_WAIT that came in": Condition(
        conditions.time_wait_inbound,
        "time-wait-inbound",
        {"time_wait_inbound": HELD},
        lambda found: (found["inbound"], [(row["port"], row["sockets"]) for row in found["listeners"]]),
        (HELD, [(8001, HELD)]),
    ),
    "nothing but TIME_WAIT that went out": Condition(conditions.time_wait_outbound, None, {"time_wait_inbound": 1}),
    "no local port towards a peer": Condition(
        conditions.local_ports,
        "local-ports",
        {},
        lambda found: [(row["used"], row["in_time_wait"], row["available"]) for row in found],
        [(len(PORTS), len(PORTS), len(PORTS))],
    ),
    "local ports that can be taken again": Condition(conditions.reusable_local_ports),
    "a queue that was full": Condition(
        conditions.accept_queue_history,
        "accept-queue-history",
        {},
        lambda found: (found["since_boot"] > 0, found["per_second"], found["since_last"]),
        (True, 0.0, None),
    ),
    "a queue that covers no stall": Condition(
        conditions.accept_queue_stall,
        "accept-queue-stall",
        {},
        lambda found: [(row["port"], row["backlog"]) for row in found],
        [(8001, 5)],
    ),
    "segments that are sent again": Condition(
        conditions.retransmitted,
        "retransmitted",
        {},
        lambda found: found["share"] >= 0.4,
        True,
    ),
    "the backlogs of old kernels": Condition(
        conditions.somaxconn,
        "somaxconn",
        {},
        lambda found: (found["somaxconn"], [row["backlog"] for row in found["largest"]]),
        (128, [128]),
    ),
}


def _facts() -> Facts:
    facts = gather(parse_request({"gather_subset": ["all"], "top": 10, "interval": INTERVAL, "netns": None}))
    ours = [row for row in facts["files"]["processes"] if _namespace(row["pid"]) == _namespace(os.getpid())]
    return {**facts, "files": {**facts["files"], "processes": ours}}


def _namespace(pid: int) -> str:
    return os.readlink(f"/proc/{pid}/ns/net")


@contextlib.contextmanager
def _meanwhile(go_on: GoesOn) -> t.Iterator[None]:
    """Call it again and again in another thread."""
    done = threading.Event()

    def again() -> None:
        while go_on is not None and not done.is_set():
            go_on()

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    try:
        time.sleep(0.1)
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_is_wrong_is_found_and_nothing_else(name: str, in_namespace: Sandbox) -> None:
    condition = CONDITIONS[name]
    if condition.program and not shutil.which(condition.program):
        pytest.skip(f"{condition.program} is not installed")

    def body() -> t.Tuple[Findings, int]:
        with _meanwhile(condition.make()):
            return findings(_facts(), condition.thresholds), os.getpid()

    found, pid = in_namespace(body)
    assert set(found) == ({condition.rule} if condition.rule else set()), found
    if condition.rule:
        evidence = condition.evidence(found[condition.rule])
        expected = condition.expected
        if isinstance(expected, tuple):
            expected = tuple(pid if part == OURSELVES else part for part in expected)
        assert evidence == expected, found


def test_without_netlink_the_same_processes_are_named(in_namespace: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> t.Tuple[Findings, Findings]:
        conditions.close_wait()
        thresholds = {"close_wait": HELD}
        by_netlink = findings(_facts(), thresholds)

        def missing(*_arguments: t.Any) -> t.NoReturn:
            raise Unsupported("no inet_diag")

        monkeypatch.setattr(sources, "SockDiag", missing)
        return by_netlink, findings(_facts(), thresholds)

    by_netlink, by_proc = in_namespace(body)
    assert by_proc == by_netlink
    assert by_proc["close-wait"]["processes"][0]["sockets"] == HELD


@pytest.mark.parametrize("make, reaches", [(conditions.local_ports, False), (conditions.reusable_local_ports, True)])
def test_what_is_said_of_local_ports_is_what_connect_finds(
    make: t.Callable[[], GoesOn], reaches: bool, in_namespace: Sandbox
) -> None:
    def body() -> t.Tuple[float, bool]:
        make()
        time.sleep(1.1)  # the kernel gives no port that is in TIME_WAIT for less than a second
        [peer] = _facts()["peers"]
        try:
            socket.create_connection(conditions.HERE).close()
        except OSError:
            return peer["utilization"], False
        return peer["utilization"], True

    assert in_namespace(body) == (0.0 if reaches else 1.0, reaches)


def test_two_audits_tell_what_a_total_cannot(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Findings, int]:
        before = _facts()
        conditions.accept_queue_history()
        after = _facts()
        seconds = after["uptime"] - before["uptime"]
        grown = {name: value - before["counters"][name] for name, value in after["counters"].items()}
        rates = {name: value / seconds for name, value in grown.items()}
        since_last = {"seconds": seconds, "counters": grown, "rates": rates}
        return findings({**after, "since_last": since_last}, {}), grown["ListenOverflows"]

    found, grown = in_namespace(body)
    assert set(found) == {"accept-queue-growth"}
    assert found["accept-queue-growth"]["overflows"] == grown > 0
