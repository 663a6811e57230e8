# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import rivals

RMEM, MAX = "net.ipv4.tcp_rmem", "net.netfilter.nf_conntrack_max"
SOMAXCONN, FIN_TIMEOUT = "net.core.somaxconn", "net.ipv4.tcp_fin_timeout"


@pytest.fixture
def host(tmp_path: Path) -> t.Callable[..., str]:
    """A root directory with these files, and processes of these names."""

    def make(files: t.Mapping[str, str], *commands: str) -> str:
        processes = {f"proc/{pid}/comm": f"{command}\n" for pid, command in enumerate(("systemd", *commands), 1)}
        for path, content in {**files, **processes}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content, encoding="utf-8")
        return str(tmp_path)

    return make


Host = t.Callable[..., str]

TUNED = {
    "etc/tuned/active_profile": "network-throughput\n",
    "usr/lib/tuned/network-throughput/tuned.conf": (
        "# a comment\n[main]\nsummary=x\ninclude=base, other\n\n[sysctl]\nnet.core.somaxconn=>2048\n"
    ),
    "usr/lib/tuned/base/tuned.conf": "[sysctl]\n#net.ipv4.tcp_rmem = 1\nnet.ipv4.tcp_fin_timeout = 15\n",
    "usr/lib/tuned/other/tuned.conf": "[main]\ninclude=network-throughput\n[cpu]\nnet.ipv4.tcp_rmem=1 2 3\n",
}


def test_daemons_are_known_by_their_name_and_keys(host: Host) -> None:
    root = host({}, "bpftune", "kube-proxy")
    found = rivals.find([RMEM, MAX, SOMAXCONN], root)
    assert set(found) == {RMEM, MAX}
    assert found[RMEM].reason.startswith("bpftune runs here")
    assert found[MAX].reason.startswith("kube-proxy runs here")
    assert found[RMEM].value is None


@pytest.mark.parametrize(
    "command, key, found",
    [
        ("bpftune", "net.ipv4.tcp_mem", True),
        ("bpftune", "net.ipv4.tcp_wmem", True),
        ("bpftune", "net.core.netdev_max_backlog", True),
        ("bpftune", "net.core.flow_limit_cpu_bitmap", True),
        ("bpftune", "net.ipv4.tcp_mem_x", False),
        ("bpftune", "net.ipv4.tcp_xmem", False),
        ("bpftune", MAX, False),
        ("kube-proxy", "net.netfilter.nf_conntrack_buckets", True),
        ("kube-proxy", "net.netfilter.nf_conntrack_tcp_timeout_established", True),
        ("kube-proxy", "net.netfilter.nf_conntrack_tcp_timeout_close_wait", True),
        ("kube-proxy", "net.netfilter.nf_conntrack_tcp_timeout_close", False),
        ("kube-proxy", "net.nf_conntrack_max", False),
        ("kube-proxy", RMEM, False),
    ],
)
def test_keys_of_daemons(host: Host, command: str, key: str, found: bool) -> None:
    assert (key in rivals.find([key], host({}, command))) is found


def test_nobody_is_suspected_of_what_nobody_does(host: Host) -> None:
    assert rivals.find([RMEM, MAX, SOMAXCONN], host({}, "nginx")) == {}


def test_a_profile_of_tuned_and_those_it_includes(host: Host) -> None:
    found = rivals.find([SOMAXCONN, FIN_TIMEOUT, RMEM], host(TUNED, "tuned"))
    assert set(found) == {SOMAXCONN, FIN_TIMEOUT}
    assert found[SOMAXCONN].value == ">2048"
    assert "from /usr/lib/tuned/network-throughput/tuned.conf:7" in found[SOMAXCONN].reason
    assert "restores the previous value" in found[SOMAXCONN].reason
    assert found[FIN_TIMEOUT].value == "15"


def test_tuned_wins_where_it_is_told_to(host: Host) -> None:
    root = host({**TUNED, "etc/tuned/tuned-main.conf": "daemon = 1\nreapply_sysctl = 0\n"}, "tuned")
    assert rivals.find([SOMAXCONN], root)[SOMAXCONN].reason.endswith("after all drop-ins")


@pytest.mark.parametrize(
    "line, wins",
    [
        ("reapply_sysctl = false", True),
        ("reapply_sysctl=0", True),
        ("reapply_sysctl = 1", False),
        ("reapply_sysctl = 01", False),
        ("#reapply_sysctl = 0", False),
    ],
)
def test_how_tuned_is_told_to_win(host: Host, line: str, wins: bool) -> None:
    root = host({**TUNED, "etc/tuned/tuned-main.conf": f"daemon = 1\n{line}\n"}, "tuned")
    ending = "after all drop-ins" if wins else "and restores the previous value when its profile changes"
    assert rivals.find([SOMAXCONN], root)[SOMAXCONN].reason.endswith(ending)


def test_the_nearest_file_of_a_profile_counts_and_the_last_profile_that_is_active(host: Host) -> None:
    directories = ("etc/tuned/profiles", "etc/tuned", "usr/lib/tuned/profiles", "usr/lib/tuned")
    for number, directory in enumerate(directories):
        files = {
            f"{one}/mine/tuned.conf": f"[sysctl]\n{SOMAXCONN}={place}\n"
            for place, one in enumerate(directories[number:])
        }
        found = rivals.find([SOMAXCONN], host({"etc/tuned/active_profile": "mine\n", **files}, "tuned"))[SOMAXCONN]
        assert (found.value, f"from /{directory}/mine/tuned.conf:2" in found.reason) == ("0", True)
        for path in files:
            Path(host({}), path).write_text("", encoding="utf-8")
    files = {f"etc/tuned/{name}/tuned.conf": f"[sysctl]\n{SOMAXCONN} = {name}\n" for name in "ab"}
    found = rivals.find([SOMAXCONN], host({"etc/tuned/active_profile": "a b\n", **files}, "tuned"))[SOMAXCONN]
    assert (found.value, found.reason.partition(", sets")[0]) == ("b", "tuned, with the profile b")


@pytest.mark.parametrize("between", [",", ";", " ", ", ", "; "])
def test_a_profile_includes_several_and_has_the_last_word(host: Host, between: str) -> None:
    files = {
        "etc/tuned/active_profile": "top\n",
        "etc/tuned/top/tuned.conf": f"[sysctl]\nnet.ipv4.tcp_sack=1\n[main]\ninclude = a{between}b\n",
        "etc/tuned/a/tuned.conf": "[sysctl]\nnet.ipv4.tcp_sack=2\nnet.ipv4.tcp_ecn = 2 ;\n;net.ipv4.tcp_dsack=2\n",
        "etc/tuned/b/tuned.conf": "[sysctl]  \nnet/ipv4/tcp_ecn=3\n[sysctl.x]\nnet.ipv4.tcp_dsack = 3\n",
    }
    keys = [f"net.ipv4.tcp_{name}" for name in ("sack", "ecn", "dsack")]
    found = rivals.find(keys, host(files, "tuned"))
    assert {key: rival.value for key, rival in found.items()} == {"net.ipv4.tcp_sack": "1", "net.ipv4.tcp_ecn": "3"}


def test_who_comes_later_is_told(host: Host) -> None:
    ufw = {
        "etc/ufw/ufw.conf": "ENABLED=yes \n",
        "etc/default/ufw": "IPT_SYSCTL='/etc/ufw/s'\n",
        "etc/ufw/s": f"{RMEM}=1\n{SOMAXCONN}=1\n-{FIN_TIMEOUT}\n",
    }
    root = host({**TUNED, **ufw}, "tuned", "bpftune")
    found = rivals.find([RMEM, SOMAXCONN, FIN_TIMEOUT], root)
    assert {key: rival.value for key, rival in found.items()} == {RMEM: "1", SOMAXCONN: ">2048", FIN_TIMEOUT: "15"}


@pytest.mark.parametrize(
    "enabled, default",
    [
        ("#ENABLED=yes", "IPT_SYSCTL=/etc/ufw/s"),
        ("ENABLED=yesterday", "IPT_SYSCTL=/etc/ufw/s"),
        ("ENABLED=yes", "IPT_SYSCTL=etc/ufw/s"),
        ("ENABLED=yes", "#IPT_SYSCTL=/etc/ufw/s"),
    ],
)
def test_ufw_that_sets_nothing(host: Host, enabled: str, default: str) -> None:
    files = {"etc/ufw/ufw.conf": f"{enabled}\n", "etc/default/ufw": f"{default}\n", "etc/ufw/s": f"{SOMAXCONN}=1\n"}
    assert rivals.find([SOMAXCONN], host(files)) == {}


def test_tuned_that_does_not_run_does_nothing(host: Host) -> None:
    assert rivals.find([SOMAXCONN], host(TUNED)) == {}


@pytest.mark.parametrize("enabled, found", [("yes", {SOMAXCONN}), ("no", set())])
def test_ufw_sets_its_own_file(host: Host, enabled: str, found: t.Set[str]) -> None:
    files = {
        "etc/ufw/ufw.conf": f"LOGLEVEL=low\nENABLED={enabled}\n",
        "etc/default/ufw": 'IPV6=yes\nIPT_SYSCTL="/etc/ufw/sysctl.conf"\n',
        "etc/ufw/sysctl.conf": "# ufw\nnet/core/somaxconn=128\nnet/ipv4/conf/*/rp_filter=1\n",
    }
    rival = rivals.find([SOMAXCONN, FIN_TIMEOUT], host(files))
    assert set(rival) == found
    reason = "ufw sets it to 128 when it starts, from /etc/ufw/sysctl.conf:2"
    assert [one.reason for one in rival.values()] == [reason] * len(found)
