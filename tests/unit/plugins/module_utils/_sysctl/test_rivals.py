# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import rivals

RMEM, MAX = "net.ipv4.tcp_rmem", "net.netfilter.nf_conntrack_max"
SOMAXCONN, FIN_TIMEOUT = "net.core.somaxconn", "net.ipv4.tcp_fin_timeout"


@pytest.fixture
def host(tmp_path: pathlib.Path) -> t.Callable[..., str]:
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


def test_nobody_is_suspected_of_what_nobody_does(host: Host) -> None:
    assert rivals.find([RMEM, MAX, SOMAXCONN], host({}, "nginx")) == {}


def test_a_profile_of_tuned_and_those_it_includes(host: Host) -> None:
    found = rivals.find([SOMAXCONN, FIN_TIMEOUT, RMEM], host(TUNED, "tuned"))
    assert set(found) == {SOMAXCONN, FIN_TIMEOUT}
    assert found[SOMAXCONN].value == ">2048"
    assert "from /usr/lib/tuned/network-throughput/tuned.conf:7" in found[SOMAXCONN].reason
    assert "puts back" in found[SOMAXCONN].reason
    assert found[FIN_TIMEOUT].value == "15"


def test_tuned_wins_where_it_is_told_to(host: Host) -> None:
    root = host({**TUNED, "etc/tuned/tuned-main.conf": "daemon = 1\nreapply_sysctl = 0\n"}, "tuned")
    assert rivals.find([SOMAXCONN], root)[SOMAXCONN].reason.endswith("after all drop-ins")


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
    assert not found or rival[SOMAXCONN].reason.endswith("/etc/ufw/sysctl.conf:2")
