#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tcp_reclaim
short_description: Close TCP connections that an application leaks, chosen by state, address, port and idleness
version_added: 0.1.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Closes connections in the kernel with C(SOCK_DESTROY), as C(ss --kill) does, for the one case that no setting cures,
    an application that does not close what it has opened. It buys time until the application is mended.
  - Each connection is looked at once more right before it is closed, with its state, idleness, uid and socket of
    its owner, and the request carries the kernel's own cookie of it. A connection that has got the same addresses and
    ports meanwhile is never closed in its place.
  - A listening socket cannot be named, so it is never closed.
  - What is counted as destroyed was looked for again, and was gone.
  - Whether this kernel can close sockets in the states asked for is tried first, in check mode too, with connections
    made for that on the loopback interface of the same network namespace.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
    details:
      - Tells what would go, exactly as long as nothing changes meanwhile.
  diff_mode:
    support: full
    details:
      - Shows how many match in each state, before and after, and the same samples as RV(samples).
options:
  state:
    description:
      - The states of the connections that are meant.
      - V(ESTABLISHED) needs another criterion beside it, as it would mean every open connection else.
      - V(CLOSE_WAIT) is what an application leaks whose peers have closed. Closing one frees its addresses and port.
        The process keeps the descriptor until it closes that itself, see RV(descriptors_still_held).
      - V(TIME_WAIT) needs O(force=true).
      - V(SYN_RECV) may become V(ESTABLISHED) between the last look and the request, and is closed even so.
        Likewise V(FIN_WAIT1), V(FIN_WAIT2) and V(CLOSING) may become V(TIME_WAIT). That is a matter of microseconds.
      - V(FIN_WAIT1), V(FIN_WAIT2), V(CLOSING) and V(LAST_ACK) cannot be closed before Linux 6.11, which would leave
        those that no process holds for ever, unless that was mended in an older release. That is tried, too.
    type: list
    elements: str
    required: true
    choices: [ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING]
  local_address:
    description:
      - Addresses or networks, such as C(192.0.2.0/24), one of which the local address must be in.
      - An address of IPv4 also means IPv4 connections of IPv6 sockets, which others show as C(::ffff:192.0.2.1).
    type: list
    elements: str
  local_port:
    description: Local ports, one of which must be the connection's. That of a server's connections is its own.
    type: list
    elements: int
  remote_address:
    description: As O(local_address), of the other end.
    type: list
    elements: str
  remote_port:
    description: As O(local_port), of the other end.
    type: list
    elements: int
  idle:
    description:
      - For how many seconds nothing must have happened on a connection.
      - The kernel tells that of connections that were once established and have not come to V(TIME_WAIT). With others
        in O(state) it is refused. In V(FIN_WAIT2) it is unknown of those that no process holds, see RV(idle_unknown).
    type: float
    default: 0
  idle_by:
    description:
      - What counts for O(idle) and for the order.
      - V(traffic) is data in either direction, and acknowledgements. An answer to a keepalive probe is one, so that
        a connection with keepalive and a peer that lives is never idle for longer than its interval.
      - V(data) is data alone. With that, keepalive does not protect a connection.
    type: str
    choices: [traffic, data]
    default: traffic
  unit:
    description:
      - The systemd unit that the sockets belong to, by the control groups of all processes that hold them. A socket
        that another unit holds, too, or that no process holds, is none of them. With V(SYN_RECV) and V(TIME_WAIT) in
        O(state), which no process ever holds, it is refused.
      - There is no choice by the name of a process, because anybody may call a process anything.
    type: str
  keep:
    description:
      - How many of those that match stay. Only what is above that is closed, and the longest idle first, to the second.
    type: int
    default: 0
  max:
    description: How many are closed at most in one run.
    type: int
    default: 100
  samples:
    description: How many of those that are closed are told one by one.
    type: int
    default: 10
  netns:
    description:
      - The network namespace that is meant, as the name under which C(ip netns) keeps it, a path or a pid.
      - By default that in which the module runs.
    type: str
  force:
    description:
      - Allow V(TIME_WAIT) in O(state). It keeps late segments of a connection out of the next one between the same
        addresses and ports, belongs to no process, costs 256 bytes and ends by itself after 60 seconds.
      - Where this host calls out and runs short of local ports, M(nettune.tcp.sysctl) with C(net.ipv4.tcp_tw_reuse) is
        the better cure.
    type: bool
    default: false
notes:
  - C(CAP_NET_ADMIN) is needed in the user namespace that owns the network namespace, so root as a rule. O(unit) needs
    to see the open files of all processes, and O(netns) C(CAP_SYS_ADMIN).
  - The kernel needs C(CONFIG_INET_DIAG_DESTROY), as those of Debian 12 and later, Ubuntu, Fedora and Red Hat's kin
    have it.
  - The other end gets a reset, unless the state is one that asks for none. The application gets C(ECONNABORTED).
  - The connection over which Ansible came is never closed, nor any other one that is held by the processes from which
    the module descends. That does not hold for an asynchronous task.
  - O(keep) is counted once, at the start.
seealso:
  - module: nettune.tcp.tcp_facts
  - module: nettune.tcp.sysctl
"""

EXAMPLES = r"""
- name: Tell what a leak has left behind, and change nothing
  nettune.tcp.tcp_reclaim:
    state: [CLOSE_WAIT]
    unit: app.service
    idle: 3600
  check_mode: true
  register: leak

- name: Close the oldest of it, above what the application needs as a pool
  nettune.tcp.tcp_reclaim:
    state: [CLOSE_WAIT]
    unit: app.service
    idle: 3600
    keep: 200
    max: 1000
  register: reclaimed

- name: Restart an application that keeps more than half of its files open for nothing
  ansible.builtin.service:
    name: app
    state: restarted
  when: reclaimed.descriptors_still_held | map(attribute='count') | sum > 32768

- name: Close connections to a database that has been moved, where no data went for ten minutes
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
  description: How many connections match, whatever became of them.
  returned: success
  type: int
  sample: 1250
states:
  description: The same by state, of those states in which any match.
  returned: success
  type: dict
  sample: {CLOSE_WAIT: 1250}
destroyed:
  description:
    - How many were closed, and are gone; in check mode how many would be.
    - After an error in the middle, how many were closed before it.
  returned: success, or failure during the closing
  type: int
  sample: 1000
spared:
  description: How many of those that were to go were not closed after all.
  returned: success
  type: dict
  contains:
    gone:
      description: They had ended by themselves, even if another connection has got the same addresses since.
      type: int
      returned: always
    changed:
      description: They did not match any more, or were held by someone else.
      type: int
      returned: always
    refused:
      description: The kernel said that it has closed them, and they are there still.
      type: int
      returned: always
  sample: {gone: 0, changed: 0, refused: 0}
beyond_max:
  description: How many more are above O(keep) and stay because of O(max).
  returned: success
  type: int
  sample: 50
idle_unknown:
  description: How many would match, but the kernel does not tell for how long they have been idle. They stay.
  returned: success
  type: int
  sample: 0
v4_mapped:
  description: How many of those closed are IPv4 connections of IPv6 sockets, which an address of IPv4 means, too.
  returned: success
  type: int
  sample: 0
descriptors_still_held:
  description:
    - The processes that keep descriptors of what was closed, one second after that. In check mode those that hold them
      now.
    - Each of them stays an open file of its process until that closes it or ends. Nobody but the application can cure
      that.
  returned: success
  type: list
  elements: dict
  contains:
    pid:
      description: The process.
      type: int
      returned: always
    name:
      description: Its name, which is whatever it has given itself.
      type: str
      returned: always
    unit:
      description: Its systemd unit, null where it has none.
      type: str
      returned: always
    count:
      description: How many descriptors it holds, of these sockets alone.
      type: int
      returned: always
  sample: [{pid: 811, name: app, unit: app.service, count: 1000}]
samples:
  description: The first O(samples) of those that were closed, or would be.
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
      description: The address of the other end.
      type: str
      returned: always
    remote_port:
      description: The port of the other end.
      type: int
      returned: always
    v4_mapped:
      description: Whether it is an IPv4 connection of an IPv6 socket.
      type: bool
      returned: always
    idle:
      description: For how many seconds it had been idle, by O(idle_by). Null where the kernel does not tell.
      type: float
      returned: always
    uid:
      description: The user whose socket it is, null where no process holds it.
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
