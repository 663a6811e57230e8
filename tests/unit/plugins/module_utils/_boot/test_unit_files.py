# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot import unit_files
from ansible_collections.nettune.tcp.plugins.module_utils._boot.unit_files import (
    Setting,
    UnitFile,
    UnitFiles,
    drop_in_directories,
    parse,
    read,
    read_manager,
)

KEY = "LimitNOFILE"
LOOKUP = ("/etc/systemd/system.control", "/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")


def values(text: str) -> t.List[str]:
    return [setting.value for setting in parse(UnitFile("/x", text), "Service", KEY)]


# Each of these was given to systemd 257, which then had the limit that the last value makes.
@pytest.mark.parametrize(
    "text, expected",
    [
        ("[Service]\nLimitNOFILE=300\n", ["300"]),
        ("[Service]\n  LimitNOFILE  =   300:500  \n", ["300:500"]),
        ("[Service]\nLimitNOFILE=\n", [""]),
        ("[Service]\nLimitNOFILE=1\nLimitNOFILE=2\n", ["1", "2"]),
        ("[Service]\nLimitNOFILE=300:\\\n500\n", ["300: 500"]),
        ("[Service]\nLimitNOFILE=300:\\\n# between\n500\n", ["300: 500"]),
        ("[Service]\nLimitNOFILE=300:\\\n   # between\n   500\n", ["300: 500"]),
        ("[Service]\n# comment \\\nLimitNOFILE=333\n", ["333"]),
        ("[Service]\n; comment\nLimitNOFILE=300 # none\n", ["300 # none"]),
        ("[Service]\n[Unit]\nLimitNOFILE=400\n[Service]\nLimitNofile=600\n", []),
        ("[Service]\nLimitNOFILE=333\n[X-Foo]\nLimitNOFILE=3\n", ["333"]),
        ("[ Service ]\nLimitNOFILE=333\n", []),
        ("[Service] \nLimitNOFILE=334\n", ["334"]),
        ("[Service]\nno assignment\nLimitNOFILE=335\n", ["335"]),
        ("[Service]\nLimitNOFILE=1\n[Service\nLimitNOFILE=336\n", ["1"]),
        ("[Service]\nLimitNOFILE=337\r\n", ["337"]),
        ("[Service]\n-LimitNOFILE=338\n", []),
        ("\ufeff[Service]\nLimitNOFILE=339\n", ["339"]),
        ("[Unit]\n \ufeff[Service]\nLimitNOFILE=342\n", ["342"]),
        ("\ufeff[Unit]\n\ufeff[Service]\nLimitNOFILE=343\n", []),
        ("[Service]\nLimitNOFILE=340\\", ["340"]),
        ("[Service]\nExecStart=/bin/x \\\n  LimitNOFILE=1\nLimitNOFILE=341\n", ["341"]),
        ("", []),
        ("[Service]\nLimitNOFILE=55\\ \nLimitNOFILE=66\n", ["55\\", "66"]),
        ("[Service]\nLimitNOFILE=55\\\\\nLimitNOFILE=66\n", ["55\\\\", "66"]),
        ("[Service]\nLimitNOFILE=55:\\\r\n66\n", ["55: 66"]),
        ("[Service]\nLimitNOFILE=55:\\\n\r66\n", ["55: 66"]),
        ("[Service]\nLimitNOFILE=55:\\\n\n66\n", ["55:"]),
        ("[Service]\nLimitNOFILE=55\rLimitNOFILE=66\n", ["55", "66"]),
        ("[Service]\nLimitNOFILE=55\0LimitNOFILE=66\n", ["55", "66"]),
        ("[Service]\nLimitNOFILE=55:\\\0\n66\n", ["55:"]),
        ("[Service]\nLimitNOFILE=55:\\\n\r\0\r66\n", ["55:"]),
        *(
            (f"[Service]\nLimitNOFILE=55{odd}LimitNOFILE=66\n", [f"55{odd}LimitNOFILE=66"])
            for odd in "\f\v\x1c\x85\u2028"
        ),
        ("[Service]\nLimitNOFILE=\u00a055\f\n", ["\u00a055\f"]),
        ("[Service]\n\fLimitNOFILE=55\n\u00a0LimitNOFILE=56\nLimitNOFILE\v=57\n", []),
        ("[Service]\n\f# comment\\\nLimitNOFILE=55\n", []),
        ("[Service]\nLimitNOFILE=55\n\udcff\nLimitNOFILE=66\n", ["55"]),
        ("[Service]\nLimitNOFILE=55\n\ufdd0\nLimitNOFILE=66\n", ["55"]),
        ("[Service]\nLimitNOFILE=55\n\U0010ffff\nLimitNOFILE=66\n", ["55"]),
        ("[Service]\n# \udcff\nLimitNOFILE=66\n", ["66"]),
        *((f"[Service]\n{chr(one)}\nLimitNOFILE=66\n", []) for one in (0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFE)),
        *((f"[Service]\n{chr(one)}\nLimitNOFILE=66\n", ["66"]) for one in (0xFDCF, 0xFDF0, 0xFFFD, 0x17FFE, 0x10FFFD)),
        ("[Service]\nLimitNOFILE=3\\\n:\\\n4\\\n5\n", ["3 : 4 5"]),
        ("[Service]\n# \udcff\nLimitNOFILE=\ufffd\n", ["\ufffd"]),
        ("\r[Unit]\r\ufeff[Service]\nLimitNOFILE=344\n", ["344"]),
    ],
)
def test_parse(text: str, expected: t.List[str]) -> None:
    assert values(text) == expected


LONGEST = (1 << 20) - 1


# Tried on systemd 257 too.
@pytest.mark.parametrize(
    "lines, read",
    [
        ("x" * LONGEST, True),
        ("x" * (LONGEST + 1), False),
        ("#" * (LONGEST + 1), False),
        (" " * (LONGEST + 1), False),
        ("#" + "\u00e9" * (LONGEST // 2), True),
        ("##" + "\u00e9" * (LONGEST // 2), False),
        ("x\\\n" + "y" * (LONGEST - 1), True),
        ("x\\\n" + "y" * LONGEST, False),
        ("x\\\n#" + "y" * (LONGEST - 2) + "\nz", True),
    ],
)
def test_a_line_of_a_megabyte_ends_the_file(lines: str, read: bool) -> None:
    assert values(f"[Service]\n{KEY}=1\n{lines}\n{KEY}=2\n") == ["1", *["2"][:read]]


@pytest.mark.parametrize(
    "text, line", [("\r\n", 2), ("\n\r", 2), ("\r", 1), ("\0", 1), ("\n\r\0", 2), ("\n\n\r\n", 4), ("\r\r\n", 2)]
)
def test_lines_are_numbered_as_in_an_editor(text: str, line: int) -> None:
    assert [one.source for one in parse(UnitFile("/x", f"[Service]{text}{KEY}=1"), "Service", KEY)] == [f"/x:{line}"]


def test_parse_names_the_line_where_the_setting_begins() -> None:
    text = "# one\n[Service]\nExecStart=/bin/x \\\n  -y\nLimitNOFILE=1:\\\n 2\n"
    assert list(parse(UnitFile("/etc/x.conf", text), "Service", KEY)) == [Setting("1: 2", "/etc/x.conf:5")]


@pytest.mark.parametrize(
    "names, expected",
    [
        (["nginx.service"], ["nginx.service.d", "service.d"]),
        (["foo@.service"], ["foo@.service.d", "service.d"]),
        (["foo@1.service"], ["foo@1.service.d", "foo@.service.d", "service.d"]),
        (
            ["foo-bar-baz.service"],
            ["foo-bar-baz.service.d", "foo-bar-.service.d", "foo-.service.d", "service.d"],
        ),
        (
            ["a-b@1.service"],
            ["a-b@1.service.d", "a-b@.service.d", "a-.service.d", "a-@1.service.d", "a-@.service.d", "service.d"],
        ),
        (
            ["wg-quick@wg0.service"],
            [
                *("wg-quick@wg0.service.d", "wg-quick@.service.d", "wg-.service.d"),
                *("wg-@wg0.service.d", "wg-@.service.d", "service.d"),
            ],
        ),
        (["wg-quick@.service"], ["wg-quick@.service.d", "wg-.service.d", "service.d"]),
        (["a--b.service"], ["a--b.service.d", "a--.service.d", "a-.service.d", "service.d"]),
        (["a-b-.service"], ["a-b-.service.d", "a-.service.d", "service.d"]),
        (["a-.service"], ["a-.service.d", "service.d"]),
        (["--.service"], ["--.service.d", "service.d"]),
        (["-a@x-y.service"], ["-a@x-y.service.d", "-a@.service.d", "service.d"]),
        (["-x.mount"], ["-x.mount.d", "mount.d"]),
        (["ssh.service", "sshd.service"], ["ssh.service.d", "sshd.service.d", "service.d"]),
    ],
)
def test_directories_from_special_to_general(names: t.List[str], expected: t.List[str]) -> None:
    assert drop_in_directories(["/etc/systemd/system"], names) == [f"/etc/systemd/system/{name}" for name in expected]


def test_directories_of_a_name_come_place_by_place() -> None:
    assert drop_in_directories(["/etc", "/usr"], ["a@1.service"]) == [
        "/etc/a@1.service.d",
        "/etc/a@.service.d",
        "/usr/a@1.service.d",
        "/usr/a@.service.d",
        "/etc/service.d",
        "/usr/service.d",
    ]


def files_of(*paths: str, unit: str = "foo@1.service") -> UnitFiles:
    """A unit with these drop-ins, each of which sets its own path."""
    directories = drop_in_directories(LOOKUP, [unit])
    return UnitFiles(
        UnitFile("/usr/lib/systemd/system/foo@.service", f"[Service]\n{KEY}=fragment\n"),
        tuple(directories),
        tuple(UnitFile(path, f"[Service]\n{KEY}={path}\n") for path in paths),
    )


# As systemd 257 printed DropInPaths for these very files.
@pytest.mark.parametrize(
    "paths, expected",
    [
        pytest.param([], [], id="none"),
        pytest.param(
            ["/etc/systemd/system/foo@1.service.d/b.conf", "/usr/lib/systemd/system/foo@.service.d/c.conf"],
            ["/etc/systemd/system/foo@1.service.d/b.conf", "/usr/lib/systemd/system/foo@.service.d/c.conf"],
            id="names decide, not places",
        ),
        pytest.param(
            [
                "/usr/lib/systemd/system/foo@1.service.d/same.conf",
                "/run/systemd/system/foo@1.service.d/same.conf",
                "/etc/systemd/system/foo@1.service.d/same.conf",
                "/etc/systemd/system/foo@.service.d/same.conf",
                "/etc/systemd/system/service.d/same.conf",
            ],
            ["/etc/systemd/system/foo@1.service.d/same.conf"],
            id="one name: the instance in /etc",
        ),
        pytest.param(
            ["/etc/systemd/system/foo@.service.d/same.conf", "/run/systemd/system/foo@1.service.d/same.conf"],
            ["/etc/systemd/system/foo@.service.d/same.conf"],
            id="one name: the place before the instance",
        ),
        pytest.param(
            ["/etc/systemd/system/service.d/same.conf", "/usr/lib/systemd/system/foo@1.service.d/same.conf"],
            ["/usr/lib/systemd/system/foo@1.service.d/same.conf"],
            id="one name: all of a type come last",
        ),
        pytest.param(
            [
                "/etc/systemd/system/foo@1.service.d/a.conf",
                "/etc/systemd/system/foo@1.service.d/Z.conf",
                "/etc/systemd/system/foo@1.service.d/10.conf",
                "/etc/systemd/system/foo@1.service.d/9.conf",
            ],
            [f"/etc/systemd/system/foo@1.service.d/{name}.conf" for name in ("10", "9", "Z", "a")],
            id="bytes",
        ),
    ],
)
def test_order(paths: t.List[str], expected: t.List[str]) -> None:
    settings = files_of(*paths).settings("Service", KEY)
    assert [setting.value for setting in settings] == ["fragment", *expected]


def test_with_drop_in() -> None:
    path = "/etc/systemd/system/foo@1.service.d/zz.conf"
    files = files_of("/usr/lib/systemd/system/foo@.service.d/zz.conf")
    changed = files.with_drop_in(path, f"[Service]\n{KEY}=new\n")
    assert [setting.value for setting in changed.settings("Service", KEY)] == ["fragment", "new"]
    assert changed.changed > files.changed
    assert changed.with_drop_in(path, None).in_order() == files.in_order()


def write(path: t.Any, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_read(tmp_path: t.Any) -> None:
    etc, usr = tmp_path / "etc", tmp_path / "usr"
    write(usr / "a.service", "[Service]\nLimitNOFILE=1\n")
    write(usr / "a.service.d" / "x.conf", "[Service]\nLimitNOFILE=2\n")
    write(usr / "a.service.d" / "masked.conf", "[Service]\nLimitNOFILE=3\n")
    write(etc / "a.service.d" / "README", "[Service]\nLimitNOFILE=4\n")
    (etc / "a.service.d" / "masked.conf").symlink_to("/dev/null")
    (etc / "a.service.d" / "dangling.conf").symlink_to("/nowhere")
    write(usr / "a.service.d" / "dangling.conf", "[Service]\nLimitNOFILE=5\n")
    write(usr / "a.service.d" / ".hidden.conf", "[Service]\nLimitNOFILE=6\n")
    (etc / "a.service.d" / "directory.conf").mkdir()
    write(usr / "a.service.d" / "directory.conf", "[Service]\nLimitNOFILE=7\n")
    files = read(str(usr / "a.service"), [str(etc), str(usr)], ["a.service"])
    assert files.settings("Service", KEY) == [
        Setting("1", f"{usr}/a.service:2"),
        Setting("2", f"{usr}/a.service.d/x.conf:2"),
    ]
    assert files.changed >= max(
        (etc / "a.service.d").lstat().st_ctime, (usr / "a.service.d").stat().st_ctime, etc.stat().st_ctime
    )


def test_read_without_a_file_of_its_own(tmp_path: t.Any) -> None:
    files = read("", [str(tmp_path)], ["a.service"])
    assert files.fragment is None
    assert UnitFiles(None, (), ()).changed == 0.0
    assert files.settings("Service", KEY) == []


def test_what_comes_and_goes_below_run_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"/run/a": 3.0, "/etc/a": 2.0, "/etc/a/x.service.d": 1.0}
    monkeypatch.setattr(unit_files, "_changed", lambda path: times.get(path, 0.0))
    assert read("", ["/run/a", "/etc/a"], ["x.service"]).changed == 2.0


def test_what_is_not_there_was_never_changed(tmp_path: t.Any) -> None:
    assert read("", [str(tmp_path / "none")], ["x.service"]).changed == 0.0
    assert read_manager(directories=[str(tmp_path / "none")]).changed == 0.0


def test_read_manager(tmp_path: t.Any) -> None:
    etc, usr = tmp_path / "etc", tmp_path / "usr"
    write(usr / "system.conf", "[Manager]\nDefaultLimitNOFILE=1\n")
    write(etc / "system.conf.d" / "b.conf", "[Manager]\nDefaultLimitNOFILE=2\n")
    files = read_manager(directories=[str(etc), str(usr)])
    assert [setting.value for setting in files.settings("Manager", "DefaultLimitNOFILE")] == ["1", "2"]
