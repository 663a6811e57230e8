# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The request to nettune.tcp.tcp_reclaim. Pure."""

from __future__ import annotations

import ipaddress
import math
import typing as t
from dataclasses import dataclass

from .._boot.systemd import unit_name
from .._errors import BadRequest
from .._kernel.tcp_socket import STATES

TRAFFIC, DATA = "traffic", "data"
# Listeners are never closed, and sockets in CLOSE are in no table of the kernel.
CLOSABLE = tuple(state for state in STATES if state not in ("LISTEN", "CLOSE"))
# For these the kernel does not report when it last heard anything.
_WITHOUT_IDLENESS = frozenset({"SYN_SENT", "SYN_RECV", "TIME_WAIT"})
_WITHOUT_PROCESS = frozenset({"SYN_RECV", "TIME_WAIT"})
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True)
class Network:
    """Addresses of ``size`` bytes whose first ``bits`` bits are those of ``address``."""

    address: bytes
    bits: int

    def covers(self, address: bytes) -> bool:
        """Whether an address of 4 or 16 bytes is one of them."""
        if len(address) != len(self.address):
            return False
        free = 8 * len(address) - self.bits
        return int.from_bytes(address, "big") >> free == int.from_bytes(self.address, "big") >> free


@dataclass(frozen=True)
class End:
    """One endpoint of a connection; empty means any."""

    networks: t.Tuple[Network, ...] = ()
    ports: t.FrozenSet[int] = frozenset()

    def covers(self, address: bytes, port: int) -> bool:
        """Whether this address, IPv4 always as 4 bytes, and port match."""
        return (not self.ports or port in self.ports) and (
            not self.networks or any(network.covers(address) for network in self.networks)
        )


@dataclass(frozen=True)
class Request:
    """``idle`` is in milliseconds, as the kernel counts."""

    states: t.FrozenSet[str]
    local: End
    remote: End
    idle: int
    idle_by: str
    unit: t.Optional[str]
    keep: int
    max: int
    samples: int
    netns: t.Optional[str]


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming the option and what is wrong."""
    for name in ("idle", "keep", "samples"):
        _at_least(0, name, params[name])
    _at_least(1, "max", params["max"])
    request = Request(
        states=frozenset(params["state"]),
        local=_end("local", params),
        remote=_end("remote", params),
        idle=round(params["idle"] * 1000),
        idle_by=params["idle_by"],
        unit=unit_name(params["unit"]) if params["unit"] else None,
        keep=params["keep"],
        max=params["max"],
        samples=params["samples"],
        netns=params["netns"],
    )
    _check(request, force=params["force"])
    return request


def _at_least(minimum: int, name: str, value: float) -> None:
    if not minimum <= value < math.inf:  # neither is true of nan
        raise BadRequest(f"{name} must be a number of at least {minimum}, got {value}")


def _check(request: Request, *, force: bool) -> None:
    if not request.states:
        raise BadRequest("state must name at least one state")
    if "TIME_WAIT" in request.states and not force:
        raise BadRequest(
            "TIME_WAIT keeps late segments of a connection out of the next one between the same addresses and ports,"
            " and ends by itself after 60 seconds: closing it needs force=true"
        )
    unknown = ", ".join(sorted(request.states & _WITHOUT_IDLENESS))
    if request.idle and unknown:
        raise BadRequest(f"idle makes no sense with {unknown}: the kernel does not report how long they are idle")
    nobodys = ", ".join(sorted(request.states & _WITHOUT_PROCESS))
    if request.unit and nobodys:
        raise BadRequest(f"unit makes no sense with {nobodys}: no process holds them")
    criteria = request.idle or request.unit or request.local != End() or request.remote != End()
    if "ESTABLISHED" in request.states and not criteria:
        raise BadRequest(
            "ESTABLISHED without an address, a port, idle or unit selects every open connection: say which"
        )


def _end(side: str, params: t.Mapping[str, t.Any]) -> End:
    addresses, ports = (params[f"{side}_{what}"] or () for what in ("address", "port"))
    for port in ports:
        if not 0 < port < 65536:
            raise BadRequest(f"{side}_port: {port} is not a port")
    return End(tuple(parse_network(f"{side}_address", text) for text in addresses), frozenset(ports))


def parse_network(option: str, text: str) -> Network:
    """Read an address or a network in CIDR notation; IPv4-mapped ones become IPv4."""
    if "%" in text:  # the kernel's answer is not compared by interface
        raise BadRequest(f"{option} takes an address without the name of an interface, got {text}")
    try:
        network = ipaddress.ip_network(text)
    except ValueError as exc:
        raise BadRequest(f"{option} takes an address, or a network such as 192.0.2.0/24: {exc}") from exc
    packed, bits = network.network_address.packed, network.prefixlen
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        return Network(packed[12:], bits - 96)
    return Network(packed, bits)
