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

from ansible_collections.nettune.tcp.plugins.module_utils import _command
from ansible_collections.nettune.tcp.plugins.module_utils._servers.apache.adapter import ADAPTER
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Check, Config, ConfigError

Socket = t.Tuple[str, str, int]

# Debian 11 to 14, shortened to what is read
DEBIAN = {
    "/etc/apache2/apache2.conf": """\
# This is the main Apache server configuration file.
#ServerRoot "/etc/apache2"
DefaultRuntimeDir ${APACHE_RUN_DIR}
PidFile ${APACHE_PID_FILE}
Timeout 300
IncludeOptional mods-enabled/*.load
IncludeOptional mods-enabled/*.conf

# Include list of ports to listen on
Include ports.conf
<Directory />
\tOptions FollowSymLinks
\tRequire all denied
</Directory>
LogFormat "%h %l %u %t \\"%r\\" %>s %O" common
IncludeOptional conf-enabled/*.conf
IncludeOptional sites-enabled/*.conf
""",
    "/etc/apache2/envvars": """\
unset HOME
if [ "${APACHE_CONFDIR##/etc/apache2-}" != "${APACHE_CONFDIR}" ] ; then
\tSUFFIX="-${APACHE_CONFDIR##/etc/apache2-}"
else
\tSUFFIX=
fi
export APACHE_RUN_USER=www-data
export APACHE_RUN_DIR=/var/run/apache2$SUFFIX
""",
    "/etc/apache2/mods-enabled/ssl.load": "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n",
    "/etc/apache2/mods-enabled/ssl.conf": "SSLSessionCache shmcb:${APACHE_RUN_DIR}/ssl_scache(512000)\n",
    "/etc/apache2/ports.conf": """\
Listen 80

<IfModule ssl_module>
\tListen 443
</IfModule>

<IfModule mod_gnutls.c>
\tListen 443
</IfModule>
""",
    "/etc/apache2/conf-enabled/security.conf": "ServerTokens OS\n",
    "/etc/apache2/sites-enabled/000-default.conf": "<VirtualHost *:80>\n\tServerName a\n</VirtualHost>\n",
}

RHEL = {
    "/etc/httpd/conf/httpd.conf": """\
ServerRoot "/etc/httpd"
Listen 80
Include conf.modules.d/*.conf
User apache
<IfModule dir_module>
    DirectoryIndex index.html
</IfModule>
IncludeOptional conf.d/*.conf
""",
    "/etc/sysconfig/httpd": "OPTIONS='-D WITH_STATUS'\nLANG=C\n",
    "/etc/httpd/conf.modules.d/00-ssl.conf": "LoadModule ssl_module modules/mod_ssl.so\n",
    "/etc/httpd/conf.d/ssl.conf": "Listen 443 https\nSSLPassPhraseDialog exec:/usr/libexec/httpd-ssl-pass-dialog\n",
    "/etc/httpd/conf.d/status.conf": "<IfDefine WITH_STATUS>\n  Listen 127.0.0.1:8081\n</IfDefine>\n",
}


def one(text: str, **more: str) -> Config:
    files = {"/srv/httpd.conf": text, **{f"/srv/{name}": content for name, content in more.items()}}
    return Config("/srv/httpd.conf", {path: content.encode() for path, content in files.items()})


def config_of(files: t.Mapping[str, str]) -> Config:
    return Config(next(iter(files)), {path: content.encode() for path, content in files.items()})


def sockets(config: Config) -> t.List[Socket]:
    return [(listen.family, listen.address, listen.port) for listen in ADAPTER.listens(config)]


def backlogs(config: Config) -> t.List[int]:
    return [listen.asked for listen in ADAPTER.listens(config)]


@pytest.mark.parametrize(
    "config, expected",
    [
        pytest.param(
            config_of(DEBIAN),
            [("inet6", "::", 80), ("inet6", "::", 443)],
            id="Debian",
        ),
        pytest.param(
            config_of(RHEL),
            [("inet6", "::", 80), ("inet6", "::", 443), ("inet", "127.0.0.1", 8081)],
            id="RHEL",
        ),
        pytest.param(one("LISTEN 1.2.3.4:80\n"), [("inet", "1.2.3.4", 80)], id="names in any case"),
        pytest.param(one("Listen *:80\n"), [("inet6", "::", 80)], id="star"),
        pytest.param(one("Listen [::1]:80 http\n"), [("inet6", "::1", 80)], id="IPv6"),
        pytest.param(one("Listen [FE80:0::1%eth0]:80\n"), [("inet6", "fe80::1", 80)], id="zone"),
        pytest.param(one('Listen "80"\r\nTimeout 1\r\n'), [("inet6", "::", 80)], id="quotes and CR LF"),
        pytest.param(one("Listen \\\n  1.2.3.4:\\\r\n80"), [("inet", "1.2.3.4", 80)], id="continued lines"),
        pytest.param(one("# off \\\nListen 80\nListen 81"), [("inet6", "::", 81)], id="continued comment"),
        pytest.param(one("ListenBacklogs 1\nListener 2\n"), [], id="other directives"),
        pytest.param(one("Listen 0.0.0.0:80\nListen [::]:80\n"), [("inet6", "::", 80)], id="one for both families"),
        pytest.param(one("Define P 80\nListen ${P}\nDefine P 81\n"), [("inet6", "::", 81)], id="variables at the end"),
        pytest.param(one("Define X\n<IfDefine X>\nListen 1\n</IfDefine>\n"), [("inet6", "::", 1)], id="Define"),
        pytest.param(one("<IfDefine !X>\nListen 1\n</IfDefine>\n"), [("inet6", "::", 1)], id="not defined"),
        pytest.param(one("Define X\nUnDefine X\n<IfDefine X>\nListen 1\n</IfDefine>\n"), [], id="UnDefine"),
        pytest.param(one("<IfModule !http_core.c>\nListen 1\n</IfModule>\n"), [], id="built in"),
        pytest.param(one("<IfModule a_module>\n<If true>\nListen 1\n</If>\n</IfModule>\n"), [], id="nested in false"),
        pytest.param(one("<IfVersion >= 2.4>\nListen 1\n</IfVersion>\n"), [("inet6", "::", 1)], id="version"),
        pytest.param(one("<IfVersion < 2.4>\nListen 1\n</IfVersion>\n"), [], id="older version"),
        pytest.param(one("<Perl>\nwhile (<STDIN>) {\n <x\n}\n</Perl>\nListen 1\n"), [("inet6", "::", 1)], id="Perl"),
        pytest.param(
            one("ServerRoot /srv/x\nInclude a\n", **{"x/a": "Listen 1\n"}), [("inet6", "::", 1)], id="ServerRoot"
        ),
        pytest.param(
            one("<IfDefine A>\nListen 1\n</IfDefine>\n", envvars="export APACHE_ARGUMENTS='-D A'\nX=$(y)\nZ='\n"),
            [("inet6", "::", 1)],
            id="defined by envvars",
        ),
        pytest.param(one("Listen 1\n", envvars='APACHE_ARGUMENTS="\'"\n'), [("inet6", "::", 1)], id="broken arguments"),
        pytest.param(
            one("Define A ${B}\nLoadModule a_module ${B}\n<IfModule a_module>\nListen 1\n</IfModule>\n"),
            [("inet6", "::", 1)],
            id="unknown variables that do not matter",
        ),
        pytest.param(one('Listen "\\"1" x\n'.replace('\\"', "")), [("inet6", "::", 1)], id="protocol"),
        pytest.param(
            one("Include d\n", **{"d/b": "Listen 2\n", "d/a": "Listen 1\n", "d/e/c": "Listen 3\n"}),
            [("inet6", "::", 1), ("inet6", "::", 2), ("inet6", "::", 3)],
            id="directories",
        ),
        pytest.param(
            one(
                "Include [cd]/*.conf\n",
                **{"d/b.conf": "Listen 2\n", "c/B.conf": "Listen 1\n", "d/.a.conf": "Listen 3\n"},
            ),
            [("inet6", "::", 1), ("inet6", "::", 2)],
            id="globs, sorted, without hidden files",
        ),
    ],
)
def test_sockets(config: Config, expected: t.List[Socket]) -> None:
    assert sockets(config) == expected


@pytest.mark.parametrize(
    "config, expected",
    [
        pytest.param(one("Listen 80\n"), ([511], "/srv/httpd.conf", 1), id="default"),
        pytest.param(one("ListenBacklog 9\nListen 80\nlistenbacklog 8\n"), ([8], "/srv/httpd.conf", 3), id="last one"),
        pytest.param(one("Listen 80\nInclude a\n", a="\nListenBacklog 7\n"), ([7], "/srv/a", 2), id="in an include"),
        pytest.param(one("Listen 80\nListenBacklog 7up\n"), ([7], "/srv/httpd.conf", 2), id="as atoi() reads it"),
        pytest.param(one("Listen 80\n#ListenBacklog 7\n"), ([511], "/srv/httpd.conf", 1), id="comment"),
        pytest.param(one("Listen 80\nDefine N 6\nListenBacklog ${N}\n"), ([6], "/srv/httpd.conf", 3), id="variable"),
    ],
)
def test_backlog(config: Config, expected: t.Tuple[t.List[int], str, int]) -> None:
    assert backlogs(config) == expected[0]
    assert {(listen.file, listen.line) for listen in ADAPTER.listens(config)} == {expected[1:]}


@pytest.mark.parametrize(
    "config, message",
    [
        pytest.param(one("\nListen http\n"), "/srv/httpd.conf:2: Listen http names no address and port", id="no port"),
        pytest.param(one("Listen 0\n"), "/srv/httpd.conf:1: Listen 0 names no", id="port 0"),
        pytest.param(one("Listen 65536\n"), "names no address and port", id="port too large"),
        pytest.param(one("Listen a 1 2 3\n"), "names no address and port", id="too many words"),
        pytest.param(one("Listen nowhere:80\n"), "nowhere is neither an address nor a name", id="host name"),
        pytest.param(one("Listen 80\nListen *:80\n"), ":2: .*listened on twice", id="twice"),
        pytest.param(one("ListenBacklog 0\nListen 80"), ":1: ListenBacklog must be one number above 0", id="zero"),
        pytest.param(one("ListenBacklog\nListen 80"), ":1: ListenBacklog must be one number above 0", id="nothing"),
        pytest.param(one("Listen ${PORT}\n"), r":1: the variable \${PORT} is not known", id="unknown variable"),
        pytest.param(one("<VirtualHost *>\nListen 1\n</VirtualHost>"), ":2: listen is not allowed in <v", id="vhost"),
        pytest.param(one("<IfModule a>\n"), ":1: <ifmodule> is never closed", id="not closed"),
        pytest.param(one("<IfModule a>\n</IfDefine>\n"), ":2: </ifdefine> stands where </ifmodule>", id="wrong end"),
        pytest.param(one("</IfModule>\n"), ":1: </ifmodule> stands where no end", id="end of nothing"),
        pytest.param(one("<IfModule>\n</IfModule>\n"), ":1: <ifmodule lacks its argument", id="no condition"),
        pytest.param(one("<IfModule a\n</IfModule>\n"), ":1: <ifmodule lacks its >", id="no bracket"),
        pytest.param(one("<IfVersion >= 2.4.10>\nListen 1\n</IfVersion>"), ":2: only the running server", id="patch"),
        pytest.param(one("<IfFile /x>\nListenBacklog 1\n</IfFile>"), ":2: only the running server", id="IfFile"),
        pytest.param(one("<Macro A $p>\n Listen $p\n</Macro>"), ":2: a socket is set in a macro", id="macro"),
        pytest.param(one("<Macro A $p>\n"), ":1: <macro> is never closed", id="macro not closed"),
        pytest.param(one("\nInclude\n"), ":2: include lacks its argument", id="empty include"),
        pytest.param(one("\nInclude nowhere\n"), ":2: /srv/nowhere does not exist", id="missing include"),
        pytest.param(one("\nInclude *.d\n"), ":2: nothing matches /srv/\\*.d", id="nothing matches"),
        pytest.param(one("Include httpd.conf\n"), "nested more than 128 deep", id="recursion"),
        pytest.param(
            one("Include a1\nInclude a1", **{f"a{n}": f"Include a{n + 1}\n" * 2 for n in range(1, 100)}, a100=""),
            "more than 100000 files",
            id="exponential includes",
        ),
    ],
)
def test_broken_configurations_name_file_and_line(config: Config, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ADAPTER.listens(config)


@pytest.mark.parametrize(
    "config, expected",
    [
        pytest.param(
            one("Listen 80\n# before\n\tListenBacklog  511   \n# after\n"),
            ["-\tListenBacklog  511   \n", "+\tListenBacklog  4096   \n"],
            id="in place",
        ),
        pytest.param(
            one("Listen 80\r\nListenBacklog 511\r\nTimeout 1\r\n"),
            ["-ListenBacklog 511\r\n", "+ListenBacklog 4096\r\n"],
            id="CR LF",
        ),
        pytest.param(
            one('Listen 80\nListenBacklog \\\n "511"\nTimeout 1'),
            ['- "511"\n', "+ 4096\n"],
            id="continued line, quotes",
        ),
        pytest.param(
            one("Listen 80\nListenBacklog 1\nInclude a", a="ListenBacklog 2"),
            ["-ListenBacklog 2", "+ListenBacklog 4096"],
            id="the last one",
        ),
        pytest.param(one("Listen 80"), ["-Listen 80", "+Listen 80\n", "+ListenBacklog 4096\n"], id="no line end"),
        pytest.param(one("Listen 80\r\n"), ["+ListenBacklog 4096\r\n"], id="appended with CR LF"),
        pytest.param(one("Listen 80\n# \\\n"), ["+\n", "+ListenBacklog 4096\n"], id="behind a backslash"),
        pytest.param(one("Listen 80\nListenBacklog 4096\n"), [], id="as it is"),
        pytest.param(
            config_of(DEBIAN),
            ["+# Written by the Ansible collection nettune.tcp.\n", "+ListenBacklog 4096\n"],
            id="Debian's directory",
        ),
    ],
)
def test_edit(config: Config, expected: t.List[str], edited: t.Callable[..., t.List[str]]) -> None:
    assert edited(ADAPTER, config, dict.fromkeys(ADAPTER.listens(config), 4096)) == expected


@pytest.mark.parametrize(
    "files, path",
    [
        (DEBIAN, "/etc/apache2/conf-enabled/nettune-tcp.conf"),
        (RHEL, "/etc/httpd/conf.d/nettune-tcp.conf"),
    ],
)
def test_a_new_file_is_where_the_distribution_includes_it(files: t.Mapping[str, str], path: str) -> None:
    config = config_of(files)
    assert list(ADAPTER.edit(config, dict.fromkeys(ADAPTER.listens(config), 4096))) == [path]


def test_one_number_serves_all_sockets() -> None:
    config = one("Listen 80\nListen 81\n")
    first, second = ADAPTER.listens(config)
    with pytest.raises(ConfigError, match="one ListenBacklog applies to all sockets"):
        ADAPTER.edit(config, {first: 1, second: 2})


def test_check_on_debian() -> None:
    main, envvars = "/etc/apache2/apache2.conf", "/etc/apache2/envvars"
    expected = Check(("apache2ctl", "-t", "-f", main), (main, envvars), {"APACHE_CONFDIR": "/etc/apache2"})
    assert ADAPTER.check(config_of(DEBIAN)) == expected


@pytest.mark.parametrize("program, there", [("httpd", False), ("apache2", True)])
def test_check_elsewhere(program: str, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_command, "installed", lambda name: name == "apache2" and there)
    main = "/etc/httpd/conf/httpd.conf"
    assert ADAPTER.check(config_of(RHEL)) == Check((program, "-t", "-f", main, "-DWITH_STATUS"), (main,))


def test_read_takes_what_the_includes_reach(tmp_path: Path) -> None:
    (tmp_path / "real.conf").write_text("Listen 81\n")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "link.conf").symlink_to("../real.conf")
    main = tmp_path / "httpd.conf"
    main.write_text("Listen 80\nInclude conf.d/*.conf\n")
    config = ADAPTER.read(str(main), None)
    assert [path for path in config.files if path.startswith(str(tmp_path))] == [
        str(main),
        str(tmp_path / "conf.d" / "link.conf"),
    ]
    assert [listen.port for listen in ADAPTER.listens(config)] == [80, 81]


@pytest.mark.parametrize("include", ["empty", "empty/", "emp*", "s*/deep", "s*", "sub/*/"])
def test_a_directory_without_files_includes_nothing(tmp_path: Path, include: str) -> None:
    """As ``apache2 -t`` 2.4.71 judges it: what the pattern matches need not hold a file."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    main = tmp_path / "httpd.conf"
    main.write_text(f"ServerRoot {tmp_path}\nInclude {include}\nListen 80\n")
    assert [listen.port for listen in ADAPTER.listens(ADAPTER.read(str(main), None))] == [80]


@pytest.mark.parametrize("include", ["empty/*", "none*", "sub/*/*"])
def test_a_pattern_that_matches_nothing_is_an_error(tmp_path: Path, include: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    main = tmp_path / "httpd.conf"
    main.write_text(f"ServerRoot {tmp_path}\nInclude {include}\nListen 80\n")
    with pytest.raises(ConfigError, match=":2: nothing matches"):
        ADAPTER.listens(ADAPTER.read(str(main), None))


def test_read_refuses_what_is_no_file(tmp_path: Path) -> None:
    main = tmp_path / "httpd.conf"
    main.write_text("Include /dev/zero\n")
    with pytest.raises(ConfigError, match="/dev/zero: is not a regular file"):
        ADAPTER.read(str(main), None)
    with pytest.raises(ConfigError, match="does not exist"):
        ADAPTER.read(str(tmp_path / "none"), None)


_NOISE = st.sampled_from(
    [
        [""],
        ["# Listen 1"],
        ["# joined \\", "Listen 9"],
        ["Timeout 5"],
        ["<Directory />", "  Options x", "</Directory>"],
        ["<IfModule no_module>", "  Listen 7", "</IfModule>"],
        ["  ServerName \\", "x"],
        ["\tErrorLog ${X}/é"],
    ]
)
_BACKLOG = st.integers(1, 70000).map(lambda number: [f"ListenBacklog {number}"])


@given(st.lists(_NOISE), st.lists(st.one_of(_NOISE, _BACKLOG)), st.integers(1, 70000), st.sampled_from(["\n", "\r\n"]))
def test_edit_changes_one_line_at_most(
    head: t.List[t.List[str]], tail: t.List[t.List[str]], wanted: int, end: str
) -> None:
    lines = [line for block in [*head, ["Listen 80"], *tail] for line in block]
    config = one("".join(line + end for line in lines))
    listen = ADAPTER.listens(config)[0]
    replaced = ADAPTER.edit(config, {listen: wanted})
    result = Config(config.main, {**config.files, **{path: content or b"" for path, content in replaced.items()}})
    new = result.files[config.main].decode().split(end)[:-1]
    differing = [(old, line) for old, line in zip(lines, new) if old != line]
    assert backlogs(result) == [wanted]
    assert all("ListenBacklog" in old for old, _line in differing)
    assert len(differing) + len(new) - len(lines) == (wanted != listen.asked)
    assert not ADAPTER.edit(result, {ADAPTER.listens(result)[0]: wanted})


@given(st.binary(max_size=60).map(lambda junk: b"Listen 80\n" + junk))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    config = Config("/srv/httpd.conf", {"/srv/httpd.conf": content})
    try:
        found = ADAPTER.listens(config)
    except ConfigError:
        return
    replaced = ADAPTER.edit(config, dict.fromkeys(found, 4096))
    assert all(content is not None for content in replaced.values())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<IfModule core.c>\n" * 50_000 + "Listen 80\n" * 2, id="nested sections"),
        pytest.param("<IfDefine !X>\nDefine A 1\n" * 20_000, id="nested sections with directives"),
        pytest.param("Define A xxxxxxxx\n" + "Define A ${A}${A}\n" * 100 + "Listen ${A}\n", id="doubling variables"),
        pytest.param("Listen \\\n" * 100_000, id="one line"),
        pytest.param("<Macro a>\n" * 50_000, id="macros"),
        pytest.param('Include "' + "\\" * 99_999, id="quotes"),
        pytest.param("IncludeOptional " + "*a" * 20_000, id="stars"),
    ],
)
def test_hostile_configurations_end_soon(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ConfigError):
        ADAPTER.listens(one(text))
    assert time.process_time() - started < 10


def test_ten_thousand_sites_take_well_below_a_second() -> None:
    site = "Listen 10.{0}.{1}.1:80\n<VirtualHost *>\n  ServerName s\n  <Location />\n  </Location>\n</VirtualHost>\n"
    config = one("".join(site.format(number >> 8, number & 255) for number in range(10_000)))
    started = time.process_time()
    found = ADAPTER.listens(config)
    ADAPTER.edit(config, dict.fromkeys(found, 4096))
    assert len(found) == 10_000
    assert time.process_time() - started < 10  # 0.4 without a tracer; what is quadratic takes minutes
