#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctl
short_description: Set sysctls in the running kernel and for the next boot, as one transaction
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Sets any number of sysctls as wanted, in the running kernel and in one drop-in file that the module owns.
  - A wanted value can be a relation, so that a host which already has more than enough keeps it.
  - Only keys that differ are written. C(sysctl --system) is never run, because it would set everyone else's keys too.
  - Every value is read back. If the kernel rejects or alters one, kernel and files are restored.
  - Keys that the kernel checks against each other, such as C(net.ipv4.ip_local_port_range) and
    C(net.ipv4.ip_unprivileged_port_start), are written in an order that it accepts.
  - Changes known to do harm are refused with the reason, before anything is changed. O(force) lists them.
  - Reports what else would win or interfere, such as a later file, C(tuned), C(bpftune), C(kube-proxy) or C(ufw).
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
    details:
      - Predicts what the kernel would refuse, by trying the values in a network namespace created for the purpose. For
        host-wide keys and those of interfaces, a refusal shows only when they are written.
  diff_mode:
    support: full
    details:
      - Shows the running and the boot value of each key that differs.
options:
  settings:
    description:
      - The keys and the wanted value of each. Keys are written with dots or slashes, as in M(ansible.posix.sysctl).
      - A bare value (a number, a text or a list of numbers) means V(exactly).
      - 'A dictionary with one of these relations: C(exactly), C(at_least), C(at_most), or C(covers).'
      - C(at_least) and C(at_most) compare numbers. In keys with several numbers, each is compared with its counterpart.
      - C(covers) takes a range, low and high, and widens the present one to include it. For
        C(net.ipv4.ip_local_reserved_ports) it takes a list of ports and keeps those that are already reserved.
      - Numbers in a text are read as the kernel reads them, V("030") as 24. For keys that do not hold numbers, such as
        C(kernel.core_pattern) and C(kernel.domainname), the text is used as it is.
      - Booleans are refused, because YAML turns V(yes) and V(on) into them where the kernel expects numbers.
      - With O(state=absent) only the keys matter. The values may be empty.
    type: dict
    required: true
  file:
    description:
      - The drop-in file to own. Its name decides when it is read at boot, in order of names across all directories.
      - A file that this module did not write is refused.
    type: path
    default: /etc/sysctl.d/zz-nettune-tcp.conf
  state:
    description:
      - V(present) sets the keys, now and for the next boot. Other keys in O(file) are left as they are.
      - V(absent) removes the keys from O(file) and restores the running values they had before they were first managed.
    type: str
    choices: [present, absent]
    default: present
  missing:
    description:
      - What to do about keys that this kernel or network namespace does not have.
      - V(skip) omits them from the file too, and reports them as C(skipped).
      - The reason distinguishes between a kernel that lacks the key, a network namespace that does not have its own, an
        interface that does not exist, and a module that is not loaded, which O(load_modules) can load.
    type: str
    choices: [skip, fail]
    default: skip
  force:
    description:
      - Make changes that would otherwise be refused. An existing value is never refused, only a change to it.
      - A capacity is refused if it is lower than the present one, or than what another file gives at the next boot.
        This applies to queues, buffers, C(fs.file-max), C(fs.nr_open), conntrack tables and the like.
      - Also refused are C(net.ipv4.tcp_tw_recycle=1), C(net.ipv4.tcp_timestamps=0),
        C(net.ipv4.tcp_abort_on_overflow=1), C(net.ipv4.tcp_syncookies) other than 1, and C(net.ipv4.tcp_tw_reuse=1)
        without timestamps or, before Linux 4.19, C(2), which means C(1) there.
      - Also refused is a C(net.ipv4.ip_local_port_range) that includes the port of a service that listens now, unless
        C(net.ipv4.ip_local_reserved_ports) covers it, and one whose ends are both odd or both even.
      - Also refused is C(fs.nr_open) below the limit of a process or unit, C(fs.file-max) below the number of open
        files, and C(net.netfilter.nf_conntrack_max) above eight times C(net.netfilter.nf_conntrack_buckets).
      - Also refused are values that the kernel accepts although they make no sense, such as 0 or -1 seconds, or buffers
        with a maximum below the minimum.
    type: bool
    default: false
  purge:
    description:
      - Drop the keys that are in O(file) but not in O(settings), and restore their previous values.
      - With O(settings={}) this restores everything that is managed in O(file).
    type: bool
    default: false
  load_modules:
    description:
      - Load the kernel module that provides a key which does not exist yet, such as C(nf_conntrack) for
        C(net.netfilter.nf_conntrack_max), and unload it again if the run fails.
      - The module is also listed in C(/etc/modules-load.d/zz-nettune-tcp.conf), because sysctls are set at boot right
        after those modules are loaded, and keys of modules loaded later would not get their values.
    type: bool
    default: false
  netns:
    description:
      - Set the keys in this network namespace, such as that of a running container, instead of the module's own.
      - The name of a namespace known to C(ip netns), the path of one, or the PID of a process in it.
      - Only running values are set, as a namespace does not survive a reboot. O(file) is left alone, and the boot
        values in the result are null.
      - Host-wide keys are refused. O(state=absent) and O(purge=true) have no meaning here.
    type: str
notes:
  - Root is needed to change anything. Without it, the module says what is missing and changes nothing.
  - Before a key is first changed, its running value is recorded in C(/var/lib/nettune-tcp/originals.json).
  - Everything that a run replaces is recorded beforehand, for M(nettune.tcp.rollback).
  - If a run is killed, each file is either old or new, never half-written, and the next run finishes the work.
  - Only one run at a time works on a host. Another one waits for it for up to two minutes.
seealso:
  - module: nettune.tcp.tuning
  - module: nettune.tcp.rollback
  - module: nettune.tcp.tcp_facts
  - module: ansible.posix.sysctl
"""

EXAMPLES = r"""
- name: Give a web server longer queues, and keep what is already larger
  nettune.tcp.sysctl:
    settings:
      net.core.somaxconn: {at_least: 16384}
      net.ipv4.ip_local_port_range: {covers: [15000, 60999]}
      net.ipv4.ip_local_reserved_ports: {covers: "15672,25672"}
      net.ipv4.tcp_syncookies: 1
  register: tuned

- name: Show which keys fall short, and why
  ansible.builtin.debug:
    msg: "{{ item.key }}: {{ item.value.status }} {{ item.value.reason }}"
  loop: "{{ tuned.settings | dict2items }}"
  when: item.value.status not in ['ok', 'changed']

- name: Make room for connections in a firewall, even if its module is loaded late at boot
  nettune.tcp.sysctl:
    settings:
      net.netfilter.nf_conntrack_max: {at_least: 1048576}
      net.netfilter.nf_conntrack_buckets: {at_least: 262144}
    load_modules: true

- name: Set a key in the network namespace of a running container
  nettune.tcp.sysctl:
    settings:
      net.core.somaxconn: {at_least: 16384}
    netns: "{{ container_pid }}"

- name: Manage these keys and no others, and restore those that were managed before
  nettune.tcp.sysctl:
    settings:
      net.core.somaxconn: {at_least: 16384}
    purge: true

- name: Restore a key to its previous value
  nettune.tcp.sysctl:
    settings:
      net.core.somaxconn:
    state: absent
"""

RETURN = r"""
settings:
  description: One entry for each requested key, and with O(purge=true) for each dropped key.
  returned: success, and if a setting was refused
  type: dict
  contains:
    want:
      description: What was requested, in words. Null with O(state=absent) and for a key that is purged.
      type: str
      returned: always
      sample: at least 16384
    runtime_before:
      description: The running value before, a number, a list of numbers or a text. Null if the key does not exist.
      type: raw
      returned: always
      sample: 4096
    runtime:
      description: The running value now, as read back; in check mode, what it would be.
      type: raw
      returned: always
      sample: 16384
    boot_before:
      description: What the next boot would have given. Null if no file sets the key, and with O(netns).
      type: raw
      returned: always
      sample: 4096
    boot:
      description: What the next boot gives. Null if no file sets the key, and with O(netns).
      type: raw
      returned: always
      sample: 16384
    source:
      description: The file and line that decide at the next boot.
      type: str
      returned: always
      sample: /etc/sysctl.d/zz-nettune-tcp.conf:2
    status:
      description:
        - V(ok) and V(changed) hold now and after a reboot.
        - V(skipped) means that this kernel or namespace has no such key. RV(settings.reason) says why.
        - V(refused) means that the change would do harm, as RV(settings.reason) explains. The task then fails.
        - V(overridden) means that another file wins at the next boot.
        - V(read_only) means that not even root can write the key from here, as in a container. It is still set for the
          next boot.
      type: str
      returned: always
      sample: changed
    reason:
      description:
        - Why the status is what it is. Empty if there is nothing to add.
        - Also what else sets the key, and where C(sysctl --system) would give a different value from the next boot.
      type: str
      returned: always
      sample: ""
  sample:
    net.core.somaxconn:
      want: at least 16384
      runtime_before: 4096
      runtime: 16384
      boot_before: null
      boot: 16384
      source: /etc/sysctl.d/zz-nettune-tcp.conf:2
      status: changed
      reason: ""
file:
  description: The drop-in file, null with O(netns).
  returned: success
  type: str
  sample: /etc/sysctl.d/zz-nettune-tcp.conf
run:
  description: The id of this run's record, for M(nettune.tcp.rollback). Null if nothing was changed.
  returned: success
  type: str
  sample: 20260314T092653.589793Z-1f3a
key:
  description: The key that caused the failure.
  returned: failure, if it concerns one key
  type: str
  sample: net.ipv4.tcp_syn_retries
value:
  description: The value that was refused.
  returned: failure, if it concerns a value
  type: str
  sample: "9999"
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
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import apply


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "required": True},
            "file": {"type": "path", "default": "/etc/sysctl.d/zz-nettune-tcp.conf"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "missing": {"type": "str", "choices": ["skip", "fail"], "default": "skip"},
            "force": {"type": "bool", "default": False},
            "purge": {"type": "bool", "default": False},
            "load_modules": {"type": "bool", "default": False},
            "netns": {"type": "str"},
        },
        supports_check_mode=True,
    )
    _module.run(module, lambda: apply.manage(apply.parse_request(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
