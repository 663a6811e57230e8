#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nofile
short_description: Set the open file limit of a systemd unit, for its next start and for its running processes
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Declares C(LimitNOFILE) in a drop-in file that the module owns, so that the unit gets the limit when it starts.
  - Raises the limit of every running process of the unit, workers included, without a restart.
  - The desired limit can be a relation, so that a unit which already has more than enough keeps it.
  - What counts is what the kernel reports for each process afterwards. If a process falls short, the reason is given.
  - A limit above C(fs.nr_open) is refused, because systemd would silently clamp it.
  - A run is one transaction. If any part fails, files and limits are restored and systemd reloads the old unit files.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows what is declared for the unit and the limits of each process, if they differ.
options:
  unit:
    description:
      - The unit. C(.service) may be omitted.
      - A template such as V(getty@.service) stands for all its instances. An instance may have its own limit.
      - Units of the types service, socket, mount and swap start processes. Other types are refused.
      - The limit of a socket unit applies to the commands that the unit runs. The service that it starts has its own.
    type: str
    required: true
  limit:
    description:
      - How many files a process may open. Required with O(state=present).
      - A bare number means V(exactly), for both the soft and the hard limit.
      - 'A dictionary with one of these relations applies to both limits: C(exactly), C(at_least), or C(at_most).'
      - A dictionary of C(soft) and C(hard), each a number or a relation, sets them separately. One may be omitted, and
        is then changed only as far as the other requires.
      - The soft limit is the one in force. A process may raise it up to the hard limit itself.
      - Programs that call C(select()) cannot use descriptors above 1023. They need a soft limit of 1024, and may have a
        higher hard limit.
    type: raw
  live:
    description:
      - Apply the limit to running processes at once.
      - No soft limit is lowered below the number of open files.
      - Raising a hard limit needs C(CAP_SYS_RESOURCE), which containers usually lack.
    type: bool
    default: true
  restart:
    description:
      - Restart the unit if a process falls short, but only if a restart would give it the desired limit.
      - If O(live) is enough, nothing is restarted.
    type: bool
    default: false
  state:
    description:
      - V(present) sets the limit.
      - V(absent) removes the drop-in file. Running processes keep their limits until they are restarted.
    type: str
    choices: [present, absent]
    default: present
notes:
  - Root is needed to change anything. Without it, the module says what is missing and changes nothing.
  - The drop-in file is C(/etc/systemd/system/UNIT.d/zz-nettune-tcp.conf).
  - Programs may set their own limit, as nginx does with C(worker_rlimit_nofile), and do so again on every reload.
  - Debian's C(apachectl) sets a limit of its own at each start. Where that would lower the unit's, the drop-in also
    turns it off, with C(Environment=APACHE_ULIMIT_MAX_FILES=true). A value in C(/etc/apache2/envvars) is left alone. If
    it is too low, RV(status) is V(limited).
  - Everything that a run replaces is recorded beforehand, for M(nettune.tcp.rollback).
seealso:
  - module: nettune.tcp.tuning
  - module: nettune.tcp.rollback
  - module: nettune.tcp.sysctl
  - module: nettune.tcp.tcp_facts
"""

EXAMPLES = r"""
- name: Let nginx open many files, now and after every start
  nettune.tcp.nofile:
    unit: nginx
    limit: {at_least: 65536}
  register: nofile

- name: Show which processes fall short, and why
  ansible.builtin.debug:
    msg: "{{ item.name }} ({{ item.pid }}) has {{ item.after.soft }}: {{ item.reason }}"
  loop: "{{ nofile.processes }}"
  when: item.status not in ['ok', 'changed']

- name: Give headroom to a program that raises its own limit, and restart it only if necessary
  nettune.tcp.nofile:
    unit: haproxy.service
    limit:
      soft: 1024
      hard: {at_least: 524288}
    restart: true

- name: Remove the drop-in again
  nettune.tcp.nofile:
    unit: nginx
    state: absent
"""

RETURN = r"""
unit:
  description: The full name of the unit, not an alias.
  returned: success, and if the limit was refused
  type: str
  sample: nginx.service
want:
  description: What was requested, in words. Null with O(state=absent).
  returned: success
  type: str
  sample: at least 65536
declared:
  description:
    - The limits that systemd has loaded for the unit, or in check mode would have.
    - Null if there is no such unit.
  returned: success, and if the limit was refused
  type: dict
  contains:
    soft:
      description: The soft limit, a number or V(infinity).
      type: raw
      returned: always
      sample: 65536
    hard:
      description: The hard limit, a number or V(infinity).
      type: raw
      returned: always
      sample: 524288
declared_before:
  description: The limits that systemd had loaded for the unit before, in the form of RV(declared).
  returned: success
  type: dict
  sample: {soft: 1024, hard: 524288}
next_start:
  description:
    - The limits that a process gets when the unit starts, in the form of RV(declared).
    - They are lower than declared if systemd itself may not give more, as in a container.
  returned: success
  type: dict
  sample: {soft: 65536, hard: 524288}
source:
  description: The file and line that decide, or C(DefaultLimitNOFILE of systemd).
  returned: success
  type: str
  sample: /etc/systemd/system/nginx.service.d/zz-nettune-tcp.conf:3
file:
  description: The drop-in file that this module owns.
  returned: success
  type: str
  sample: /etc/systemd/system/nginx.service.d/zz-nettune-tcp.conf
processes:
  description: One row for each process in the unit's control group, or for a template in those of its instances.
  returned: success
  type: list
  elements: dict
  contains:
    pid:
      description: The process.
      type: int
      returned: always
      sample: 4711
    name:
      description: The name of its program, as the kernel reports it.
      type: str
      returned: always
      sample: nginx
    unit:
      description: The unit, or for a template the instance.
      type: str
      returned: always
      sample: nginx.service
    before:
      description: Its limits before, in the form of RV(declared). Null for a process started in the meantime.
      type: dict
      returned: always
      sample: {soft: 1024, hard: 524288}
    after:
      description: Its limits now, as read back; in check mode, what they would be.
      type: dict
      returned: always
      sample: {soft: 65536, hard: 524288}
    used:
      description: How many files it has open. Null if that is not visible.
      type: int
      returned: always
      sample: 12
    status:
      description: Like RV(status), for this process.
      type: str
      returned: always
      sample: changed
    reason:
      description: Why the status is what it is, and what to know about it. Empty if there is nothing to add.
      type: str
      returned: always
      sample: ""
restarted:
  description: The units that were restarted, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: []
restart_required:
  description: Whether a process falls short to which a restart would give the desired limit.
  returned: success
  type: bool
  sample: false
run:
  description: The id of this run's record, for M(nettune.tcp.rollback). Null if nothing was changed.
  returned: success
  type: str
  sample: 20260314T092653.589793Z-1f3a
status:
  description:
    - The worst status of the unit and its processes.
    - V(ok) and V(changed) mean that the limit holds now and at every start.
    - V(own_limit) means that a process has set itself a lower limit than its unit gave it.
    - V(restart_required) means that a process keeps a lower limit until it is restarted.
    - V(limited) means that neither this module nor systemd may give that much here, as in a container.
    - V(overridden) means that another file wins, shown in RV(source).
    - V(refused) means that nothing was changed, as RV(reason) explains.
  returned: success, and if the limit was refused
  type: str
  sample: changed
reason:
  description: Why the status is what it is. Empty if there is nothing to add.
  returned: success, and if the limit was refused
  type: str
  sample: ""
restored:
  description: What was restored after a failure, newest change first.
  returned: failure during the change
  type: list
  elements: str
  sample: ["write /etc/systemd/system/nginx.service.d/zz-nettune-tcp.conf", "daemon-reload"]
not_restored:
  description: What could not be restored, with the reason.
  returned: failure during the change, if restoring failed too
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import apply


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "required": True},
            "limit": {"type": "raw"},
            "live": {"type": "bool", "default": True},
            "restart": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["limit"])],
        supports_check_mode=True,
    )
    _module.run(module, lambda: apply.manage(apply.parse_request(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
