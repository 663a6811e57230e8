# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Changes that are refused unless forced, each with a reason for people.

A guard is a pure function of one change and its context. It judges changes only: an existing value that stays is never
refused.

Sources: Documentation/networking/ip-sysctl.rst, tcp(7), and the functions of Linux 6.18 named below.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._want import Value, render
from .catalog import lookup

RANGE, RESERVED = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"
TIMESTAMPS, TW_REUSE = "net.ipv4.tcp_timestamps", "net.ipv4.tcp_tw_reuse"
CONNTRACK_MAX, CONNTRACK_BUCKETS = "net.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_buckets"
FILE_MAX, NR_OPEN = "fs.file-max", "fs.nr_open"

# Keys that guards consider together: a change to one is judged with the values of the others.
RELATED = ((RANGE, RESERVED), (TIMESTAMPS, TW_REUSE), (CONNTRACK_MAX, CONNTRACK_BUCKETS))

# Entries per bucket beyond which every packet walks a long chain; the module option hashsize gives 8 as well.
_LONG_CHAIN = 8


@dataclass(frozen=True)
class Change:
    """A key's value and its new one, in the running kernel or at the next boot.

    ``before`` is None if unknown. ``source`` is the file and line of a boot value, None for running ones.
    """

    key: str
    before: t.Optional[Value]
    after: Value
    source: t.Optional[str] = None


@dataclass(frozen=True)
class Holder:
    """The largest hard open file limit, and the process or unit that has it."""

    limit: int
    name: str


@dataclass(frozen=True)
class Context:
    """What guards know about the host beyond the change itself; the default knows nothing, and so causes no refusal.

    ``kernel`` is the release as (major, minor).  ``running`` and ``planned`` are values by key.  ``listening`` are the
    TCP ports with a listener, ``open_files`` is the first number of fs.file-nr.
    """

    kernel: t.Tuple[int, int] = (99, 0)
    running: t.Mapping[str, Value] = field(default_factory=dict)
    planned: t.Mapping[str, Value] = field(default_factory=dict)
    listening: t.FrozenSet[int] = frozenset()
    most_files: t.Optional[Holder] = None
    open_files: int = 0

    def to_be(self, key: str) -> t.Optional[Value]:
        """The value a key will have once the plan is carried out."""
        return self.planned.get(key, self.running.get(key))


Guard = t.Callable[[Change, Context], t.Optional[str]]
NOTHING_KNOWN = Context()


def refusal(change: Change, context: Context = NOTHING_KNOWN) -> t.Optional[str]:
    """The reason to refuse this change, or None."""
    if change.before == change.after:
        return None
    return next(filter(None, (guard(change, context) for guard in GUARDS.get(change.key, ()) + FOR_EVERY_KEY)), None)


def _lowers_capacity(change: Change, _context: Context) -> t.Optional[str]:
    if change.before is None or not lookup(change.key).capacity or len(change.before) != len(change.after):
        return None
    pairs = zip(change.before, change.after)
    if any(isinstance(old, int) and isinstance(new, int) and new < old for old, new in pairs):
        source = f" that {change.source} sets for the next boot" if change.source else ""
        return (
            f"would lower a capacity from {render(change.before)}{source} to {render(change.after)}; "
            f"ask for at_least to keep what is higher"
        )
    return None


def _harmful(reason: str, *harmless: int) -> Guard:
    def guard(change: Change, _context: Context) -> t.Optional[str]:
        return None if change.after in [(number,) for number in harmless] else reason

    return guard


def _below_one(change: Change, _context: Context) -> t.Optional[str]:
    if any(isinstance(number, int) and number < 1 for number in change.after):
        return f"the kernel accepts {render(change.after)}, but it makes no sense here"
    return None


def _not_ascending(change: Change, _context: Context) -> t.Optional[str]:
    # tcp_rmem and tcp_wmem are checked one number at a time (proc_dointvec_minmax): "5 4 3" is accepted.
    numbers = [number for number in change.after if isinstance(number, int)]
    if numbers != sorted(numbers):
        return f"the kernel accepts {render(change.after)}, but min, default and max must not decrease"
    return None


def _reuse_without_timestamps(change: Change, context: Context) -> t.Optional[str]:
    # tcp_twsk_unique() checks tw_ts_recent_stamp, which only connections with timestamps have.
    if change.after == (1,) and context.to_be(TIMESTAMPS) == (0,):
        return f"has no effect while {TIMESTAMPS} is 0"
    return None


def _loopback_only_before_4_19(change: Change, context: Context) -> t.Optional[str]:
    if change.after == (2,) and context.kernel < (4, 19):
        return "2 means loopback only since Linux 4.19; this kernel treats it as 1, for every destination"
    return None


def _swallows_listeners(_change: Change, context: Context) -> t.Optional[str]:
    """An outgoing connection that got a service's port as its local one keeps the service from restarting."""
    low, high = _bounds(context.to_be(RANGE))
    reserved = frozenset(context.to_be(RESERVED) or ())
    was_low, was_high = _bounds(context.running.get(RANGE))
    was_reserved = frozenset(context.running.get(RESERVED, ()))
    swallowed = [
        port
        for port in sorted(context.listening)
        if low <= port <= high
        and port not in reserved
        and not (was_low <= port <= was_high and port not in was_reserved)
    ]
    if not swallowed:
        return None
    ports = render(tuple(swallowed), ports=True)
    return (
        f"outgoing connections could take the ports of services that listen on {ports}, which could then not be "
        f"restarted; let {RESERVED} cover {ports}"
    )


def _equal_parity(change: Change, _context: Context) -> t.Optional[str]:
    # set_local_port_range() warns too: connect() walks one parity first, bind() the other.
    low, high = _bounds(change.after)
    if (low - high) % 2 == 0:
        return f"both ends of {low}-{high} are {'odd' if low % 2 else 'even'}, the kernel prefers different parity"
    return None


def _bounds(value: t.Optional[Value]) -> t.Tuple[int, int]:
    if value is not None and len(value) == 2 and isinstance(value[0], int) and isinstance(value[1], int):
        return value[0], value[1]
    return (1, 0)


def _below_a_limit_in_use(change: Change, context: Context) -> t.Optional[str]:
    most = context.most_files
    if most is not None and _lowers(change) and _number(change.after) < most.limit:
        return (
            f"{most.name} has a limit of {most.limit} open files: what asks for more than {_number(change.after)} "
            f"could not be restarted"
        )
    return None


def _below_open_files(change: Change, context: Context) -> t.Optional[str]:
    if _lowers(change) and _number(change.after) < context.open_files:
        return f"{context.open_files} files are open now: no process could open another one"
    return None


def _long_chains(change: Change, context: Context) -> t.Optional[str]:
    most, buckets = _number(context.to_be(CONNTRACK_MAX)), _number(context.to_be(CONNTRACK_BUCKETS))
    better = _lowers(change) if change.key == CONNTRACK_MAX else not _lowers(change)
    if buckets and most > _LONG_CHAIN * buckets and not better:
        return (
            f"{most} connections in {buckets} buckets make long chains; "
            f"set {CONNTRACK_BUCKETS} to at least {-(-most // _LONG_CHAIN)}"
        )
    return None


def _lowers(change: Change) -> bool:
    """Whether the value gets smaller; it may, if the previous one is unknown."""
    return change.before is None or _number(change.after) < _number(change.before)


def _number(value: t.Optional[Value]) -> int:
    return value[0] if value and isinstance(value[0], int) else 0


_POSITIVE = (
    FILE_MAX,
    "net.core.netdev_max_backlog",
    "net.core.somaxconn",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    CONNTRACK_MAX,
    *(
        f"net.netfilter.nf_conntrack_tcp_timeout_{name}"
        for name in "close close_wait established fin_wait last_ack max_retrans syn_recv syn_sent time_wait".split()
    ),
)
_ASCENDING = ("net.ipv4.tcp_mem", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")


def _table(*rows: t.Mapping[str, t.Tuple[Guard, ...]]) -> t.Dict[str, t.Tuple[Guard, ...]]:
    """The guards of each key from all rows; people see the first one's reason. No key has a guard twice."""
    table: t.Dict[str, t.Tuple[Guard, ...]] = {}
    for key, guards in (item for row in rows for item in row.items()):
        table[key] = table.get(key, ()) + guards
        if len(set(table[key])) < len(table[key]):
            raise ValueError(f"{key} has a guard twice")
    return table


# The more immediate the harm, the earlier.
_OF_ONE_KEY: t.Dict[str, t.Tuple[Guard, ...]] = {
    "net.ipv4.tcp_tw_recycle": (
        _harmful("drops connections of clients that share an address behind NAT; removed in Linux 4.12", 0),
    ),
    TIMESTAMPS: (
        _harmful(
            "without timestamps there is no PAWS, no tcp_tw_reuse, and SYN cookies lose window scaling and SACK", 1, 2
        ),
    ),
    "net.ipv4.tcp_abort_on_overflow": (
        _harmful("resets clients on a short burst that a retransmission would survive", 0),
    ),
    "net.ipv4.tcp_syncookies": (
        _harmful("0 drops SYNs when the queue is full, 2 is for tests only: 1 sends cookies when they are needed", 1),
    ),
    TW_REUSE: (_reuse_without_timestamps, _loopback_only_before_4_19),
    RANGE: (_swallows_listeners, _equal_parity),
    RESERVED: (_swallows_listeners,),
    NR_OPEN: (_below_a_limit_in_use,),
    FILE_MAX: (_below_open_files,),
    CONNTRACK_MAX: (_long_chains,),
    CONNTRACK_BUCKETS: (_long_chains,),
}
GUARDS = _table(
    dict.fromkeys((*_POSITIVE, *_ASCENDING), (_below_one,)), dict.fromkeys(_ASCENDING, (_not_ascending,)), _OF_ONE_KEY
)
FOR_EVERY_KEY: t.Tuple[Guard, ...] = (_lowers_capacity,)
