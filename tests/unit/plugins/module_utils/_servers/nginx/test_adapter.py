# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sockets an nginx configuration makes, and edits that change one number and not a byte more."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._servers.nginx.adapter import ADAPTER
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Config, ConfigError, Listen
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._servers.nginx import nginx_configs
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._servers.nginx.nginx_configs import configurations

MAIN = "/etc/nginx/nginx.conf"


def config(main: str, **others: str) -> Config:
    """A configuration; names of other files are relative to the main one's directory, __ standing for /."""
    files = {f"/etc/nginx/{name.replace('__', '/')}": text.encode() for name, text in others.items()}
    return Config(MAIN, {MAIN: main.encode(), **files})


def sockets(found: Config) -> t.Dict[str, t.Optional[int]]:
    return {f"{listen.address}:{listen.port}": listen.backlog for listen in ADAPTER.listens(found)}


def edited(found: Config, number: int, *which: str) -> Config:
    """The configuration with this number for some of its sockets, or all."""
    wanted = {
        listen: number for listen in ADAPTER.listens(found) if not which or f"{listen.address}:{listen.port}" in which
    }
    changed = {path: content for path, content in ADAPTER.edit(found, wanted).items() if content is not None}
    return Config(found.main, {**found.files, **changed})


def text_after(main: str, number: int = 4096, *which: str) -> str:
    return edited(config(main), number, *which).files[MAIN].decode()


@pytest.mark.parametrize(
    "body, expected",
    [
        ("server { listen 80; }", {"0.0.0.0:80": None}),
        ("server { listen 80; listen [::]:80; }", {"0.0.0.0:80": None, ":::80": None}),
        ("server { listen 80; } server { listen 80 backlog=9; }", {"0.0.0.0:80": 9}),
        ("server { listen 80; listen 127.0.0.1:80; }", {"0.0.0.0:80": None}),
        ("server { listen 127.0.0.1:80; } server { listen *:80; }", {"0.0.0.0:80": None}),
        ("server { listen 80; listen 127.0.0.1:80 bind; }", {"0.0.0.0:80": None, "127.0.0.1:80": None}),
        ("server { listen 80; listen 127.0.0.1:80 backlog=5; }", {"0.0.0.0:80": None, "127.0.0.1:80": 5}),
        ("server { listen 80; listen 127.0.0.1:81; }", {"0.0.0.0:80": None, "127.0.0.1:81": None}),
        ("server { listen [::]:80; listen 127.0.0.1:80; }", {":::80": None, "127.0.0.1:80": None}),
        ("server { }", {"0.0.0.0:80": None}),
        ("server { listen 443 quic; listen 443 ssl; }", {"0.0.0.0:443": None}),
        ("upstream u { server 127.0.0.1:9; }", {}),
    ],
)
def test_the_sockets_that_nginx_makes(body: str, expected: t.Dict[str, t.Optional[int]]) -> None:
    assert sockets(config(f"http {{ {body} }}")) == expected


def test_stream_and_mail_are_read_too() -> None:
    text = "stream { server { listen 53 udp; listen 53; } } mail { server { listen 25 backlog=8; protocol smtp; } }"
    assert sockets(config(text)) == {"0.0.0.0:53": None, "0.0.0.0:25": 8}


def test_where_nothing_is_said_the_default_counts() -> None:
    [listen] = ADAPTER.listens(config("http {\n server {\n listen 80;\n } }"))
    assert (listen.backlog, listen.asked, listen.file, listen.line) == (None, 511, MAIN, 3)


@pytest.mark.parametrize(
    "before, after",
    [
        ("http { server { listen 80; } }", "http { server { listen 80 backlog=4096; } }"),
        ("http { server { listen 80 backlog=5 ssl; } }", "http { server { listen 80 backlog=4096 ssl; } }"),
        ("http { server { listen 80 'backlog=5'; } }", "http { server { listen 80 backlog=4096; } }"),
        ("http { server { listen 80 # note\n; } }", "http { server { listen 80 backlog=4096 # note\n; } }"),
        (
            "http {\r\n server {\r\n listen 80;\r\n }\r\n}\r\n",
            "http {\r\n server {\r\n listen 80 backlog=4096;\r\n }\r\n}\r\n",
        ),
        # the line that has options already
        (
            "http { server { listen 80 default_server; } server { listen 80 reuseport; } }",
            "http { server { listen 80 default_server; } server { listen 80 reuseport backlog=4096; } }",
        ),
        # else that of the default server
        (
            "http { server { listen 80; } server { listen 80 default_server; } }",
            "http { server { listen 80; } server { listen 80 default_server backlog=4096; } }",
        ),
        # else the first that is written
        (
            "http { server { server_name a; } server { listen 80; } server { listen 80; } }",
            "http { server { server_name a; } server { listen 80 backlog=4096; } server { listen 80; } }",
        ),
        # or one that is added
        (
            "http {\n  server {\n    root /;\n  }\n}",
            "http {\n  server {\n    listen 80 backlog=4096;\n    root /;\n  }\n}",
        ),
        ("http { server {} }", "http { server { listen 80 backlog=4096;} }"),
        ("http { server { listen 8000-8001; } }", "http { server { listen 8000-8001 backlog=4096; } }"),
    ],
)
def test_only_the_directive_concerned_changes(before: str, after: str) -> None:
    assert text_after(before) == after
    assert text_after(after) == after


def test_nothing_is_edited_where_the_number_is_there() -> None:
    found = config("http { server { listen 80 backlog=4096; listen [::]:80; } }")
    [four, six] = ADAPTER.listens(found)
    assert ADAPTER.edit(found, {four: 4096, six: 511}) == {}


def test_addresses_are_edited_apart() -> None:
    before = "http { server { listen 80; listen [::]:80; listen unix:/a; listen 127.0.0.1:81; } }"
    after = text_after(before, 7, ":::80", "/a:0")
    assert (
        after
        == "http { server { listen 80; listen [::]:80 backlog=7; listen unix:/a backlog=7; listen 127.0.0.1:81; } }"
    )


@pytest.mark.parametrize("which", [["0.0.0.0:8000"], ["0.0.0.0:8001"]])
def test_a_line_with_several_sockets_is_not_edited_for_some_of_them(which: t.List[str]) -> None:
    with pytest.raises(ConfigError, match=r"0\.0\.0\.0:8000, 0\.0\.0\.0:8001 together"):
        text_after("http { server { listen 8000-8001; } }", 4096, *which)


def test_options_on_two_lines_are_an_error_that_names_both() -> None:
    text = "http {\n server { listen 80 backlog=5; }\n server { listen 80 backlog=5; }\n}"
    with pytest.raises(ConfigError, match=rf"^{MAIN}:3: duplicate listen options for 0.0.0.0:80, which {MAIN}:2 has"):
        ADAPTER.listens(config(text))


INCLUDES = "events {}\nhttp { include conf.d/*.conf; include sites/*; include one.conf; }"


def test_includes_are_followed_in_the_order_of_nginx() -> None:
    found = config(
        INCLUDES,
        **{
            "one.conf": "server { listen 1; include snip/x; }",
            "snip/x": "listen 2;",
            "conf.d/b.conf": "server { listen 3; }",
            "conf.d/a.conf": "server { listen 4; }",
            "conf.d/.hidden.conf": "server { listen 5; }",
            "conf.d/deep/c.conf": "server { listen 6; }",
            "sites/Z": "server { listen 7; }",
            "sites/a": "server { listen 8; }",
        },
    )
    assert list(sockets(found)) == [f"0.0.0.0:{port}" for port in (4, 3, 7, 8, 1, 2)]


def test_the_file_that_has_the_line_is_edited() -> None:
    found = config(
        INCLUDES, **{"one.conf": "# nothing", "sites/a": "server { listen 80; }", "sites/b": "server { listen 80; }"}
    )
    wanted = dict.fromkeys(ADAPTER.listens(found), 9)
    assert ADAPTER.edit(found, wanted) == {"/etc/nginx/sites/a": b"server { listen 80 backlog=9; }"}


def test_a_line_that_is_included_twice_cannot_have_options() -> None:
    snippet = {"snip": "listen 80;", "one.conf": ""}
    with pytest.raises(ConfigError, match=r"^/etc/nginx/snip:1: .*give one server its own listen line"):
        edited(config("http { server { include snip; } server { include snip; } }", **snippet), 9)
    [listen] = ADAPTER.listens(config("http { server { include snip; } server { include snip; } }", **snippet))
    assert listen.backlog is None
    found = config("http { server { include snip; } server { include snip; } server { listen 80; } }", **snippet)
    assert edited(found, 9).files[MAIN].endswith(b"server { listen 80 backlog=9; } }")


@pytest.mark.parametrize(
    "main, others, message",
    [
        ("http { include none; }", {}, f"{MAIN}:1: /etc/nginx/none cannot be read: No such file"),
        ("http {\n include a b; }", {}, f"{MAIN}:2: include takes one path"),
        ("http {\n include x; }", {"x": "server {\n listen 80"}, "/etc/nginx/x:2: unexpected end of file"),
        ("http { include x; }", {"x": "include x;"}, "/etc/nginx/x:1: files include each other"),
    ],
)
def test_broken_configurations_are_named_by_file_and_line(main: str, others: t.Dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        ADAPTER.listens(config(main, **others))


def test_files_are_read_as_they_are_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sites-available").mkdir()
    (tmp_path / "sites-enabled").mkdir()
    (tmp_path / "sites-available" / "b").write_text("server { listen 81; }")
    (tmp_path / "sites-enabled" / "b").symlink_to("../sites-available/b")
    (tmp_path / "sites-enabled" / "dir").mkdir()
    (tmp_path / "nginx.conf").write_text("http { include sites-enabled/*; include none/*; include mime; types { } }")
    (tmp_path / "mime").write_text("types { a b; }")
    found = ADAPTER.read(str(tmp_path / "nginx.conf"), None)
    assert [path[len(str(tmp_path)) :] for path in found.files] == ["/nginx.conf", "/sites-enabled/b", "/mime"]
    assert sockets(found) == {"0.0.0.0:81": None}
    assert ADAPTER.check(found).words == ("nginx", "-t", "-q", "-c", str(tmp_path / "nginx.conf"))


def test_a_missing_file_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match=r"^/.*/nginx.conf: .*No such file"):
        ADAPTER.read(str(tmp_path / "nginx.conf"), None)
    (tmp_path / "nginx.conf").write_text("http {\ninclude gone; }")
    with pytest.raises(ConfigError, match=r"nginx.conf:2: .*gone cannot be read: No such file or directory"):
        ADAPTER.read(str(tmp_path / "nginx.conf"), None)


def test_what_never_ends_is_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "nginx.conf").write_text("http { include /dev/zero; include /dev/null; }")
    with pytest.raises(ConfigError, match="/dev/zero: is not a regular file"):
        ADAPTER.read(str(tmp_path / "nginx.conf"), None)


@given(
    text=configurations([*nginx_configs.NOISE, *nginx_configs.LUA]), data=st.data(), number=st.integers(1, 2**31 - 1)
)
def test_parse_edit_parse_gives_the_change_and_nothing_else(text: str, data: st.DataObject, number: int) -> None:
    before = config(f"events {{}}\nhttp {{ {text} }}\n")
    listens = ADAPTER.listens(before)
    chosen: t.List[Listen] = data.draw(st.lists(st.sampled_from(listens), unique=True))
    files = ADAPTER.edit(before, dict.fromkeys(chosen, number))
    content = files.get(MAIN) or before.files[MAIN]
    after = ADAPTER.listens(Config(MAIN, {MAIN: content}))
    endpoints = {(one.family, one.address, one.port) for one in chosen}
    assert [(one.family, one.address, one.port, one.asked) for one in after] == [
        (
            one.family,
            one.address,
            one.port,
            number if (one.family, one.address, one.port) in endpoints else one.asked,
        )
        for one in listens
    ]
    assert _without_backlogs(content) == _without_backlogs(before.files[MAIN])


def _without_backlogs(content: bytes) -> t.List[bytes]:
    """The text word by word without the option."""
    return [word for word in content.replace(b";", b" ;").split() if not word.strip(b"'").startswith(b"backlog=")]
