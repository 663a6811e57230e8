# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files with sysctls that others have written, in every place and form that the boot knows."""

from __future__ import annotations

WRITE = """
set -eu
mkdir -p /usr/local/lib/sysctl.d /run/sysctl.d
cat > /etc/sysctl.d/10-lab.conf <<END
# A comment
net.ipv4.tcp_orphan_retries = 2
net/ipv4/tcp_syn_retries=7
net.ipv4.conf.*.log_martians = 1
-net/ipv4/conf/lo/log_martians
-net.ipv4.no_such_key = 1
END
echo 'net.ipv4.tcp_orphan_retries = 3' > /usr/local/lib/sysctl.d/20-lab.conf
echo 'net.ipv4.tcp_rfc1337 = 1' > /usr/lib/sysctl.d/30-lab.conf
ln -s /dev/null /etc/sysctl.d/30-lab.conf
echo 'net.ipv4.tcp_keepalive_probes = 7' > /usr/lib/sysctl.d/40-lab.conf
echo 'net.ipv4.tcp_keepalive_probes = 8' > /usr/local/lib/sysctl.d/40-lab.conf
echo 'net.netfilter.nf_conntrack_tcp_timeout_time_wait = 60' > /etc/sysctl.d/50-lab.conf
echo 'net.ipv4.tcp_retries2 = 14' > /usr/lib/sysctl.d/60-lab.conf
ln -s /dev/null /run/sysctl.d/60-lab.conf
echo 'net.ipv4.tcp_reordering = 5' > /run/sysctl.d/70-lab.conf
echo 'net.ipv4.tcp_synack_retries = 4' >> /etc/sysctl.conf
"""
REMOVE = """
set -eu
rm /etc/sysctl.d/[1-5]0-lab.conf /usr/lib/sysctl.d/[346]0-lab.conf /usr/local/lib/sysctl.d/[24]0-lab.conf
sed -i '$d' /etc/sysctl.conf
find /etc/sysctl.conf -empty -delete
"""
# The line that decides, even if only that a key is left alone; None where there is none.
SOURCES = {
    "net.ipv4.conf.all.log_martians": "/etc/sysctl.d/10-lab.conf:4",
    "net.ipv4.conf.eth0.log_martians": "/etc/sysctl.d/10-lab.conf:4",
    "net.ipv4.conf.lo.log_martians": "/etc/sysctl.d/10-lab.conf:5",
    "net.ipv4.tcp_keepalive_probes": "/usr/local/lib/sysctl.d/40-lab.conf:1",
    "net.ipv4.tcp_orphan_retries": "/usr/local/lib/sysctl.d/20-lab.conf:1",
    "net.ipv4.tcp_reordering": None,
    "net.ipv4.tcp_retries2": "/usr/lib/sysctl.d/60-lab.conf:1",
    "net.ipv4.tcp_rfc1337": None,
    "net.ipv4.tcp_syn_retries": "/etc/sysctl.d/10-lab.conf:3",
    "net.netfilter.nf_conntrack_tcp_timeout_time_wait": "/etc/sysctl.d/50-lab.conf:1",
}
# What files below /run do, which are gone after the reboot.
UNTIL_REBOOT = {
    "net.ipv4.tcp_reordering": "until the reboot, systemd-sysctl gives 5, from /run/sysctl.d/70-lab.conf:1",
    "net.ipv4.tcp_retries2": "until the reboot, /run/sysctl.d/60-lab.conf masks /usr/lib/sysctl.d/60-lab.conf",
}
# Up to Debian 12 a link brings /etc/sysctl.conf into the boot; since then only sysctl --system reads it.
BY_RELEASE = "net.ipv4.tcp_synack_retries"
KEYS = (*SOURCES, BY_RELEASE)
