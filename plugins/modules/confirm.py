#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: confirm
short_description: Confirm a run that would otherwise be rolled back by itself
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Confirms a run of M(nettune.tcp.tuning) that used O(nettune.tcp.tuning#module:confirm), so that its timer does not
    roll it back.
  - Call it over a new connection, after C(meta=reset_connection). A connection that was open before the change proves
    nothing.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - It changes no setting.
options:
  run:
    description:
      - The id of the run, RV(nettune.tcp.tuning#module:run), or its label.
      - A run that has already been rolled back, or that has not finished, is an error.
    type: str
    required: true
notes:
  - Root is needed.
seealso:
  - module: nettune.tcp.tuning
  - module: nettune.tcp.rollback
"""

EXAMPLES = r"""
- name: Tune, and let the host roll back unless it is confirmed within five minutes
  nettune.tcp.tuning:
    sysctls: "{{ wanted }}"
    confirm: 300
  register: tuned

- name: Reconnect
  ansible.builtin.meta: reset_connection

- name: Confirm
  nettune.tcp.confirm:
    run: "{{ tuned.run }}"
  when: tuned.run is not none
"""

RETURN = r"""
confirmed:
  description: The runs that were waiting for confirmation, oldest first.
  returned: success
  type: list
  elements: str
  sample: [20260314T092653.589793Z-1f3a]
undone_by:
  description: The rollback that came first.
  returned: failure, when the run was rolled back
  type: str
  sample: 20260314T101500.123456Z-77e0
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._confirm import apply


def main() -> None:
    module = AnsibleModule(argument_spec={"run": {"type": "str", "required": True}}, supports_check_mode=True)
    _module.run(module, lambda: apply.manage(module.params["run"], check_mode=module.check_mode))


if __name__ == "__main__":
    main()
