# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""HAProxy: every ``bind`` opens sockets; their backlog is set in the line, in its section, or follows from maxconn.

Facts (src/listener.c listener_backlog(), alike in 2.6 and 3.0): the first that is set of bind backlog, section backlog,
bind maxconn, section maxconn, global maxconn.  Without any of them HAProxy computes a maxconn from its file limit when
it starts; ``default`` is then 0.  A reload hands the open sockets over and does not call listen(2) on them, except for
a single IPv6 address without v6only: Linux marks that socket v6only, so HAProxy takes it for a different one and opens
a new one (src/sock.c sock_find_compatible_fd()).  2.2 hands over nothing unless told to (``expose-fd listeners``).

Left alone: the sockets of ``peers`` and ``stats socket``, datagram and QUIC addresses, and inherited descriptors.
"""

from __future__ import annotations

import itertools
import posixpath
import re
import typing as t

from ..._files import Trust
from .. import unit as unit_files
from ..addresses import ANY4, ANY6, canonical, port_number
from ..server import Adapter, Check, Config, ConfigError, Listen, Relisten, trusted_path
from ..settings import Settings
from ..source import Disk, Edit, Memory, Tree, apply, decode, encode, line_end, resolve
from .conf import PROXIES, Bind, Model, Section, read_file
from .settings import settings_of
from .words import expand

MAIN = "/etc/haproxy/haproxy.cfg"
UNIT = "haproxy.service"
ENVIRONMENT = "environment"  # the path under which a configuration holds the service's variables
MOST_SOCKETS = 100_000  # each needs a file descriptor of HAProxy

_FAMILIES = {"ip": "", "tcp": "", "mptcp": "", "ipv4": "inet", "tcp4": "inet", "mptcp4": "inet"}
_FAMILIES.update({"ipv6": "inet6", "tcp6": "inet6", "mptcp6": "inet6"})
_UNIX = {"unix": "", "uxst": "", "abns": "@", "abnsz": "@"}
_PREFIX = re.compile(r"(?:stream\+)?([a-z0-9+]+)@")
_PORTS = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")

_Row = t.Tuple[Listen, Bind, Section]
_Address = t.Tuple[str, str, int]


def read(main: t.Optional[str], unit: t.Optional[str]) -> Config:
    """The configuration on this host: the named file or directory, or those that the service is started with."""
    command, environment = _service(unit, needed=main is None)
    tree = Disk()
    config = _config(tree, [main] if main else _arguments(command), environment)
    _rows(config, tree)
    return Config(config.main, dict(tree.files))


def started(command: t.Sequence[str], unit: t.Optional[str]) -> Config:
    """The configuration of a process, without the addresses of host names."""
    paths = [trusted_path(path) for path in _arguments(command)]
    return _config(Disk(Trust.ROOT if paths else Trust.SHARED), paths, _service(unit, needed=False)[1])


def _service(unit: t.Optional[str], *, needed: bool) -> t.Tuple[t.List[str], t.Dict[str, str]]:
    """The command of the service and the variables that it is started with.

    If they are needed, it must not be masked, and a named one must exist.
    """
    units = Disk(Trust.SYSTEM)
    try:
        known = unit_files.find(units, unit or UNIT)
    except ConfigError:
        if needed:
            raise
        known = None
    if needed and not known and unit not in (None, UNIT):
        raise ConfigError("there is no such unit", str(unit))
    environment = unit_files.environment_of(units, known[1]) if known else {}
    return unit_files.command(known[1], environment) if known else [], environment


def _config(tree: Disk, paths: t.Sequence[str], environment: t.Mapping[str, str]) -> Config:
    paths = paths or [MAIN]
    for path in paths:
        inner = [path]
        if tree.is_directory(path):
            names = sorted(name for name in tree.names(path) if name.endswith(".cfg") and name[0] != ".")
            inner = [posixpath.join(path, name) for name in names]
        for one in inner:
            if tree.read(one) is None:
                raise ConfigError("does not exist", one)
    tree.files[ENVIRONMENT] = encode("".join(f"{name}={value}\n" for name, value in environment.items()))
    return Config(paths[0], tree.files)


def _arguments(command: t.Sequence[str]) -> t.List[str]:
    """The files given with -f, and those after --."""
    files = [after for one, after in zip(command, command[1:]) if one == "-f"]
    return files + list(command[command.index("--") + 1 :] if "--" in command else [])


def _environment(config: Config) -> t.Dict[str, str]:
    lines = decode(config.files.get(ENVIRONMENT, b"")).split("\n")
    return {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}


def _sources(config: Config) -> t.List[str]:
    """The files that HAProxy itself reads, in its order."""
    return list(itertools.takewhile(lambda path: path != ENVIRONMENT, config.files))


def _rows(config: Config, tree: Tree) -> t.List[_Row]:
    model = _model(config)
    rows: t.List[_Row] = []
    for section in model.sections:
        if section.kind not in PROXIES or section.disabled:
            continue
        for bind in section.binds:
            rows += [(listen, bind, section) for listen in _sockets(bind, section, model, tree)]
            if len(rows) > MOST_SOCKETS:
                raise ConfigError(f"there are more than {MOST_SOCKETS} sockets", bind.path, bind.line)
    return rows


def _model(config: Config) -> Model:
    model = Model(environment=_environment(config))
    for path in _sources(config):
        read_file(path, decode(config.files[path]), model)
    return model


def settings(config: Config) -> Settings:
    """The configuration's connection settings."""
    return settings_of(_model(config))


def listens(config: Config) -> t.Tuple[Listen, ...]:
    """The sockets that the frontends ask for, in the order of their sections."""
    return tuple(listen for listen, _bind, _section in _rows(config, Memory(config.files)))


def _sockets(bind: Bind, section: Section, model: Model, tree: Tree) -> t.Iterator[Listen]:
    default = bind.maxconn or section.maxconn or model.maxconn
    backlog, path, line = _backlog_of(bind, section)
    value = bind.address.value
    text = None if value is None else expand(value, model.environment)
    if text is None:
        raise ConfigError("a variable in the address is not known", bind.path, bind.line)
    for one in text.split(","):
        for family, address, port in _addresses(one, bind, model, tree):
            yield Listen(family, address, port, backlog, default, path, line)


def _backlog_of(bind: Bind, section: Section) -> t.Tuple[t.Optional[int], str, int]:
    """The backlog in the configuration, if any, and where it or the bind is."""
    for number in (bind.backlog, section.backlog):
        if number and number.value:
            return number.value, number.path, number.line
    return None, bind.path, bind.line


def _addresses(text: str, bind: Bind, model: Model, tree: Tree) -> t.Iterator[_Address]:
    """The sockets of one address; none if it has no accept queue, or is not opened by HAProxy."""
    prefix = _PREFIX.match(text)
    kind = prefix[1] if prefix else "unix" if text.startswith("/") else "ip"
    rest = text[prefix.end() :] if prefix else text
    if kind in _UNIX:
        yield "unix", _UNIX[kind] + ("" if _UNIX[kind] else model.unix_prefix) + rest, 0
    elif kind in _FAMILIES:
        yield from _internet(rest, _FAMILIES[kind], bind, tree)


def _internet(text: str, family: str, bind: Bind, tree: Tree) -> t.Iterator[_Address]:
    host, colon, ports = text.rpartition(":")
    match = _PORTS.fullmatch(ports) if colon else None
    first = port_number(match[1]) if match else None
    last = port_number(match[2] or match[1]) if match else None
    if first is None or last is None or last < first:
        raise ConfigError(f"{text!r} names no port", bind.path, bind.line)
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if inner in ("", "*"):
        inner = ANY6 if family == "inet6" else ANY4
    known = canonical(inner)
    fitting = [one for one in ([known] if known else resolve(tree, inner)) if family in ("", one[0])]
    if not fitting:
        raise ConfigError(f"{inner} is not an {family or 'internet'} address or host name", bind.path, bind.line)
    for port in range(first, last + 1):
        yield (*fitting[0], port)


def edit(config: Config, wanted: t.Mapping[Listen, int]) -> t.Dict[str, t.Optional[bytes]]:
    """Change or add ``backlog N`` in the line of the bind, or in its section if that serves several binds at once."""
    rows = _rows(config, Memory(config.files))
    numbers: t.Dict[int, t.Set[t.Optional[int]]] = {}
    for listen, bind, _section in rows:
        numbers.setdefault(id(bind), set()).add(wanted.get(listen))
    goals = {
        id(bind): _Goal(listen.asked, _one(bind, numbers[id(bind)], listen.asked)) for listen, bind, _section in rows
    }
    texts: t.Dict[str, str] = {path: decode(config.files[path]) for path in _sources(config)}
    edits: t.Dict[str, t.List[Edit]] = {}
    for section in {id(section): section for _listen, bind, section in rows if goals[id(bind)].changes}.values():
        edits.setdefault(section.path, []).extend(_section_edits(section, goals, texts[section.path]))
    return {path: encode(apply(texts[path], changes)) for path, changes in edits.items()}


class _Goal(t.NamedTuple):
    """What a bind asks for, and the wanted number, None for any."""

    asked: int
    number: t.Optional[int]

    @property
    def changes(self) -> bool:
        return self.number is not None and self.number != self.asked


def _one(bind: Bind, numbers: t.Set[t.Optional[int]], asked: int) -> t.Optional[int]:
    """The one number for all sockets of a bind."""
    if len(numbers) == 1:
        return next(iter(numbers))
    if numbers <= {None, asked}:
        return asked
    wanted = ", ".join("left alone" if number is None else str(number) for number in sorted(numbers, key=str))
    raise ConfigError(f"one bind opens several sockets, whose backlogs cannot differ: {wanted}", bind.path, bind.line)


def _section_edits(section: Section, goals: t.Mapping[int, _Goal], text: str) -> t.Iterator[Edit]:
    plain = [(bind, goals[id(bind)]) for bind in section.binds if id(bind) in goals and not bind.backlog]
    changed = [(bind, goal) for bind, goal in plain if goal.changes]
    together = {goal.number for _bind, goal in plain}
    if changed and len(together) == 1 and section.own_backlog:
        yield Edit(section.own_backlog.start, section.own_backlog.end, str(together.pop()))
    elif len(changed) > 1 and len(together) == 1:
        yield _line_behind(section.binds[-1], f"backlog {together.pop()}", text)
    else:
        for bind, goal in changed:
            yield Edit(bind.address.end, bind.address.end, f" backlog {goal.number}")
    for bind in section.binds:
        if bind.backlog and id(bind) in goals and goals[id(bind)].changes:
            yield Edit(bind.backlog.start, bind.backlog.end, str(goals[id(bind)].number))


def _line_behind(bind: Bind, line: str, text: str) -> Edit:
    """Insert a line after that of a bind, with the same indentation."""
    before = text[bind.start : bind.address.start]
    indent = before[: len(before) - len(before.lstrip(" \t"))]
    end = text.find("\n", bind.address.end)
    if end < 0:
        return Edit(len(text), len(text), line_end(text) + indent + line)
    return Edit(end + 1, end + 1, indent + line + line_end(text))


def check(config: Config) -> Check:
    """``haproxy -c`` on all files, with those of the service's variables that they name."""
    mentioned = {name for path in _sources(config) for name in re.findall(rb"\$\{?(\w+)", config.files[path])}
    # LD_PRELOAD and the like are for the dynamic linker, not HAProxy settings.
    mentioned = {name for name in mentioned if not name.startswith(b"LD_")}
    environment = {name: value for name, value in _environment(config).items() if encode(name) in mentioned}
    files = _sources(config)
    return Check(("haproxy", "-c", *(word for path in files for word in ("-f", path))), tuple(files), environment)


ADAPTER = Adapter(
    relisten=Relisten(on_reload_if_number_changed=False, tested="2.6.12, 3.0.11, 3.2.26"),
    read=read,
    listens=listens,
    edit=edit,
    check=check,
    reload_signal="SIGUSR2",
    started=started,
    settings=settings,
)
