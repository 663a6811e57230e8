# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Whether this kernel can close sockets, and whether we may: probed with our own connections.

INTERFACE
    demand(states)      Raises Unsupported, naming the state, MissingRight or KernelRefused.

A kernel's configuration or version proves nothing: distributions leave SOCK_DESTROY out and backport parts of it. So
one connection of each kind that the states may have is created on the loopback interface of this network namespace,
closed with SOCK_DESTROY, and looked for again.

TIME_WAIT support came later than the rest, in 6.x. Before Linux 6.11 (commit bac76cf89816) what no process holds any
longer is not closed: SOCK_DESTROY reports success, empties its queue, and its timers stop for good, so that it stays
forever.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
import typing as t

from .._errors import Unsupported
from .._kernel.sock_destroy import Endpoint, Identity, SockDestroy, identity_of
from .._kernel.sock_diag import MESSAGE
from .._kernel.tcp_socket import ESTABLISHED, FIN_WAIT1, SYN_RECV, TIME_WAIT

_LOOPBACK = "127.0.0.1"
_TIMEOUT = 2.0  # seconds; loopback takes microseconds
_STUCK = 0.05  # seconds after which a full buffer is taken to stay full
_DEFER = 30  # seconds that a half-open connection waits for data
_SMALL = 2048  # bytes of the buffers to fill
_RESET = struct.pack("@ii", 1, 0)  # struct linger: close with a reset, which leaves no TIME_WAIT

_Made = t.Tuple[int, Endpoint, Endpoint]  # the state it is to reach, and its endpoints
_Kind = t.Callable[[], t.ContextManager[_Made]]


@contextlib.contextmanager
def _held() -> t.Iterator[_Made]:
    """A connection that a process holds: a socket connected to itself, which nobody else can interfere with."""
    with _to_itself() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        endpoint = _endpoint(own)
        yield ESTABLISHED, endpoint, endpoint


@contextlib.contextmanager
def _time_wait() -> t.Iterator[_Made]:
    """What such a socket leaves behind."""
    with _to_itself() as own:
        endpoint = _endpoint(own)
    yield TIME_WAIT, endpoint, endpoint


@contextlib.contextmanager
def _half_open() -> t.Iterator[_Made]:
    """A connection to a listener that considers it complete only once data has arrived."""
    with _listener() as listener, _socket() as client:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _DEFER)
        client.connect(listener.getsockname())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        yield SYN_RECV, _endpoint(listener), _endpoint(client)


@contextlib.contextmanager
def _orphan() -> t.Iterator[_Made]:
    """A connection that its process has closed, with data that the peer does not read."""
    with _listener() as listener:
        with _socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL)
            client.connect(listener.getsockname())
            client.settimeout(_STUCK)
            with contextlib.suppress(socket.timeout):
                while True:
                    client.send(bytes(_SMALL))
            endpoint = _endpoint(client)
        yield FIN_WAIT1, endpoint, _endpoint(listener)
    # Closing the listener resets what it has not accepted, and so ends what the kernel did not.


_HELD, _GONE = (_held,), (_held, _orphan)
_KINDS: t.Dict[str, t.Tuple[_Kind, ...]] = {
    "FIN_WAIT1": _GONE,
    "FIN_WAIT2": (*_GONE, _time_wait),  # without a process the kernel keeps it as small as a TIME_WAIT
    "CLOSING": _GONE,
    "LAST_ACK": _GONE,
    "TIME_WAIT": (_time_wait,),
    "SYN_RECV": (_half_open,),
}


def demand(states: t.Iterable[str]) -> None:
    """Find out whether sockets in these states can be closed here, by us."""
    tried: t.Set[_Kind] = set()
    for state in sorted(states):
        for kind in _KINDS.get(state, _HELD):
            if kind not in tried:
                _try(kind, state)
                tried.add(kind)


def _try(kind: _Kind, state: str) -> None:
    try:
        with kind() as made, SockDestroy() as link:
            _close(link, _appear(link, made))
    except Unsupported as exc:
        raise Unsupported(f"sockets in {state} cannot be closed here: {exc}", state=state) from exc
    except OSError as exc:
        raise Unsupported(
            f"whether sockets in {state} can be closed could not be probed with a connection on {_LOOPBACK}:"
            f" {exc}; is the loopback interface up in this network namespace?",
            state=state,
        ) from exc


def _appear(link: SockDestroy, made: _Made) -> Identity:
    """The connection, once the packets that lead to its state have been exchanged."""
    state, local, remote = made
    deadline = time.monotonic() + _TIMEOUT
    while True:
        message = link.find(socket.AF_INET, local, remote)
        if message is not None and MESSAGE.unpack_from(message)[1] == state:
            return identity_of(message)
        if time.monotonic() > deadline:
            raise Unsupported("the kernel does not show a connection that was made as a probe")
        time.sleep(0.01)


def _close(link: SockDestroy, identity: Identity) -> None:
    link.destroy(identity)
    if link.look(identity) is not None:
        raise Unsupported(
            "this kernel reported a socket as closed that was not: before Linux 6.11 it leaves what no process holds"
            " without a timer, forever"
        )


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    made.settimeout(_TIMEOUT)
    return made


def _to_itself() -> socket.socket:
    made = _socket()
    try:
        made.bind((_LOOPBACK, 0))
        made.connect(made.getsockname())
    except BaseException:
        made.close()
        raise
    return made


def _listener() -> socket.socket:
    made = _socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        made.bind((_LOOPBACK, 0))
        made.listen()
    except BaseException:
        made.close()
        raise
    return made


def _endpoint(one: socket.socket) -> Endpoint:
    address, port = one.getsockname()
    return socket.inet_aton(address), port
