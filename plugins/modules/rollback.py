#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Restore what a host had before a run of this collection
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Restores what M(nettune.tcp.tuning), M(nettune.tcp.sysctl), M(nettune.tcp.nofile) and M(nettune.tcp.listen_backlog)
    have replaced since a given run.
  - This covers running values, files with their owner, mode, ACLs and labels or their absence, directories, kernel
    modules, process limits, and listener queues.
  - Later runs are undone along with the named one, even if one of them was killed at any point.
  - What somebody else has changed since is not overwritten but reported with both values, and then nothing at all is
    rolled back, unless O(force=true).
  - Nothing is restarted. A server's queue is restored by calling C(listen) on its open socket, and systemd reloads its
    unit files if they have changed.
  - Idempotent. A rollback is itself a recorded run, all or nothing.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows each value before and after, and for a file that somebody has changed since, what would become of it.
options:
  before:
    description:
      - The run before which the host was in the state to restore.
      - The id of a run, as given by RV(nettune.tcp.tuning#module:run) and the fact C(runs) of M(nettune.tcp.tcp_facts).
      - A label means the last use of that O(nettune.tcp.tuning#module:label), that is all consecutive runs that have
        it, such as those of one play. On a host without any run of that label, nothing is rolled back, and a warning
        says so.
      - V(last) is the newest run that changed something and is not a rollback. If it is already undone, nothing
        changes.
      - V(original) is the state before anything was managed by this collection.
    type: str
    required: true
  force:
    description:
      - Overwrite what somebody else has changed since.
    type: bool
    default: false
notes:
  - Root is needed.
  - After a reboot or restart, a process is recognized by its unit or endpoint, and gets what its predecessors had if it
    has what the run set.
  - A process keeps its open file limit if it now has more files open than the old limit allows, and a kernel module
    that is in use stays loaded. The rows say so.
seealso:
  - module: nettune.tcp.tuning
  - module: nettune.tcp.tcp_facts
"""

EXAMPLES = r"""
- name: Roll back the play for change 4711, on every host where it changed something
  nettune.tcp.rollback:
    before: change-4711

- name: Show what rolling back the last run would do
  nettune.tcp.rollback:
    before: last
  check_mode: true
  diff: true

- name: Restore everything that was ever managed here, overwriting changes by others
  nettune.tcp.rollback:
    before: original
    force: true
"""

RETURN = r"""
settings:
  description:
    - One row for each object, in the form of RV(nettune.tcp.tuning#module:settings).
    - If somebody has changed something since, only the rows of those objects.
  returned: success, and if somebody has changed something since
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
      description: What is restored, in words. Null for what did not exist.
      type: str
      returned: always
      sample: exactly 4096
    runtime_before:
      description: What was in force before the rollback. Null for files and directories.
      type: raw
      returned: always
      sample: 16384
    runtime:
      description: What is in force now, as read back; in check mode, what would be.
      type: raw
      returned: always
      sample: 4096
    boot_before:
      description: What the next boot would have given a sysctl, or what a file was, in a few words.
      type: raw
      returned: always
      sample: 16384
    boot:
      description: What the next boot gives now, or what a file is. Check mode predicts this for files only.
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
        - V(ok) was already as it should be, or is gone. V(changed) was restored.
        - V(refused) has been changed by somebody since.
        - V(limited) and V(restart_required) could not be restored while the process runs.
      type: str
      returned: always
      sample: changed
    reason:
      description: Why the status is what it is. Empty if there is nothing to add.
      type: str
      returned: always
      sample: ""
summary:
  description: How many rows have each status. Statuses without rows are left out.
  returned: success
  type: dict
  sample: {changed: 14, ok: 2}
undone:
  description: The runs that are undone now, oldest first, whether by this rollback or already before.
  returned: success
  type: list
  elements: str
  sample: [20260314T092653.589793Z-1f3a]
run:
  description: The id of the rollback's own record. Null if nothing was changed.
  returned: success
  type: str
  sample: 20260314T101500.123456Z-77e0
restored:
  description: What was restored after a failure, newest change first.
  returned: failure during the change
  type: list
  elements: str
not_restored:
  description: What could not be restored, with the reason.
  returned: failure during the change, if restoring failed too
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
