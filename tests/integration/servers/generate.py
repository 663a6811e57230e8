# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random configurations that the real servers accept, with what makes reading them hard.

``{root}`` in them is the directory that they are laid out in.
"""

from __future__ import annotations

import random
import typing as t

from ansible_collections.nettune.tcp.tests.integration.apache import APACHE

Files = t.Dict[str, str]

_HOSTS = ("", "*", "127.0.0.1", "127.0.0.2", "[::1]", "[::]", "localhost")


class _Ports:
    """Ports that are taken once."""

    def __init__(self) -> None:
        self._next = 8000

    def take(self) -> int:
        self._next += 1
        return self._next


def apache(chance: random.Random) -> Files:
    """Directives in files that include each other, conditions, variables, continued lines."""
    ports = _Ports()
    files: Files = {"httpd.conf": APACHE + "Define HOST 127.0.0.1\n"}
    names = [f"conf.d/{chance.choice('abz')}{number}.conf" for number in range(chance.randint(0, 3))]
    for name in names:
        files[name] = _apache_lines(chance, ports)
    body = _apache_lines(chance, ports)
    if names:
        body = chance.choice(["Include conf.d/*.conf\n", "IncludeOptional conf.d/[abz]*\n", "Include conf.d\n"]) + body
    files["httpd.conf"] += body + f"Listen {ports.take()}\n"
    return files


def _apache_lines(chance: random.Random, ports: _Ports) -> str:
    text = "".join(_apache_line(chance, ports) for _ in range(chance.randint(0, 5)))
    return text.replace("\n", "\r\n") if chance.random() < 0.3 else text


def _apache_line(chance: random.Random, ports: _Ports) -> str:
    port = ports.take()
    host = chance.choice(("", "*:", "127.0.0.1:", "[::1]:", "${HOST}:", "0.0.0.0:"))
    listen = chance.choice([f"Listen {host}{port}", f'listen\t"{host}{port}" https', f"Listen \\\n  {host}{port}"])
    section, end = chance.choice(
        [
            ("<IfModule mpm_event_module>", "</IfModule>"),
            ("<IfModule !mod_ssl.c>", "</ifmodule>"),
            ("<IfDefine HOST>", "</IfDefine>"),
            ("<IfVersion >= 2.4>", "</IfVersion>"),
            ("<IfModule mod_ssl.c>", "</IfModule>"),
            ("<IfDefine !HOST>", "</IfDefine>"),
        ]
    )
    return (
        chance.choice(
            [
                listen,
                listen,
                f"  {listen}  ",
                f"{section}\n{listen}\n{end}",
                f"{section}\n<IfDefine HOST>\n{listen}\n</IfDefine>\n{end}",
                f"ListenBacklog {chance.randint(1, 4000)}",
                f"{section}\nListenBacklog {chance.randint(1, 4000)}\n{end}",
                f"# comment \\\nListen {port}",
                f"#Listen {port}",
                "<Directory /x>\n  Require all denied\n</Directory>",
                f"Define N {chance.randint(1, 4000)}\nListenBacklog ${{N}}",
            ]
        )
        + "\n"
    )


def haproxy(chance: random.Random) -> Files:
    """Sections with and without names, defaults of defaults, quotes, several addresses in a line."""
    ports = _Ports()
    lines = ["global", f"    maxconn {chance.randint(100, 900)}", "    master-worker", "    setenv HOST 127.0.0.1"]
    named = False
    for number in range(chance.randint(1, 4)):
        if number == 0 or chance.random() < 0.5:
            name = chance.choice(["", " known"]) if not named else ""
            named = named or bool(name)
            lines += [f"defaults{name}", "    mode http", "    timeout connect 1s", "    timeout client 1s"]
            lines += ["    timeout server 1s", *_haproxy_numbers(chance)]
        kind = chance.choice(["frontend", "listen"])
        lines.append(f"{kind} s{number}{' from known' if named and chance.random() < 0.3 else ''}")
        lines += _haproxy_numbers(chance)
        for _ in range(chance.randint(1, 3)):
            lines.append(_bind(chance, ports))
            lines += chance.choice([[], ["    # bind :1"], [""], ["    acl a path_beg 'bind # :2'"]])
        lines += _haproxy_numbers(chance) + (["    disabled"] if chance.random() < 0.1 else [])
        if chance.random() < 0.3:
            lines += [f"backend b{number}", "    server one 127.0.0.1:1 maxconn 5 backup"]
    lines += ["listen last", "    mode http", "    timeout client 1s", "    bind :7999"]
    return {"a.cfg": "\n".join(lines) + "\n"}


def _haproxy_numbers(chance: random.Random) -> t.List[str]:
    number = chance.randint(1, 4000)
    return chance.choice([[], [], [f"    backlog {number}"], [f"\tmaxconn  {number}"], ["    backlog 0"]])


def _bind(chance: random.Random, ports: _Ports) -> str:
    first, last = ports.take(), ports.take()
    host = chance.choice((*_HOSTS, "ipv4@", "ipv6@", "::1", "$HOST"))
    address = chance.choice([f"{host}:{first}", f"{host}:{first}-{last}", f"{host}:{first},127.0.0.3:{last}"])
    quoted = chance.choice(
        [address, address, f'"{address}"' if "$" not in address else address, f"{address[:-1]}'{address[-1]}'"]
    )
    options = [
        "",
        f"backlog {chance.randint(1, 4000)}",
        f"maxconn {chance.randint(1, 4000)}",
        f'backlog "{chance.randint(1, 4000)}" maxconn 3',
        "name backlog",
        "backlog 0",
        "tfo defer-accept mss 900",
        "name a\\ b # backlog 7",
    ]
    return (
        f"    bind {quoted} {' '.join(chance.sample(options, 2)) if chance.random() < 0.4 else chance.choice(options)}"
    )


def lighttpd(chance: random.Random) -> Files:
    """Blocks in one and in many lines, alternatives, includes, variables, and the numbers in all places."""
    ports = _Ports()
    files: Files = {}
    main = ['server.document-root = "{root}"', 'server.errorlog = "{root}/log"', 'host = "127.0.0.1"', "base = 8500"]
    main.append(f"server.port = {chance.choice(['7999', 'base + 1'])}")
    main += chance.choice([[], ['server.bind = "127.0.0.1"'], ["server.bind = host"], ['server.use-ipv6 = "enable"']])
    if chance.random() < 0.5:
        main.insert(chance.randint(2, len(main)), f"server.listen-backlog = {chance.randint(1, 4000)} # all")
    for number in range(chance.randint(0, 4)):
        text = _block(chance, ports)
        if chance.random() < 0.3:
            files[f"more/{chance.choice('az')}{number}.conf"] = text + "\n"
        else:
            main.append(text)
    if files:
        main.append('include "more/*.conf"')
    main += chance.choice([[], ['$HTTP["host"] =~ "^a" { server.listen-backlog = 9 }'], ["# }"]])
    return {"lighttpd.conf": "\n".join(main) + chance.choice(["", "\n"]), **files}


def _block(chance: random.Random, ports: _Ports) -> str:
    port = ports.take()
    address = chance.choice(
        [f'":{port}"', f'"127.0.0.1:{port}"', f'"[::1]:{port}"', f'host + ":{port}"', f'"[::]:{port}"']
    )
    inside = chance.choice(
        [
            "{}",
            "{ }",
            "{\n}",
            '{ server.document-root = "/x" }',
            f"{{ server.listen-backlog = {chance.randint(1, 4000)} }}",
            f'{{ # x\n\tserver.document-root = "/x"\n\tserver.listen-backlog := {chance.randint(1, 4000)}\n}}',
        ]
    )
    alternative = chance.choice(
        ["", "", f' else $SERVER["socket"] == ":{ports.take()}" {{ }}', ' else { server.tag = "x" }']
    )
    return f'$SERVER["socket"] == {address} {inside}{alternative}'
