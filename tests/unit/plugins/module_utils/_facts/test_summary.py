# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All of a host in a kilobyte."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._facts.summary import summary


def listener(port: int, accept_queue: int, backlog: t.Optional[int]) -> t.Dict[str, t.Any]:
    return {
        "address": "0.0.0.0",
        "port": port,
        "accept_queue": accept_queue,
        "backlog": backlog,
        "covers": 1.5,
        "processes": [{"name": "app", "unit": "app.service"}],
    }


FACTS: t.Dict[str, t.Any] = {
    "states": {"ESTABLISHED": 130, "SYN_SENT": 0, "LISTEN": 3},
    "time_wait": {"inbound": 1600, "outbound": 69},
    "listeners": [listener(80, 3, 511), listener(81, 2, 4), listener(82, 9, None)],
    "peers": [{"address": "10.0.0.5", "port": port, "utilization": share} for port, share in ((1, 0.1), (2, 0.4))],
    "counters": {"ListenOverflows": 90210},
    "rates": {"ListenOverflows": 0.0, "InSegs": 77.0},
    "retransmitted": {"interval": 0.001, "boot": 0.002},
    "sockstat": {"tcp_orphan": 5, "tcp_tw": 100, "tcp_mem_pages": 300},
    "sysctls": {
        "net.ipv4.tcp_max_orphans": {"runtime": 10, "boot": None},
        "net.ipv4.tcp_mem": {"runtime": [100, 200, 400], "boot": [100, 200, 400]},
        "net.ipv4.tcp_max_tw_buckets": {"runtime": 1000, "boot": 2000},
    },
    "files": {"allocated": 99, "max": 100, "processes": [{"utilization": 0.75}, {"utilization": 0.6}]},
    "conntrack": {"count": 1, "max": 4},
}


def test_what_matters_most_is_kept() -> None:
    found = summary(FACTS)
    assert found == {
        "states": {"ESTABLISHED": 130, "LISTEN": 3},
        "time_wait": {"inbound": 1600, "outbound": 69},
        "listeners": 3,
        "fullest_queue": {
            "address": "0.0.0.0",
            "port": 81,
            "accept_queue": 2,
            "backlog": 4,
            "covers": 1.5,
            "process": "app",
            "unit": "app.service",
        },
        "scarcest_ports": {"address": "10.0.0.5", "port": 2, "utilization": 0.4},
        "used": {
            "orphans": 0.5,
            "tcp_memory": 0.75,
            "time_wait_buckets": 0.1,
            "conntrack": 0.25,
            "files": 0.99,
            "process_files": 0.75,
        },
        "rates": {"ListenOverflows": 0.0},
        "overflows": 90210,
        "retransmitted": {"interval": 0.001, "boot": 0.002},
        "boot_differs": 1,
    }
    assert len(json.dumps(found)) < 1024


def test_where_little_is_known() -> None:
    nothing = {
        **FACTS,
        "listeners": [],
        "peers": [],
        "rates": None,
        "sockstat": {},
        "sysctls": {},
        "conntrack": None,
        "files": {"allocated": 9, "max": 100, "processes": []},
    }
    found = summary(nothing)
    assert (found["fullest_queue"], found["scarcest_ports"], found["rates"]) == (None, None, None)
    assert found["used"] == {**dict.fromkeys(found["used"]), "files": 0.09}
