# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""systemd.socket(5): ListenStream opens the sockets, and one Backlog sets the queue length of all of them.

Facts (systemd 247 to 262: src/core/socket.c, src/core/load-fragment.c, src/shared/socket-netlink.c): the last Backlog
that is a number counts; without one systemd asks for INT_MAX, which the kernel caps at somaxconn.  An empty Listen...
drops all earlier sockets. systemd calls listen(2) when the socket unit is started, never on a reload.

Our number is in a separate drop-in, which sorts after the names that people use.
"""

from __future__ import annotations

import os
import posixpath
import re
import typing as t

from .._boot.unit_files import Setting, UnitFile, parse
from .._files import Trust
from . import unit as units
from .addresses import ANY6, canonical, port_number
from .server import MARK, Adapter, Check, Config, ConfigError, Listen, Relisten
from .source import Disk, decode, encode

DEFAULT = 2**31 - 1
OWN = "zz-nettune-tcp.conf"

_TYPES = ("Stream", "Datagram", "SequentialPacket", "FIFO", "Netlink", "Special", "MessageQueue", "USBFunction")
_LISTEN = tuple(f"Listen{kind}" for kind in _TYPES)
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[^:]*)):(?P<port>[0-9]+)(?:%[^:]+)?")
_SPECIFIER = re.compile("%(.?)")
_HOST = "aAbBcCdDEgGhHlLmMoqrRsSTuUvVwWyY"  # those that depend on the host, not the unit's name


def read(main: t.Optional[str], unit: t.Optional[str]) -> Config:
    """The files of a socket unit, its own first. ``main`` may name the file if no unit is named."""
    name = unit or (posixpath.basename(main) if main else "")
    if not name.endswith(".socket"):
        raise ConfigError("a socket unit must be named, such as cups.socket", name or "unit")
    if "@." in name:
        raise ConfigError(
            f"a template has no sockets, only its instances do, such as {name.replace('@.', '@1.')}", name
        )
    known = units.find(Disk(Trust.SYSTEM), name)
    if known is None:
        raise ConfigError("there is no such unit", name)
    resolved, files = known
    contents = {file.path: encode(file.text) for file in files}
    return Config(f"{posixpath.dirname(files[0].path)}/{resolved}", contents)


def _files(config: Config) -> t.List[UnitFile]:
    """The unit's own file and its drop-ins in systemd's order."""
    paths = list(config.files)
    drop_ins = sorted(paths[1:], key=lambda path: os.fsencode(posixpath.basename(path)))
    return [UnitFile(path, decode(config.files[path])) for path in [*paths[:1], *drop_ins]]


def listens(config: Config) -> t.Tuple[Listen, ...]:
    """The stream sockets that the unit asks for."""
    files = _files(config)
    streams: t.List[Setting] = []
    for file in files:
        lines = [(_location(one), key, one) for key in _LISTEN for one in parse(file, "Socket", key)]
        for _line, key, setting in sorted(lines, key=lambda line: line[0][1]):
            if not setting.value:
                streams.clear()
            elif key == "ListenStream":
                streams.append(setting)
    backlog = _backlog(files)
    addresses = [(_address(one, posixpath.basename(config.main)), one) for one in streams]
    return tuple(
        Listen(*address, backlog[0] if backlog else None, DEFAULT, *_location(backlog[1] if backlog else setting))
        for address, setting in addresses
        if address
    )


def _location(setting: Setting) -> t.Tuple[str, int]:
    path, _colon, line = setting.source.rpartition(":")
    return path, int(line)


def _backlog(files: t.Iterable[UnitFile]) -> t.Optional[t.Tuple[int, Setting]]:
    """The number in effect and where it is set; systemd skips anything that is not a number."""
    deciding = None
    for setting in (one for file in files for one in parse(file, "Socket", "Backlog")):
        number = re.fullmatch(
            r"\+?(0[xX][0-9a-fA-F]{1,8}|0[oO]?[0-7]{1,11}|0[bB][01]{1,32}|[0-9]{1,10})", setting.value
        )
        if number:
            text = number[1]
            octal = len(text) > 1 and text[0] == "0" and text[1].isdigit()
            value = int(text, 8) if octal else int(text, 0)
            deciding = (value, setting) if value < 2**32 else deciding
    return deciding


def _address(setting: Setting, unit: str) -> t.Optional[t.Tuple[str, str, int]]:
    """Family, address and port, as parsed by socket_address_parse(); None if it is not a TCP or UNIX socket."""
    text = _specified(setting, unit)
    if text.startswith("vsock:"):
        return None
    if text.startswith(("/", "@")):
        return "unix", re.sub("^/var/run/", "/run/", text), 0
    if port_number(text):
        return "inet6", ANY6, int(text)
    match = _ADDRESS.fullmatch(text)
    known = canonical(match["v6"] or match["v4"] or "") if match else None
    port = port_number(match["port"]) if match else None
    if known is None or port is None:
        raise ConfigError(
            f"ListenStream={setting.value} is not an address that systemd listens on", *_location(setting)
        )
    return (*known, port)


def _specified(setting: Setting, unit: str) -> str:
    """The value with those specifiers expanded that depend on the unit's name."""
    values = _values(unit)

    def value(match: t.Match[str]) -> str:
        known = values.get(match[1], match[0])  # anything else stays as it is
        if match[1] and match[1] in _HOST:
            raise ConfigError(f"only systemd can expand the specifier {match[0]}", *_location(setting))
        if known is None:
            raise ConfigError(f"the specifier {match[0]} has no meaning for this unit name", *_location(setting))
        return known

    return _SPECIFIER.sub(value, setting.value)


def _values(unit: str) -> t.Mapping[str, t.Optional[str]]:
    stem = unit.rpartition(".")[0]
    prefix, _at, instance = stem.partition("@")
    last = prefix.rpartition("-")[2]
    values = {"%": "%", "t": "/run", "n": unit, "N": stem, "p": prefix, "i": instance, "j": last}
    unescaped = {name: _unescaped(text) for name, text in (("P", prefix), ("I", instance), ("J", last))}
    return {**values, **unescaped, "f": _as_path(instance or prefix)}


def _unescaped(name: str) -> t.Optional[str]:
    r"""``unit_name_unescape()``: a dash is a slash, ``\x2d`` a byte. None if it refuses."""
    if re.search(r"\\(?!x[0-9a-fA-F]{2})", name):
        return None
    content = re.sub(rb"\\x(..)", lambda byte: bytes.fromhex(byte[1].decode()), encode(name.replace("-", "/")))
    return decode(content.partition(b"\0")[0])


def _as_path(name: str) -> t.Optional[str]:
    """``unit_name_path_unescape()``: an absolute path without oddities. None if it refuses."""
    path = "" if name == "-" else _unescaped(name)
    if path is None or (path and not {"", ".", ".."}.isdisjoint(path.split("/"))):
        return None
    return f"/{path}"


def edit(config: Config, wanted: t.Mapping[Listen, int]) -> t.Dict[str, t.Optional[bytes]]:
    """One drop-in with the number. Raises ConfigError if a file that sorts after ours decides."""
    numbers = set(wanted.values())
    if not numbers or {listen.asked for listen in wanted} == numbers:
        return {}
    if len(numbers) > 1:
        raise ConfigError(f"one Backlog applies to all sockets of a unit, it cannot be {sorted(numbers)}", config.main)
    number = numbers.pop()
    unit = posixpath.basename(config.main)
    path = f"/etc/systemd/system/{unit}.d/{OWN}"
    content = encode(f"{MARK}\n[Socket]\nBacklog={number}\n")
    decided = _backlog(_files(Config(config.main, {**config.files, path: content})))
    if decided is None or decided[0] != number:
        raise ConfigError("this line overrides any drop-in of ours", *(_location(decided[1]) if decided else (path, 0)))
    return {path: content}


def check(config: Config) -> Check:
    """systemd's own check of the unit and what it refers to."""
    return Check(("systemd-analyze", "--man=no", "verify", posixpath.basename(config.main)))


ADAPTER = Adapter(
    relisten=Relisten(on_reload_if_number_changed=False, tested="247, 252, 257, 262"),
    read=read,
    listens=listens,
    edit=edit,
    check=check,
    reload_signal=None,
    one_number=True,
    daemon_reload=True,
)
