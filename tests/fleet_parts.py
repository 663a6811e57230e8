# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fleets of fleet_reports.py are made of: rules, settings, names, and what is said of hosts."""

from __future__ import annotations

import typing as t

RuleRow = t.Tuple[str, str, str, float, str, str]

# Id, severity, title, share of hosts that fail, what helps, what does not.
RULES: t.Sequence[RuleRow] = (
    (
        "accept-queue-overflow",
        "critical",
        "No connections are dropped because of a full accept queue",
        0.04,
        "Raise the listener's backlog with `nettune.tcp.listen_backlog`, and find out why nobody accepts.",
        "Raising `net.core.somaxconn` alone: the queue keeps the size it had when the socket was opened.",
    ),
    (
        "close-wait",
        "high",
        "No process keeps connections that its clients have closed",
        0.03,
        "Mend the code that does not close; `nettune.tcp.tcp_reclaim` gives time until then.",
        "Any sysctl: CLOSE_WAIT has no timeout, and `tcp_fin_timeout` is about another state.",
    ),
    (
        "accept-queue-full",
        "high",
        "No accept queue is nearly full",
        0.07,
        "Raise the listener's backlog, or find out why the application does not accept.",
        "More workers of the same blocked kind.",
    ),
    (
        "local-ports",
        "high",
        "Local ports are left for every peer",
        0.02,
        "Keep connections to the peer open and reuse them; then more addresses, or a wider `ip_local_port_range`.",
        "`tcp_tw_recycle`: it is gone since Linux 4.12, and broke clients behind NAT before.",
    ),
    (
        "syn-cookies",
        "high",
        "SYN cookies are enabled for when a SYN queue fills up",
        0.05,
        "Set `net.ipv4.tcp_syncookies` to 1.",
        "2, which is for tests.",
    ),
    ("conntrack", "high", "The table of connections has room", 0.015, "Raise `nf_conntrack_max`.", "A reboot."),
    (
        "memory",
        "high",
        "TCP has the memory it may use",
        0.01,
        "Look for sockets that nobody reads.",
        "More `tcp_rmem`.",
    ),
    (
        "somaxconn",
        "medium",
        "Accept queues may be as long as servers ask for",
        0.31,
        "Apply a profile with `nettune.tcp.tuning`.",
        "A reload of the server before the sysctl is raised.",
    ),
    (
        "boot-drift",
        "medium",
        "Running sysctls match what the next boot will set",
        0.18,
        "Decide which value is meant, and set it with `nettune.tcp.sysctl`.",
        "`sysctl -w`, which the next boot forgets.",
    ),
    ("timestamps", "medium", "TCP timestamps are on", 0.06, "Set `net.ipv4.tcp_timestamps` to 1.", ""),
    ("abort-on-overflow", "medium", "A full accept queue does not reset clients", 0.03, "Set it to 0.", ""),
    ("worker-connections", "medium", "nginx has a connection for everybody in its queue", 0.09, "Raise it.", ""),
    ("open-files", "medium", "Servers may open a file for everybody in their queues", 0.12, "Raise LimitNOFILE.", ""),
    ("orphans", "medium", "Orphaned sockets are far from their limit", 0.01, "Look for clients that vanish.", ""),
    ("retransmits", "low", "Few segments are sent twice", 0.05, "Look at the path, not at the host.", ""),
    ("haproxy-backlog", "low", "HAProxy serves as many as may wait for it", 0.04, "Raise maxconn.", ""),
    ("reuseport-migration", "low", "Connections in a queue outlive the socket", 0.08, "tcp_migrate_req=1.", ""),
    ("keepalive", "low", "Connections are kept for the next request", 0.02, "Turn keep-alive on.", ""),
    ("login-limits", "high", "No login limit is above what the kernel allows", 0.0, "Lower it.", ""),
    ("tw-recycle", "high", "tcp_tw_recycle is off", 0.0, "Set it to 0.", ""),
    ("time-wait-overflow", "medium", "No connection is closed without its TIME_WAIT", 0.0, "Raise it.", ""),
    ("fin-wait2", "medium", "Few connections wait for a FIN", 0.0, "Look at the clients.", ""),
    ("syn-sent", "medium", "Few calls go unanswered", 0.0, "Look at who is called.", ""),
    ("file-max", "high", "The kernel has files left", 0.0, "Raise fs.file-max.", ""),
)
SEVERITIES = ("critical", "high", "medium", "low")

# Setting, kind, wanted, what other hosts have, who decides there, share of hosts.
Setting = t.Tuple[str, str, str, str, t.Optional[str], t.Optional[str], str, float]
SETTINGS: t.Sequence[Setting] = (
    ("net.core.somaxconn", "sysctl", "at_least 65535", "4096", None, None, "drift_runtime", 0.31),
    ("net.ipv4.tcp_max_syn_backlog", "sysctl", "at_least 65535", "2048", None, None, "drift_runtime", 0.3),
    (
        "net.ipv4.tcp_syncookies",
        "sysctl",
        "1",
        "0",
        "/etc/sysctl.d/99-hardening.conf:12",
        "hardening",
        "overridden",
        0.05,
    ),
    ("net.ipv4.ip_local_port_range", "sysctl", "covers 10240 65000", "32768 60999", None, None, "drift_runtime", 0.22),
    ("net.core.netdev_max_backlog", "sysctl", "at_least 16384", "1000", "tuned", "tuned", "overridden", 0.11),
    (
        "net.netfilter.nf_conntrack_max",
        "sysctl",
        "at_least 1048576",
        "262144",
        "kube-proxy",
        "kube-proxy",
        "overridden",
        0.06,
    ),
    ("net.ipv4.tcp_fin_timeout", "sysctl", "at_most 30", "60", "/etc/sysctl.conf:41", None, "drift_boot", 0.14),
    ("fs.nr_open", "sysctl", "at_least 1048576", "1048576", None, None, "compliant", 0.0),
    ("nginx.service", "file_limit", "at_least 65536", "1024", None, None, "restart_required", 0.08),
    ("nginx 0.0.0.0:443", "backlog", "at_least 65535", "4096", None, None, "clamped", 0.07),
    ("haproxy *:80", "backlog", "at_least 65535", "511", None, None, "stale", 0.03),
)

GROUPS = ("web", "proxy", "database", "cache", "queue")
SITES = ("fra", "iad", "sin", "gru")
KERNELS = ("6.1.0-41-amd64", "6.12.48+deb13-amd64", "5.14.0-570.el9.x86_64", "6.8.0-85-generic")
SERVERS = (("nginx", 443, 4), ("nginx", 80, 4), ("haproxy", 8443, 1), ("redis-server", 6379, 1), ("sshd", 22, 1))
UNREACHABLE = (
    "Failed to connect to the host via ssh: connect to host port 22: Connection timed out",
    "Failed to connect to the host via ssh: Permission denied (publickey).",
)
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)> \u2028\u2029\x1b[31m\u202eevil\ud800 ]]> ' \" & ="
)
