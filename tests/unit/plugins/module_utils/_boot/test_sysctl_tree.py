# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.sysctl_tree import (
    Procps,
    SysctlFile,
    SysctlTree,
    Systemd,
    after_reboot,
    read_tree,
    with_file,
)


@pytest.fixture(name="root")
def empty_root(tmp_path: pathlib.Path) -> pathlib.Path:
    for directory in ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "usr/sbin", "dev"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    return tmp_path


def read(root: pathlib.Path) -> list[tuple[str, str, str, str | None]]:
    return [(file.path, file.text, file.target, file.problem) for file in read_tree(str(root)).files]


def test_nothing_there(tmp_path: pathlib.Path) -> None:
    assert read_tree(str(tmp_path)) == SysctlTree(())
    assert read_tree(str(tmp_path / "missing")) == SysctlTree(())


def test_order_and_names(root: pathlib.Path) -> None:
    for path in (
        "usr/lib/sysctl.d/a.conf",
        "etc/sysctl.d/z.conf",
        "run/sysctl.d/b.conf",
        "usr/local/lib/sysctl.d/c.conf",
    ):
        (root / path).write_text(path)
    (root / "etc/sysctl.d/README").write_text("no")
    (root / "etc/sysctl.conf").write_text("last")
    assert [path for path, *_rest in read(root)] == [
        "/etc/sysctl.d/z.conf",
        "/run/sysctl.d/b.conf",
        "/usr/local/lib/sysctl.d/c.conf",
        "/usr/lib/sysctl.d/a.conf",
        "/etc/sysctl.conf",
    ]


def test_lib_counts_where_usr_is_split(root: pathlib.Path) -> None:
    (root / "lib").unlink()
    (root / "lib/sysctl.d").mkdir(parents=True)
    (root / "lib/sysctl.d/a.conf").write_text("a=1")
    assert read(root) == [("/lib/sysctl.d/a.conf", "a=1", "/lib/sysctl.d/a.conf", None)]


@pytest.mark.parametrize(
    "link, text, target, problem",
    [
        ("/dev/null", "", "/dev/null", None),
        ("../sysctl.conf", "a=1", "/etc/sysctl.conf", None),
        ("/etc/sysctl.conf", "a=1", "/etc/sysctl.conf", None),
        ("../../../../../etc/sysctl.conf", "a=1", "/etc/sysctl.conf", None),
        ("/nowhere", "", "/nowhere", "dangling link"),
        ("a.conf", "", "/etc/sysctl.d/a.conf", "Too many levels of symbolic links"),
        ("/etc", "", "/etc", "not a regular file"),
    ],
)
def test_links_stay_below_the_root(root: pathlib.Path, link: str, text: str, target: str, problem: str | None) -> None:
    (root / "etc/sysctl.conf").write_text("a=1")
    (root / "etc/sysctl.d/a.conf").symlink_to(link)
    assert read(root)[0] == ("/etc/sysctl.d/a.conf", text, target, problem)


def test_what_cannot_be_read_is_named(root: pathlib.Path) -> None:
    (root / "etc/sysctl.d/a.conf").write_bytes(b"# caf\xe9\nnet.core.somaxconn = 1\n")
    (root / "etc/sysctl.d/b.conf").mkdir()
    os.mkfifo(root / "etc/sysctl.d/c.conf")
    tree = read_tree(str(root))
    assert [file.text for file in tree.files] == ["# caf\\xe9\nnet.core.somaxconn = 1\n", "", ""]
    assert tree.problems == (
        "/etc/sysctl.d/a.conf: byte 5 is not UTF-8",
        "/etc/sysctl.d/b.conf: not a regular file",
        "/etc/sysctl.d/c.conf: not a regular file",
    )


def test_ends_of_lines_are_kept(root: pathlib.Path) -> None:
    (root / "etc/sysctl.d/a.conf").write_bytes(b"a=1\r\nb=2\rc=3\0d=4\n")
    assert read(root)[0][1] == "a=1\r\nb=2\rc=3\0d=4\n"


def test_a_directory_that_is_no_directory(root: pathlib.Path) -> None:
    (root / "run/sysctl.d").rmdir()
    (root / "run/sysctl.d").write_text("")
    (root / "etc/sysctl.d").rmdir()
    (root / "etc/sysctl.d").symlink_to("sysctl.d")
    tree = read_tree(str(root))
    assert tree.files == ()
    assert tree.problems == (
        "/etc/sysctl.d: Too many levels of symbolic links",
        "/run/sysctl.d: Not a directory",
    )


@pytest.mark.parametrize(
    "program, expected",
    [
        (b"\x7fELF --system", Procps(globs=False, glob_exclusions=False)),
        (b"\x7fELF --system --dry-run", Procps(globs=True, glob_exclusions=False)),
        (b"\x7fELF --system --dry-run fnmatch", Procps(globs=True, glob_exclusions=True)),
        (None, Procps()),
    ],
)
def test_procps_is_known_by_its_strings(root: pathlib.Path, program: bytes | None, expected: Procps) -> None:
    if program is not None:
        (root / "usr/sbin/sysctl").write_bytes(program)
    assert read_tree(str(root)).procps == expected


@pytest.mark.parametrize(
    "program, masks",
    [
        (b"\x7fELF libsystemd-shared-247.so", True),
        (b"\x7fELF libsystemd-shared-257.7-1.fc42.so", True),
        (b"\x7fELF libsystemd-shared-258.so", False),
        (b"\x7fELF libsystemd-shared-262~rc1.so", False),
        (b"\x7fELF", True),
        (None, True),
    ],
)
def test_systemd_is_known_by_its_library(root: pathlib.Path, program: bytes | None, masks: bool) -> None:
    if program is not None:
        (root / "usr/lib/systemd").mkdir()
        (root / "usr/lib/systemd/systemd-sysctl").write_bytes(program)
    assert read_tree(str(root)).systemd == Systemd(endless_links_mask=masks)


@pytest.mark.parametrize(
    "link, leads", [("/nowhere", True), ("/etc", True), ("a.conf", False), ("/etc/sysctl.conf/below", False)]
)
def test_links_that_lead_nowhere_for_ever(root: pathlib.Path, link: str, leads: bool) -> None:
    (root / "etc/sysctl.conf").write_text("a=1")
    (root / "etc/sysctl.d/a.conf").symlink_to(link)
    assert read_tree(str(root)).files[0].leads_somewhere is leads


def test_a_reboot_empties_run() -> None:
    kept = SysctlFile("/usr/lib/sysctl.d/a.conf", "a=1", "/usr/lib/sysctl.d/a.conf")
    linked = SysctlFile("/etc/sysctl.d/b.conf", "b=1", "/run/b")
    tree = SysctlTree((linked, SysctlFile("/run/sysctl.d/a.conf", "", "/dev/null"), kept))
    assert after_reboot(tree).files == (SysctlFile("/etc/sysctl.d/b.conf", "", "/run/b", "dangling link"), kept)


def test_with_file_follows_the_link_to_sysctl_conf() -> None:
    tree = SysctlTree(
        (
            SysctlFile("/etc/sysctl.d/99-sysctl.conf", "a=1", "/etc/sysctl.conf"),
            SysctlFile("/etc/sysctl.conf", "a=1", "/etc/sysctl.conf"),
        )
    )
    assert [file.text for file in with_file(tree, "/etc/sysctl.conf", "a=2").files] == ["a=2", "a=2"]
    assert [file.text for file in with_file(tree, "/etc/sysctl.conf", None).files] == [""]
    assert [file.text for file in with_file(tree, "/etc/sysctl.d/99-sysctl.conf", "a=3").files] == ["a=3", "a=1"]


@pytest.mark.parametrize("path", ["/etc/sysctl.d/a", "/etc/sysctl.d/sub/a.conf", "/opt/a.conf", "etc/sysctl.d/a.conf"])
def test_with_file_knows_what_is_not_read(path: str) -> None:
    assert with_file(SysctlTree(()), path, "a=1") == SysctlTree(())
