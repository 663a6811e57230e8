# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts against sockets that the tests made, in the real kernel."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import socket
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._facts import sources
from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import netns, proc_sys

PARAMS = {"gather_subset": ["all"], "top": 10, "interval": 0.0, "netns": None}
Facts = t.Dict[str, t.Any]


def facts_of(pid: int, **params: t.Any) -> Facts:
    return gather(parse_request({**PARAMS, "netns": str(pid), **params}))


def inside(pid: int, body: t.Callable[[], Facts]) -> Facts:
    """Run a body in the namespace: the sockets it makes live as long as it does."""
    return netns.run_in(str(pid), body)


def own_facts(**params: t.Any) -> Facts:
    return gather(parse_request({**PARAMS, **params}))


def test_a_full_accept_queue_is_seen_with_its_limit_and_owner(namespace_pid: int) -> None:
    def body() -> Facts:
        with socket.create_server(("127.0.0.1", 0), backlog=4) as server:
            address = server.getsockname()
            clients = [socket.create_connection(address) for _ in range(5)]
            facts = own_facts()
            facts["asked"] = {"port": address[1], "pid": os.getpid(), "clients": len(clients)}
            return facts

    facts = inside(namespace_pid, body)
    [listener] = facts["listeners"]
    assert (listener["port"], listener["accept_queue"], listener["backlog"]) == (facts["asked"]["port"], 5, 4)
    [process] = listener["processes"]
    assert process["pid"] == facts["asked"]["pid"]
    assert process["nofile"]["used"] >= 6
    assert facts["states"]["ESTABLISHED"] == 10
    assert facts["states"]["LISTEN"] == 1
    assert facts["clients"] == [
        {"address": "127.0.0.1", "port": listener["port"], "total": 5, "states": {"ESTABLISHED": 5}}
    ]
    [peer] = facts["peers"]
    assert (peer["port"], peer["local_ports_used"]) == (listener["port"], 5)
    assert facts["collected"]["source"] == "sock_diag"


def test_time_wait_is_split_by_who_called(namespace_pid: int) -> None:
    def body() -> Facts:
        with socket.create_server(("127.0.0.1", 0)) as server:
            for closes_first in ("server", "server", "client"):
                client = socket.create_connection(server.getsockname())
                accepted, _ = server.accept()
                first, second = (accepted, client) if closes_first == "server" else (client, accepted)
                first.close()
                second.recv(1)
                second.close()
            return own_facts(gather_subset=["states", "peers"])

    facts = inside(namespace_pid, body)
    assert facts["states"]["TIME_WAIT"] == 3
    assert facts["time_wait"] == {"inbound": 2, "outbound": 1}


def test_utilization_counts_the_ports_that_connect_may_use(namespace_pid: int) -> None:
    def body() -> Facts:
        proc_sys.write("net.ipv4.ip_local_port_range", "40000 40009")
        proc_sys.write("net.ipv4.ip_local_reserved_ports", "40008-40020")
        with socket.create_server(("127.0.0.1", 80)) as server:
            clients = [socket.create_connection(server.getsockname()) for _ in range(4)]
            return {**own_facts(gather_subset=["peers"]), "clients": len(clients)}

    [peer] = inside(namespace_pid, body)["peers"]
    assert (peer["local_ports_used"], peer["local_ports_available"], peer["utilization"]) == (4, 8, 0.5)


def test_rates_are_of_the_interval_alone(namespace_pid: int) -> None:
    def body() -> Facts:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
            return own_facts(gather_subset=["counters"], interval=0.2)

    facts = inside(namespace_pid, body)
    assert facts["counters"]["PassiveOpens"] == 1
    assert facts["rates"]["PassiveOpens"] == 0.0
    assert facts["rates"]["ListenOverflows"] == 0.0


@pytest.mark.parametrize("spell", [str, lambda pid: f"/proc/{pid}/ns/net"])
def test_another_namespace_is_looked_into_from_outside(namespace_pid: int, spell: t.Callable[[int], str]) -> None:
    subprocess.run(
        ["nsenter", f"--net=/proc/{namespace_pid}/ns/net", "sysctl", "-qw", "net.core.somaxconn=1234"], check=True
    )
    before = os.readlink("/proc/self/ns/net")
    facts = gather(parse_request({**PARAMS, "netns": spell(namespace_pid)}))
    assert facts["sysctls"]["net.core.somaxconn"] == {
        "runtime": 1234,
        "boot": None,
        "source": None,
        "scope": "netns",
    }
    assert os.readlink("/proc/self/ns/net") == before


def test_a_namespace_by_name(named_namespace: str) -> None:
    facts = gather(parse_request({**PARAMS, "netns": named_namespace}))
    assert facts["netns"] == named_namespace
    assert facts["states"]["LISTEN"] == 0


def test_owners_in_another_namespace_are_found_in_the_hosts_proc(namespace_pid: int) -> None:
    script = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print('ready', flush=True); time.sleep(60)"
    )
    command = ["nsenter", f"--net=/proc/{namespace_pid}/ns/net", sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        [listener] = facts_of(namespace_pid)["listeners"]
        server.kill()
    assert [process["pid"] for process in listener["processes"]] == [server.pid]


def test_what_an_unprivileged_caller_cannot_see_is_said(namespace_pid: int) -> None:
    def body() -> Facts:
        with socket.create_server(("127.0.0.1", 0)):
            codecs.lookup("ascii")  # from files that the user below may not be able to read
            os.setuid(65534)
            return own_facts()

    facts = inside(namespace_pid, body)
    [listener] = facts["listeners"]
    assert listener["backlog"] is not None
    assert any("run as root" in reason for reason in facts["collected"]["limited"])


def test_proc_net_tells_the_same_where_it_can(namespace_pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> Facts:
        with socket.create_server(("127.0.0.1", 0), backlog=4) as server:
            clients = [socket.create_connection(server.getsockname()) for _ in range(2)]
            netlink = own_facts()

            def missing(*_arguments: t.Any) -> t.Any:
                raise Unsupported("no inet_diag")

            monkeypatch.setattr(sources, "SockDiag", missing)
            return {"netlink": netlink, "procfs": own_facts(), "clients": len(clients)}

    answers = inside(namespace_pid, body)
    netlink, procfs = answers["netlink"], answers["procfs"]
    assert procfs["collected"]["source"] == "procfs"
    assert any("no inet_diag" in reason for reason in procfs["collected"]["limited"])
    for name in ("states", "time_wait", "peers", "clients"):
        assert procfs[name] == netlink[name]
    assert procfs["listeners"][0]["backlog"] is None
    assert procfs["listeners"][0]["accept_queue"] == netlink["listeners"][0]["accept_queue"] == 2


def test_a_summary_is_a_kilobyte_and_nothing_else(namespace_pid: int) -> None:
    def body() -> t.Dict[str, Facts]:
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4)) for _number in range(50)]
            caller = stack.enter_context(socket.create_connection(servers[0].getsockname()))
            return {
                "port": caller.getpeername()[1],
                "summary": own_facts(gather_subset=["summary"], interval=0.1),
                "both": own_facts(gather_subset=["summary", "limits"]),
                "all": own_facts(),
            }

    answers = inside(namespace_pid, body)
    facts = answers["summary"]
    assert set(facts) == {"boot_id", "uptime", "kernel", "netns", "collected", "summary"}
    assert len(json.dumps(facts)) < 1300
    assert facts["collected"]["subsets"] == ["summary"]
    summary = facts["summary"]
    assert summary["states"] == {"ESTABLISHED": 2, "LISTEN": 50}
    assert (summary["fullest_queue"]["port"], summary["fullest_queue"]["accept_queue"]) == (answers["port"], 1)
    assert {"files", "summary"} <= set(answers["both"])
    assert "listeners" not in answers["both"]
    assert "summary" not in answers["all"]


def test_the_queues_of_a_hundred_listeners_are_few_bytes(namespace_pid: int) -> None:
    def body() -> t.Dict[str, Facts]:
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4)) for _number in range(100)]
            address = servers[0].getsockname()
            stack.enter_context(socket.create_connection(address))
            return {
                "queues": own_facts(gather_subset=["queues"]),
                "most": own_facts(gather_subset=["all", "!listeners", "queues"]),
                "port": address[1],
            }

    answers = inside(namespace_pid, body)
    facts, most = answers["queues"], answers["most"]
    assert set(facts) == {"boot_id", "uptime", "kernel", "netns", "collected", "queues"}
    assert len(facts["queues"]) == 100
    assert {"address": "127.0.0.1", "port": answers["port"], "accept_queue": 1, "backlog": 4} in facts["queues"]
    assert most["queues"] == facts["queues"]
    assert "listeners" not in most
    assert len(json.dumps(most)) < 16000


def test_what_is_not_asked_for_is_absent(namespace_pid: int) -> None:
    facts = facts_of(namespace_pid, gather_subset=["min"])
    assert "listeners" not in facts
    assert facts["time_wait"] is None
    assert facts["collected"]["subsets"] == ["counters", "states"]
