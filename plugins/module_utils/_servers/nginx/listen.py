# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""nginx's ``listen`` in all its forms.

Rules: ngx_inet.c ngx_parse_url, ngx_http_core_module.c ngx_http_core_listen, and the same of stream and mail.
"""

from __future__ import annotations

import functools
import re
import typing as t

from ..._kernel.tcp_socket import endpoint_text
from ..addresses import ANY4, ANY6, canonical
from ..server import ConfigError
from ..source import Tree, resolve
from .conf import ServerBlock
from .syntax import Directive

# Options that say how the socket is created; only one line for a socket may have any of them.
_SOCKET_OPTIONS = frozenset(
    "bind setfib fastopen backlog rcvbuf sndbuf accept_filter deferred ipv6only reuseport so_keepalive "
    "multipath".split()
)
_DATAGRAMS = frozenset(("udp", "quic"))
_WILDCARDS = {"inet": ANY4, "inet6": ANY6}
_PORTS = re.compile(r"([0-9]+)(?:-([0-9]+))?\Z")


class Endpoint(t.NamedTuple):
    """What a socket is bound to, in one of nginx's modules: an address and port, or a path and port 0."""

    module: str
    family: str
    address: str
    port: int

    @property
    def wildcard(self) -> bool:
        """Whether it accepts connections to every address of its family."""
        return _WILDCARDS.get(self.family) == self.address

    def __str__(self) -> str:
        prefix = "unix:" if self.family == "unix" else ""
        return prefix + endpoint_text(self.family, self.address, self.port)


class Line(t.NamedTuple):
    """A listen directive as one server has it; for an implied one ``start`` is where to insert it."""

    endpoints: t.Tuple[Endpoint, ...]
    backlog: t.Optional[int]
    has_options: bool
    is_default: bool
    implied: bool
    file: str
    line: int
    start: int

    @property
    def directive(self) -> t.Tuple[str, int]:
        """The identity of a directive, the same for each inclusion of its file."""
        return self.file, self.start


def lines(servers: t.Iterable[ServerBlock], tree: Tree, *, default_port: int) -> t.Iterator[Line]:
    """The listen lines of stream sockets, with the implied ones of servers in http.  Raises ConfigError.

    Host names are looked up in the tree.
    """
    for server in servers:
        for file, directive in server.listens:
            line = _line(server.module, file, directive, tree, default_port)
            if line is not None:
                yield line
        if not server.listens and server.module == "http":
            endpoint = Endpoint("http", "inet", _WILDCARDS["inet"], default_port)
            block = server.directive
            yield Line((endpoint,), None, False, False, True, server.file, block.line, block.end)


def _line(module: str, file: str, directive: Directive, tree: Tree, default_port: int) -> t.Optional[Line]:
    words = [word.decode("utf-8", "surrogateescape") for word in directive.words]
    if directive.block is not None or not words:
        raise ConfigError("listen needs an address or a port", file, directive.line)
    options = words[1:]
    if _DATAGRAMS & set(options):
        return None
    try:
        endpoints = _endpoints(_listen_address(module, words[0], default_port if module == "http" else None), tree)
        backlog = _backlog(options)
    except ValueError as exc:
        raise ConfigError(f"listen {words[0]}: {exc}", file, directive.line) from exc
    return Line(
        endpoints,
        backlog,
        has_options=any(option.partition("=")[0] in _SOCKET_OPTIONS for option in options),
        is_default=bool({"default_server", "default"} & set(options)),
        implied=False,
        file=file,
        line=directive.line,
        start=directive.start,
    )


def _backlog(options: t.Sequence[str]) -> t.Optional[int]:
    number = None
    for option in options:
        name, equals, value = option.partition("=")
        if name == "backlog" and equals:
            if not value.isascii() or not value.isdigit() or int(value) == 0:
                raise ValueError(f'invalid backlog "{value}"')
            number = int(value)
    return number


class _ListenAddress(t.NamedTuple):
    """The sockets that an address stands for, or a ``host`` name whose addresses are to be found, and its ports."""

    module: str
    endpoints: t.Tuple[Endpoint, ...]
    host: str = ""
    ports: t.Sequence[int] = ()


@functools.lru_cache(maxsize=None)
def _listen_address(module: str, text: str, default_port: t.Optional[int]) -> _ListenAddress:
    """The sockets of one address, several for a range of ports."""
    if text.startswith("unix:"):
        if len(text) == len("unix:"):
            raise ValueError("no path in the unix domain socket")
        return _ListenAddress(module, (Endpoint(module, "unix", text[len("unix:") :], 0),))
    host, ports = _split(text, default_port)
    known = _address(host)
    if known is None:
        return _ListenAddress(module, (), host, ports)
    return _ListenAddress(module, tuple(Endpoint(module, *known, port) for port in ports))


def _endpoints(listened: _ListenAddress, tree: Tree) -> t.Tuple[Endpoint, ...]:
    """Those of a name, with all its addresses, which nginx looks up when it reads its configuration."""
    if not listened.host:
        return listened.endpoints
    addresses = dict.fromkeys(resolve(tree, listened.host))
    if not addresses:
        raise ValueError("host not found")
    return tuple(
        Endpoint(listened.module, family, address, port) for port in listened.ports for family, address in addresses
    )


def _split(text: str, default_port: t.Optional[int]) -> t.Tuple[str, range]:
    """Host and ports of ``80``, ``*:80``, ``name``, ``127.0.0.1:8000-8010``, ``[::1]:80``."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("invalid IPv6 address")
        return host + bracket, _ports(rest[1:] if rest else None, default_port)
    host, colon, ports = text.partition(":")
    if not colon and _PORTS.match(text):
        return "*", _ports(text, default_port)
    if not host:
        raise ValueError("no host")
    return host, _ports(ports if colon else None, default_port)


def _ports(text: t.Optional[str], default_port: t.Optional[int]) -> range:
    if text is None:
        if default_port is None:
            raise ValueError("no port")
        return range(default_port, default_port + 1)
    match = _PORTS.match(text)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 0 < low <= high <= 65535:
        raise ValueError(f'invalid port "{text}"')
    return range(low, high + 1)


def _address(host: str) -> t.Optional[t.Tuple[str, str]]:
    """Family and address if it is not a name; an IPv6 address is in brackets."""
    if host == "*":
        return "inet", ANY4
    known = canonical(host[1:-1] if host.startswith("[") else host)
    if host.startswith("[") and (known is None or known[0] != "inet6" or "%" in host):
        raise ValueError("invalid address")
    return known if host.startswith("[") or (known and known[0] == "inet") else None
