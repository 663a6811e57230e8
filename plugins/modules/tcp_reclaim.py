#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tcp_reclaim
short_description: Close TCP connections that an application leaks, selected by state, address, port and idle time
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Closes connections in the kernel with C(SOCK_DESTROY), as C(ss --kill) does, for the one case that no setting cures,
    an application that does not close its connections. It buys time until the application is fixed.
  - Each connection is checked again right before it is closed, including its state, idle time, uid and its owner's
    socket, and the request carries the kernel's socket cookie. A new connection with the same addresses and ports is
    never closed in its place.
  - Listening sockets cannot be selected, so they are never closed.
  - A connection counts as destroyed only after another look has shown that it is gone.
  - Whether this kernel can close sockets in the requested states is probed first, in check mode too, with connections
    created for the purpose on the loopback interface of the same network namespace.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
    details:
      - Predicts exactly what would be closed, as long as nothing changes in the meantime.
  diff_mode:
    support: full
    details:
      - Shows how many match in each state, before and after, and the same samples as RV(samples).
options:
  state:
    description:
      - The states of the connections to select.
      - V(ESTABLISHED) needs another criterion as well, since it would otherwise select every open connection.
      - V(CLOSE_WAIT) is what an application leaks after its peers have closed. Closing one frees its addresses and
        port. The process keeps the descriptor until it closes that itself, see RV(descriptors_still_held).
      - V(TIME_WAIT) needs O(force=true).
      - V(SYN_RECV) may become V(ESTABLISHED) between the last check and the request, and is then closed anyway.
        Likewise V(FIN_WAIT1), V(FIN_WAIT2) and V(CLOSING) may become V(TIME_WAIT). The window is a few microseconds.
      - V(FIN_WAIT1), V(FIN_WAIT2), V(CLOSING) and V(LAST_ACK) cannot be closed before Linux 6.11, where those that no
        process holds would stay forever, unless the fix was backported. That is probed, too.
    type: list
    elements: str
    required: true
    choices: [ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING]
  local_address:
    description:
      - Addresses or networks, such as C(192.0.2.0/24), one of which must contain the local address.
      - An IPv4 address also matches IPv4 connections of IPv6 sockets, which other tools show as C(::ffff:192.0.2.1).
    type: list
    elements: str
  local_port:
    description: Local ports, one of which must be the connection's. For a server's connections, this is the server's
      port.
    type: list
    elements: int
  remote_address:
    description: Like O(local_address), for the remote end.
    type: list
    elements: str
  remote_port:
    description: Like O(local_port), for the remote end.
    type: list
    elements: int
  idle:
    description:
      - How many seconds a connection must have been idle.
      - The kernel reports this for connections that were once established and are not in V(TIME_WAIT). With other
        states in O(state) it is refused. In V(FIN_WAIT2) it is unknown for those that no process holds, see
        RV(idle_unknown).
    type: float
    default: 0
  idle_by:
    description:
      - What counts for O(idle) and for the order.
      - V(traffic) is data in either direction, and acknowledgements. These include answers to keepalive probes, so that
        a connection with keepalive and a live peer is never idle for longer than the probe interval.
      - V(data) is data alone. Keepalive then does not protect a connection.
    type: str
    choices: [traffic, data]
    default: traffic
  unit:
    description:
      - The systemd unit that the sockets belong to, by the control groups of all processes that hold them. A socket
        that another unit also holds, or that no process holds, does not match. With V(SYN_RECV) and V(TIME_WAIT) in
        O(state), which no process ever holds, it is refused.
      - Selecting by process name is not possible, because anyone may give a process any name.
    type: str
  keep:
    description:
      - How many matching connections to keep. Only those above that are closed, the longest idle first, to the second.
    type: int
    default: 0
  max:
    description: The most connections that one run closes.
    type: int
    default: 100
  samples:
    description: How many of the closed connections are listed individually.
    type: int
    default: 10
  netns:
    description:
      - The network namespace to use, as a name known to C(ip netns), a path or a PID.
      - By default the one in which the module runs.
    type: str
  force:
    description:
      - Allow V(TIME_WAIT) in O(state). TIME_WAIT keeps late segments of a connection out of the next one between the
        same addresses and ports, belongs to no process, costs 256 bytes and ends by itself after 60 seconds.
      - If this host runs short of local ports for outgoing connections, M(nettune.tcp.sysctl) with
        C(net.ipv4.tcp_tw_reuse) is the better cure.
    type: bool
    default: false
notes:
  - C(CAP_NET_ADMIN) is needed in the user namespace that owns the network namespace, so usually root. O(unit) needs to
    see the open files of all processes, and O(netns) needs C(CAP_SYS_ADMIN).
  - The kernel needs C(CONFIG_INET_DIAG_DESTROY), which those of Debian 12 and later, Ubuntu, Fedora, and Red Hat and
    its derivatives have.
  - The peer gets a reset, unless the state calls for none. The application gets C(ECONNABORTED).
  - Ansible's own connection is never closed, nor any other one held by ancestor processes of the module. This does not
    apply to asynchronous tasks.
  - O(keep) is counted once, at the start.
seealso:
  - module: nettune.tcp.tcp_facts
  - module: nettune.tcp.sysctl
"""

EXAMPLES = r"""
- name: Report what a leak has left behind, and change nothing
  nettune.tcp.tcp_reclaim:
    state: [CLOSE_WAIT]
    unit: app.service
    idle: 3600
  check_mode: true
  register: leak

- name: Close the oldest of them, beyond what the application needs as a pool
  nettune.tcp.tcp_reclaim:
    state: [CLOSE_WAIT]
    unit: app.service
    idle: 3600
    keep: 200
    max: 1000
  register: reclaimed

- name: Restart an application that wastes more than half of its open file limit
  ansible.builtin.service:
    name: app
    state: restarted
  when: reclaimed.descriptors_still_held | map(attribute='count') | sum > 32768

- name: Close connections to a database that has moved, without data for ten minutes
  nettune.tcp.tcp_reclaim:
    state: [ESTABLISHED]
    remote_address: [192.0.2.10, "2001:db8::10"]
    remote_port: [5432]
    idle: 600
    idle_by: data

- name: Drop half-open connections from a network, in the network namespace of a container
  nettune.tcp.tcp_reclaim:
    state: [SYN_RECV]
    local_port: [443]
    remote_address: [198.51.100.0/24]
    netns: "{{ container_pid }}"
    max: 5000
"""

RETURN = r"""
matched:
  description: How many connections match, whatever happened to them.
  returned: success
  type: int
  sample: 1250
states:
  description: The same by state. States without a match are left out.
  returned: success
  type: dict
  sample: {CLOSE_WAIT: 1250}
destroyed:
  description:
    - How many were closed, and are gone; in check mode, how many would be.
    - After an error, how many were closed before it.
  returned: success, or failure during the closing
  type: int
  sample: 1000
spared:
  description: How many of the selected connections were not closed after all.
  returned: success
  type: dict
  contains:
    gone:
      description: They had ended by themselves, even if another connection has the same addresses now.
      type: int
      returned: always
    changed:
      description: They no longer matched, or had another holder.
      type: int
      returned: always
    refused:
      description: The kernel claimed to have closed them, but they still exist.
      type: int
      returned: always
  sample: {gone: 0, changed: 0, refused: 0}
beyond_max:
  description: How many more exceed O(keep) but stay because of O(max).
  returned: success
  type: int
  sample: 50
idle_unknown:
  description: How many would match, but the kernel does not report their idle time. They stay.
  returned: success
  type: int
  sample: 0
v4_mapped:
  description: How many of those closed are IPv4 connections of IPv6 sockets, which an IPv4 address also matches.
  returned: success
  type: int
  sample: 0
descriptors_still_held:
  description:
    - The processes that still hold descriptors of closed connections one second later. In check mode, the current
      holders.
    - Each descriptor stays an open file of its process until the process closes it or ends. Only the application can
      fix that.
  returned: success
  type: list
  elements: dict
  contains:
    pid:
      description: The process.
      type: int
      returned: always
    name:
      description: Its name, which it may have chosen itself.
      type: str
      returned: always
    unit:
      description: Its systemd unit, null if it has none.
      type: str
      returned: always
    count:
      description: How many descriptors of these sockets it holds.
      type: int
      returned: always
  sample: [{pid: 811, name: app, unit: app.service, count: 1000}]
samples:
  description: The first O(samples) of the connections that were closed, or would be.
  returned: success
  type: list
  elements: dict
  contains:
    state:
      description: The state it was in.
      type: str
      returned: always
    family:
      description: V(inet) or V(inet6), by its socket.
      type: str
      returned: always
    local_address:
      description: The local address.
      type: str
      returned: always
    local_port:
      description: The local port.
      type: int
      returned: always
    remote_address:
      description: The remote address.
      type: str
      returned: always
    remote_port:
      description: The remote port.
      type: int
      returned: always
    v4_mapped:
      description: Whether it is an IPv4 connection of an IPv6 socket.
      type: bool
      returned: always
    idle:
      description: For how many seconds it had been idle, by O(idle_by). Null if the kernel does not report it.
      type: float
      returned: always
    uid:
      description: The owner of the socket, null if no process holds it.
      type: int
      returned: always
    processes:
      description: The processes that held it, each with C(pid), C(name) and C(unit).
      type: list
      elements: dict
      returned: always
  sample:
    - state: CLOSE_WAIT
      family: inet
      local_address: 192.0.2.1
      local_port: 8080
      remote_address: 192.0.2.77
      remote_port: 40000
      v4_mapped: false
      idle: 7265.2
      uid: 998
      processes: [{pid: 811, name: app, unit: app.service}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim import close
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.request import CLOSABLE, DATA, TRAFFIC, parse_request


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "list", "elements": "str", "required": True, "choices": list(CLOSABLE)},
            "local_address": {"type": "list", "elements": "str"},
            "local_port": {"type": "list", "elements": "int"},
            "remote_address": {"type": "list", "elements": "str"},
            "remote_port": {"type": "list", "elements": "int"},
            "idle": {"type": "float", "default": 0},
            "idle_by": {"type": "str", "choices": [TRAFFIC, DATA], "default": TRAFFIC},
            "unit": {"type": "str"},
            "keep": {"type": "int", "default": 0},
            "max": {"type": "int", "default": 100},
            "samples": {"type": "int", "default": 10},
            "netns": {"type": "str"},
            "force": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    _module.run(module, lambda: close.manage(parse_request(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
