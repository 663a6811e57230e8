# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of each kernel about sockets that are known: by netlink, and by /proc where there is no inet_diag."""

from __future__ import annotations

import contextlib
import re
import typing as t
from collections import Counter
from dataclasses import dataclass

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.proc_net import COUNTERS
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import BY_KEY
from ansible_collections.nettune.tcp.tests.vm.host import HERE, Data, Host

NAMESPACE = "lab"
UNIT = "lab-sockets.service"
STATES = {
    "ESTABLISHED": 2028,
    "SYN_SENT": 1,
    "SYN_RECV": 0,
    "FIN_WAIT1": 0,
    "FIN_WAIT2": 3,
    "TIME_WAIT": 30,
    "CLOSE": 0,
    "CLOSE_WAIT": 3,
    "LAST_ACK": 0,
    "LISTEN": 4,
    "CLOSING": 0,
}
# Port: family, accept queue, backlog.
LISTENERS = {8001: ("inet", 8, 7), 8002: ("inet", 0, 100), 8003: ("inet6", 0, 5), 8004: ("inet", 0, 128)}
# What came with a release of the kernel, as the facts name it.
SINCE = {"TCPMigrateReqSuccess": (5, 14), "TCPMigrateReqFailure": (5, 14), "ListenOverflows": (2, 6)}
NO_DIAG = "/run/modprobe.d/no-diag.conf"


@dataclass(frozen=True)
class Observed:
    """The same sockets by three ways."""

    by_netlink: Data
    cheapest: Data
    proc_net: str


@pytest.fixture(scope="module")
def namespace(host: Host) -> str:
    """A network namespace in which nothing else goes on."""
    host.vm.run("ip", "netns", "add", NAMESPACE)
    host.vm.run("ip", "-n", NAMESPACE, "link", "set", "lo", "up")
    host.vm.run("sh", "-c", "cat > /run/sockets.py", given=(HERE / "probes" / "sockets.py").read_text(encoding="utf-8"))
    return NAMESPACE


@contextlib.contextmanager
def sockets(host: Host, namespace: str) -> t.Iterator[None]:
    """Meanwhile a service holds the known sockets in the namespace."""
    properties = ("Type=notify", f"NetworkNamespacePath=/run/netns/{namespace}", "LimitNOFILE=4096")
    options = [f"--property={given}" for given in properties]
    host.vm.run("systemd-run", "--quiet", f"--unit={UNIT}", *options, "python3", "/run/sockets.py")
    yield
    host.vm.run("systemctl", "stop", UNIT)


@pytest.fixture(scope="module")
def observed(host: Host, namespace: str) -> Observed:
    with sockets(host, namespace):
        return Observed(
            by_netlink=gather(host, gather_subset=["states", "peers", "clients", "listeners"], netns=namespace),
            cheapest=gather(host, gather_subset=["states"], netns=namespace),
            proc_net=host.vm.run("ip", "netns", "exec", namespace, "cat", "/proc/net/tcp", "/proc/net/tcp6"),
        )


@pytest.fixture(scope="module")
def by_netlink(observed: Observed) -> Data:
    return observed.by_netlink


@pytest.fixture(scope="module")
def by_proc(host: Host, namespace: str, by_netlink: Data) -> t.Iterator[Data]:
    """The facts about the same sockets, made anew, without the kernel's modules for sock_diag."""
    assert by_netlink
    blocked = "install inet_diag /bin/false\ninstall tcp_diag /bin/false\n"
    host.vm.run("sh", "-c", f"mkdir -p /run/modprobe.d && cat > {NO_DIAG}", given=blocked)
    host.vm.run("modprobe", "--remove", "tcp_diag", "inet_diag")
    # Sockets in TIME_WAIT outlive their process.
    host.vm.run("ip", "netns", "delete", namespace)
    host.vm.run("ip", "netns", "add", namespace)
    host.vm.run("ip", "-n", namespace, "link", "set", "lo", "up")
    with sockets(host, namespace):
        yield gather(host, gather_subset=["states", "peers", "clients", "listeners"], netns=namespace)
    host.vm.run("rm", NO_DIAG)


@pytest.fixture(scope="module")
def of_host(host: Host) -> Data:
    return gather(host)


def gather(host: Host, **arguments: t.Any) -> Data:
    return t.cast("Data", host.module("tcp_facts", **arguments)["ansible_facts"]["tcp"])


def kernel(facts: Data) -> t.Tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", facts["kernel"])
    assert found
    return tuple(map(int, found.groups()))


def test_netlink_tells_the_known_sockets(by_netlink: Data) -> None:
    assert by_netlink["collected"]["source"] == "sock_diag"
    assert by_netlink["collected"]["limited"] == []
    assert by_netlink["states"] == STATES
    assert by_netlink["time_wait"] == {"inbound": 20, "outbound": 10}
    observed = {row["port"]: (row["family"], row["accept_queue"], row["backlog"]) for row in by_netlink["listeners"]}
    assert observed == LISTENERS


def test_one_walk_of_the_kernel_tells_as_much_as_its_two_files(observed: Observed) -> None:
    lines = [line.split() for line in observed.proc_net.splitlines() if "local_address" not in line]
    # The names of the states are in the order of their numbers, from 1 on.
    found = Counter(list(STATES)[int(line[3], 16) - 1] for line in lines)
    assert observed.by_netlink["states"] == {state: found[state] for state in STATES}


def test_states_alone_are_counted_without_a_look_at_most_sockets(observed: Observed) -> None:
    assert observed.cheapest["collected"]["source"] == "sock_diag"
    assert observed.cheapest["states"] == STATES
    assert observed.cheapest["time_wait"] is None


def test_the_listeners_are_those_of_the_service(by_netlink: Data) -> None:
    owners = [process for row in by_netlink["listeners"] for process in row["processes"]]
    assert {process["unit"] for process in owners} == {UNIT}
    assert len({process["pid"] for process in owners}) == 1
    assert len(owners) == len(LISTENERS)


def test_proc_tells_the_same_but_for_the_backlogs(by_netlink: Data, by_proc: Data) -> None:
    assert by_proc["collected"]["source"] == "procfs"
    for name in ("states", "time_wait", "peers", "clients"):
        assert by_proc[name] == by_netlink[name]
    observed = {row["port"]: (row["family"], row["accept_queue"], row["backlog"]) for row in by_proc["listeners"]}
    assert observed == {port: (family, queue, None) for port, (family, queue, _backlog) in LISTENERS.items()}


def test_counters_are_those_that_the_kernel_has(host: Host, of_host: Data) -> None:
    text = host.vm.run("cat", "/proc/net/netstat", "/proc/net/snmp")
    there = set(re.findall(r"[A-Za-z]\w+", text))
    assert set(of_host["counters"]) == COUNTERS & there
    release = kernel(of_host)
    assert {name: name in of_host["counters"] for name in SINCE} == {
        name: release >= since for name, since in SINCE.items()
    }


def test_sysctls_are_those_that_the_kernel_has(host: Host, of_host: Data) -> None:
    # It ends with an error where some keys can only be written, after all others are printed.
    there = {line.split(" =")[0] for line in host.vm.run("sh", "-c", "sysctl --all 2>/dev/null || true").splitlines()}
    assert set(of_host["sysctls"]) == {key for key in BY_KEY if key in there}
    assert "net.ipv4.tcp_tw_recycle" not in of_host["sysctls"]


def test_what_the_next_boot_gives_is_named_with_its_file(of_host: Data) -> None:
    for key, row in of_host["sysctls"].items():
        assert (row["boot"] is None) == (row["source"] is None), key


def test_conntrack_is_told_once_its_module_is_there(host: Host, of_host: Data) -> None:
    assert of_host["conntrack"] is None
    host.vm.run("modprobe", "nf_conntrack")
    values = host.sysctl("net.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_buckets")
    conntrack = gather(host, gather_subset=["conntrack"])["conntrack"]
    assert [str(conntrack["max"]), str(conntrack["buckets"])] == list(values.values())
