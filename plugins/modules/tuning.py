#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tuning
short_description: Give a host its sysctls, file limits and listen backlogs as one transaction, and take it back exactly
version_added: 0.1.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Does what M(nettune.tcp.sysctl), M(nettune.tcp.nofile) and M(nettune.tcp.listen_backlog) do, for all that a host
    shall have, in one task. Everything is done or nothing. What a server refuses in the end leaves no sysctl changed.
  - What one setting needs of another is seen to. C(net.core.somaxconn) is raised for the backlogs, and C(fs.nr_open)
    for the file limits.
  - Everything is planned before anything is changed, then done in the order sysctls, file limits, backlogs, and looked
    at again once when all is done.
  - In check mode it tells what has drifted, by the same rows, and changes nothing.
  - What is replaced is recorded on the host before it is replaced, for M(nettune.tcp.rollback).
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the values, files, limits and queues that change, each kind as the module for it does.
options:
  sysctls:
    description:
      - The keys and what is wanted of each, as O(nettune.tcp.sysctl#module:settings) takes them.
      - A floor, C(at_least), for C(net.core.somaxconn) or C(fs.nr_open) is raised to what O(backlogs) or
        O(file_limits) need. Another relation is taken as it is.
    type: dict
    default: {}
  file_limits:
    description:
      - How many files the processes of systemd units may open.
    type: list
    elements: dict
    default: []
    suboptions:
      unit:
        description:
          - The unit, as O(nettune.tcp.nofile#module:unit) takes it.
          - V(auto) stands for the units of all known servers that listen here, but for those that are named beside it.
        type: str
        required: true
      limit:
        description:
          - The limit, as O(nettune.tcp.nofile#module:limit) takes it.
        type: raw
        required: true
      live:
        description:
          - Give running processes the limit at once.
        type: bool
        default: true
      restart:
        description:
          - Restart the unit where a process falls short, and only if a start would give it what is wanted.
        type: bool
        default: false
  backlogs:
    description:
      - The backlogs of servers.
    type: list
    elements: dict
    default: []
    suboptions:
      server:
        description:
          - The server, as O(nettune.tcp.listen_backlog#module:server) takes it.
          - V(auto) stands for nginx, Apache, HAProxy and lighttpd where they listen here in the unit of their
            distribution, or in none, but for those that are named beside it.
        type: str
        required: true
        choices: [auto, apache, haproxy, lighttpd, nginx, systemd_socket, any]
      backlog:
        description:
          - The backlog, as O(nettune.tcp.listen_backlog#module:backlog) takes it.
        type: raw
        required: true
      listen:
        description:
          - The sockets that are meant, as O(nettune.tcp.listen_backlog#module:listen) takes them.
        type: list
        elements: str
      config:
        description:
          - The main file of the server's configuration.
        type: path
      unit:
        description:
          - The systemd unit that runs the server.
        type: str
      apply:
        description:
          - How a number gets into force when it is not, as O(nettune.tcp.listen_backlog#module:apply) takes it.
        type: str
        choices: [auto, live, reload, restart, none]
        default: auto
  exclude:
    description:
      - Sysctls to leave alone, also where they are in O(sysctls), or where a backlog or a file limit needs more.
    type: list
    elements: str
    default: []
  file:
    description:
      - The drop-in file for sysctls, as in M(nettune.tcp.sysctl).
    type: path
    default: /etc/sysctl.d/zz-nettune-tcp.conf
  missing:
    description:
      - What to do about sysctls that this kernel or network namespace does not have.
    type: str
    choices: [skip, fail]
    default: skip
  force:
    description:
      - Make changes of sysctls that would otherwise be refused as harmful. O(nettune.tcp.sysctl#module:force) lists
        them.
    type: bool
    default: false
  purge:
    description:
      - Drop the keys that are in O(file) but not wanted any more, and give them back what they held before.
    type: bool
    default: false
  load_modules:
    description:
      - Load the kernel modules that bring keys which do not exist yet, now and at boot.
    type: bool
    default: false
  label:
    description:
      - A word of yours for the record of this run, such as the number of a change.
      - M(nettune.tcp.rollback) takes it, on every host where the play has changed something.
    type: str
  confirm:
    description:
      - Roll this run back by itself after so many seconds, unless M(nettune.tcp.confirm) has confirmed it by then.
      - The host does so with what it has, a systemd timer that is started before the first change and survives a
        reboot, so that a controller that dies or a change that cuts the host off undoes itself. Later runs are undone
        with it.
      - With V(0) the run needs no confirmation. A run that changes nothing needs none either.
      - It needs systemd, and is refused while another run of the host waits for its confirmation.
    type: int
    default: 0
notes:
  - Root is needed to change anything. Without it the module says what is missing and changes nothing.
  - Records are kept under C(/var/lib/nettune-tcp/runs), for root alone, those of the last 50 runs that changed
    something.
seealso:
  - module: nettune.tcp.rollback
  - module: nettune.tcp.confirm
  - module: nettune.tcp.sysctl
  - module: nettune.tcp.nofile
  - module: nettune.tcp.listen_backlog
"""

EXAMPLES = r"""
- name: Give web servers what they need, all or nothing
  nettune.tcp.tuning:
    sysctls:
      net.ipv4.tcp_slow_start_after_idle: 0
      net.ipv4.ip_local_port_range: {covers: [15000, 60999]}
    file_limits:
      - unit: auto
        limit: {at_least: 65536}
    backlogs:
      - server: auto
        backlog: {at_least: 8192}
    label: change-4711
  register: tuned

- name: Say what falls short, and why
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.status }}: {{ item.reason }}"
  loop: "{{ tuned.settings }}"
  when: item.status not in ['ok', 'changed']

- name: Give one server and one socket unit their queues
  nettune.tcp.tuning:
    backlogs:
      - server: haproxy
        backlog: {at_least: 16384}
      - server: systemd_socket
        unit: app.socket
        backlog: 1024

- name: Tune, and let the host take it back unless it is confirmed within five minutes
  nettune.tcp.tuning:
    sysctls: "{{ wanted }}"
    label: change-4712
    confirm: 300

- name: Tell what has drifted
  nettune.tcp.tuning:
    sysctls: "{{ wanted }}"
  check_mode: true
"""

RETURN = r"""
settings:
  description: One row for each setting, sysctls first, then file limits, then backlogs.
  returned: success, and of the sysctls when one was refused
  type: list
  elements: dict
  contains:
    kind:
      description: V(sysctl), V(file_limit) or V(backlog).
      type: str
      returned: always
      sample: backlog
    name:
      description: The key, the unit, or the endpoint.
      type: str
      returned: always
      sample: 0.0.0.0:80
    want:
      description: What was asked for, in words. Null for a key that is purged.
      type: str
      returned: always
      sample: at least 8192
    runtime_before:
      description:
        - What was in force before. Of a unit the lowest limit among its processes, of an endpoint the smallest queue.
        - A number, a list of numbers or a text. Limits are one number where soft and hard are the same, else
          C(soft:hard). Null where there is no such key, process or listener.
      type: raw
      returned: always
      sample: 511
    runtime:
      description: What is in force now, as read back. In check mode what would be.
      type: raw
      returned: always
      sample: 8192
    boot_before:
      description:
        - What the next boot, or the next start of the unit or server, would have given before.
        - Of a backlog this is the number in the configuration, which the kernel cuts to C(net.core.somaxconn).
      type: raw
      returned: always
      sample: 511
    boot:
      description: What the next boot or start gives now.
      type: raw
      returned: always
      sample: 8192
    source:
      description: The file and line that decide that.
      type: str
      returned: always
      sample: /etc/nginx/sites-enabled/default:22
    status:
      description:
        - V(ok) and V(changed) hold now and after a reboot or restart.
        - V(skipped) means that this kernel or namespace has no such key.
        - V(refused) means that the change would do harm. The task fails then.
        - V(overridden) means that another file wins at the next boot or start.
        - V(read_only) means that not even root can write the key from here.
        - V(clamped) means that C(net.core.somaxconn) allows no longer queue.
        - V(stale) means that a number is configured but not in force, and that O(backlogs[].apply) did not allow the
          cure.
        - V(limited) means that a process has less than its unit declares, by its own doing or for lack of a right.
        - V(restart_required) means that nothing but a restart would do it.
        - V(not_listening) means that the server does not listen there now.
      type: str
      returned: always
      sample: changed
    reason:
      description: Why the status is what it is, empty where there is nothing to add.
      type: str
      returned: always
      sample: ""
summary:
  description: How many rows have each status. All of them are there.
  returned: success
  type: dict
  sample:
    ok: 12
    changed: 3
    skipped: 0
    refused: 0
    overridden: 0
    read_only: 0
    clamped: 0
    stale: 0
    limited: 0
    restart_required: 0
    not_listening: 0
run:
  description: The id of the record of this run, for M(nettune.tcp.rollback). Null where nothing was changed.
  returned: success
  type: str
  sample: 20260314T092653.589793Z-1f3a
latest_run:
  description:
    - The newest recorded run before this one that changed something, by any module of this collection. Null where there
      is none, or where records may not be seen.
  returned: success
  type: dict
  sample: {id: 20260313T080000.000000Z-02aa, module: tuning, label: change-4700, seconds_ago: 91612}
restored:
  description: What was put back after a failure, newest change first.
  returned: failure during the change
  type: list
  elements: str
  sample: ["net.core.somaxconn = 16384"]
not_restored:
  description: What could not be put back, with the reason.
  returned: failure during the change, when restoring failed too
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._tuning import apply
from ansible_collections.nettune.tcp.plugins.module_utils._tuning.options import OPTIONS


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    _module.run(module, lambda: apply.manage(apply.parse_request(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
