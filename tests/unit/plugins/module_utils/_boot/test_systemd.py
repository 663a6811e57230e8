# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _command
from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd as sd
from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, NettuneError, Unsupported


@pytest.mark.parametrize(
    "text, expected",
    [
        ("nginx", "nginx.service"),
        ("nginx.service", "nginx.service"),
        ("dbus.socket", "dbus.socket"),
        ("getty@", "getty@.service"),
        ("getty@tty1", "getty@tty1.service"),
        ("-.slice", "-.slice"),
        ("php8.2-fpm", "php8.2-fpm.service"),
        (r"dev-disk-by\x2dlabel-x.swap", r"dev-disk-by\x2dlabel-x.swap"),
    ],
)
def test_unit_name(text: str, expected: str) -> None:
    assert sd.unit_name(text) == expected


def test_a_name_has_at_most_255_characters() -> None:
    assert len(sd.unit_name("a" * 247)) == 255
    with pytest.raises(BadRequest, match="is not the name"):
        sd.unit_name("a" * 248)


@pytest.mark.parametrize(
    "text", ["", "a b", "../x", "a/b.service", "@.service", ".a", "@a", "x\n", "ü.service", "a" * 300]
)
def test_no_unit_name(text: str) -> None:
    with pytest.raises(BadRequest, match="is not the name of a systemd unit"):
        sd.unit_name(text)


@pytest.mark.parametrize("unit, expected", [("a.service", "service"), ("a.b.socket", "socket"), ("-.slice", "slice")])
def test_unit_type(unit: str, expected: str) -> None:
    assert sd.unit_type(unit) == expected


@pytest.mark.parametrize(
    "unit, expected", [("a.b@.service", True), ("a@.service", True), ("a@1.service", False), ("a.service", False)]
)
def test_is_template(unit: str, expected: bool) -> None:
    assert sd.is_template(unit) is expected


def test_probe_of() -> None:
    assert sd.probe_of("getty@.service") == "getty@nettune.service"


def test_parse_show() -> None:
    assert sd.parse_show('Id=a.service\nLoadError=x "y=z"\nDropInPaths=\n\nId=b.service\n') == [
        {"Id": "a.service", "LoadError": 'x "y=z"', "DropInPaths": ""},
        {"Id": "b.service"},
    ]


@pytest.mark.parametrize(
    "output, blocks", [("", [{}]), ("\n\nId=a\n", [{"Id": "a"}]), ("Id=a\nno assignment\n\n\n", [{"Id": "a"}])]
)
def test_parse_show_of_odd_output(output: str, blocks: t.List[t.Dict[str, str]]) -> None:
    assert sd.parse_show(output) == blocks


def test_parse_list_units() -> None:
    assert sd.parse_list_units("  a.service loaded\n\n   \nb.service\n") == ["a.service", "b.service"]


def test_commands() -> None:
    called: t.List[t.List[str]] = []

    def run(arguments: t.Sequence[str]) -> str:
        called.append(list(arguments))
        return "foo@2.service loaded active running Two\nfoo@nettune.service loaded inactive dead x\n"

    manager = sd.Systemd(run)
    assert manager.instances("foo@.service") == ["foo@2.service"]
    manager.show(["-x.mount"], ["Id", "Names"])
    manager.show_manager(["UnitPath"])
    manager.daemon_reload()
    manager.restart("a.service")
    manager.start("a.service", "b.socket")
    manager.stop("a.service", "b.socket")
    manager.reload("a.service")
    assert called == [
        ["list-units", "--all", "--full", "--plain", "--no-legend", "--", "foo@*.service"],
        ["show", "--property=Id,Names", "--", "-x.mount"],
        ["show", "--property=UnitPath"],
        ["daemon-reload"],
        ["restart", "--", "a.service"],
        ["start", "--", "a.service", "b.socket"],
        ["stop", "--", "a.service", "b.socket"],
        ["reload", "--", "a.service"],
    ]


def test_instances_come_sorted_and_without_the_one_that_is_nobody() -> None:
    manager = sd.Systemd(lambda _arguments: "b@2.service x\nb@nettune.service x\nb@1.service x\n")
    assert manager.instances("b@.service") == ["b@1.service", "b@2.service"]


def test_show_gives_the_blocks_of_all_units_and_of_the_manager_one() -> None:
    manager = sd.Systemd(lambda _arguments: "Id=a\n\nId=b\n")
    assert manager.show(["a", "b"], ["Id"]) == [{"Id": "a"}, {"Id": "b"}]
    assert manager.show_manager(["Id"]) == {"Id": "a"}


@pytest.mark.parametrize(
    "output, message",
    [
        ("", "does not report FragmentPath of what was asked for"),
        ("Id=a.service\n", "does not report FragmentPath of a.service"),
        ("\x00\xff junk", "does not report FragmentPath"),
        ("Id=a\n\nId=b\n", "reports 2 units, 1 were requested"),
        ("Id=a\nMainPID=-1\n", "reports a MainPID of '-1'"),
        ("Id=a\nMainPID=7 8\n", "reports a MainPID of '7 8'"),
    ],
)
def test_junk_is_an_error_that_says_so(output: str, message: str) -> None:
    with pytest.raises(NettuneError, match=f"systemctl show {message}"):
        sd.Systemd(lambda _arguments: output).show(["a.service"], ["Id", "FragmentPath"])[0]["FragmentPath"]


def test_check_booted(tmp_path: t.Any) -> None:
    assert sd.booted(str(tmp_path))
    assert not sd.booted(str(tmp_path / "missing"))
    sd.check_booted(str(tmp_path))
    with pytest.raises(Unsupported, match="not booted with systemd"):
        sd.check_booted(str(tmp_path / "missing"))


def write_systemctl(directory: t.Any, script: str) -> None:
    program = directory / "systemctl"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.usefixtures("trust_in_tmp")
def test_runs_systemctl_in_the_c_locale(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_systemctl(tmp_path, 'echo "Arguments=$*"; echo "Locale=$LC_ALL"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert sd.Systemd().show(["a b"], ["X"]) == [
        {"Arguments": "--no-ask-password show --property=X -- a b", "Locale": "C"}
    ]


@pytest.mark.usefixtures("trust_in_tmp")
def test_says_what_systemctl_said(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_systemctl(tmp_path, "echo Access denied >&2; exit 4")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(Exception, match="systemctl daemon-reload failed: Access denied"):
        sd.Systemd().daemon_reload()


def test_without_systemctl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_command, "_SYSTEM", ())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unsupported, match="systemctl is not installed"):
        sd.Systemd().daemon_reload()


@pytest.mark.usefixtures("trust_in_tmp")
def test_one_that_hangs_is_ended(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_systemctl(tmp_path, "sleep 60 & wait")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(sd, "_TIMEOUTS", {"daemon-reload": 0.1})
    with pytest.raises(NettuneError, match=r"daemon-reload did not end within 0\.1 seconds, and was ended with"):
        sd.Systemd().daemon_reload()


@pytest.mark.usefixtures("trust_in_tmp")
def test_half_an_answer_is_none(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_systemctl(tmp_path, "echo A=1; echo B=2")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(sd, "_MOST", 4)
    with pytest.raises(NettuneError, match="it printed too much"):
        sd.Systemd().show_manager(["A"])


@pytest.mark.parametrize("text, pid", [("4711", 4711), ("0", None), ("", None)])
def test_the_main_process_of_a_unit(monkeypatch: pytest.MonkeyPatch, text: str, pid: t.Optional[int]) -> None:
    monkeypatch.setattr(sd, "booted", lambda: True)
    monkeypatch.setattr(sd, "systemctl", lambda words: f"MainPID={text}\n" if words[-1] == "x.service" else "\n")
    assert sd.main_pid("x.service") == pid
    assert sd.main_pid("x.socket") is None
    assert sd.main_pid(None) is None


def test_without_systemd_no_unit_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sd, "booted", lambda: False)
    assert sd.main_pid("x.service") is None


def show_from(known: t.Mapping[str, str], called: t.List[t.List[str]]) -> sd.Run:
    def run(words: t.Sequence[str]) -> str:
        called.append(list(words))
        if "--" not in words:
            return "UnitPath=/etc\n"
        units = words[words.index("--") + 1 :]
        if not known.keys() >= set(units):
            raise NettuneError("systemctl show failed")
        return "\n".join(f"Id={unit}\nMainPID={known[unit]}\n" for unit in units)

    return run


def test_a_snapshot_asks_for_all_units_at_once() -> None:
    called: t.List[t.List[str]] = []
    run = show_from({"a.service": "1", "b.service": "2", "c.service": "3"}, called)
    snapshot = sd.Snapshot(["b.service", "a.service", "b.service", "x@.service"], ["MainPID", "Id"], run)
    assert called == []
    assert snapshot.show(["b.service"], ["Id", "MainPID"]) == [{"Id": "b.service", "MainPID": "2"}]
    assert sd.main_pid("a.service", snapshot) == (1 if sd.booted() else None)
    assert called == [["show", "--property=Id,MainPID", "--", "a.service", "b.service"]]
    # What was not foreseen is asked for when it is needed, of the manager once.
    assert snapshot.show(["c.service"], ["Id"])[0]["Id"] == "c.service"
    assert snapshot.show(["a.service"], ["Names"])[0]["Id"] == "a.service"
    assert [snapshot.show_manager(["UnitPath"])["UnitPath"] for _time in range(2)] == ["/etc", "/etc"]
    assert called[1:] == [
        ["show", "--property=Id", "--", "c.service"],
        ["show", "--property=Names", "--", "a.service"],
        ["show", "--property=UnitPath"],
    ]


def test_a_snapshot_blames_the_one_unit_that_systemd_refuses() -> None:
    snapshot = sd.Snapshot(["a.service", "bad.service"], ["Id", "MainPID"], show_from({"a.service": "1"}, []))
    assert snapshot.show(["a.service"], ["MainPID"])[0]["MainPID"] == "1"
    with pytest.raises(NettuneError):
        snapshot.show(["bad.service"], ["MainPID"])
