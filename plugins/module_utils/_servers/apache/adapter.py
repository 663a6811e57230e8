# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Apache httpd: Listen opens the sockets, and one ListenBacklog sets the queue length of all of them.

Facts (httpd 2.4: server/listen.c, include/mpm_common.h): the last ListenBacklog wins, 511 without one.  ``Listen 80``
opens one socket for both families, ``[::]:80``; then ``0.0.0.0:80`` is not opened beside it.  Neither ``graceful`` nor
``restart`` calls listen(2) again on a socket that stays open.
"""

from __future__ import annotations

import posixpath
import re
import shlex
import socket
import typing as t

from ... import _command
from ..._files import Trust
from ..addresses import ANY4, ANY6, canonical, port_number
from ..server import MARK, Adapter, Check, Config, ConfigError, Listen, Relisten, trusted_path
from ..settings import Settings
from ..source import LONGEST, Disk, Edit, Memory, Tree, apply, decode, encode, glob, line_end, resolve
from .conf import Directives, walk
from .settings import settings_of
from .words import Directive, Variables, words

DEFAULT = 511
MAINS = ("/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/etc/apache2/httpd.conf")
OWN = "nettune-tcp.conf"
# Directories that distributions provide for such snippets, if the configuration includes them by a glob.
SNIPPETS = ("conf-enabled", "conf.d")

_ASSIGNMENT = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.MULTILINE)
_SHELL_VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")
_LISTEN = re.compile(r"(?:(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:\[\]]*)):)?(?P<port>[0-9]+)")

_Socket = t.Tuple[str, str, int]


def read(main: t.Optional[str], _unit: t.Optional[str]) -> Config:
    """The configuration on this host, with the file that sets httpd's environment."""
    tree = Disk()
    path = _main(main)
    _addresses_of(_walk(tree, path), tree)
    return Config(path, dict(tree.files))


def started(command: t.Sequence[str], _unit: t.Optional[str]) -> Config:
    """The configuration of a process, without the addresses of host names."""
    options = dict(zip(command, command[1:]))
    main = trusted_path(posixpath.join(options.get("-d", ""), options["-f"])) if "-f" in options else None
    tree = Disk(Trust.ROOT if main else Trust.SHARED)
    path = _main(main)
    _walk(tree, path)
    return Config(path, dict(tree.files))


def settings(config: Config) -> Settings:
    """The configuration's connection settings."""
    return settings_of(_walk(Memory(config.files), config.main))


def _main(main: t.Optional[str]) -> str:
    tree = Disk()
    return main or next((one for one in MAINS if tree.read(one) is not None), MAINS[0])


def _environment_files(main: str) -> t.Tuple[str, ...]:
    """The files that hold httpd's environment: apache2ctl sources envvars, systemd reads sysconfig/httpd."""
    return posixpath.join(posixpath.dirname(main), "envvars"), "/etc/sysconfig/httpd"


def _walk(tree: Tree, main: str) -> Directives:
    environment: t.Dict[str, str] = {}
    for path in _environment_files(main):
        environment.update(_assignments(decode(tree.read(path) or b""), environment))
    root = "/etc/httpd" if main.startswith("/etc/httpd/") else posixpath.dirname(main)
    return walk(tree, main, root, environment, _defines(environment))


def _assignments(text: str, known: Variables) -> t.Dict[str, str]:
    """The variables that a shell file sets, as far as that can be determined without running it."""
    values = dict(known)
    for name, right in _ASSIGNMENT.findall(text):
        try:
            value = "".join(shlex.split(right, comments=True)[:1])
        except ValueError:
            continue
        value = _SHELL_VARIABLE.sub(lambda match: values.get(match[1] or match[2], ""), value)
        if not re.search("[`$]", value) and len(value) < LONGEST:
            values[name] = value
    return values


def _defines(environment: Variables) -> t.List[str]:
    """The names given with -D on httpd's command line."""
    try:
        options = shlex.split(environment.get("APACHE_ARGUMENTS", "") + " " + environment.get("OPTIONS", ""))
    except ValueError:
        return []
    joined = [option[2:] for option in options if option.startswith("-D") and option != "-D"]
    return joined + [after for option, after in zip(options, options[1:]) if option == "-D"]


def listens(config: Config) -> t.Tuple[Listen, ...]:
    """The sockets that the configuration asks for, in its order."""
    tree = Memory(config.files)
    directives = _walk(tree, config.main)
    backlog = _backlog(directives)
    number = _number(backlog, directives.variables) if backlog else None
    sockets: t.Dict[_Socket, Listen] = {}
    for key, directive in _addresses_of(directives, tree):
        if key in sockets:
            raise ConfigError(f"{directive.rest} is listened on twice", directive.path, directive.line)
        where = backlog or directive
        sockets[key] = Listen(*key, number, DEFAULT, where.path, where.line)
    return tuple(
        listen for key, listen in sockets.items() if not (key[1] == ANY4 and ("inet6", ANY6, listen.port) in sockets)
    )


def _addresses_of(directives: Directives, tree: Tree) -> t.List[t.Tuple[_Socket, Directive]]:
    """The sockets of every Listen; a host name has as many as it has addresses."""
    return [
        (key, directive)
        for directive in directives.sockets
        if directive.name == "listen"
        for key in _sockets(directive, directives.variables, tree)
    ]


def _backlog(directives: Directives) -> t.Optional[Directive]:
    """The ListenBacklog in effect."""
    return next((one for one in reversed(directives.sockets) if one.name == "listenbacklog"), None)


def _number(backlog: Directive, variables: Variables) -> int:
    arguments = words(backlog, variables)
    digits = re.match(r"[ \t]*\+?([0-9]{1,10})", arguments[0]) if len(arguments) == 1 else None
    if digits is None or int(digits[1]) < 1:
        raise ConfigError("ListenBacklog must be one number above 0", backlog.path, backlog.line)
    return int(digits[1])


def _sockets(directive: Directive, variables: Variables, tree: Tree) -> t.List[_Socket]:
    """Family, address and port of ``80``, ``1.2.3.4:80``, ``[::]:80`` or ``*:80``, with or without a protocol."""
    arguments = words(directive, variables)
    parts = _LISTEN.fullmatch(arguments[0]) if len(arguments) in (1, 2) else None
    port = port_number(parts["port"]) if parts else None
    if parts is None or port is None:
        raise ConfigError(f"Listen {directive.rest} names no address and port", directive.path, directive.line)
    host = parts["v6"] or parts["host"] or "*"
    known = ("inet6", ANY6) if host == "*" else canonical(host)
    # APR asks for the families that the host has addresses of (apr_sockaddr_info_get).
    addresses = [known] if known else resolve(tree, host, socket.AI_ADDRCONFIG)
    if not addresses:
        raise ConfigError(
            f"{host} is neither an address nor a name that can be resolved", directive.path, directive.line
        )
    return [(family, address, port) for family, address in addresses]


def edit(config: Config, wanted: t.Mapping[Listen, int]) -> t.Dict[str, t.Optional[bytes]]:
    """Change the ListenBacklog in effect, or add one in a file of our own."""
    numbers = set(wanted.values())
    if {listen.asked for listen in wanted} == numbers or not numbers:
        return {}
    if len(numbers) > 1:
        raise ConfigError(f"one ListenBacklog applies to all sockets, it cannot be {sorted(numbers)}", config.main)
    number = str(numbers.pop())
    directives = _walk(Memory(config.files), config.main)
    backlog = _backlog(directives)
    if backlog:
        return {backlog.path: _replaced(decode(config.files[backlog.path]), backlog, number)}
    own = _own_file(config, directives)
    if own:
        return {own: encode(f"{MARK}\nListenBacklog {number}\n")}
    return {config.main: _appended(decode(config.files[config.main]), number)}


def _replaced(text: str, backlog: Directive, number: str) -> bytes:
    rest = text[backlog.start : backlog.end]
    blanks = re.match(r"(?:[ \t\v\f]|\\\r?\n)*", rest)
    start = backlog.start + (blanks.end() if blanks else 0)
    return encode(apply(text, [Edit(start, backlog.start + len(rest.rstrip(" \t\v\f\r\n")), number)]))


def _own_file(config: Config, directives: Directives) -> t.Optional[str]:
    """Where a snippet of ours is picked up; no later file can set the backlog, since there is none."""
    for name in SNIPPETS:
        for pattern in directives.globs:
            path = posixpath.join(posixpath.dirname(pattern), OWN)
            with_own = Memory({**config.files, path: b""})
            if posixpath.basename(posixpath.dirname(pattern)) == name and path in glob(with_own, pattern):
                return path
    return None


def _appended(text: str, number: str) -> bytes:
    end = line_end(text)
    gap = "" if not text or text.endswith("\n") else end
    # A backslash before the last line end would join our line to what it continues.
    gap += end if re.search(r"\\\r?\n?\Z", text) else ""
    return encode(f"{text}{gap}ListenBacklog {number}{end}")


def check(config: Config) -> Check:
    """``apache2ctl -t`` where envvars is, since only it sources that; elsewhere httpd by its name there."""
    envvars, sysconfig = _environment_files(config.main)
    if envvars in config.files:
        directory = {"APACHE_CONFDIR": posixpath.dirname(config.main)}
        return Check(("apache2ctl", "-t", "-f", config.main), (config.main, envvars), directory)
    environment = _assignments(decode(config.files.get(sysconfig, b"")), {})
    program = "apache2" if _command.installed("apache2") else "httpd"
    return Check((program, "-t", "-f", config.main, *(f"-D{name}" for name in _defines(environment))), (config.main,))


ADAPTER = Adapter(
    relisten=Relisten(on_reload_if_number_changed=False, tested="2.4.62, 2.4.68, 2.4.69, 2.4.71"),
    read=read,
    listens=listens,
    edit=edit,
    check=check,
    reload_signal="SIGUSR1",
    one_number=True,
    started=started,
    settings=settings,
)
