# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import ConfigError
from ansible_collections.nettune.tcp.plugins.module_utils._servers.source import Memory
from ansible_collections.nettune.tcp.plugins.module_utils._servers.unit import command, environment_of, find

# The service of RHEL 9, shortened, and Debian's
RHEL = """\
[Unit]
Description=HAProxy Load Balancer
[Service]
EnvironmentFile=-/etc/sysconfig/lb
Environment="CONFIG=/etc/lb/lb.cfg" "PIDFILE=/run/lb.pid" "CFGDIR=/etc/lb/conf.d"
ExecStartPre=/usr/sbin/lb -f $CONFIG -f $CFGDIR -c -q $OPTIONS
ExecStart=/usr/sbin/lb -Ws -f $CONFIG -f $CFGDIR -p $PIDFILE $OPTIONS
"""
UNIT = "/usr/lib/systemd/system/nettune-lb.service"
DROP_IN = "/etc/systemd/system/nettune-lb.service.d/more.conf"


def tree(**more: str) -> Memory:
    files = {UNIT: RHEL, "/etc/sysconfig/lb": "# x\nOPTIONS='-S /run/s -f /etc/lb/extra.cfg'\n"}
    files.update({DROP_IN: more["drop_in"]} if "drop_in" in more else {})
    return Memory({path: text.encode() for path, text in files.items()})


def words(source: Memory) -> t.List[str]:
    found = find(source, "nettune-lb.service")
    assert found is not None
    return command(found[1], environment_of(source, found[1]))


@pytest.mark.parametrize(
    "drop_in, expected",
    [
        pytest.param(
            "",
            "/usr/sbin/lb -Ws -f /etc/lb/lb.cfg -f /etc/lb/conf.d -p /run/lb.pid -S /run/s -f /etc/lb/extra.cfg",
            id="as shipped",
        ),
        pytest.param(
            "[Service]\nEnvironment=CONFIG=/x\nEnvironmentFile=\nExecStart=\nExecStart=-/y ${CONFIG} $NONE",
            "/y /x",
            id="replaced",
        ),
        pytest.param("[Service]\nEnvironment=\nExecStart=/y $CONFIG '$CFGDIR a'", "/y", id="no environment"),
        pytest.param("[Service]\nExecStart=", "", id="no command"),
    ],
)
def test_command(drop_in: str, expected: str) -> None:
    assert " ".join(words(tree(drop_in=drop_in))[: len(expected.split())]) == expected


def test_quotes_that_are_not_closed_name_file_and_line() -> None:
    with pytest.raises(ConfigError, match=r"more.conf:2: quotes are not closed"):
        words(tree(drop_in="[Service]\nExecStart=/y 'x\n"))


def test_no_such_unit() -> None:
    assert find(Memory({}), "nettune-none.service") is None


def test_an_instance_has_the_file_of_its_template() -> None:
    files = {
        "/usr/lib/systemd/system/nettune-t@.socket": b"[Socket]\n",
        "/etc/systemd/system/nettune-t@.socket.d/b.conf": b"",
        "/etc/systemd/system/nettune-t@1.socket.d/a.conf": b"",
        "/etc/systemd/system/nettune-t@2.socket.d/c.conf": b"",
        "/etc/systemd/system/socket.d/a.conf": b"masked",
    }
    found = find(Memory(files), "nettune-t@1.socket")
    assert found is not None
    assert found[0] == "nettune-t@1.socket"
    assert [file.path for file in found[1]] == [
        "/usr/lib/systemd/system/nettune-t@.socket",
        "/etc/systemd/system/nettune-t@1.socket.d/a.conf",
        "/etc/systemd/system/nettune-t@.socket.d/b.conf",
    ]
