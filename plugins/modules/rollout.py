#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout
short_description: The gate of the role tcp_remediate
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - The steps of the role P(nettune.tcp.tcp_remediate#role) that consider all hosts of a play at once, on the
    controller, using what the role's tasks have registered. It is of no use outside that role.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  action:
    support: full
    description: Runs on the controller, and with O(step=measure) also on the host.
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - It changes no setting.
options:
  step:
    description:
      - V(check) runs before any host is contacted. It refuses setups that it cannot supervise, and names the run.
      - V(plan) classifies every host and makes the batches. It fails if the budget is already spent.
      - V(measure) reads the counters of a host, which are not facts and are not cached.
      - V(judge) gives the verdict on a batch, and says which hosts are to be confirmed and which rolled back.
      - V(settle) records the outcome, and fails if no further batch may follow.
      - V(finish) gives the verdict on the run.
    type: str
    required: true
    choices: [check, plan, measure, judge, settle, finish]
  run:
    description: The name of the run, which is the label of its records on the hosts.
    type: str
  batch:
    description: The number of the batch, from 0.
    type: int
  batches:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_batches).
    type: list
    elements: str
    default: ["1", "5%", "10%", "25%"]
  canaries:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_canaries).
    type: list
    elements: str
    default: []
  max_hosts:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_max_hosts).
    type: str
    default: "100"
  budget:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_budget).
    type: str
    default: "10%"
  cooldown:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_cooldown).
    type: int
    default: 3600
  controls:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_controls).
    type: int
    default: 10
  interval:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_interval).
    type: int
    default: 30
  min_connections:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_min_connections).
    type: int
    default: 100
  min_events:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_min_events).
    type: int
    default: 10
  ratio:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_ratio).
    type: float
    default: 2.0
  margin:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_margin).
    type: float
    default: 0.01
  on_inconclusive:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_on_inconclusive).
    type: str
    choices: [stop, continue]
    default: stop
  rollback:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_rollback).
    type: str
    choices: [batch, run]
    default: batch
  confirm:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_confirm).
    type: int
    default: 0
  record_dir:
    description: As O(nettune.tcp.tcp_remediate#role:main:tcp_remediate_record_dir).
    type: str
  variables:
    description: Names of variables of the role. An unknown name is an error.
    type: list
    elements: str
    default: []
seealso:
  - module: nettune.tcp.tuning
  - module: nettune.tcp.rollback
  - module: nettune.tcp.confirm
"""

EXAMPLES = r"""
- name: Remediate with the role, which calls this action
  ansible.builtin.include_role:
    name: nettune.tcp.tcp_remediate
"""

RETURN = r"""
run:
  description: The name of the run.
  returned: with O(step=check)
  type: str
  sample: remediate-20260314T092653Z-1f3a
batches:
  description: For each batch, its number, its name, the hosts to tune, and all hosts to measure.
  returned: with O(step=plan)
  type: list
  elements: dict
  sample: [{number: 0, name: canaries, hosts: [web1], all: [web1, web2, web3]}]
involved:
  description: The hosts that take part in any batch.
  returned: with O(step=plan)
  type: list
  elements: str
  sample: [web1, web2, web3]
lines:
  description: What each batch would do, or its outcome, for a terminal.
  returned: with O(step=plan), O(step=finish), and O(step=settle) if the run ends there
  type: list
  elements: str
  sample: ["canaries: web1, compared with web2, web3"]
counters:
  description: Like the fact C(counters) of M(nettune.tcp.tcp_facts).
  returned: with O(step=measure)
  type: dict
  sample: {ListenDrops: 0}
boot_id:
  description: The kernel's id of this boot.
  returned: with O(step=measure)
  type: str
  sample: 5a3c1f0e-3b0c-4e8e-9d9f-0a3d0b6a2c11
verdict:
  description: V(pass), V(fail), V(inconclusive), or V(running).
  returned: with O(step=judge), O(step=settle) and O(step=finish)
  type: str
  sample: pass
why:
  description: Why the verdict is what it is.
  returned: with O(step=judge)
  type: str
  sample: no worse than the control hosts
numbers:
  description: The numbers behind the verdict, in events per connection.
  returned: with O(step=judge)
  type: dict
  sample: {overflow: {batch: 0.0, batch_before: 0.12, control: 0.0, expected: 0.12}}
confirm:
  description: The hosts whose runs are to be confirmed.
  returned: with O(step=judge)
  type: list
  elements: str
  sample: [web1]
runs:
  description: The ids of those runs, by host.
  returned: with O(step=judge)
  type: dict
  sample: {web1: 20260314T092653.589793Z-1f3a}
roll_back:
  description: The hosts that are to be rolled back.
  returned: with O(step=judge)
  type: list
  elements: str
  sample: []
record:
  description: The path of the record of the run.
  returned: if the run ends
  type: str
  sample: /srv/tcp-remediation/remediate-20260314T092653Z-1f3a.json
"""

# The action plugin of the same name does the work.
