#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tcp_facts
short_description: Gather the state of TCP connections, queues and settings as facts
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Reports how many connections are in which state, whom they belong to, and how full each listener's queues are.
  - Asks the kernel through netlink (C(sock_diag)) and C(/proc), never parses a command's output, so that a host with a
    million sockets answers in about the time the kernel needs to list them.
  - Works without root, with fewer facts, and says in C(collected.limited) what could not be determined.
  - Works as a facts module, with C(ANSIBLE_FACTS_MODULES), fact caches and M(ansible.builtin.gather_facts).
extends_documentation_fragment:
  - nettune.tcp._attributes
  - nettune.tcp._attributes.facts
options:
  gather_subset:
    description:
      - 'What to gather: V(states), V(peers), V(clients), V(listeners), V(holders), V(servers), V(counters),
        V(sysctls), V(limits), V(conntrack), V(runs), or V(all) of them, or V(min), which is states and counters.'
      - V(summary) gathers what the fact C(summary) needs, about a kilobyte, for caches of very many hosts, and omits
        the rest unless it is also requested. V(all) does not include it.
      - V(queues) is a short form of V(listeners), the accept queues alone, which V(all) does not include. It asks
        neither for connections nor for processes, so a million connections do not make it slower.
      - A name prefixed with C(!) is excluded. A list of only such names means all except them.
    type: list
    elements: str
    default: [all]
  top:
    description: How many of the busiest peers and clients, of the largest holders, and of the newest runs are kept.
    type: int
    default: 10
  interval:
    description:
      - Seconds between two samples of the counters, for C(rates). The module waits that long.
      - With V(0) there is one sample and no rates.
    type: float
    default: 0
  netns:
    description:
      - The network namespace to look into, as a name known to C(ip netns), an absolute path, or the PID of a process in
        it.
      - By default that of the connection. Another one needs root.
    type: str
  compare:
    description:
      - What the host should have, as options of M(nettune.tcp.tuning). The fact C(drift) then shows what it has.
      - Nothing is changed and no server is reloaded, but each server's own check is run on a configuration that would
        have to be edited.
    type: dict
notes:
  - Counters are totals since the namespace was created. Only their growth, C(rates), shows what is happening now.
seealso:
  - module: nettune.tcp.sysctl
  - plugin: nettune.tcp.audit
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Gather everything, with rates over five seconds
  nettune.tcp.tcp_facts:
    interval: 5

- name: Show the listeners whose accept queue is full
  ansible.builtin.debug:
    msg: "{{ item.address }}:{{ item.port }} has {{ item.accept_queue }} waiting, limit {{ item.backlog }}"
  loop: "{{ ansible_facts.tcp.listeners }}"
  when: item.backlog is not none and item.accept_queue > item.backlog

- name: Count connections by state cheaply, on a host with very many
  nettune.tcp.tcp_facts:
    gather_subset: [min]

- name: Keep one kilobyte per host of a large fleet in the fact cache
  nettune.tcp.tcp_facts:
    gather_subset: [summary]
    interval: 1

- name: Look at the accept queues only, every few seconds if need be
  nettune.tcp.tcp_facts:
    gather_subset: [queues]

- name: Look into the namespace of a container
  nettune.tcp.tcp_facts:
    netns: "{{ container_pid | string }}"
"""

RETURN = r"""
ansible_facts:
  description: The facts, under one key. Keys of subsets that were not requested are absent.
  returned: success
  type: dict
  contains:
    tcp:
      description: All that was gathered.
      returned: success
      type: dict
      contains:
        states:
          description:
            - Number of sockets in each of the eleven states, under the names that C(netstat) uses.
          returned: with subset states
          type: dict
          sample:
            ESTABLISHED: 130
            SYN_SENT: 0
            SYN_RECV: 3
            FIN_WAIT1: 0
            FIN_WAIT2: 12
            TIME_WAIT: 1669
            CLOSE: 0
            CLOSE_WAIT: 0
            LAST_ACK: 0
            LISTEN: 9
            CLOSING: 0
        time_wait:
          description:
            - TIME_WAIT by direction. C(inbound) means that something listens on the local port here, C(outbound) that
              this host opened the connection, and each holds a local port.
            - Null unless peers, clients or listeners are gathered too, because it requires examining every socket.
          returned: with subset states
          type: dict
          sample: {inbound: 1600, outbound: 69}
        peers:
          description:
            - The remote addresses and ports with the most outgoing connections, busiest first.
            - C(local_ports_used) is the number of local ports held towards the peer by C(local_address), the local
              address that holds most; C(local_ports_in_time_wait) is how many of those are in TIME_WAIT, and
              C(local_ports_available) the size of C(ip_local_port_range) minus reserved ports.
            - C(utilization) is the share that connect() cannot use. Ports in TIME_WAIT do not count if C(tcp_tw_reuse)
              lets connect() reuse them, which it does after a second (C(tcp_twsk_unique)). At 1, connect() fails with
              "Cannot assign requested address".
          returned: with subset peers
          type: list
          elements: dict
          sample:
            - {address: 10.0.0.5, port: 3306, total: 812, states: {ESTABLISHED: 12, TIME_WAIT: 800},
              local_address: 10.0.0.2, local_ports_used: 812, local_ports_in_time_wait: 800,
              local_ports_available: 28232, utilization: 0.0288}
        clients:
          description: The remote addresses with the most incoming connections, by local port.
          returned: with subset clients
          type: list
          elements: dict
          sample:
            - {address: 203.0.113.9, port: 443, total: 61, states: {ESTABLISHED: 61}}
        listeners:
          description:
            - One entry per listening socket. C(accept_queue) is the number of connections waiting for accept(),
              C(backlog) the limit in force (null from C(/proc/net/tcp)), C(syn_recv) the number of half-open
              connections.
            - C(sharing) is the number of sockets that listen on this address, port and C(device). Above 1, they form an
              SO_REUSEPORT group, each with its own queue. C(device) is null for a socket that is not bound to a network
              device, and from C(/proc/net/tcp).
            - C(connections) counts the port's incoming connections by state, whatever their local address, and C(share)
              is their share, from 0 to 1, of all incoming connections of the host, null if there are none.
            - C(covers) is a lower bound for how many seconds accepting may pause before the queue, or the queues of the
              group, are full. The kernel counts arrivals per network namespace, not per listener, so this is the
              backlog divided by all arrivals per second, C(PassiveOpens) plus C(ListenOverflows) of C(rates); it is
              close for a listener with a C(share) near 1. Null without an interval or without arrivals.
            - C(processes) have C(pid), C(name), C(unit) and C(nofile) with the limits C(soft) and C(hard), null for
              unlimited, and C(used), the number of open files. More than four with the same name, unit and limits are
              one entry, for the one with the most open files, and C(count) is their number, absent elsewhere.
          returned: with subset listeners
          type: list
          elements: dict
          sample:
            - {family: inet, address: 0.0.0.0, port: 80, accept_queue: 0, backlog: 511, syn_recv: 0, inode: 18231,
              v6only: null, uid: 0, connections: {ESTABLISHED: 61}, sharing: 1, device: null, share: 0.98,
              covers: 1.703,
              processes: [{pid: 812, name: nginx, unit: nginx.service, nofile: {soft: 1024, hard: 524288, used: 9},
              count: 3}]}
        queues:
          description:
            - The accept queue and C(backlog) per endpoint, without anything else that RV(ansible_facts.tcp.listeners)
              has. With V(all), V(!listeners) and V(queues), the facts of a host with 100 listeners take 12 KB.
            - For an SO_REUSEPORT group they are those of its fullest queue, and C(sockets) is the number of its
              sockets, absent elsewhere. C(device) is absent for sockets that are not bound to a network device.
          returned: with subset queues
          type: list
          elements: dict
          sample:
            - {address: 0.0.0.0, port: 443, accept_queue: 12, backlog: 4096, sockets: 8}
        holders:
          description:
            - Which processes hold the sockets in C(CLOSE_WAIT), C(FIN_WAIT2) and C(SYN_SENT), each null while fewer
              than 100 sockets are in that state, because finding out requires examining every open file on the host.
            - C(without_process) is the number of sockets that no process has open. In FIN_WAIT2 they have been closed,
              and C(tcp_fin_timeout) ends them; in CLOSE_WAIT they wait in an accept queue.
            - C(processes) are the largest holders, with the number of C(sockets). Workers that share a socket are
              listed individually. Empty if the files of others are not visible.
            - From the inode of each socket and the links in C(/proc/PID/fd).
          returned: with subset holders
          type: dict
          sample:
            CLOSE_WAIT:
              without_process: 12
              processes: [{pid: 902, name: app, unit: app.service, sockets: 59988}]
            FIN_WAIT2: null
            SYN_SENT: null
        servers:
          description:
            - One entry for each listening nginx, Apache httpd, HAProxy and lighttpd, with its connection settings
              alongside what the kernel says. C(pid) is the process that was started, C(unit) its systemd unit.
            - A process counts as a server if its program belongs to root or the caller, and root or the caller started
              it, or it is the main process of its unit, or root created its socket. Any other process with such a name
              is only an entry in C(listeners). Nothing that its command line names is read.
            - C(workers) is the number of accepting processes, C(nofile) the smallest soft open file limit among them,
              and C(backlog) the number of connections that can wait for the server at one address, summed over the
              sockets of a group, null if a listener's is.
            - C(config) is the main file, the distribution's or the one on the command line, which is read only if root
              or the caller owns it. C(error) says why a configuration could not be read, such as that of a container;
              C(settings) is then empty.
            - C(settings) use the server's own names. C(value) is null if it is not set and has no fixed default,
              C(source) is null for a default. Times are in seconds. If a setting may differ by virtual host, frontend
              or condition, the smallest is given. No name is resolved and no command is run to read them.
            - 'nginx: C(worker_processes), C(worker_connections), C(worker_rlimit_nofile), C(keepalive_timeout),
              C(keepalive_requests).'
            - 'Apache: C(MaxRequestWorkers), C(ThreadsPerChild), C(ServerLimit), C(KeepAlive), C(KeepAliveTimeout),
              C(MaxKeepAliveRequests).'
            - 'HAProxy: C(maxconn), C(ulimit-n) and C(fd-hard-limit) of global, C(frontend maxconn), C(option), which is
              http-keep-alive, http-server-close or httpclose, and C(timeout http-keep-alive). Without the first and
              third it computes maxconn from its hard open file limit.'
            - 'lighttpd: C(server.max-connections), C(server.max-fds), C(server.max-keep-alive-idle),
              C(server.max-keep-alive-requests).'
          returned: with subset servers
          type: list
          elements: dict
          sample:
            - {server: nginx, pid: 811, unit: nginx.service, workers: 2, nofile: 1024, backlog: 511,
              config: /etc/nginx/nginx.conf, error: null,
              settings: {worker_processes: {value: auto, source: "/etc/nginx/nginx.conf:2"},
              worker_connections: {value: 768, source: "/etc/nginx/nginx.conf:8"},
              worker_rlimit_nofile: {value: null, source: null}, keepalive_timeout: {value: 75, source: null},
              keepalive_requests: {value: null, source: null}}}
        runs:
          description:
            - What this collection has changed on the host, newest first. C(id) is for
              O(nettune.tcp.rollback#module:before). C(end) is completed, restored (everything was restored after a
              failure), failed (not everything could be) or killed. C(replaced) counts the replaced objects by kind,
              C(undoes) are the runs that a rollback undid.
            - Null if not readable. It needs root.
          returned: with subset runs
          type: list
          elements: dict
          sample:
            - {id: 20260314T092653.589793Z-1f3a, end: completed, module: tuning, label: change-4711,
              time: "2026-03-14T09:26:53Z", user: admin, boot_id: 0d1c, undoes: [],
              replaced: {sysctl: 9, file: 3, file_limit: 5, backlog: 2}}
        drift:
          description:
            - The rows of M(nettune.tcp.tuning) in check mode, RV(nettune.tcp.tuning#module:settings).
            - Null if the host could not be compared, for example without root; C(collected.limited) says why.
          returned: with O(compare)
          type: list
          elements: dict
          sample:
            - {kind: sysctl, name: net.core.somaxconn, want: at least 4096, runtime_before: 4096, runtime: 4096,
              boot_before: 4096, boot: 4096, source: "/etc/sysctl.d/zz-nettune-tcp.conf:2", status: ok, reason: ""}
        counters:
          description:
            - Counters of queues, cookies, TIME_WAIT, orphans and memory under the kernel's names, as in C(nstat).
            - Counters that this kernel lacks are absent.
          returned: with subset counters
          type: dict
          sample: {ListenOverflows: 0, ListenDrops: 0}
        rates:
          description: The counters per second over O(interval), null if one went backwards; null without an interval.
          returned: with subset counters
          type: dict
          sample: {ListenOverflows: 0.0}
        retransmitted:
          description:
            - The share of segments that were retransmitted, from 0 to 1, over O(interval) and since boot. Null if
              nothing was sent, without an interval, or if the kernel lacks a counter.
            - It is C(RetransSegs) minus C(TCPSynRetrans), divided by the sum of that and C(OutSegs), which does not
              count retransmissions. Handshakes do not count, since they indicate unanswered connections, not lost
              segments.
          returned: with subset counters
          type: dict
          sample: {interval: 0.0012, boot: 0.0009}
        sockstat:
          description:
            - Gauges of C(/proc/net/sockstat). C(tcp_tw) includes FIN_WAIT2 without a process. C(tcp_orphan),
              C(tcp_alloc) and C(tcp_mem_pages) are host-wide.
          returned: with subset counters
          type: dict
          sample: {tcp_inuse: 5, tcp_orphan: 0, tcp_tw: 0, tcp_alloc: 7, tcp_mem_pages: 1}
        sysctls:
          description:
            - C(runtime) is the running value, a number, a list of numbers or a text; C(boot) is what the next boot
              gives and C(source) the file and line that decide it, both null if no file sets the key, and for another
              namespace. If a line C(-key) excludes the key from globs, C(source) names that line.
            - C(scope) is C(netns) for a value of this network namespace and C(host) for a host-wide one.
            - Keys that this kernel or namespace lacks are absent.
          returned: with subset sysctls
          type: dict
          sample:
            net.core.somaxconn:
              runtime: 4096
              boot: 16384
              source: /etc/sysctl.d/zz-nettune-tcp.conf:2
              scope: netns
        files:
          description:
            - Open files on the host, C(allocated) of C(max), and the per-process ceiling C(nr_open), from
              C(/proc/sys/fs).
            - C(processes) are those that use more than half of their soft limit, fullest first, at most O(top), with
              C(utilization), the share in use. Processes with fewer than 32 files are left out.
          returned: with subset limits
          type: dict
          sample:
            allocated: 1216
            max: 9223372036854775807
            nr_open: 1048576
            processes:
              - {pid: 902, name: app, unit: app.service, nofile: {soft: 1024, hard: 524288, used: 613},
                utilization: 0.5986}
        login_limits:
          description:
            - The effective open file limits that C(pam_limits) gives to logins, from C(/etc/security/limits.conf) and
              C(limits.d). C(domain) is whom it applies to, as written there; C(type) is V(soft) or V(hard); C(value) is
              null for no limit.
          returned: with subset limits
          type: list
          elements: dict
          sample:
            - {domain: "*", type: hard, value: 65536, source: "/etc/security/limits.conf:50"}
        conntrack:
          description: Entries C(count) of C(max), and hash C(buckets). Null if the module is not loaded.
          returned: with subset conntrack
          type: dict
          sample: {count: 42, max: 262144, buckets: 262144}
        summary:
          description:
            - The most telling facts of each subset.
            - C(states) are those that are not 0, C(time_wait) is as above, C(listeners) the number of listeners.
            - C(fullest_queue) is the listener with the fullest accept queue, C(scarcest_ports) the peer with the
              highest C(utilization); each null if there is none.
            - C(used) is the used share of each limit, from 0 to 1, null if the limit is not known in this namespace.
              C(time_wait_buckets) includes FIN_WAIT2 without a process, as the limit does.
            - C(rates) are the ones that ought to be 0 and the connections opened, null without an interval;
              C(overflows) is C(ListenOverflows) since boot; C(boot_differs) is the number of sysctls that will differ
              after a boot.
          returned: with subset summary
          type: dict
          sample:
            states: {ESTABLISHED: 130, TIME_WAIT: 1669, LISTEN: 9}
            time_wait: {inbound: 1600, outbound: 69}
            listeners: 9
            fullest_queue:
              {address: 0.0.0.0, port: 80, accept_queue: 3, backlog: 511, covers: 1.703, process: nginx,
              unit: nginx.service}
            scarcest_ports: {address: 10.0.0.5, port: 3306, utilization: 0.0288}
            used: {orphans: 0.0, tcp_memory: 0.0013, time_wait_buckets: 0.0127, conntrack: 0.0002, files: 0.0,
              process_files: null}
            rates: {PassiveOpens: 300.0, ActiveOpens: 12.0, ListenOverflows: 0.0}
            overflows: 90210
            retransmitted: {interval: 0.0012, boot: 0.0009}
            boot_differs: 0
        boot_id:
          description: The kernel's id of this boot. Counters with different ids are not comparable.
          returned: success
          type: str
          sample: 5a3c1f0e-3b0c-4e8e-9d9f-0a3d0b6a2c11
        uptime:
          description: Seconds since boot.
          returned: success
          type: float
          sample: 86400.17
        kernel:
          description: The kernel release.
          returned: success
          type: str
          sample: 6.12.48-amd64
        netns:
          description: The requested namespace, null for the connection's own.
          returned: success
          type: str
          sample: web
        collected:
          description:
            - C(at) is the time in UTC, by the host's clock. C(source) is V(sock_diag) or V(procfs), null if no sockets
              were requested; C(limited) says what could not be determined, and why; C(subsets) what was gathered;
              C(elapsed_ms) how long it took.
          returned: success
          type: dict
          sample:
            {at: "2026-11-24T11:59:00Z", source: sock_diag, limited: [], subsets: [counters, states], elapsed_ms: 3.1}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "gather_subset": {"type": "list", "elements": "str", "default": ["all"]},
            "top": {"type": "int", "default": 10},
            "interval": {"type": "float", "default": 0},
            "netns": {"type": "str"},
            "compare": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    _module.run(module, lambda: {"ansible_facts": {"tcp": gather(parse_request(module.params))}})


if __name__ == "__main__":
    main()
