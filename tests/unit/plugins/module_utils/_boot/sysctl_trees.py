# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees to resolve: made of texts, and what distributions set at boot, without comments."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._boot.sysctl_d import (
    Procps,
    SysctlFile,
    SysctlTree,
    resolve,
    with_file,
)

OLD = Procps(globs=False, glob_exclusions=False)
MIDDLE = Procps(glob_exclusions=False)
NEW = Procps()

Files = t.Dict[str, str]
Values = t.Tuple[t.Optional[str], t.Optional[str]]


def tree_of(files: Files, links: Files | None = None, procps: Procps = MIDDLE) -> SysctlTree:
    tree = SysctlTree((), procps)
    for path, text in files.items():
        tree = with_file(tree, path, text)
    for path, target in (links or {}).items():
        tree = with_file(tree, path, files[target])
        linked = (SysctlFile(path, file.text, target) if file.path == path else file for file in tree.files)
        tree = SysctlTree(tuple(linked), procps)
    return tree


def outcome(files: Files, key: str, procps: Procps = MIDDLE) -> Values:
    """The values that systemd-sysctl and ``sysctl --system`` leave."""
    value = resolve(tree_of(files, procps=procps), [key])[key]
    return value.value, value.procps_value


# The boot's value and the file that decides, without the line.
Outcome = t.Tuple[t.Optional[str], t.Optional[str]]


@dataclasses.dataclass(frozen=True)
class Distribution:
    name: str
    procps: Procps
    files: dict[str, str]
    links: dict[str, str]
    outcomes: dict[str, Outcome]


_DEBIAN_LINK = {"/etc/sysctl.d/99-sysctl.conf": "/etc/sysctl.conf"}
_PID_MAX = "kernel.pid_max = 4194304\n"
_PROTECT_LINKS = (
    "fs.protected_fifos = 1\nfs.protected_hardlinks = 1\nfs.protected_regular = 2\nfs.protected_symlinks = 1\n"
)

# systemd 252, sysctl.d/50-default.conf
_SYSTEMD_DEFAULT = """\
kernel.sysrq = 16
kernel.core_uses_pid = 1
net.ipv4.conf.default.rp_filter = 2
net.ipv4.conf.*.rp_filter = 2
-net.ipv4.conf.all.rp_filter
net.ipv4.conf.default.accept_source_route = 0
net.ipv4.conf.*.accept_source_route = 0
-net.ipv4.conf.all.accept_source_route
net.ipv4.conf.default.promote_secondaries = 1
net.ipv4.conf.*.promote_secondaries = 1
-net.ipv4.conf.all.promote_secondaries
-net.ipv4.ping_group_range = 0 2147483647
-net.core.default_qdisc = fq_codel
fs.protected_hardlinks = 1
fs.protected_symlinks = 1
fs.protected_regular = 1
fs.protected_fifos = 1
"""

DISTRIBUTIONS = (
    # Packages systemd 247.3-7+deb11u5, procps 3.3.17-5.
    Distribution(
        "Debian 11",
        Procps(globs=False, glob_exclusions=False),
        {
            "/etc/sysctl.d/README.sysctl": "kernel.pid_max = 1\n",
            "/usr/lib/sysctl.d/50-pid-max.conf": _PID_MAX,
            "/usr/lib/sysctl.d/protect-links.conf": _PROTECT_LINKS,
            "/etc/sysctl.conf": "#net.ipv4.tcp_syncookies=1\n",
        },
        _DEBIAN_LINK,
        {
            "kernel.pid_max": ("4194304", "/usr/lib/sysctl.d/50-pid-max.conf"),
            "fs.protected_regular": ("2", "/usr/lib/sysctl.d/protect-links.conf"),
            "net.ipv4.tcp_syncookies": (None, None),
        },
    ),
    # Packages systemd 252.38-1~deb12u1, procps 4.0.2-3; /etc/sysctl.conf edited as the old manuals say.
    Distribution(
        "Debian 12",
        Procps(glob_exclusions=False),
        {
            "/usr/lib/sysctl.d/50-pid-max.conf": _PID_MAX,
            "/usr/lib/sysctl.d/99-protect-links.conf": _PROTECT_LINKS,
            "/etc/sysctl.conf": "# edited\nnet.core.somaxconn=65535\nfs.protected_regular=0\n",
        },
        _DEBIAN_LINK,
        {
            "net.core.somaxconn": ("65535", "/etc/sysctl.d/99-sysctl.conf"),
            "fs.protected_regular": ("0", "/etc/sysctl.d/99-sysctl.conf"),
            "fs.protected_fifos": ("1", "/usr/lib/sysctl.d/99-protect-links.conf"),
        },
    ),
    # Packages systemd 257.13-1~deb13u1, procps 2:4.0.4-9; no link any more, and /etc/sysctl.conf kept from Debian 12.
    Distribution(
        "Debian 13",
        Procps(glob_exclusions=False),
        {
            "/usr/lib/sysctl.d/10-coredump-debian.conf": "kernel.core_pattern=core\n",
            "/usr/lib/sysctl.d/50-pid-max.conf": _PID_MAX,
            "/etc/sysctl.conf": "net.core.somaxconn=65535\n",
        },
        {},
        {
            "net.core.somaxconn": (None, None),
            "kernel.core_pattern": ("core", "/usr/lib/sysctl.d/10-coredump-debian.conf"),
        },
    ),
    # The files and values that "sysctl --system" lists on a Rocky Linux 9.4 with eth0, prepared for Kubernetes.
    Distribution(
        "RHEL 9",
        Procps(glob_exclusions=False),
        {
            "/usr/lib/sysctl.d/10-default-yama-scope.conf": "kernel.yama.ptrace_scope = 0\n",
            "/usr/lib/sysctl.d/50-coredump.conf": "kernel.core_pipe_limit = 16\nfs.suid_dumpable = 2\n",
            "/usr/lib/sysctl.d/50-default.conf": _SYSTEMD_DEFAULT,
            "/usr/lib/sysctl.d/50-libkcapi-optmem_max.conf": "net.core.optmem_max = 81920\n",
            "/usr/lib/sysctl.d/50-pid-max.conf": _PID_MAX,
            "/usr/lib/sysctl.d/50-redhat.conf": (
                "kernel.kptr_restrict = 1\nnet.ipv4.conf.default.rp_filter = 1\nnet.ipv4.conf.*.rp_filter = 1\n"
            ),
            "/etc/sysctl.d/k8s.conf": "net.bridge.bridge-nf-call-iptables = 1\nnet.ipv4.ip_forward = 1\n",
            "/etc/sysctl.conf": "# For more information, see sysctl.conf(5) and sysctl.d(5).\n",
        },
        _DEBIAN_LINK,
        {
            "net.ipv4.conf.default.rp_filter": ("1", "/usr/lib/sysctl.d/50-redhat.conf"),
            "net.ipv4.conf.eth0.rp_filter": ("1", "/usr/lib/sysctl.d/50-redhat.conf"),
            "net.ipv4.conf.all.rp_filter": (None, "/usr/lib/sysctl.d/50-default.conf"),
            "net.ipv4.conf.eth0.accept_source_route": ("0", "/usr/lib/sysctl.d/50-default.conf"),
            "net.core.default_qdisc": ("fq_codel", "/usr/lib/sysctl.d/50-default.conf"),
            "net.ipv4.ping_group_range": ("0 2147483647", "/usr/lib/sysctl.d/50-default.conf"),
            "net.ipv4.ip_forward": ("1", "/etc/sysctl.d/k8s.conf"),
            "net.core.somaxconn": (None, None),
        },
    ),
    # The files and values that "sysctl --system" lists on an Ubuntu 24.04.
    Distribution(
        "Ubuntu 24.04",
        Procps(glob_exclusions=False),
        {
            "/usr/lib/sysctl.d/10-apparmor.conf": "kernel.apparmor_restrict_unprivileged_userns = 1\n",
            "/etc/sysctl.d/10-bufferbloat.conf": "net.core.default_qdisc = fq_codel\n",
            "/etc/sysctl.d/10-console-messages.conf": "kernel.printk = 4 4 1 7\n",
            "/etc/sysctl.d/10-map-count.conf": "vm.max_map_count = 1048576\n",
            "/etc/sysctl.d/10-network-security.conf": (
                "net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.all.rp_filter = 2\n"
            ),
            "/usr/lib/sysctl.d/50-pid-max.conf": _PID_MAX,
            "/etc/sysctl.d/99-enroot.conf": "kernel.apparmor_restrict_unprivileged_userns = 0\n",
            "/usr/lib/sysctl.d/99-protect-links.conf": _PROTECT_LINKS,
            "/etc/sysctl.conf": "#net.ipv4.ip_forward=1\n",
        },
        _DEBIAN_LINK,
        {
            "kernel.apparmor_restrict_unprivileged_userns": ("0", "/etc/sysctl.d/99-enroot.conf"),
            "kernel.printk": ("4 4 1 7", "/etc/sysctl.d/10-console-messages.conf"),
            "net.ipv4.conf.all.rp_filter": ("2", "/etc/sysctl.d/10-network-security.conf"),
            "net.ipv4.conf.eth0.rp_filter": (None, None),
        },
    ),
)
