# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._servers import unit as unit_files
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Config, ConfigError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.systemd_socket import ADAPTER

OWN = "/etc/systemd/system/web.socket.d/zz-nettune-tcp.conf"
WEB = "[Unit]\nDescription=Web\n\n[Socket]\nListenStream=8080\n"
DEFAULT = 2147483647


def unit(text: str, name: str = "web.socket", **drop_ins: str) -> Config:
    files = {f"/usr/lib/systemd/system/{name}": text}
    files.update({f"/etc/systemd/system/{name}.d/{one}.conf": content for one, content in drop_ins.items()})
    return Config(f"/usr/lib/systemd/system/{name}", {path: content.encode() for path, content in files.items()})


@pytest.mark.parametrize(
    "config, expected",
    [
        pytest.param(unit(WEB), [("inet6", "::", 8080)], id="port"),
        pytest.param(unit("[Socket]\nListenStream=1.2.3.4:80\n"), [("inet", "1.2.3.4", 80)], id="IPv4"),
        pytest.param(unit("[Socket]\nListenStream=[::1]:80\n"), [("inet6", "::1", 80)], id="IPv6"),
        pytest.param(unit("[Socket]\nListenStream=[fe80::1]:80%eth0\n"), [("inet6", "fe80::1", 80)], id="interface"),
        pytest.param(unit("[Socket]\nListenStream=/var/run/x\n"), [("unix", "/run/x", 0)], id="unix"),
        pytest.param(unit("[Socket]\nListenStream=@x\n"), [("unix", "@x", 0)], id="abstract"),
        pytest.param(unit("[Socket]\nListenStream=vsock:2:1234\n"), [], id="vsock"),
        pytest.param(unit("[Socket]\nListenDatagram=514\n"), [], id="datagrams"),
        pytest.param(unit("[Service]\nListenStream=80\n"), [], id="another section"),
        pytest.param(unit("# [Socket]\n[Socket]\nListenStream = \\\n 80\n"), [("inet6", "::", 80)], id="continued"),
        pytest.param(
            unit(WEB, more="[Socket]\nListenStream=81\n"), [("inet6", "::", 8080), ("inet6", "::", 81)], id="more"
        ),
        pytest.param(unit(WEB, more="[Socket]\nListenStream=\nListenStream=81\n"), [("inet6", "::", 81)], id="reset"),
        pytest.param(unit(WEB, more="[Socket]\nListenDatagram=\n"), [], id="reset by another kind"),
        pytest.param(
            unit("[Socket]\nListenStream=%t/%p/%i-%%\n", "a@b.socket"), [("unix", "/run/a/b-%", 0)], id="specifiers"
        ),
    ],
)
def test_sockets(config: Config, expected: t.List[t.Tuple[str, str, int]]) -> None:
    assert [(listen.family, listen.address, listen.port) for listen in ADAPTER.listens(config)] == expected


# As systemd 257 showed Listen for these very units; None where it took the line for an error.
@pytest.mark.parametrize(
    "value, name, expected",
    [
        ("/%i", "x@a-b.socket", "/a-b"),
        ("/%I", "x@a-b.socket", "/a/b"),
        ("/%I", "x@a\\x2db.socket", "/a-b"),
        ("/%I", "plain.socket", "/"),
        ("/run/%I", "x@-a.socket", "/run//a"),
        ("/%I", "x@\\xc3\\xa9.socket", "/\u00e9"),
        ("/%I.s", "x@a\\x00b.socket", "/a.s"),
        ("/%I", "x@a\\xzzb.socket", None),
        ("/%I", "x@a\\b.socket", None),
        ("/%P", "x-y\\x2dz@1.socket", "/x/y-z"),
        ("/%j", "x-y\\x2dz@1.socket", "/y\\x2dz"),
        ("/%J", "x-y\\x2dz@1.socket", "/y-z"),
        ("/run%f", "x@a-b.socket", "/run/a/b"),
        ("/run%f", "x-y\\x2dz.socket", "/run/x/y-z"),
        ("/run%f", "x@-.socket", "/run/"),
        ("/run%f", "x@-a.socket", None),
        ("/run%f", "x@a-.socket", None),
        ("/run%f", "x@a--b.socket", None),
        ("/run%f", "x@..-a.socket", None),
        ("/run%f", "x@a-.-b.socket", None),
        ("/run%f", "x@a\\xzz.socket", None),
    ],
)
def test_specifiers_that_the_name_decides(value: str, name: str, expected: t.Optional[str]) -> None:
    config = unit(f"[Socket]\nListenStream={value}\n", name)
    if expected is None:
        with pytest.raises(ConfigError, match=r":2: the specifier %. has no meaning for this unit name"):
            ADAPTER.listens(config)
    else:
        assert [listen.address for listen in ADAPTER.listens(config)] == [expected]


def test_an_instance_may_be_a_port() -> None:
    (listen,) = ADAPTER.listens(unit("[Socket]\nListenStream=127.0.0.1:%I\n", "x@8080.socket"))
    assert (listen.address, listen.port) == ("127.0.0.1", 8080)


@pytest.mark.parametrize(
    "config, asked, line",
    [
        pytest.param(unit(WEB), DEFAULT, ("/usr/lib/systemd/system/web.socket", 5), id="default"),
        pytest.param(unit(WEB + "Backlog=7\n"), 7, ("/usr/lib/systemd/system/web.socket", 6), id="unit"),
        pytest.param(unit(WEB + "Backlog=7\nBacklog=0x10\n"), 16, ("/usr/lib/systemd/system/web.socket", 7), id="last"),
        pytest.param(unit(WEB + "Backlog=010\n"), 8, ("/usr/lib/systemd/system/web.socket", 6), id="octal"),
        pytest.param(
            unit(WEB + "Backlog=7\nBacklog=many\nBacklog=\nBacklog=4294967296\n"),
            7,
            ("/usr/lib/systemd/system/web.socket", 6),
            id="no number",
        ),
        pytest.param(
            unit(WEB, b="[Socket]\nBacklog=8\n", a="[Socket]\nBacklog=9\n"),
            8,
            ("/etc/systemd/system/web.socket.d/b.conf", 2),
            id="drop-ins",
        ),
    ],
)
def test_backlog(config: Config, asked: int, line: t.Tuple[str, int]) -> None:
    (listen,) = ADAPTER.listens(config)
    assert (listen.asked, (listen.file, listen.line)) == (asked, line)


@pytest.mark.parametrize(
    "value, message",
    [
        ("http", ":2: ListenStream=http is not an address that systemd listens on"),
        ("1.2.3.4", ":2: ListenStream=1.2.3.4 is not an address"),
        ("localhost:80", ":2: ListenStream=localhost:80 is not an address"),
        ("70000", ":2: ListenStream=70000 is not an address"),
        ("%h/x", ":2: only systemd can expand the specifier %h"),
    ],
)
def test_broken_addresses_name_file_and_line(value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ADAPTER.listens(unit(f"[Socket]\nListenStream={value}\n"))


@pytest.mark.parametrize(
    "config, wanted, changes",
    [
        pytest.param(
            unit(WEB),
            4096,
            ["+# Written by the Ansible collection nettune.tcp.\n", "+[Socket]\n", "+Backlog=4096\n"],
            id="new",
        ),
        pytest.param(
            unit(WEB, **{"zz-nettune-tcp": "[Socket]\nBacklog=5\n"}),
            4096,
            ["+# Written by the Ansible collection nettune.tcp.\n", "-Backlog=5\n", "+Backlog=4096\n"],
            id="ours",
        ),
        pytest.param(unit(WEB + "Backlog=4096\n"), 4096, [], id="as it is"),
        pytest.param(unit(WEB), DEFAULT, [], id="the default"),
    ],
)
def test_edit(config: Config, wanted: int, changes: t.List[str], edited: t.Callable[..., t.List[str]]) -> None:
    found = sorted(edited(ADAPTER, config, dict.fromkeys(ADAPTER.listens(config), wanted)), key=lambda line: line[1:])
    assert found == sorted(changes, key=lambda line: line[1:])


def test_edit_writes_one_drop_in() -> None:
    config = unit(WEB)
    assert list(ADAPTER.edit(config, dict.fromkeys(ADAPTER.listens(config), 1))) == [OWN]


def test_a_file_that_outdoes_ours_is_named() -> None:
    config = unit(WEB, zzz="[Socket]\n\nBacklog=5\n")
    with pytest.raises(ConfigError, match=r"/etc/systemd/system/web.socket.d/zzz.conf:3: this line overrides"):
        ADAPTER.edit(config, dict.fromkeys(ADAPTER.listens(config), 4096))


def test_one_number_serves_all_sockets() -> None:
    config = unit(WEB + "ListenStream=81\n")
    with pytest.raises(ConfigError, match=r"cannot be \[8080, 81\]|cannot be \[81, 8080\]"):
        ADAPTER.edit(config, {listen: listen.port for listen in ADAPTER.listens(config)})


@pytest.mark.parametrize(
    "unit_name, message",
    [(None, "must be named"), ("a.service", "must be named"), ("nettune-none.socket", "no such unit")],
)
def test_read_needs_a_socket_unit(unit_name: t.Optional[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ADAPTER.read(None, unit_name)


def test_read_takes_the_unit_and_its_drop_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "web.socket.d").mkdir()
    (tmp_path / "web.socket").write_text(WEB)
    (tmp_path / "web.socket.d" / "a.conf").write_text("[Socket]\nBacklog=5\n")
    (tmp_path / "alias.socket").symlink_to("web.socket")
    (tmp_path / "masked.socket").symlink_to("/dev/null")
    monkeypatch.setattr(unit_files, "LOOKUP", [str(tmp_path)])
    for name in ("web.socket", "alias.socket"):
        config = ADAPTER.read(None, name)
        assert config.main == f"{tmp_path}/web.socket"
        assert [listen.asked for listen in ADAPTER.listens(config)] == [5]
    with pytest.raises(ConfigError, match=r"masked.socket is masked"):
        ADAPTER.read(None, "masked.socket")
    with pytest.raises(ConfigError, match=r"a template has no sockets, only its instances do, such as web@1.socket"):
        ADAPTER.read(None, "web@.socket")


def test_check() -> None:
    assert ADAPTER.check(unit(WEB)).words == ("systemd-analyze", "--man=no", "verify", "web.socket")


@given(
    st.lists(
        st.sampled_from(
            [
                "[Socket]",
                "[Unit]",
                "[Socket",
                "Backlog=5",
                "Backlog=",
                "ListenStream=80",
                "ListenStream=",
                "ListenFIFO=/x",
                "# x",
                "x\\",
                "é=",
            ]
        )
    )
)
def test_edit_gives_what_is_wanted_or_refuses(lines: t.List[str]) -> None:
    config = unit("\n".join(lines))
    found = ADAPTER.listens(config)
    replaced = ADAPTER.edit(config, dict.fromkeys(found, 77))
    result = Config(config.main, {**config.files, **{path: content or b"" for path, content in replaced.items()}})
    assert {listen.asked for listen in ADAPTER.listens(result)} <= {77}
    assert bool(replaced) == bool(found)
    assert not ADAPTER.edit(result, dict.fromkeys(ADAPTER.listens(result), 77))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    config = Config("/u/a.socket", {"/u/a.socket": b"[Socket]\nListenStream=80\n" + content})
    try:
        ADAPTER.listens(config)
    except ConfigError:
        return


def test_hostile_units_end_soon() -> None:
    started = time.process_time()
    found = ADAPTER.listens(unit("[Socket]\n" + "ListenStream=80\n" * 20_000 + "Backlog=1\n" * 20_000))
    assert len(found) == 20_000
    assert time.process_time() - started < 10
