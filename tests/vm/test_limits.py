# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of the whole host, each used up: the finding is there, with its numbers, and no other."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.tests.judged import Findings, findings
from ansible_collections.nettune.tcp.tests.vm.host import HERE, Host

UNIT = "lab-trouble.service"
NAMESPACE = "limits"


@contextlib.contextmanager
def trouble(host: Host, kind: str, count: int, *properties: str) -> t.Iterator[None]:
    """Meanwhile a service uses much of a limit."""
    program = (HERE / "probes" / "trouble.py").read_text(encoding="utf-8")
    host.vm.run("sh", "-c", "cat > /run/trouble.py", given=program)
    given = [f"--property={one}" for one in ("Type=notify", "LimitNOFILE=20000", *properties)]
    host.vm.run("systemd-run", "--quiet", f"--unit={UNIT}", *given, "python3", "/run/trouble.py", kind, str(count))
    try:
        yield
    finally:
        host.vm.run("systemctl", "stop", UNIT)


@contextlib.contextmanager
def set_to(host: Host, key: str, value: str) -> t.Iterator[None]:
    """Meanwhile the kernel has this value, which no file gives it."""
    before = host.sysctl(key)[key]
    host.vm.run("sysctl", "--write", f"{key}={value}")
    try:
        yield
    finally:
        host.vm.run("sysctl", "--write", f"{key}={before}")


def found(host: Host, **arguments: t.Any) -> Findings:
    return findings(host.module("tcp_facts", interval=1, **arguments)["ansible_facts"]["tcp"])


@pytest.fixture(scope="module", autouse=True)
def _without_nginx(host: Host) -> t.Iterator[None]:
    """As it is installed it may have more connections than open files, which is a finding of its own."""
    host.vm.run("systemctl", "stop", "nginx")
    yield
    host.vm.run("systemctl", "start", "nginx")


@pytest.fixture
def tracking(host: Host) -> None:
    """Connections are tracked, though there is no firewall."""
    host.vm.run("sh", "-c", "modprobe --remove nf_conntrack 2>/dev/null; modprobe nf_conntrack enable_hooks=1")
    host.vm.run("sysctl", "--write", "net.netfilter.nf_conntrack_udp_timeout=600")


def test_a_host_in_order(host: Host) -> None:
    assert found(host) == {}


@pytest.mark.usefixtures("tracking")
def test_room_to_track_connections(host: Host) -> None:
    with set_to(host, "net.netfilter.nf_conntrack_max", "1000"), trouble(host, "flows", 990):
        evidence = found(host)
    assert set(evidence) == {"conntrack-full"}
    assert evidence["conntrack-full"]["max"] == 1000
    assert evidence["conntrack-full"]["used"] >= 0.99


def test_orphans(host: Host) -> None:
    with set_to(host, "net.ipv4.tcp_max_orphans", "60"), trouble(host, "orphans", 55):
        evidence = found(host)
    assert set(evidence) == {"orphans"}
    assert (evidence["orphans"]["orphans"], evidence["orphans"]["tcp_max_orphans"]) == (55, 60)


def test_memory_of_tcp(host: Host) -> None:
    with set_to(host, "net.ipv4.tcp_mem", "100 200 100000"), trouble(host, "unread", 50):
        evidence = found(host)
    assert set(evidence) == {"tcp-memory"}
    assert evidence["tcp-memory"]["pages"] > evidence["tcp-memory"]["pressure"] == 200


def test_files_of_the_host(host: Host) -> None:
    with trouble(host, "files", 10_000):
        allocated = int(host.sysctl("fs.file-nr")["fs.file-nr"].split()[0])
        with set_to(host, "fs.file-max", str(int(allocated / 0.95))):
            evidence = found(host)
    assert set(evidence) == {"host-files"}
    [process] = evidence["host-files"]["processes"]
    assert (process["unit"], process["open"] > 10_000) == (UNIT, True)


def test_a_namespace_feels_the_limits_that_it_does_not_see(host: Host) -> None:
    host.vm.run("ip", "netns", "add", NAMESPACE)
    host.vm.run("ip", "-n", NAMESPACE, "link", "set", "lo", "up")
    # It sends the last segment again before it knows that the reader has no room, which counts as sent again.
    host.vm.run("ip", "netns", "exec", NAMESPACE, "sysctl", "--write", "net.ipv4.tcp_early_retrans=0")
    within = f"NetworkNamespacePath=/run/netns/{NAMESPACE}"
    with set_to(host, "net.ipv4.tcp_max_orphans", "20"), trouble(host, "orphaning", 40, within):
        evidence = found(host, netns=NAMESPACE)
    host.vm.run("ip", "netns", "delete", NAMESPACE)
    assert set(evidence) == {"memory-aborts"}
    assert (evidence["memory-aborts"]["tcp_max_orphans"], evidence["memory-aborts"]["per_second"] > 0) == (None, True)
