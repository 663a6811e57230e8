# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which configuration a running process has, from its command line."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._servers import table
from ansible_collections.nettune.tcp.plugins.module_utils._servers.lighttpd import adapter as lighttpd
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Config, ConfigError

USER = 12345


def started(server: str, *words: str) -> Config:
    return table.BY_NAME[server].adapter.started(words, None)


@pytest.mark.parametrize(
    "server, words",
    [
        ("nginx", ["nginx: master process /usr/sbin/nginx -g daemon on; master_process on; -c {here}/main"]),
        ("nginx", ["nginx: master process nginx -p {here} -c main"]),
        ("apache", ["/usr/sbin/apache2", "-f", "{here}/main", "-D", "FOREGROUND"]),
        ("apache", ["/usr/sbin/httpd", "-d", "{here}", "-f", "main"]),
        ("haproxy", ["/usr/sbin/haproxy", "-Ws", "-f", "{here}/main", "-p", "/run/haproxy.pid", "-sf", "12"]),
        ("haproxy", ["haproxy", "-W", "--", "{here}/main"]),
        ("lighttpd", ["/usr/sbin/lighttpd", "-D", "-f", "{here}/main"]),
    ],
)
def test_the_main_file_is_that_of_the_command_line(server: str, words: t.List[str], tmp_path: Path) -> None:
    (tmp_path / "main").write_text("\n")
    assert started(server, *(word.replace("{here}", str(tmp_path)) for word in words)).main == str(tmp_path / "main")


@pytest.mark.parametrize(
    "server, words",
    [
        ("nginx", ["nginx: master process nginx -c x.conf"]),
        ("apache", ["httpd", "-f", "conf/x.conf"]),
        ("haproxy", ["haproxy", "-f", "x.cfg"]),
        ("lighttpd", ["lighttpd", "-f", "x.conf"]),
    ],
)
def test_a_relative_path_is_not_guessed(server: str, words: t.List[str]) -> None:
    with pytest.raises(ConfigError, match="relative"):
        started(server, *words)


def a_file_of_theirs(top: Path) -> Path:
    (top / "main").write_text("\n")
    os.chown(top / "main", USER, USER)
    return top / "main"


def a_file_in_their_directory(top: Path) -> Path:
    (top / "d").mkdir()
    (top / "d" / "main").write_text("\n")
    os.chown(top / "d", USER, USER)
    return top / "d" / "main"


def their_link_to_a_file_of_root(top: Path) -> Path:
    (top / "root").write_text("\n")
    (top / "d").mkdir()
    (top / "d" / "main").symlink_to(top / "root")
    os.chown(top / "d", USER, USER)
    return top / "d" / "main"


def a_file_anybody_may_write(top: Path) -> Path:
    (top / "main").write_text("\n")
    (top / "main").chmod(0o666)
    return top / "main"


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
@pytest.mark.parametrize("server, option", [("nginx", "-c"), ("apache", "-f"), ("haproxy", "-f"), ("lighttpd", "-f")])
@pytest.mark.parametrize(
    "make",
    [a_file_of_theirs, a_file_in_their_directory, their_link_to_a_file_of_root, a_file_anybody_may_write],
)
def test_what_others_than_root_had_a_hand_in_is_not_read(
    make: t.Callable[[Path], Path], server: str, option: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=rf"is not (read|followed): .*(belongs to uid {USER}|may write)"):
        started(server, server, option, str(make(tmp_path)))


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
@pytest.mark.parametrize(
    "server, option, include",
    [
        ("nginx", "-c", "http {{ include {path}; }}\n"),
        ("nginx", "-c", "http {{ include {path}*; }}\n"),
        ("apache", "-f", "Include {path}\n"),
        ("lighttpd", "-f", 'include "{path}"\n'),
    ],
)
def test_nor_is_what_such_a_file_includes(server: str, option: str, include: str, tmp_path: Path) -> None:
    (tmp_path / "root").write_text(include.format(path=a_file_in_their_directory(tmp_path)))
    with pytest.raises(ConfigError, match=rf"is not read: .*belongs to uid {USER}"):
        started(server, server, option, str(tmp_path / "root"))


@pytest.mark.skipif(os.geteuid() != 0, reason="reads as root alone")
def test_a_directory_where_everybody_may_write_is_no_configuration() -> None:
    with pytest.raises(ConfigError, match="/tmp: is not read: others than its owner may write to /tmp"):
        started("haproxy", "haproxy", "-f", "/tmp")


@pytest.mark.parametrize("server", ["nginx", "apache", "haproxy", "lighttpd"])
def test_what_is_no_file_does_not_hang(server: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "main")
    with pytest.raises(ConfigError):
        started(server, server, "-c" if server == "nginx" else "-f", str(tmp_path / "main"))


def test_several_files_are_one_configuration(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("global\n maxconn 5\n")
    (tmp_path / "b").write_text("frontend f\n bind :80\n maxconn 4\n")
    config = started("haproxy", "haproxy", "-f", f"{tmp_path}/a", "-f", f"{tmp_path}/b")
    found = table.BY_NAME["haproxy"].adapter.settings(config)
    assert (found["maxconn"].value, found["frontend maxconn"].value) == (5, 4)


def test_commands_in_a_configuration_are_not_run(tmp_path: Path) -> None:
    main = tmp_path / "l.conf"
    main.write_text(f'include_shell "touch {tmp_path}/ran"\nserver.max-fds = 9\n')
    config = started("lighttpd", "lighttpd", "-f", str(main))
    assert lighttpd.settings(config)["server.max-fds"] == (9, f"{main}:2")
    assert not (tmp_path / "ran").exists()


def test_a_socket_unit_is_no_program() -> None:
    with pytest.raises(ConfigError, match=r"app\.socket: is not a program"):
        table.BY_NAME["systemd_socket"].adapter.started([], "app.socket")
