# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which sockets lighttpd opens, and with which backlog.

server.bind and server.port make one, each ``$SERVER["socket"] == "address"`` another.  server.listen-backlog counts
in the block of the socket, else globally; without one it is 1024, and since 1.4.79 max(SOMAXCONN, 1024), which is 4096
with glibc.  Of two for the same address the first is opened: the block, or before 1.4.60 the global one.  Source:
src/network.c of 1.4.59, 1.4.69 and 1.4.79.
"""

from __future__ import annotations

import re
import typing as t

from ..addresses import ANY4, ANY6, canonical, port_number
from ..server import Config, ConfigError, Listen
from ..source import decode
from .conf import Assigned, Scope

BACKLOG = "server.listen-backlog"
VERSION = "lighttpd -v"  # the path under which a configuration holds the output of this

_Address = t.Tuple[str, str, int]
_Location = t.Tuple[str, int]


def _version(config: Config) -> t.Optional[t.Tuple[int, ...]]:
    match = re.match(r"lighttpd/([0-9]+)\.([0-9]+)\.([0-9]+)", decode(config.files.get(VERSION, b"")))
    return tuple(int(number) for number in match.groups()) if match else None


class Socket(t.NamedTuple):
    """A socket; ``scope`` is its block, or the global scope."""

    listen: Listen
    scope: Scope


def sockets(config: Config, scopes: t.Sequence[Scope]) -> t.List[Socket]:
    """The sockets of evaluated scopes, as lighttpd opens them."""
    version = _version(config)
    default = 0 if version is None else 4096 if version >= (1, 4, 79) else 1024
    port = _port(scopes[0])
    blocks = [scope for scope in scopes[1:] if scope.socket is not None]
    # The first of two for the same address is opened.
    first_global = version is not None and version < (1, 4, 60)
    by_address: t.Dict[_Address, Socket] = {}
    for scope in [scopes[0], *blocks] if first_global else [*blocks, scopes[0]]:
        text, location = _address_of(scope, port, config)
        if text != "/dev/stdin":
            key = _parse_address(text, port, _use_ipv6(scope, scopes[0]), location)
            by_address.setdefault(key, Socket(_listen(key, scope, scopes[0], default, location), scope))
    return list(by_address.values())


def _address_of(scope: Scope, port: int, config: Config) -> t.Tuple[str, _Location]:
    """The address of a scope's socket, and where it is set."""
    if scope.socket is not None:
        return scope.socket, (scope.blocks[0].path, scope.blocks[0].line)
    bind, number = scope.values.get("server.bind"), scope.values.get("server.port")
    assigned = number or bind
    host = _text(bind) if bind else ""
    location = (assigned.path, assigned.line) if assigned else (config.main, 0)
    return host if host.startswith("/") else f"{host}:{port}", location


def _text(assigned: Assigned) -> str:
    if not isinstance(assigned.value, str):
        raise ConfigError("this value is not known without running lighttpd", assigned.path, assigned.line)
    return assigned.value


def _port(everywhere: Scope) -> int:
    """The port of sockets that name none."""
    assigned = everywhere.values.get("server.port")
    if assigned is None:
        engine = everywhere.values.get("ssl.engine")
        return 443 if engine and engine.value == "enable" else 80
    port = port_number(str(assigned.value))
    if port is None:
        raise ConfigError(f"server.port is not a port: {assigned.value}", assigned.path, assigned.line)
    return port


def _use_ipv6(scope: Scope, everywhere: Scope) -> bool:
    assigned = scope.values.get("server.use-ipv6") or everywhere.values.get("server.use-ipv6")
    return assigned is not None and assigned.value == "enable"


def _parse_address(text: str, port: int, use_ipv6: bool, location: _Location) -> _Address:
    """Family, address and port, as network_host_parse_addr() takes them apart."""
    if text.startswith(("/", "\\x00")):
        return "unix", "@" + text[4:] if text.startswith("\\") else text, 0
    if text.startswith("["):
        host, _bracket, rest = text[1:].partition("]")
        number = rest[1:] if rest.startswith(":") else ""
    else:
        host, _colon, number = text.rpartition(":") if ":" in text else (text, "", "")
    any_host = ANY6 if use_ipv6 or text.startswith("[") else ANY4
    # localhost is 127.0.0.1 in every /etc/hosts, and lighttpd asks for IPv4
    known = canonical({"": any_host, "*": ANY4, "localhost": "127.0.0.1"}.get(host, host))
    bound = port_number(number) if number else port
    if known is None or not bound:
        reason = "is not an address and port; only the resolver knows the addresses of host names"
        raise ConfigError(f"{text!r} {reason}", *location)
    return (*known, bound)


def _listen(key: _Address, scope: Scope, everywhere: Scope, default: int, location: _Location) -> Listen:
    assigned = scope.values.get(BACKLOG) or everywhere.values.get(BACKLOG)
    if assigned is None:
        return Listen(*key, None, default, *location)
    if not re.fullmatch("[0-9]{1,10}", str(assigned.value)):
        raise ConfigError(f"{BACKLOG} is not a number: {assigned.value}", assigned.path, assigned.line)
    return Listen(*key, int(str(assigned.value)), default, assigned.path, assigned.line)
