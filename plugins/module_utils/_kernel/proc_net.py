# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What /proc/net says about TCP, as pure parsers of its texts and one tiny reader.

INTERFACE
    open_file(name, root="/proc/net")               text lines; Unsupported when it is absent, MissingRight when denied
    read(name, root="/proc/net") -> str             all of it
    parse_sockets(lines) -> Row or Listener, each   /proc/net/tcp or tcp6 (columns alike since 2.6)
    parse_listeners(lines) -> Listener, each        the same, looking at nothing but the listeners
    parse_inodes(lines) -> (state, inode), each     the same, of every socket; 0 where no process has it open
    parse_counters(netstat, snmp) -> {name: int}    the COUNTERS of queues, cookies, TIME_WAIT, orphans, memory;
                                                    what this kernel lacks is absent, not zero
    parse_sockstat(sockstat, sockstat6="") -> {"sockets_used", "tcp_inuse", "tcp_orphan", "tcp_tw", "tcp_alloc",
                                                "tcp_mem_pages", "tcp6_inuse"}; absent when the kernel has no such gauge

    Scope of the gauges: used, inuse, tw are of the network namespace (tw of the host before 4.10; it counts
    FIN_WAIT2 without a process too), orphan, alloc, mem are of the host. inuse leaves TIME_WAIT out.
    Source: net/ipv4/proc.c, net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c.
"""

from __future__ import annotations

import errno
import functools
import itertools
import re
import struct
import typing as t

from .._errors import MissingRight, Unsupported
from .tcp_socket import LISTEN, STATE_NAMES, Listener, Row, address_text, family_name, plain

_Parsed = t.TypeVar("_Parsed")

Entry = t.Union[Row, Listener]

_COUNTERS_TEXT = """
    ListenOverflows ListenDrops TCPReqQFullDoCookies TCPReqQFullDrop TCPDeferAcceptDrop EmbryonicRsts
    TCPFastOpenListenOverflow TCPMigrateReqSuccess TCPMigrateReqFailure TCPSynRetrans TCPBacklogDrop
    TCPACKSkippedSynRecv
    SyncookiesSent SyncookiesRecv SyncookiesFailed
    TW TWRecycled TWKilled TCPTimeWaitOverflow PAWSPassive PAWSTimewait TCPACKSkippedTimeWait TCPACKSkippedFinWait2
    TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnClose TCPAbortOnData TCPAbortOnLinger TCPAbortFailed
    TCPMemoryPressures TCPMemoryPressuresChrono TCPRcvQDrop PruneCalled RcvPruned OfoPruned
    ActiveOpens PassiveOpens AttemptFails EstabResets RetransSegs InSegs OutSegs OutRsts InErrs
"""
COUNTERS = frozenset(_COUNTERS_TEXT.split())

# number, local, remote, state, tx_queue:rx_queue, timer:expires, retransmits, uid, timeout, inode, and more
_LINE = re.compile(
    r" *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2})"
    r" [0-9A-F]+:([0-9A-F]+) \S+ \S+ +(\d+) +-?\d+ +(\d+)",
    re.ASCII,
)
_IS_LISTENING = f" {LISTEN:02X} "
_GAUGES = {
    ("sockets", "used"): "sockets_used",
    ("TCP", "inuse"): "tcp_inuse",
    ("TCP", "orphan"): "tcp_orphan",
    ("TCP", "tw"): "tcp_tw",
    ("TCP", "alloc"): "tcp_alloc",
    ("TCP", "mem"): "tcp_mem_pages",
    ("TCP6", "inuse"): "tcp6_inuse",
}


def open_file(name: str, root: str = "/proc/net") -> t.TextIO:
    """One file; /proc/net is that of the process's network namespace."""
    path = f"{root}/{name}"
    try:
        return open(path, encoding="ascii", errors="replace")
    except OSError as exc:
        denied = exc.errno in (errno.EPERM, errno.EACCES)
        raise (MissingRight if denied else Unsupported)(f"{path}: {exc.strerror}") from exc


def read(name: str, root: str = "/proc/net") -> str:
    """The text of one file."""
    with open_file(name, root) as stream:
        return stream.read()


def _words(digits: str) -> bytes:
    """``0100007F``: an address is printed as host-order words of 32 bits."""
    words = [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]
    return struct.pack(f"={len(words)}I", *words)


@functools.lru_cache(maxsize=4096)
def _address(digits: str) -> bytes:
    """The address of a connection; most of them come again and again."""
    return plain(_words(digits))


def parse_line(line: str) -> Entry:
    """One line of /proc/net/tcp or tcp6; Unsupported if it is not one."""
    match = _LINE.match(line)
    if match is None or int(match[5], 16) not in STATE_NAMES:
        raise Unsupported(f"not a line of /proc/net/tcp: {line.strip()[:160]!r}")
    local, port, remote, remote_port, state, rx_queue, uid, inode = match.groups()
    number = int(state, 16)
    if number != LISTEN:
        return number, _address(local), int(port, 16), _address(remote), int(remote_port, 16)
    address = _words(local)
    return Listener(
        family=family_name(address),
        address=address_text(address),
        port=int(port, 16),
        accept_queue=int(rx_queue, 16),
        backlog=None,
        inode=int(inode),
        v6only=None,
        uid=int(uid),
    )


def parse_sockets(lines: t.Iterable[str]) -> t.Iterator[Entry]:
    """The sockets of /proc/net/tcp or tcp6; the first line is the heading."""
    rows = iter(lines)
    next(rows, None)
    return (parse_line(line) for line in rows if line.strip())


def parse_listeners(lines: t.Iterable[str]) -> t.Iterator[Listener]:
    """The listeners; Linux has them first, but another kernel, such as gVisor, need not."""
    entries = (parse_line(line) for line in lines if _IS_LISTENING in line)
    return (entry for entry in entries if isinstance(entry, Listener))


def of_tables(
    parse: t.Callable[[t.Iterable[str]], t.Iterator[_Parsed]], root: str = "/proc/net"
) -> t.Iterator[_Parsed]:
    """What is parsed from tcp and tcp6; a kernel without IPv6 has only the first."""
    with open_file("tcp", root) as lines:
        yield from parse(lines)
    try:
        lines = open_file("tcp6", root)
    except Unsupported:
        return
    with lines:
        yield from parse(lines)


def parse_inodes(lines: t.Iterable[str]) -> t.Iterator[t.Tuple[int, int]]:
    """State number and inode of each socket."""
    for line in itertools.islice(lines, 1, None):
        match = _LINE.match(line)
        if match:
            yield int(match[5], 16), int(match[8])


def parse_table(text: str, title: str) -> t.Dict[str, int]:
    """The counters of one title (``TcpExt``, ``Tcp``) from netstat or snmp: a line of names, then one of values."""
    prefix = f"{title}:"
    lines = [line.split()[1:] for line in text.splitlines() if line.startswith(prefix)]
    counts: t.Dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2]):
        if len(names) != len(values):
            raise Unsupported(f"{len(names)} names and {len(values)} values of {title} in /proc/net")
        try:
            counts.update(zip(names, map(int, values)))
        except ValueError as exc:
            raise Unsupported(f"a counter of {title} in /proc/net is not a number: {exc}") from exc
    return counts


def parse_counters(netstat: str, snmp: str) -> t.Dict[str, int]:
    """The :data:`COUNTERS` this kernel has, by the kernel's names."""
    everything = {**parse_table(snmp, "Tcp"), **parse_table(netstat, "TcpExt")}
    return {name: value for name, value in everything.items() if name in COUNTERS}


def parse_sockstat(sockstat: str, sockstat6: str = "") -> t.Dict[str, int]:
    """The gauges of TCP: ``TCP: inuse 3 orphan 0 tw 0 alloc 5 mem 238``, pairs of name and value after a title."""
    counts: t.Dict[str, int] = {}
    for line in f"{sockstat}\n{sockstat6}".splitlines():
        title, _colon, rest = line.partition(":")
        words = rest.split()
        for name, value in zip(words[::2], words[1::2]):
            if (title, name) in _GAUGES and value.lstrip("-").isdigit():
                counts[_GAUGES[title, name]] = int(value)
    return counts
