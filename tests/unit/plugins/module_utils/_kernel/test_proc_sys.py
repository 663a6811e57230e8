# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, KernelRefused, Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys


@pytest.mark.parametrize(
    "name, key, path",
    [
        ("net.core.somaxconn", "net.core.somaxconn", "/proc/sys/net/core/somaxconn"),
        ("net/core/somaxconn", "net.core.somaxconn", "/proc/sys/net/core/somaxconn"),
        (
            "net/ipv4/conf/eth0.5/rp_filter",
            "net.ipv4.conf.eth0/5.rp_filter",
            "/proc/sys/net/ipv4/conf/eth0.5/rp_filter",
        ),
        (
            "net.ipv4.conf.eth0/5.rp_filter",
            "net.ipv4.conf.eth0/5.rp_filter",
            "/proc/sys/net/ipv4/conf/eth0.5/rp_filter",
        ),
    ],
)
def test_every_spelling_of_a_key_is_one_key(name: str, key: str, path: str) -> None:
    assert proc_sys.canonical(name) == key
    assert proc_sys.path_of(key) == path


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../x",
            "net/../../etc/passwd",
            "net.ipv4./../x",
            "net.ipv4.conf.//./x",
            "/etc/passwd",
            "net//core",
            "net..x",
        ),
        *(
            "net.core.some conn",
            "net.core.somaxconn\n",
            "net.core.x=1",
            "",
            ".",
            "somaxconn",
            "net.core.",
            "-net.core.x",
        ),
    ],
)
def test_what_is_no_sysctl_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        proc_sys.canonical(name)
    assert repr(name) in str(caught.value)


def test_values_are_read_and_written_below_a_root(tmp_path: pathlib.Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "key").write_text("32768\t60999\n")
    assert proc_sys.read("net.key", str(tmp_path)) == "32768\t60999"
    proc_sys.write("net.key", "1 2", str(tmp_path))
    assert (tmp_path / "net" / "key").read_text() == "1 2\n"


@pytest.mark.parametrize("count, parts", [(1, 0), (680, 0), (690, 1), (1360, 1), (1370, 2)])
def test_what_a_long_set_may_be_cut_to_begins_it_and_fits_into_pages(count: int, parts: int) -> None:
    text = ",".join(str(port) for port in range(20001, 20001 + 2 * count, 2))
    found = proc_sys.beginnings(text)
    assert [text.startswith(f"{part},") for part in found] == [True] * parts
    assert [len(part) // 4090 for part in found] == list(range(1, parts + 1))


def test_without_any_sysctls_no_key_is_taken_for_a_missing_one(tmp_path: pathlib.Path) -> None:
    root = str(tmp_path / "proc" / "sys")
    with pytest.raises(Unsupported, match=f"{root} is not there"):
        proc_sys.read("net.core.somaxconn", root)


def test_a_missing_key_is_none_to_read_and_an_error_to_write(tmp_path: pathlib.Path) -> None:
    assert proc_sys.read("net.nothing", str(tmp_path)) is None
    assert proc_sys.read("net", str(tmp_path.parent)) is None
    with pytest.raises(Unsupported, match=r"net\.nothing"):
        proc_sys.write("net.nothing", "1", str(tmp_path))


def test_the_kernels_reason_is_told(tmp_path: pathlib.Path) -> None:
    (tmp_path / "net" / "key").mkdir(parents=True)
    with pytest.raises(KernelRefused, match=r"net\.key = 1: Is a directory"):
        proc_sys.write("net.key", "1", str(tmp_path))
