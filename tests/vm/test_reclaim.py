# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each kernel can close, and that the module refuses the rest: ``ss --kill`` is the second opinion."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.tests.vm.host import HERE, Data, Host
from ansible_collections.nettune.tcp.tests.vm.test_facts import STATES, gather, kernel, sockets

NAMESPACE = "reclaim"
KINDS = {
    "ESTABLISHED": ["held"],
    "SYN_SENT": ["held"],
    "SYN_RECV": ["half_open"],
    "FIN_WAIT1": ["held", "orphan"],
    "FIN_WAIT2": ["held", "orphan", "time_wait"],
    "TIME_WAIT": ["time_wait"],
    "CLOSE_WAIT": ["held"],
    "LAST_ACK": ["held", "orphan"],
    "CLOSING": ["held", "orphan"],
}
TIME_WAIT_SINCE = (6, 1)


@pytest.fixture(scope="module")
def able(host: Host) -> t.Dict[str, bool]:
    return t.cast("t.Dict[str, bool]", host.probe("destroy"))


@pytest.fixture(scope="module")
def reclaimed(host: Host) -> t.Tuple[Data, Data, Data]:
    """What would be closed of the known sockets, what was, and the states afterwards."""
    host.vm.run("ip", "netns", "add", NAMESPACE)
    host.vm.run("ip", "-n", NAMESPACE, "link", "set", "lo", "up")
    host.vm.run("sh", "-c", "cat > /run/sockets.py", given=(HERE / "probes" / "sockets.py").read_text(encoding="utf-8"))
    asked: Data = {
        "state": ["CLOSE_WAIT", "ESTABLISHED"],
        "local_port": [8002],
        "netns": NAMESPACE,
        "keep": 4,
        "max": 900,
    }
    with sockets(host, NAMESPACE):
        told = host.module("tcp_reclaim", check=True, **asked)
        done = host.module("tcp_reclaim", **asked)
        after = gather(host, gather_subset=["states"], netns=NAMESPACE)
    host.vm.run("ip", "netns", "delete", NAMESPACE)
    return told, done, after


@pytest.mark.parametrize("state", KINDS)
def test_what_cannot_be_closed_here_is_refused(host: Host, able: t.Dict[str, bool], state: str) -> None:
    asked: Data = {"state": [state], "force": True, "remote_address": ["192.0.2.1"]}
    if all(able[kind] for kind in KINDS[state]):
        assert host.module("tcp_reclaim", **asked)["matched"] == 0
    else:
        assert f"sockets in {state} cannot be closed here" in host.refusal("tcp_reclaim", **asked)


def test_time_wait_is_closed_where_the_kernel_has_learnt_it(host: Host, able: t.Dict[str, bool]) -> None:
    assert able["held"]
    assert able["half_open"]
    assert able["time_wait"] == (kernel(gather(host, gather_subset=["min"])) >= TIME_WAIT_SINCE)


@pytest.mark.parametrize(
    "asked, reason",
    [
        ({"state": ["LISTEN"]}, "LISTEN"),
        ({"state": ["TIME_WAIT"]}, "force=true"),
        ({"state": ["ESTABLISHED"]}, "every open connection"),
    ],
)
def test_what_is_refused_everywhere(host: Host, asked: Data, reason: str) -> None:
    assert reason in host.refusal("tcp_reclaim", **asked)


def test_the_module_closes_what_it_has_predicted_and_no_more(reclaimed: t.Tuple[Data, Data, Data]) -> None:
    told, done, after = reclaimed
    for name in ("matched", "states", "destroyed", "beyond_max"):
        assert told[name] == done[name]
    assert (done["matched"], done["destroyed"]) == (1007, 900)
    assert after["states"]["LISTEN"] == STATES["LISTEN"]
    # Each connection has two ends here.  Those in TIME_WAIT go by themselves, before a slow machine is asked for them.
    assert after["states"]["ESTABLISHED"] >= STATES["ESTABLISHED"] - 2 * done["destroyed"]


def test_the_service_keeps_the_descriptors(reclaimed: t.Tuple[Data, Data, Data]) -> None:
    [holder] = reclaimed[1]["descriptors_still_held"]
    assert (holder["unit"], holder["count"]) == ("lab-sockets.service", 900)
