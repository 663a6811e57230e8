# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What was asked of nettune.tcp.listen_backlog, checked."""

from __future__ import annotations

import re
import socket
import typing as t
from dataclasses import dataclass

from .._boot.systemd import unit_name
from .._errors import BadRequest
from .._servers.server import Server
from .._servers.table import BY_NAME
from .._servers.unit import usual
from .._want import Want, parse_want

ANY = "any"
AUTO, LIVE, RELOAD, RESTART, NONE = "auto", "live", "reload", "restart", "none"
MAXIMUM = 2**31 - 1  # listen(2) takes an int

_PORT = re.compile(r"[0-9]{1,5}\Z")
_HOST_PORT = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:\[\]]*)):(?P<port>[0-9]{1,5})\Z")


@dataclass(frozen=True)
class Filter:
    """Which sockets to manage; None stands for any family or address.  For unix ``address`` is the path."""

    text: str
    family: t.Optional[str]
    address: t.Optional[str]
    port: int

    def covers(self, family: str, address: str, port: int) -> bool:
        """Whether the socket is one of those."""
        return self.port == port and self.family in (None, family) and self.address in (None, address)


@dataclass(frozen=True)
class Request:
    """``server`` is None for any; without ``filters`` all sockets of the server are managed.

    With ``absent`` they are given back what they had, and no queue is too short.
    """

    server: t.Optional[Server]
    want: Want
    filters: t.Tuple[Filter, ...]
    config: t.Optional[str]
    unit: t.Optional[str]
    apply: str
    absent: bool = False


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming the option and the value."""
    server = None if params["server"] == ANY else BY_NAME[params["server"]]
    filters = tuple(parse_filter(text) for text in params["listen"] or ())
    if server is None:
        _check_any(params, filters)
    elif server.adapter.daemon_reload and params["apply"] == RELOAD:
        raise BadRequest(f"server={server.name} cannot be reloaded: use apply=live or apply=restart")
    unit = _unit(params["unit"], server)
    absent = params.get("state") == "absent"
    if not absent and params["backlog"] is None:
        raise BadRequest("backlog is required with state=present")
    want = _want({"at_least": 1} if absent else params["backlog"])
    return Request(server, want, filters, params["config"], unit, params["apply"], absent)


def _unit(name: t.Optional[str], server: t.Optional[Server]) -> t.Optional[str]:
    if name and server and server.adapter.daemon_reload and not name.endswith(".socket"):
        name += ".socket"
    return unit_name(name) if name else usual(server.units if server else ())


def _check_any(params: t.Mapping[str, t.Any], filters: t.Sequence[Filter]) -> None:
    if not filters:
        raise BadRequest("server=any needs listen: the addresses and ports of the queues to change")
    if params["config"]:
        raise BadRequest("server=any has no configuration to edit: config makes no sense")
    if params["apply"] not in (AUTO, LIVE, NONE):
        raise BadRequest(f"server=any can be changed live only: apply={params['apply']} makes no sense")


def _want(raw: t.Any) -> Want:
    try:
        want = parse_want(raw)
    except BadRequest as exc:
        raise BadRequest(f"backlog: {exc}", value=str(raw)) from exc
    number = want.value[0] if len(want.value) == 1 else None
    if want.relation == "covers" or not isinstance(number, int) or not 0 < number <= MAXIMUM:
        raise BadRequest(f"backlog must be one number from 1 to {MAXIMUM}, bare or in a relation, got {raw!r}")
    return want


def parse_filter(text: str) -> Filter:
    """Read ``80``, ``*:80``, ``127.0.0.1:80``, ``[::]:80`` or the path of a UNIX socket."""
    if text.startswith(("/", "@")):
        return Filter(text, "unix", text, 0)
    if text.startswith("unix:") and len(text) > len("unix:"):
        return Filter(text, "unix", text[len("unix:") :], 0)
    if _PORT.match(text):
        return Filter(text, None, None, _port(text, text))
    match = _HOST_PORT.match(text)
    if match is None:
        raise BadRequest(f"listen takes a port, address:port, [address]:port or a path, got {text!r}")
    port = _port(match["port"], text)
    if match["six"] is not None:
        return Filter(text, "inet6", _address(socket.AF_INET6, match["six"], text), port)
    four = "0.0.0.0" if match["four"] == "*" else match["four"]
    return Filter(text, "inet", _address(socket.AF_INET, four, text), port)


def _port(digits: str, text: str) -> int:
    port = int(digits)
    if not 0 < port < 65536:
        raise BadRequest(f"listen: {text!r} has the invalid port {port}")
    return port


def _address(family: socket.AddressFamily, address: str, text: str) -> str:
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, address))
    except OSError as exc:
        raise BadRequest(f"listen: {address!r} in {text!r} is not an address") from exc
