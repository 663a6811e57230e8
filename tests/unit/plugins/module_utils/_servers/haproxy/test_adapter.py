# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import time
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._servers import unit as unit_files
from ansible_collections.nettune.tcp.plugins.module_utils._servers.haproxy.adapter import ADAPTER
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Check, Config, ConfigError

Socket = t.Tuple[str, str, int]

# Debian 11 to 14 with a frontend added
DEBIAN = """\
global
\tlog /dev/log\tlocal0
\tchroot /var/lib/haproxy
\tstats socket /run/haproxy/admin.sock mode 660 level admin
\tuser haproxy
\tdaemon

\t# See: https://ssl-config.mozilla.org/#server=haproxy&server-version=2.0.3&config=intermediate
        ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets

defaults
\tlog\tglobal
\tmode\thttp
        timeout connect 5000
\terrorfile 400 /etc/haproxy/errors/400.http

frontend web
\tbind *:80
\tbind :::443 v4v6 ssl crt /etc/haproxy/site.pem alpn h2,http/1.1 # all names
\tuse_backend app if { path_beg /bind }

backend app
\tserver one 10.0.0.1:8080 check maxconn 30
"""

RHEL = """\
global
    log         127.0.0.1 local2
    maxconn     4000
    stats socket /var/lib/haproxy/stats
    ssl-default-bind-ciphers PROFILE=SYSTEM

defaults
    mode                    http
    timeout queue           1m
    maxconn                 3000

frontend main
    bind *:5000
    acl url_static       path_beg       -i /static /images
    default_backend             app

backend app
    balance     roundrobin
    server  app1 127.0.0.1:5001 check
"""


def one(text: str, **environment: str) -> Config:
    lines = "".join(f"{name}={value}\n" for name, value in environment.items())
    return Config("/x.cfg", {"/x.cfg": text.encode(), "environment": lines.encode()})


def bind(line: str, *, head: str = "", **environment: str) -> Config:
    return one(f"{head}frontend f\n  bind {line}\n", **environment)


def sockets(config: Config) -> t.List[Socket]:
    return [(listen.family, listen.address, listen.port) for listen in ADAPTER.listens(config)]


def ports(config: Config) -> t.List[int]:
    return [listen.port for listen in ADAPTER.listens(config)]


@pytest.mark.parametrize(
    "config, expected",
    [
        pytest.param(one(DEBIAN), [("inet", "0.0.0.0", 80), ("inet6", "::", 443)], id="Debian"),
        pytest.param(one(RHEL), [("inet", "0.0.0.0", 5000)], id="RHEL"),
        pytest.param(bind(":80"), [("inet", "0.0.0.0", 80)], id="no address"),
        pytest.param(bind("ipv6@:80"), [("inet6", "::", 80)], id="no address, IPv6"),
        pytest.param(bind("ipv4@*:80,tcp4@1.2.3.4:81"), [("inet", "0.0.0.0", 80), ("inet", "1.2.3.4", 81)], id="IPv4"),
        pytest.param(bind("[::1]:80,2001:DB8::1:81"), [("inet6", "::1", 80), ("inet6", "2001:db8::1", 81)], id="IPv6"),
        pytest.param(bind("1.1.1.1:80-82"), [("inet", "1.1.1.1", port) for port in (80, 81, 82)], id="range"),
        pytest.param(
            bind("/run/a.sock,unix@b,abns@c"),
            [("unix", "/run/a.sock", 0), ("unix", "b", 0), ("unix", "@c", 0)],
            id="unix",
        ),
        pytest.param(bind("/a", head="global\n unix-bind user x prefix /run\n"), [("unix", "/run/a", 0)], id="prefix"),
        pytest.param(bind("fd@3,udp4@:53,quic6@:443,uxdg@/x,sockpair@4,:1"), [("inet", "0.0.0.0", 1)], id="left alone"),
        pytest.param(bind('"1.2.3.4:80"'), [("inet", "1.2.3.4", 80)], id="quotes"),
        pytest.param(bind("':80'"), [("inet", "0.0.0.0", 80)], id="single quotes"),
        pytest.param(bind("/a\\ b'\"c'\\x41\\1"), [("unix", '/a b"cA\\1', 0)], id="escapes"),
        pytest.param(bind('"${IP}:${PORT-81}"', IP="1.1.1.1"), [("inet", "1.1.1.1", 81)], id="variables"),
        pytest.param(bind("$IP:80", IP="1.1.1.1"), [("inet", "1.1.1.1", 80)], id="variable in an address"),
        pytest.param(bind(":80", head="defaults\n disabled\n"), [], id="disabled by defaults"),
        pytest.param(bind(":80\n enabled", head="defaults\n disabled\n"), [("inet", "0.0.0.0", 80)], id="enabled"),
        pytest.param(bind(":80\n disabled"), [], id="disabled"),
        pytest.param(
            one("listen a\n bind :1\nbackend b\n bind :2\npeers p\n bind :3\n"), [("inet", "0.0.0.0", 1)], id="peers"
        ),
        pytest.param(
            bind("$P:1", head="global\n setenv P 1.1.1.1\n presetenv P 2.2.2.2\n"),
            [("inet", "1.1.1.1", 1)],
            id="setenv",
        ),
        pytest.param(
            bind('"${L[*]}"', head="global\n setenv L ':1 ssl'\n"), [("inet", "0.0.0.0", 1)], id="word expansion"
        ),
    ],
)
def test_sockets(config: Config, expected: t.List[Socket]) -> None:
    assert sockets(config) == expected


@pytest.mark.parametrize(
    "text, backlog, default, line",
    [
        pytest.param("frontend f\n bind :1\n", None, 0, 2, id="nothing"),
        pytest.param("frontend f\n bind :1 backlog 5\n backlog 6", 5, 0, 2, id="bind"),
        pytest.param("frontend f\n bind :1 backlog 5 backlog 7\n", 7, 0, 2, id="last in the bind"),
        pytest.param("frontend f\n bind :1 name backlog maxconn 9\n", None, 9, 2, id="a name like an option"),
        pytest.param("frontend f\n bind :1 maxconn 9\n backlog 6", 6, 9, 3, id="section before maxconn"),
        pytest.param("defaults\n backlog 8\nfrontend f\n bind :1\n", 8, 0, 2, id="defaults"),
        pytest.param("defaults\n backlog 8\ndefaults\nfrontend f\n bind :1\n", None, 0, 5, id="latest defaults"),
        pytest.param("defaults a\n backlog 8\ndefaults b\nfrontend f from a\n bind :1\n", 8, 0, 2, id="from"),
        pytest.param(
            "defaults a\n backlog 8\ndefaults b from a\nfrontend f\n bind :1\n", 8, 0, 2, id="from in defaults"
        ),
        pytest.param("defaults a\n backlog 8\ndefaults from a\nfrontend f\n bind :1\n", 8, 0, 2, id="nameless from"),
        pytest.param("defaults\n backlog 8\nfrontend f\n backlog 0\n bind :1\n", None, 0, 5, id="0 is none"),
        pytest.param(
            "global\n maxconn 100\n maxconn 7\nfrontend f\n bind :1\n", None, 100, 5, id="first global maxconn"
        ),
        pytest.param("global\n maxconn 100\ndefaults\n maxconn 50\nfrontend f\n bind :1\n", None, 50, 6, id="maxconn"),
        pytest.param("global\n maxconn 100\nfrontend f\n maxconn 0\n bind :1\n", None, 100, 5, id="maxconn 0 is none"),
        pytest.param("log-forward l\n bind :1\n", None, 10, 2, id="log-forward"),
    ],
)
def test_backlog(text: str, backlog: t.Optional[int], default: int, line: int) -> None:
    (listen,) = ADAPTER.listens(one(text))
    assert (listen.backlog, listen.default, listen.line) == (backlog, default, line)


@pytest.mark.parametrize(
    "config, message",
    [
        pytest.param(bind(""), "/x.cfg:2: bind lacks its address", id="no address"),
        pytest.param(bind("80"), "/x.cfg:2: '80' names no port", id="no port"),
        pytest.param(bind(":0"), "names no port", id="port 0"),
        pytest.param(bind(":82-80"), "names no port", id="range the wrong way"),
        pytest.param(bind(":80,"), "'' names no port", id="empty address"),
        pytest.param(bind("nowhere:80"), "nowhere is not an internet address or host name", id="name"),
        pytest.param(bind("ipv6@1.2.3.4:80"), "1.2.3.4 is not an inet6 address or host name", id="wrong family"),
        pytest.param(bind(":80 backlog"), "/x.cfg:2: backlog needs a number, not ''", id="no number"),
        pytest.param(bind(":80 backlog many"), "backlog needs a number, not 'many'", id="a word"),
        pytest.param(bind(":80 backlog -5"), "backlog needs a number, not '-5'", id="negative"),
        pytest.param(bind('":80'), '/x.cfg:2: a " is not closed', id="open quote"),
        pytest.param(bind("':80"), "a ' is not closed", id="open single quote"),
        pytest.param(bind('"${X:80"'), "a \\$ is not followed by a variable", id="open brace"),
        pytest.param(bind('"$X:80"'), "a variable in the address is not known", id="unknown variable"),
        pytest.param(bind(':80\n backlog "$X"'), ':3: a variable in "\\$X" is not known', id="unknown number"),
        pytest.param(one("defaults\n bind :80\n"), ":2: bind is not allowed in defaults", id="bind in defaults"),
        pytest.param(one("bind :80\n"), ":1: bind is outside", id="outside"),
        pytest.param(one("frontend a from x\n"), ":1: there is no defaults section 'x'", id="no such defaults"),
        pytest.param(one("frontend f\n.if 1\n bind :1\n.endif\n"), ":3: bind is in or after a cond", id="in .if"),
        pytest.param(one(".if 1\nfrontend f\n.endif\n"), ":2: frontend is in a conditional", id="section in .if"),
        pytest.param(one("frontend f\n.if 1\nbackend b\n.endif\nbind :1\n"), ":5: bind is in or after", id="behind"),
        pytest.param(one("frontend f\n.if 1\n"), ":2: .if is never closed", id=".if"),
        pytest.param(one("frontend f\n.endif\n"), ":2: .endif without .if", id=".endif"),
        pytest.param(bind(":1-65535," * 2 + ":1"), "more than 100000 sockets", id="too many sockets"),
    ],
)
def test_broken_configurations_name_file_and_line(config: Config, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ADAPTER.listens(config)


@pytest.mark.parametrize(
    "text, changes",
    [
        pytest.param(
            "frontend f\n\tbind :80 ssl # x\n",
            ["-\tbind :80 ssl # x\n", "+\tbind :80 backlog 4096 ssl # x\n"],
            id="bind",
        ),
        pytest.param(
            "frontend f\r\n bind ':80'\r\n", ["- bind ':80'\r\n", "+ bind ':80' backlog 4096\r\n"], id="CR LF, quotes"
        ),
        pytest.param(
            'frontend f\n bind :80 backlog "5" ssl',
            ['- bind :80 backlog "5" ssl', "+ bind :80 backlog 4096 ssl"],
            id="number",
        ),
        pytest.param("frontend f\n bind :80\n backlog 5\n", ["- backlog 5\n", "+ backlog 4096\n"], id="section"),
        pytest.param(
            "frontend f\n  bind :80\n  bind :81", ["-  bind :81", "+  bind :81\n", "+  backlog 4096"], id="two binds"
        ),
        pytest.param(
            "frontend f\r\n  bind :80\r\n  bind :81 backlog 9\r\n  bind :82\r\n  mode tcp\r\n",
            ["-  bind :81 backlog 9\r\n", "+  bind :81 backlog 4096\r\n", "+  backlog 4096\r\n"],
            id="three binds",
        ),
        pytest.param(
            "defaults\n backlog 9\nfrontend f\n bind :1\nfrontend g\n bind :2\n",
            ["- bind :1\n", "+ bind :1 backlog 4096\n", "- bind :2\n", "+ bind :2 backlog 4096\n"],
            id="defaults stay",
        ),
        pytest.param("frontend f\n bind :80 maxconn 4096\n", [], id="as it is"),
    ],
)
def test_edit_of_all(text: str, changes: t.List[str], edited: t.Callable[..., t.List[str]]) -> None:
    config = one(text)
    assert edited(ADAPTER, config, dict.fromkeys(ADAPTER.listens(config), 4096)) == changes


@pytest.mark.parametrize(
    "text, changes",
    [
        pytest.param("frontend f\n bind :80\n backlog 5\n", ["- backlog 5\n", "+ backlog 4096\n"], id="alone"),
        pytest.param(
            "frontend f\n bind :80\n bind :81\n backlog 5\n",
            ["- bind :80\n", "+ bind :80 backlog 4096\n"],
            id="the section also serves another",
        ),
        pytest.param(
            "frontend f\n bind :80\nfrontend g\n bind :81\n", ["- bind :80\n", "+ bind :80 backlog 4096\n"], id="apart"
        ),
    ],
)
def test_edit_of_port_80_only(text: str, changes: t.List[str], edited: t.Callable[..., t.List[str]]) -> None:
    config = one(text)
    assert edited(ADAPTER, config, {one: 4096 for one in ADAPTER.listens(config) if one.port == 80}) == changes


def test_binds_of_one_section_may_differ(edited: t.Callable[..., t.List[str]]) -> None:
    config = one("frontend f\n bind :1\n bind :2\n backlog 9\n")
    assert edited(ADAPTER, config, {listen: listen.port * 100 for listen in ADAPTER.listens(config)}) == [
        "- bind :1\n",
        "- bind :2\n",
        "+ bind :1 backlog 100\n",
        "+ bind :2 backlog 200\n",
    ]


@pytest.mark.parametrize("name", ["unsetenv P", "resetenv Q"])
def test_variables_that_are_unset_are_not_known(name: str) -> None:
    with pytest.raises(ConfigError, match="a variable in the address is not known"):
        ADAPTER.listens(bind("$P:1", head=f"global\n {name}\n", P="1.1.1.1"))


def test_sockets_of_one_bind_that_ask_for_the_number_may_be_left_out() -> None:
    config = bind(":1,:2 backlog 5")
    assert not ADAPTER.edit(config, {ADAPTER.listens(config)[0]: 5})


@pytest.mark.parametrize("wanted", [{1: 5, 2: 6}, {1: 5}])
def test_sockets_of_one_bind_cannot_differ(wanted: t.Dict[int, int]) -> None:
    config = bind(":1,:2")
    found = {listen.port: listen for listen in ADAPTER.listens(config)}
    with pytest.raises(ConfigError, match=r"/x.cfg:2: one bind opens several sockets"):
        ADAPTER.edit(config, {found[port]: number for port, number in wanted.items()})


def test_check_gives_haproxy_its_environment_and_all_files() -> None:
    environment = b"PORT=80\nX=1\nLD_PRELOAD=/x\n"
    files = ("/d/a.cfg", "/d/b.cfg")
    config = Config("/d", {files[0]: b"# $PORT $LD_PRELOAD", files[1]: b"", "environment": environment})
    assert ADAPTER.check(config) == Check(("haproxy", "-c", "-f", files[0], "-f", files[1]), files, {"PORT": "80"})


def test_read_takes_what_the_service_is_started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.cfg").write_text('frontend a\n bind "${HOST}:80"\n')
    (tmp_path / "b.cfg").write_text("frontend b\n bind localhost:81\n")
    unit = tmp_path / "lb.service"
    unit.write_text(f"[Service]\nEnvironment=HOST=1.1.1.1\nExecStart=/lb -Ws -f {tmp_path}/b.cfg -- {tmp_path}/a.cfg\n")
    monkeypatch.setattr(unit_files, "LOOKUP", [str(tmp_path)])
    config = ADAPTER.read(None, "lb.service")
    assert ports(config) == [81, 80]
    assert ADAPTER.check(config).environment == {"HOST": "1.1.1.1"}


def test_a_unit_that_is_named_must_be_one_unless_the_file_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_files, "LOOKUP", [str(tmp_path)])
    (tmp_path / "masked.service").symlink_to("/dev/null")
    main = tmp_path / "a.cfg"
    main.write_text("frontend a\n bind :80\n")
    for unit, message in (("none.service", "there is no such unit"), ("masked.service", "masked.service is masked")):
        with pytest.raises(ConfigError, match=message):
            ADAPTER.read(None, unit)
        assert ports(ADAPTER.read(str(main), unit)) == [80]
        assert ports(ADAPTER.started(["haproxy", "-f", str(main)], unit)) == [80]


@pytest.mark.parametrize(
    "address, expected",
    [
        ("localhost:81", ("inet6", "::1", 81)),
        ("ipv4@localhost:81", ("inet", "127.0.0.1", 81)),
        ("four.example:81", ("inet", "192.0.2.4", 81)),
        ("ipv6@four.example:81", "four.example is not an inet6 address or host name"),
        ("none.example:81", "none.example is not an internet address or host name"),
    ],
)
def test_of_the_addresses_of_a_name_the_first_of_the_family_counts(
    tmp_path: Path, address: str, expected: t.Union[Socket, str]
) -> None:
    main = tmp_path / "a.cfg"
    main.write_text(f"frontend a\n bind {address}\n")
    if isinstance(expected, str):
        with pytest.raises(ConfigError, match=f":2: {expected}"):
            ADAPTER.read(str(main), None)
        return
    [listen] = ADAPTER.listens(ADAPTER.read(str(main), None))
    assert (listen.family, listen.address, listen.port) == expected


def test_read_takes_the_files_of_a_directory(tmp_path: Path) -> None:
    for name in ("b.cfg", "a.cfg", ".c.cfg", "d.txt"):
        (tmp_path / name).write_text(f"frontend {name}\n bind :{80 + ord(name[0]) - ord('a')}\n")
    config = ADAPTER.read(str(tmp_path), None)
    assert ports(config) == [80, 81]
    with pytest.raises(ConfigError, match="/nowhere: does not exist"):
        ADAPTER.read("/nowhere", None)


_NOISE = [
    "",
    " # bind :1",
    " mode http",
    " server backlog 1.2.3.4:1 maxconn 5",
    '\tacl x hdr(a) -m "b # c"',
    "é 'x y' \\",
]
_LINES = st.lists(st.sampled_from(_NOISE), max_size=4)
_OPTIONS = st.sampled_from(
    ["", " ssl crt /a\\ b", " backlog 17", " maxconn 12", " name 'x # y' # z", "  v6only backlog '3' tfo"]
)


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """Frontends with binds on ports of their own."""
    port, lines = 1, draw(_LINES)
    for section in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["frontend", "listen"]))
        lines += [*draw(st.sampled_from([[], ["defaults", " backlog 99"], ["defaults"]])), f"{kind} s{section}"]
        for _number in range(draw(st.integers(0, 3))):
            lines += [f"  bind :{port},[::1]:{port}{draw(_OPTIONS)}", *draw(_LINES)]
            port += 1
        lines += draw(st.sampled_from([[], ["  backlog 55"]]))
    return "".join(f"{line}{draw(st.sampled_from(['', chr(13)]))}\n" for line in lines)


@given(configurations(), st.data())
def test_edit_changes_a_line_per_bind_at_most(text: str, data: st.DataObject) -> None:
    config = one(text)
    found = ADAPTER.listens(config)
    numbers = {port: data.draw(st.sampled_from([None, 17, 4096])) for port in {listen.port for listen in found}}
    wanted = {listen: number for listen in found for number in [numbers[listen.port]] if number}
    replaced = ADAPTER.edit(config, wanted)
    result = one((replaced.get("/x.cfg") or text.encode()).decode())
    again = ADAPTER.listens(result)
    assert [one.asked for one in again] == [wanted.get(one, one.asked) for one in found]
    assert not ADAPTER.edit(result, dict(zip(again, (wanted.get(one, one.asked) for one in found))))
    old, new = text.split("\n"), result.files["/x.cfg"].decode().split("\n")
    kept = [line for line in old if "backlog" not in line and "bind" not in line]
    assert kept == [line for line in new if "backlog" not in line and "bind" not in line]
    changed = {listen.port for listen in found if wanted.get(listen, listen.asked) != listen.asked}
    # A bind that inherits the number which changes keeps its own by an option of its own.
    assert len(set(new) - set(old)) <= (len({listen.port for listen in found}) if changed else 0)


@given(st.binary(max_size=60).map(lambda junk: b"frontend f\n bind :80 " + junk))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    config = Config("/x.cfg", {"/x.cfg": content})
    try:
        found = ADAPTER.listens(config)
        ADAPTER.edit(config, dict.fromkeys(found, 4096))
    except ConfigError:
        return


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join(f"defaults d{n} from d{n - 1}\n" for n in range(1, 30_000)), id="defaults of defaults"),
        pytest.param("backlog 1\n" * 30_000 + "frontend f from d0\n" * 30_000, id="many of the same"),
        pytest.param("global\n" + ' setenv A "$A$A"\n' * 100, id="variables that double themselves"),
        pytest.param(f'global\n setenv A {"x" * 9999}\nlisten l\n bind "{"$A" * 9999}:1"\n', id="one variable often"),
        pytest.param("'" * 99_999, id="quotes"),
        pytest.param("frontend f\n bind :1" + " backlog 5" * 50_000, id="options"),
    ],
)
def test_hostile_configurations_end_soon(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ConfigError):
        ADAPTER.listens(one(f"defaults d0\n{text}", A="xxxxxxxx"))
    assert time.process_time() - started < 10


def test_ten_thousand_binds_take_well_below_a_second() -> None:
    frontend = "frontend f{0}.{1}\n  bind 10.{0}.{1}.1:80 ssl crt /etc/x\n  default_backend b\n"
    config = one("".join(frontend.format(number >> 8, number & 255) for number in range(10_000)))
    started = time.process_time()
    found = ADAPTER.listens(config)
    ADAPTER.edit(config, dict.fromkeys(found, 4096))
    assert len(found) == 10_000
    assert time.process_time() - started < 10  # 0.6 without a tracer; what is quadratic takes minutes
