# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.sysctl_d import (
    BootValue,
    SysctlFile,
    SysctlTree,
    Systemd,
    next_boot,
    resolve,
    with_file,
)
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._boot.sysctl_trees import (
    DISTRIBUTIONS,
    MIDDLE,
    NEW,
    OLD,
    Distribution,
    Files,
    outcome,
    tree_of,
)

KEY = "net.core.somaxconn"
TAG = "net.ipv4.conf.eth0.tag"


@pytest.mark.parametrize(
    "files, expected",
    [
        pytest.param({}, (None, None), id="nothing sets it"),
        pytest.param({"/etc/sysctl.d/a.conf": f"{KEY}=1"}, ("1", "1"), id="one file"),
        pytest.param({"/etc/sysctl.d/README": f"{KEY}=1"}, (None, None), id="no .conf"),
        pytest.param({"/opt/a.conf": f"{KEY}=1"}, (None, None), id="not a directory of the boot"),
        pytest.param(
            {f"{place}/sysctl.d/a.conf": f"{KEY}={place}" for place in ("/usr/lib", "/usr/local/lib", "/run", "/etc")},
            ("/etc", "/etc"),
            id="same name: the highest directory",
        ),
        pytest.param(
            {f"{place}/sysctl.d/a.conf": f"{KEY}={place}" for place in ("/usr/lib", "/usr/local/lib", "/run")},
            ("/run", "/run"),
            id="same name: /run before /usr/local/lib",
        ),
        pytest.param(
            {f"{place}/sysctl.d/a.conf": f"{KEY}={place}" for place in ("/lib", "/usr/lib", "/usr/local/lib")},
            ("/usr/local/lib", "/usr/local/lib"),
            id="same name: /usr/local/lib before /usr/lib",
        ),
        pytest.param(
            {"/etc/sysctl.d/10-x.conf": f"{KEY}=1", "/usr/lib/sysctl.d/90-y.conf": f"{KEY}=2"},
            ("2", "2"),
            id="the name decides, not the directory",
        ),
        pytest.param(
            {"/etc/sysctl.d/9.conf": f"{KEY}=9", "/etc/sysctl.d/10.conf": f"{KEY}=10"},
            ("9", "9"),
            id="names are no numbers",
        ),
        pytest.param(
            {"/etc/sysctl.d/Z.conf": f"{KEY}=Z", "/etc/sysctl.d/a.conf": f"{KEY}=a"},
            ("a", "a"),
            id="bytes, not letters",
        ),
        pytest.param(
            {"/etc/sysctl.d/a.conf": "", "/usr/lib/sysctl.d/a.conf": f"{KEY}=1"},
            (None, None),
            id="masked by empty file",
        ),
        pytest.param({"/etc/sysctl.d/a.conf": f"{KEY}=1\n{KEY}=2\n"}, ("2", "2"), id="twice in one file"),
        pytest.param(
            {"/etc/sysctl.d/99-z.conf": f"{KEY}=1111", "/etc/sysctl.conf": f"{KEY}=7777"},
            ("1111", "7777"),
            id="sysctl.conf without the link",
        ),
        pytest.param({"/etc/sysctl.d/.a.conf": f"{KEY}=1"}, (None, "1"), id="hidden file"),
        pytest.param({"/etc/sysctl.d/a.conf": f"-{KEY}=1"}, ("1", "1"), id="failures do not matter"),
        pytest.param({"/etc/sysctl.d/a.conf": f"{KEY}=1\n-{KEY}"}, (None, "1"), id="taken back"),
        pytest.param({"/etc/sysctl.d/a.conf": f"-{KEY}\n{KEY}=1"}, ("1", "1"), id="excluded, then set"),
    ],
)
def test_which_file_wins(files: Files, expected: tuple[str | None, str | None]) -> None:
    assert outcome(files, KEY) == expected


def test_link_to_sysctl_conf_is_read_in_its_place() -> None:
    files = {"/etc/sysctl.conf": f"{KEY}=1111", "/etc/sysctl.d/99-tune.conf": f"{KEY}=2222"}
    tree = tree_of(files, {"/etc/sysctl.d/99-sysctl.conf": "/etc/sysctl.conf"})
    value = resolve(tree, [KEY])[KEY]
    assert (value.value, value.procps_value, value.differs) == ("2222", "1111", True)


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("net.ipv4.conf.*.tag=1", ("1", "1"), id="glob"),
        pytest.param("net.ipv4.conf.*.tag=1\nnet.ipv4.conf.eth0.tag=2", ("2", "2"), id="explicit after"),
        pytest.param("net.ipv4.conf.eth0.tag=2\nnet.ipv4.conf.*.tag=1", ("2", "2"), id="explicit before"),
        pytest.param("net.ipv4.conf.*.tag=1\n-net.ipv4.conf.eth0.tag", (None, None), id="excluded after"),
        pytest.param("-net.ipv4.conf.eth0.tag\nnet.ipv4.conf.*.tag=1", (None, None), id="excluded before"),
        pytest.param("net.ipv4.conf.*.tag=1\nnet.ipv4.conf.e*.tag=2", ("2", "2"), id="glob after glob"),
        pytest.param(
            "net.ipv4.conf.*.tag=1\nnet.ipv4.conf.e*.tag=2\nnet.ipv4.conf.*.tag=1",
            ("2", "1"),
            id="the same glob with the same value keeps its place",
        ),
        pytest.param(
            "net.ipv4.conf.*.tag=1\nnet.ipv4.conf.e*.tag=2\nnet.ipv4.conf.*.tag=3",
            ("3", "3"),
            id="the same glob with another value goes last",
        ),
        pytest.param("net.ipv4.conf.*.tag=1\n-net.ipv4.conf.*.tag", (None, "1"), id="glob taken back"),
        pytest.param("net.ipv4.*.tag=1", (None, None), id="a star is one part"),
        pytest.param("net.ipv4.conf.eth[0-3].tag=1", ("1", "1"), id="range"),
        pytest.param("net.ipv4.conf.eth[!0].tag=1", (None, None), id="negated"),
        pytest.param("net.ipv4.conf.eth?.tag=1", ("1", "1"), id="question mark"),
        pytest.param("net.ipv4.conf.{eth,en}*.tag=1", ("1", None), id="braces"),
    ],
)
def test_globs(text: str, expected: tuple[str | None, str | None]) -> None:
    assert outcome({"/etc/sysctl.d/a.conf": text}, TAG) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("net.core.somaxconn = 1", "1"),
        ("net/core/somaxconn = 1", "1"),
        ("net.core/somaxconn = 1", None),
        ("/net/core/somaxconn = 1", "1"),
        ("net//core/./somaxconn = 1", "1"),
        ("  net.core.somaxconn\t=\t 4096  131072\t6291456 \r\n", "4096  131072\t6291456"),
        ("# net.core.somaxconn = 1", None),
        ("; net.core.somaxconn = 1", None),
        ("net.core.somaxconn = 1 # all of it", "1 # all of it"),
        ("net.core.somaxconn 1", None),
        ("net.core.somaxconn == 1", "= 1"),
        ("net.core.somaxconn = \\\n1", "\\"),
        ("net.core.somaxconn =", ""),
        ("\ufeffnet.core.somaxconn = 1", None),
    ],
)
def test_lines(text: str, expected: str | None) -> None:
    assert outcome({"/etc/sysctl.d/a.conf": text}, KEY) == (expected, expected)


def test_procps_3_knows_no_globs_exclusions_and_empty_values() -> None:
    text = f"{KEY}=1\n-{KEY}\n{KEY}=\nnet.core.*=2\n"
    assert outcome({"/etc/sysctl.d/a.conf": text}, KEY, OLD) == ("", "1")


@pytest.mark.parametrize(
    "exclusion, excluded", [("-net.ipv4.conf.e*.tag", True), ("-net.*.tag", True), ("-*.mtu", False)]
)
def test_procps_4_0_5_excludes_by_glob(exclusion: str, excluded: bool) -> None:
    text = f"net.ipv4.conf.*.tag=1\n{exclusion}\n"
    assert outcome({"/etc/sysctl.d/a.conf": text}, TAG, NEW) == ("1", None if excluded else "1")
    assert outcome({"/etc/sysctl.d/a.conf": text}, TAG, MIDDLE) == ("1", "1")


def test_dotted_interface() -> None:
    keys = ["net.ipv4.conf.eth0/5.tag", "net/ipv4/conf/eth0.5/tag", "net.ipv4.conf.eth0.5.tag"]
    tree = tree_of({"/etc/sysctl.d/a.conf": "net.ipv4.conf.eth0/5.tag=1"})
    assert [value.value for value in resolve(tree, keys).values()] == ["1", "1", None]


def test_sources_and_shadowed() -> None:
    tree = tree_of(
        {
            "/usr/lib/sysctl.d/10-a.conf": f"# vendor\n{KEY} = 128\n",
            "/usr/lib/sysctl.d/20-b.conf": f"{KEY} = 512\n",
            "/etc/sysctl.d/20-b.conf": f"\n\n{KEY} = 1024\n",
            "/etc/sysctl.conf": f"{KEY} = 4096\n",
        }
    )
    assert resolve(tree, [KEY])[KEY] == BootValue(
        value="1024",
        source="/etc/sysctl.d/20-b.conf:3",
        shadowed=("/usr/lib/sysctl.d/10-a.conf:2 128",),
        procps_value="4096",
        procps_source="/etc/sysctl.conf:1",
    )


@pytest.mark.parametrize(
    "value, procps, differs",
    [("1", "1", False), ("1 2", "1\t2", False), ("1", "1\u00a0", True), ("1", " 1\t", False), (None, "1", True)],
)
def test_differs(value: str | None, procps: str, differs: bool) -> None:
    assert BootValue(value=value, procps_value=procps).differs is differs


@pytest.mark.parametrize(
    "value, procps, held, taken",
    [
        ("030", "0x10", "7", ("24", "16")),
        ("030", "0x10", None, ("030", "0x10")),
        ("030", None, "7", ("24", None)),
        (None, "0x10", "7", (None, "16")),
        ("030", "0x10", "cubic", ("030", "0x10")),
    ],
)
def test_the_kernel_takes_numbers_for_keys_that_hold_numbers(
    value: str | None, procps: str | None, held: str | None, taken: tuple[str | None, str | None]
) -> None:
    found = BootValue(value=value, procps_value=procps, source="/x:1", until_reboot="later").taken(held)
    assert found == BootValue(value=taken[0], procps_value=taken[1], source="/x:1", until_reboot="later")


def test_an_exclusion_is_named_as_the_reason() -> None:
    tree = tree_of({"/etc/sysctl.d/a.conf": f"{KEY}=1\n-{KEY}"})
    value = resolve(tree, [KEY])[KEY]
    assert (value.value, value.source, value.shadowed) == (
        None,
        "/etc/sysctl.d/a.conf:2",
        ("/etc/sysctl.d/a.conf:1 1",),
    )


RUN, ETC, USR = (f"{place}/sysctl.d/50-x.conf" for place in ("/run", "/etc", "/usr/lib"))


@pytest.mark.parametrize(
    "files, value, source, until_reboot",
    [
        ({USR: f"{KEY}=1"}, "1", f"{USR}:1", ""),
        ({RUN: f"{KEY}=2"}, None, None, f"until the reboot, systemd-sysctl gives 2, from {RUN}:1"),
        (
            {RUN: f"{KEY}=2", USR: f"{KEY}=1"},
            "1",
            f"{USR}:1",
            f"until the reboot, systemd-sysctl gives 2, from {RUN}:1",
        ),
        ({RUN: "", USR: f"{KEY}=1"}, "1", f"{USR}:1", f"until the reboot, {RUN} masks {USR}"),
        ({RUN: f"{KEY}=1", USR: f"{KEY}=1"}, "1", f"{USR}:1", ""),
        ({RUN: f"{KEY}=2", ETC: f"{KEY}=1"}, "1", f"{ETC}:1", ""),
        (
            {RUN: f"-{KEY}", "/etc/sysctl.d/10.conf": f"{KEY}=1"},
            "1",
            "/etc/sysctl.d/10.conf:1",
            f"until the reboot, systemd-sysctl gives None, from {RUN}:1",
        ),
        (
            {RUN: "", USR: f"{KEY}=1", "/etc/sysctl.d/10.conf": f"{KEY}=3"},
            "1",
            f"{USR}:1",
            f"until the reboot, {RUN} masks {USR}",
        ),
    ],
)
def test_what_is_below_run_does_not_outlive_the_boot(
    files: Files, value: str | None, source: str | None, until_reboot: str
) -> None:
    found = next_boot(tree_of(files), [KEY])[KEY]
    assert (found.value, found.source, found.procps_value) == (value, source, value)
    assert found.until_reboot == until_reboot


@pytest.mark.parametrize("masks, value", [(True, None), (False, "1")])
def test_an_endless_link_masks_up_to_systemd_257(masks: bool, value: str | None) -> None:
    link = SysctlFile("/etc/sysctl.d/a.conf", "", "/etc/sysctl.d/a.conf", "Too many links", leads_somewhere=False)
    file = SysctlFile("/usr/lib/sysctl.d/a.conf", f"{KEY}=1", "/usr/lib/sysctl.d/a.conf")
    tree = SysctlTree((link, file), systemd=Systemd(endless_links_mask=masks))
    found = resolve(tree, [KEY])[KEY]
    assert (found.value, found.procps_value) == (value, None)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda distribution: distribution.name)
def test_distributions(distribution: Distribution) -> None:
    tree = tree_of(distribution.files, distribution.links, distribution.procps)
    values = resolve(tree, distribution.outcomes)
    found = {key: (value.value, value.source and value.source.rpartition(":")[0]) for key, value in values.items()}
    assert found == distribution.outcomes


def test_debian_13_forgets_sysctl_conf_at_the_boot() -> None:
    (distribution,) = (one for one in DISTRIBUTIONS if one.name == "Debian 13")
    value = resolve(tree_of(distribution.files), [KEY])[KEY]
    assert (value.value, value.procps_value, value.differs) == (None, "65535", True)


def test_with_file_predicts_the_owned_drop_in() -> None:
    """A late drop-in of ours wins the boot, and still not ``sysctl --system``."""
    tree = tree_of({"/etc/sysctl.d/99-z.conf": f"{KEY}=1111", "/etc/sysctl.conf": f"{KEY}=7777"})
    after = resolve(with_file(tree, "/etc/sysctl.d/zz-nettune-tcp.conf", f"# ours\n{KEY} = 65535\n"), [KEY])[KEY]
    assert after == BootValue(
        value="65535",
        source="/etc/sysctl.d/zz-nettune-tcp.conf:2",
        shadowed=("/etc/sysctl.d/99-z.conf:1 1111",),
        procps_value="7777",
        procps_source="/etc/sysctl.conf:1",
    )
