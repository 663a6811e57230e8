#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tuning
short_description: Set a host's sysctls, file limits and listen backlogs as one transaction that can be rolled back
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Does what M(nettune.tcp.sysctl), M(nettune.tcp.nofile) and M(nettune.tcp.listen_backlog) do, for everything that a
    host should have, in one task. It is all or nothing. If a server refuses its part at the end, no sysctl stays
    changed.
  - Dependencies between settings are handled. C(net.core.somaxconn) is raised for the backlogs, and C(fs.nr_open) for
    the file limits.
  - Everything is planned before anything is changed, then applied in the order sysctls, file limits, backlogs, and
    finally read back.
  - In check mode it reports drift in the same rows, and changes nothing.
  - Everything is recorded on the host before it is replaced, for M(nettune.tcp.rollback).
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the values, files, limits and queues that change, in the form of the module for each kind.
options:
  sysctls:
    description:
      - The keys and the wanted value of each, as for O(nettune.tcp.sysctl#module:settings).
      - A floor, C(at_least), for C(net.core.somaxconn) or C(fs.nr_open) is raised to what O(backlogs) or O(file_limits)
        need. Other relations are used as they are.
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
          - The unit, as for O(nettune.tcp.nofile#module:unit).
          - V(auto) stands for the units of all known servers that listen on the host, except those named separately.
        type: str
        required: true
      limit:
        description:
          - The limit, as for O(nettune.tcp.nofile#module:limit).
        type: raw
        required: true
      live:
        description:
          - Apply the limit to running processes at once.
        type: bool
        default: true
      restart:
        description:
          - Restart the unit if a process falls short, but only if a restart would give it the desired limit.
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
          - The server, as for O(nettune.tcp.listen_backlog#module:server).
          - V(auto) stands for nginx, Apache, HAProxy and lighttpd if they listen on the host in their distribution's
            unit, or in none, except those named separately.
        type: str
        required: true
        choices: [auto, apache, haproxy, lighttpd, nginx, systemd_socket, any]
      backlog:
        description:
          - The backlog, as for O(nettune.tcp.listen_backlog#module:backlog).
        type: raw
        required: true
      listen:
        description:
          - The sockets to manage, as for O(nettune.tcp.listen_backlog#module:listen).
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
          - How to apply a backlog that is not yet in force, as for O(nettune.tcp.listen_backlog#module:apply).
        type: str
        choices: [auto, live, reload, restart, none]
        default: auto
  exclude:
    description:
      - Sysctls to leave alone, even if they are in O(sysctls), or if a backlog or a file limit needs more.
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
      - Make sysctl changes that would otherwise be refused as harmful. O(nettune.tcp.sysctl#module:force) lists them.
    type: bool
    default: false
  purge:
    description:
      - Drop the keys that are in O(file) but no longer wanted, and restore their previous values.
    type: bool
    default: false
  load_modules:
    description:
      - Load the kernel modules that provide keys which do not exist yet, now and at boot.
    type: bool
    default: false
  label:
    description:
      - Your own label for the record of this run, such as the number of a change.
      - M(nettune.tcp.rollback) accepts it, on every host where the play has changed something.
    type: str
  confirm:
    description:
      - Roll this run back automatically after this many seconds, unless M(nettune.tcp.confirm) has confirmed it by
        then.
      - The host does so on its own, with a systemd timer that is started before the first change and survives a reboot.
        So the run undoes itself if the controller dies or the change cuts the host off. Later runs are undone with it.
      - What somebody else has changed by then is not overwritten. Nothing is rolled back in that case, and the journal
        of the unit C(nettune-tcp-confirm-ID.service) names it.
      - With V(0) the run needs no confirmation. Neither does a run that changes nothing.
      - It needs systemd, and is refused while another run on the host waits for confirmation.
    type: int
    default: 0
notes:
  - Root is needed to change anything. Without it, the module says what is missing and changes nothing.
  - Records are kept under C(/var/lib/nettune-tcp/runs), readable by root only, for the last 50 runs that changed
    something.
seealso:
  - module: nettune.tcp.rollback
  - module: nettune.tcp.confirm
  - module: nettune.tcp.sysctl
  - module: nettune.tcp.nofile
  - module: nettune.tcp.listen_backlog
"""

EXAMPLES = r"""
- name: Tune web servers, all or nothing
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

- name: Show what falls short, and why
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.status }}: {{ item.reason }}"
  loop: "{{ tuned.settings }}"
  when: item.status not in ['ok', 'changed']

- name: Set the queues of one server and one socket unit
  nettune.tcp.tuning:
    backlogs:
      - server: haproxy
        backlog: {at_least: 16384}
      - server: systemd_socket
        unit: app.socket
        backlog: 1024

- name: Tune, and let the host roll back unless it is confirmed within five minutes
  nettune.tcp.tuning:
    sysctls: "{{ wanted }}"
    label: change-4712
    confirm: 300

- name: Report drift
  nettune.tcp.tuning:
    sysctls: "{{ wanted }}"
  check_mode: true
"""

RETURN = r"""
settings:
  description: One row for each setting, sysctls first, then file limits, then backlogs.
  returned: success, and for the sysctls if one was refused
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
      description: What was requested, in words. Null for a key that is purged.
      type: str
      returned: always
      sample: at least 8192
    runtime_before:
      description:
        - What was in force before. For a unit, the lowest limit among its processes; for an endpoint, the smallest
          queue.
        - A number, a list of numbers or a text. Limits are one number if soft and hard are equal, otherwise
          C(soft:hard). Null if there is no such key, process or listener.
      type: raw
      returned: always
      sample: 511
    runtime:
      description: What is in force now, as read back; in check mode, what would be.
      type: raw
      returned: always
      sample: 8192
    boot_before:
      description:
        - What the next boot, or the next start of the unit or server, would have given before.
        - For a backlog this is the number in the configuration, which the kernel caps at C(net.core.somaxconn).
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
        - V(refused) means that the change would do harm. The task then fails.
        - V(overridden) means that another file wins at the next boot or start.
        - V(read_only) means that not even root can write the key from here.
        - V(clamped) means that C(net.core.somaxconn) does not allow a longer queue.
        - V(stale) means that a number is configured but not in force, and that O(backlogs[].apply) does not allow
          applying it.
        - V(limited) means that a process has less than its unit declares, by its own doing or for lack of a privilege.
        - V(restart_required) means that only a restart can apply it.
        - V(not_listening) means that the server does not listen there now.
      type: str
      returned: always
      sample: changed
    reason:
      description: Why the status is what it is. Empty if there is nothing to add.
      type: str
      returned: always
      sample: ""
summary:
  description: How many rows have each status. All statuses are present.
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
  description: The id of this run's record, for M(nettune.tcp.rollback). Null if nothing was changed.
  returned: success
  type: str
  sample: 20260314T092653.589793Z-1f3a
latest_run:
  description:
    - The newest recorded run before this one that changed something, by any module of this collection. Null if there is
      none, or if records are not readable.
  returned: success
  type: dict
  sample: {id: 20260313T080000.000000Z-02aa, module: tuning, label: change-4700, seconds_ago: 91612}
restored:
  description: What was restored after a failure, newest change first.
  returned: failure during the change
  type: list
  elements: str
  sample: ["net.core.somaxconn = 16384"]
not_restored:
  description: What could not be restored, with the reason.
  returned: failure during the change, if restoring failed too
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
