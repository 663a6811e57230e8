# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""nginx: ``listen ... backlog=N``, on exactly one of the lines that name a socket.

Rules (ngx_http_core_module.c, ngx_http.c, ngx_stream.c, ngx_mail.c):
- An option of _SOCKET_OPTIONS on two lines for one address:port is an error, even when they are identical.
- Such an option also makes a socket of its own for an address that a wildcard of the same port would serve.
- A server in http without ``listen`` listens on port 80, or 8000 where nginx does not run as root.
"""

from __future__ import annotations

import collections
import os
import posixpath
import re
import typing as t

from ..._files import Trust
from ..server import Adapter, Check, Config, ConfigError, Listen, Relisten, trusted_path
from ..source import Disk, Memory, apply
from . import listen as reading
from .conf import walk
from .listen import Endpoint, Line
from .settings import settings_of
from .syntax import words

_DEFAULT = 511  # NGX_LISTEN_BACKLOG, src/os/unix/ngx_linux_config.h
_MAINS = (
    "/etc/nginx/nginx.conf",
    "/usr/local/etc/nginx/nginx.conf",
    "/usr/local/nginx/conf/nginx.conf",
    "/usr/local/openresty/nginx/conf/nginx.conf",
)

_STARTED = re.compile(r"\s-([cp])\s*(\S+)")

_Edit = t.Tuple[int, int, bytes]

_PORT = "default port"  # the path of the default port, for servers without a listen directive


def _read(main: t.Optional[str], _unit: t.Optional[str]) -> Config:
    return _taken(Disk(), main, resolving=True)


def _started(words: t.Sequence[str], _unit: t.Optional[str]) -> Config:
    """From the title that nginx gives its master, which is its command line as one string."""
    options = dict(_STARTED.findall(" ".join(words)))
    main = options.get("c")
    if main is None:
        return _taken(Disk(), None, resolving=False)
    return _taken(Disk(Trust.ROOT), trusted_path(posixpath.join(options.get("p", ""), main)), resolving=False)


def _taken(tree: Disk, main: t.Optional[str], *, resolving: bool) -> Config:
    """All files from the main one on; with the addresses of host names if sockets are needed."""
    main = os.path.abspath(main or next((path for path in _MAINS if tree.read(path) is not None), _MAINS[0]))
    if os.geteuid() != 0:
        tree.files[_PORT] = b"8000"
    servers = walk(tree, main)
    for _one in reading.lines(servers, tree, default_port=80) if resolving else servers:
        pass
    return Config(main, dict(tree.files))


def _listens(config: Config) -> t.Tuple[Listen, ...]:
    """One Listen per socket, in the order of the configuration."""
    return tuple(_listen(endpoint, lines) for endpoint, lines in _sockets(config).items())


def _listen(endpoint: Endpoint, lines: t.Sequence[Line]) -> Listen:
    deciding = next((line for line in lines if line.backlog is not None), None) or _carrier(lines) or lines[0]
    return Listen(
        endpoint.family, endpoint.address, endpoint.port, deciding.backlog, _DEFAULT, deciding.file, deciding.line
    )


def _sockets(config: Config) -> t.Dict[Endpoint, t.List[Line]]:
    """The lines that name each socket. An address without its own options is served by a wildcard's socket."""
    lines: t.Dict[Endpoint, t.List[Line]] = {}
    tree = Memory(config.files)
    port = int(config.files.get(_PORT, b"80"))
    for line in reading.lines(walk(tree, config.main), tree, default_port=port):
        for endpoint in line.endpoints:
            lines.setdefault(endpoint, []).append(line)
    for endpoint, its_lines in lines.items():
        _check_options(endpoint, its_lines)
    wildcards = {(endpoint.module, endpoint.family, endpoint.port) for endpoint in lines if endpoint.wildcard}
    return {
        endpoint: its_lines
        for endpoint, its_lines in lines.items()
        if endpoint.wildcard
        or (endpoint.module, endpoint.family, endpoint.port) not in wildcards
        or any(line.has_options for line in its_lines)
    }


def _check_options(endpoint: Endpoint, lines: t.Sequence[Line]) -> None:
    having = [line for line in lines if line.has_options]
    if len(having) > 1:
        first, second = having[:2]
        raise ConfigError(
            f"duplicate listen options for {endpoint}, which {first.file}:{first.line} has already",
            second.file,
            second.line,
        )


def _carrier(lines: t.Sequence[Line]) -> t.Optional[Line]:
    """The line to carry the option: one that has options, the default server's, or the first, included only once."""
    times = collections.Counter(line.directive for line in lines)
    once = [line for line in lines if times[line.directive] == 1]
    ranked = sorted(once, key=lambda line: (not line.has_options, line.implied, not line.is_default))
    return ranked[0] if ranked else None


def _edit(config: Config, wanted: t.Mapping[Listen, int]) -> t.Dict[str, t.Optional[bytes]]:
    sockets = _sockets(config)
    by_listen = {_listen(endpoint, lines): (endpoint, lines) for endpoint, lines in sockets.items()}
    numbers: t.Dict[Line, t.Dict[Endpoint, int]] = {}
    for listen, number in wanted.items():
        if listen.asked == number:
            continue
        endpoint, lines = by_listen[listen]
        carrier = _carrier(lines)
        if carrier is None:
            raise ConfigError(
                f"every line that listens on {endpoint} is included more than once, and only one line may have "
                "options: give one server its own listen line",
                lines[0].file,
                lines[0].line,
            )
        numbers.setdefault(carrier, {})[endpoint] = number
    return _replaced(config, {line: _one_number(line, asked) for line, asked in numbers.items()})


def _one_number(line: Line, numbers: t.Mapping[Endpoint, int]) -> int:
    missing = [endpoint for endpoint in line.endpoints if endpoint not in numbers]
    if missing or len(set(numbers.values())) > 1:
        others = ", ".join(str(endpoint) for endpoint in line.endpoints)
        raise ConfigError(
            f"this line opens {others} together, which can only have the same backlog", line.file, line.line
        )
    return next(iter(numbers.values()))


def _replaced(config: Config, numbers: t.Mapping[Line, int]) -> t.Dict[str, t.Optional[bytes]]:
    edits: t.Dict[str, t.List[_Edit]] = {}
    for line, number in numbers.items():
        content = config.files[line.file]
        edits.setdefault(line.file, []).append(
            _implied(content, line, number) if line.implied else _set(content, line, number)
        )
    return {path: apply(config.files[path], changes) for path, changes in edits.items()}


def _set(content: bytes, line: Line, number: int) -> _Edit:
    """The option, replacing the present one, or after the last word."""
    option = b"backlog=%d" % number
    there = words(content, line.start)
    for word in there:
        if word.value.startswith(b"backlog="):
            return word.start, word.end, option
    return there[-1].end, there[-1].end, b" " + option


def _implied(content: bytes, line: Line, number: int) -> _Edit:
    """A listen directive for a server that has none, as the first of its block, indented like the next."""
    rest = content[line.start :]
    gap = rest[: len(rest) - len(rest.lstrip(b" \t\r\n"))]
    gap = gap if b"\n" in gap and rest.strip() else b" "
    return line.start, line.start, gap + b"listen %d backlog=%d;" % (line.endpoints[0].port, number)


def _check(config: Config) -> Check:
    return Check(("nginx", "-t", "-q", "-c", config.main), (config.main,))


ADAPTER = Adapter(
    relisten=Relisten(on_reload_if_number_changed=True, tested="1.22.1"),
    read=_read,
    listens=_listens,
    edit=_edit,
    check=_check,
    reload_signal="SIGHUP",
    started=_started,
    settings=settings_of,
)
