#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Give a host back what it had before a run of this collection
version_added: 0.1.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Gives back what M(nettune.tcp.tuning), M(nettune.tcp.sysctl), M(nettune.tcp.nofile) and
    M(nettune.tcp.listen_backlog) have replaced since a run.
  - These are running values, files with their owner, mode, ACLs and labels or their absence, directories, kernel
    modules, limits of processes, and queues of listeners.
  - The later runs are undone with the one that is named, also where one of them was killed anywhere in between.
  - What somebody else has changed since is not overwritten but named with both values, and then nothing at all is
    rolled back, unless O(force=true).
  - Nothing is restarted. A server's queue is given back by C(listen) on its very socket, and systemd is told to read
    its files again where they have changed.
  - A second call changes nothing. A rollback is a recorded run itself, all or nothing.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows each value before and after, and of a file that somebody has changed since what would become of it.
options:
  before:
    description:
      - The run before which things were as they shall be again.
      - The id of a run, as RV(nettune.tcp.tuning#module:run) and the fact C(runs) of M(nettune.tcp.tcp_facts) tell it.
      - A label means the last use of that O(nettune.tcp.tuning#module:label), all runs in a row that have it, as those
        of one play. On a host where nothing is recorded under it, nothing is rolled back, and a warning says so.
      - V(last) is the newest run that changed something and is no rollback. When that is undone already, nothing
        changes.
      - V(original) is before everything that is managed by this collection.
    type: str
    required: true
  force:
    description:
      - Overwrite what somebody else has changed since.
    type: bool
    default: false
notes:
  - Root is needed.
  - After a reboot, or when a process was started again, it is known by its unit or endpoint, and given back what the
    others had where it has what the run gave.
  - A process keeps its limit of open files where it has more open than that by now, and a kernel module that is used
    stays loaded. The rows say so.
seealso:
  - module: nettune.tcp.tuning
  - module: nettune.tcp.tcp_facts
"""

EXAMPLES = r"""
- name: Take back what the play for change 4711 has done, on every host where it has done something
  nettune.tcp.rollback:
    before: change-4711

- name: Show what taking back the last run would do
  nettune.tcp.rollback:
    before: last
  check_mode: true
  diff: true

- name: Give the host back all that was ever managed here, whatever others have made of it
  nettune.tcp.rollback:
    before: original
    force: true
"""

RETURN = r"""
settings:
  description:
    - One row for each thing, in the shape of RV(nettune.tcp.tuning#module:settings).
    - When somebody has changed something since, the rows of just that.
  returned: success, and when somebody has changed something since
  type: list
  elements: dict
  contains:
    kind:
      description: V(sysctl), V(file), V(directory), V(module), V(file_limit) or V(backlog).
      type: str
      returned: always
      sample: sysctl
    name:
      description: The key, path, kernel module, unit or endpoint.
      type: str
      returned: always
      sample: net.core.somaxconn
    want:
      description: What is given back, in words. Null for what was not there.
      type: str
      returned: always
      sample: exactly 4096
    runtime_before:
      description: What was in force before the rollback. Null for files and directories.
      type: raw
      returned: always
      sample: 16384
    runtime:
      description: What is in force now, as read back. In check mode what would be.
      type: raw
      returned: always
      sample: 4096
    boot_before:
      description: What the next boot would have given to a sysctl, or what a file was, in a few words.
      type: raw
      returned: always
      sample: 16384
    boot:
      description: What the next boot gives now, or what a file is. In check mode only of files what it would be.
      type: raw
      returned: always
      sample: null
    source:
      description: The file and line that decide.
      type: str
      returned: always
      sample: null
    status:
      description:
        - V(ok) was as it shall be, or is gone. V(changed) was given back.
        - V(refused) was changed by somebody since.
        - V(limited) and V(restart_required) could not be given back while the process runs.
      type: str
      returned: always
      sample: changed
    reason:
      description: Why the status is what it is, empty where there is nothing to add.
      type: str
      returned: always
      sample: ""
summary:
  description: How many rows have each status, of those that any row has.
  returned: success
  type: dict
  sample: {changed: 14, ok: 2}
undone:
  description: The runs that were undone, oldest first.
  returned: success
  type: list
  elements: str
  sample: [20260314T092653.589793Z-1f3a]
run:
  description: The id of the record of the rollback itself. Null where nothing was changed.
  returned: success
  type: str
  sample: 20260314T101500.123456Z-77e0
restored:
  description: What was put back after a failure, newest change first.
  returned: failure during the change
  type: list
  elements: str
not_restored:
  description: What could not be put back, with the reason.
  returned: failure during the change, when restoring failed too
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._rollback import apply


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "before": {"type": "str", "required": True},
            "force": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    _module.run(module, lambda: apply.manage(apply.parse_request(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
