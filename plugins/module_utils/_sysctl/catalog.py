# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The sysctls this collection knows, one row each: the facts report these, and guards rely on their nature.

Any other sysctl can be set too; it is then taken to be per namespace under ``net.`` and host-wide elsewhere. Sources:
Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst and admin-guide/sysctl/fs.rst of the kernel; the scope
was read from the tables of Linux 6.18 (``ipv4_table`` and ``net_core_table`` are host-wide).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from .._want import Value, Want, parse_value, parse_want


@dataclass(frozen=True)
class Sysctl:
    """``capacity``: a limit on how much is held, never lowered by accident.  ``ports``: a set of ports. ``text``: not
    numbers, even if it looks like one. ``kernels`` says which kernels have the key, if not all do.
    """

    key: str
    scope: str = "netns"
    capacity: bool = False
    ports: bool = False
    text: bool = False
    kernels: str = ""


_KNOWN = (
    Sysctl("fs.file-max", scope="host", capacity=True),
    Sysctl("fs.nr_open", scope="host", capacity=True),
    Sysctl("net.core.default_qdisc", scope="host", text=True),
    Sysctl("net.core.netdev_max_backlog", scope="host", capacity=True),
    Sysctl("net.core.somaxconn", capacity=True),
    Sysctl("net.ipv4.ip_local_port_range"),
    Sysctl("net.ipv4.ip_local_reserved_ports", ports=True),
    Sysctl("net.ipv4.ip_unprivileged_port_start"),
    Sysctl("net.ipv4.tcp_abort_on_overflow"),
    Sysctl("net.ipv4.tcp_congestion_control", text=True),
    Sysctl("net.ipv4.tcp_fastopen"),
    Sysctl("net.ipv4.tcp_fin_timeout"),
    Sysctl("net.ipv4.tcp_keepalive_intvl"),
    Sysctl("net.ipv4.tcp_keepalive_probes"),
    Sysctl("net.ipv4.tcp_keepalive_time"),
    Sysctl("net.ipv4.tcp_max_orphans", scope="host", capacity=True),
    Sysctl("net.ipv4.tcp_max_syn_backlog", capacity=True),
    Sysctl("net.ipv4.tcp_max_tw_buckets", capacity=True),
    Sysctl("net.ipv4.tcp_mem", scope="host", capacity=True),
    Sysctl("net.ipv4.tcp_migrate_req", kernels="it was added in Linux 5.14"),
    Sysctl("net.ipv4.tcp_notsent_lowat"),
    Sysctl("net.ipv4.tcp_orphan_retries"),
    Sysctl("net.ipv4.tcp_rfc1337"),
    Sysctl("net.ipv4.tcp_rmem", capacity=True),
    Sysctl("net.ipv4.tcp_slow_start_after_idle"),
    Sysctl("net.ipv4.tcp_syn_retries"),
    Sysctl("net.ipv4.tcp_synack_retries"),
    Sysctl("net.ipv4.tcp_syncookies"),
    Sysctl("net.ipv4.tcp_timestamps"),
    Sysctl("net.ipv4.tcp_tw_recycle", kernels="it was removed in Linux 4.12"),
    Sysctl("net.ipv4.tcp_tw_reuse"),
    Sysctl("net.ipv4.tcp_tw_reuse_delay", kernels="it was added after Linux 6.12"),
    Sysctl("net.ipv4.tcp_wmem", capacity=True),
    Sysctl("net.netfilter.nf_conntrack_buckets", scope="host", capacity=True),
    Sysctl("net.netfilter.nf_conntrack_max", scope="host", capacity=True),
    Sysctl("net.netfilter.nf_conntrack_tcp_timeout_established"),
    Sysctl("net.netfilter.nf_conntrack_tcp_timeout_time_wait"),
)
BY_KEY: t.Mapping[str, Sysctl] = {sysctl.key: sysctl for sysctl in _KNOWN}

# Host-wide despite their name, beyond those above: what a new network namespace of Linux 6.18 lacks, or has read-only.
_HOST_WIDE = re.compile(
    r"net\.core\.(bpf_jit_|busy_|dev_weight|devconf_|fb_tunnels|flow_limit_|gro_normal|high_order|max_skb_frags"
    r"|mem_pcpu|message_|netdev_|[rw]mem_(max|default)|rps_sock_flow|skb_defer|warnings)"
    r"|net\.ipv4\.(cipso_|fib_sync_mem|inet_peer_|ipfrag_secret|neigh\.default\."
    r"|route\.(error_|gc_|max_size|redirect_)|tcp_low_latency|udp_mem)"
    r"|net\.ipv6\.(calipso_|ip6frag_secret|mld_|neigh\.default\.)"
    r"|net\.netfilter\.nf_(conntrack_expect_max|log_all_netns)"
    r"|net\.nf_conntrack_max\Z"
)

# Texts beyond those above, and hexadecimal masks: keys of Linux 6.18 with proc_dostring() or their own handler for
# words.
_TEXT = re.compile(
    r"kernel\.(arch|core_pattern|domainname|hostname|hotplug|modprobe|ostype|osrelease|poweroff_cmd|printk_devkmsg"
    r"|random\.(boot_id|uuid)|seccomp\.actions_(avail|logged)|version|watchdog_cpumask)\Z"
    r"|net\.core\.(flow_limit_cpu_bitmap|rps_default_mask)\Z"
    r"|net\.ipv4\.tcp_((allowed|available)_congestion_control|available_ulp|fastopen_key)\Z"
    r"|net\.ipv6\.conf\.[^.]+\.stable_secret\Z"
    r"|net\.(mptcp\.(available_)?(path_manager|scheduler)s?|netfilter\.nf_log\.[0-9]+|sctp\.cookie_hmac_alg)\Z"
    r"|vm\.numa_zonelist_order\Z"
)
# Words that the kernel prints in its own order.
_SETS = frozenset(("kernel.seccomp.actions_logged", "net.ipv4.tcp_allowed_congestion_control"))


def lookup(key: str) -> Sysctl:
    """What is known about a canonical key, or what its place under /proc/sys says."""
    per_namespace = key.startswith("net.") and not _HOST_WIDE.match(key)
    return BY_KEY.get(key) or Sysctl(key, scope="netns" if per_namespace else "host", text=_TEXT.match(key) is not None)


def value_of(key: str, raw: t.Any) -> Value:
    """A value of this key, from YAML, a file or the kernel.  Raises BadRequest."""
    known = lookup(key)
    return _in_order(key, parse_value(raw, ports=known.ports, text=known.text))


def want_of(key: str, raw: t.Any) -> Want:
    """What is wanted for this key. Raises BadRequest."""
    known = lookup(key)
    want = parse_want(raw, ports=known.ports, text=known.text)
    return replace(want, value=_in_order(key, want.value))


def _in_order(key: str, value: Value) -> Value:
    return (" ".join(sorted({*str(value[0]).split()})),) if key in _SETS else value
